"""Using things up: memory, disk, files, output, time."""

import ctypes
import mmap
import os
import re
import signal
import sys
import threading
import time

import torch

X86 = os.uname().machine == "x86_64"
MIB = 2**20


def large_tensor():
    """Ask for a tensor of 16 GiB.

    status: out_of_memory
    stopped: memory
    """
    return torch.ones(2**32).sum()


def many_tensors():
    """Keep tensors of 64 MiB until there is no more.

    status: out_of_memory
    stopped: memory
    """
    kept = []
    for _ in range(400):
        kept.append(torch.empty(2**24))
    return len(kept)


def growing_bytes():
    """Grow a bytearray without an end.

    status: out_of_memory
    stopped: memory
    """
    kept = bytearray()
    for _ in range(400):
        kept.extend(bytes(64 * MIB))
    return len(kept)


def shared_mapping():
    """Map 16 GiB of shared memory.

    status: failed, out_of_memory
    stopped: Cannot allocate memory|OSError|memory
    """
    return len(mmap.mmap(-1, 16 << 30))


def memory_file():
    """Keep data in a memory file, which no limit of the process counts.

    stopped: PermissionError
    """
    return os.memfd_create("x")


def output_file():
    """Make the file that takes the output 1 TiB long.

    stopped: OSError|File too large
    """
    os.ftruncate(1, 2**40)


def pipes():
    """Fill thousands of pipes, whose memory belongs to nobody.

    stopped: OSError: .*Too many open files
    """
    kept = []
    for _ in range(3000):
        _, end = os.pipe()
        os.set_blocking(end, False)
        os.write(end, bytes(2**16))
        kept.append(end)
    return len(kept)


def deep_recursion_in_c():
    """Overflow the stack of the C code.

    status: crashed, failed
    stopped: SIGSEGV|RecursionError|SIGBUS|exit status
    """
    sys.setrecursionlimit(10**9)
    nested = []
    for _ in range(10**6):
        nested = [nested]
    return repr(nested)


def fill_disk():
    """Write files until the disk is full.

    status: failed, crashed
    stopped: No space left|wrote more than
    timeout: 10
    """
    block = bytes(MIB)
    for i in range(400):
        with open(f"big{i}", "wb") as file:
            file.write(block)
    time.sleep(10)  # to be found out
    return "400 MiB"


def deleted_but_open():
    """Keep deleted files open, so that no listing shows what they take.

    status: failed
    stopped: No space left|File too large|that is all
    """
    kept = []
    for i in range(40):
        file = open(f"gone{i}", "wb")
        os.unlink(f"gone{i}")
        file.write(bytes(2 * MIB))
        file.flush()
        kept.append(file)
    raise RuntimeError("that is all: 80 MiB, below the 1 GiB from which the judge ends it")


def one_large_file():
    """Write one file of 2 GiB.

    status: failed, crashed
    stopped: File too large|No space left|wrote more than
    timeout: 10
    """
    with open("large", "wb", buffering=0) as file:
        for _ in range(2048):
            file.write(bytes(MIB))
    return "2 GiB"


def many_files():
    """Make files until there are no inodes left.

    status: failed, crashed
    stopped: No space left|made more than
    timeout: 10
    """
    for i in range(20_000):
        with open(f"f{i}", "w"):
            pass
    time.sleep(10)
    return "20,000 files"


def nested_folders():
    """Nest folders deeper than any program that deletes them expects.

    status: failed, crashed
    stopped: No space left|made more than|wrote more than
    timeout: 10
    """
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
    time.sleep(10)
    return "3,000 folders deep"


def flood_print():
    """Print without an end.

    status: timeout
    stopped: did not answer
    timeout: 0.6
    """
    while True:
        print("x" * 100_000)


def flood_below_python():
    """Write to descriptor 1 without an end, below Python.

    status: failed
    stopped: File too large
    """
    while True:
        os.write(1, b"x" * MIB)


def long_exception():
    """Raise an exception with a text of 50 MB, and a traceback a thousand frames deep.

    stopped: xxxxxxxx
    """

    def deeper(n):
        if n == 0:
            raise RuntimeError("x" * 50_000_000)
        deeper(n - 1)

    deeper(900)


def python_loop():
    """Loop in Python.

    status: timeout
    stopped: did not answer
    timeout: 0.6
    """
    while True:
        pass


def c_loop():
    """Stay in one long call of C code.

    status: timeout
    stopped: did not answer
    timeout: 0.6
    """
    x = torch.ones(6000, 6000)
    return x @ x @ x @ x


def regular_expression():
    """Match a regular expression that takes until the end of time, holding the interpreter lock.

    status: timeout
    stopped: did not answer
    timeout: 0.6
    """
    return re.match(r"(a*)*b", "a" * 5000)


def huge_integer():
    """Compute a number of a billion digits.

    status: timeout, out_of_memory
    stopped: did not answer|memory
    timeout: 0.6
    """
    return 7 ** (10**9)


def sleep_deaf_to_signals():
    """Sleep with every signal ignored.

    status: timeout
    stopped: did not answer
    timeout: 0.6
    """
    for number in range(1, 64):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
    while True:
        time.sleep(1000)


def deadlock():
    """Wait for a lock that nobody opens.

    status: timeout
    stopped: did not answer
    timeout: 0.6
    """
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def clock():
    """Turn back the machine's clock.

    stopped: PermissionError
    """
    time.clock_settime(time.CLOCK_REALTIME, 0)


def kernel_surface():
    """Try system calls that no coursework needs: bpf, perf, userfaultfd, keyctl, add_key, shmget, msgget, personality.

    stopped: PermissionError
    """
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = (321, 298, 323, 250, 248, 29, 68, 135) if X86 else (280, 241, 282, 219, 217, 194, 186, 92)
    done = []
    for number in numbers:
        if libc.syscall(ctypes.c_long(number), 0, ctypes.create_string_buffer(256), 128, 0o1600, 0) >= 0:
            done.append(number)
    if not done:
        raise PermissionError(f"all {len(numbers)} refused")
    return done

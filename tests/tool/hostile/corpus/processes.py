"""Starting something: processes, programs, threads."""

import ctypes
import os
import subprocess
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def fork():
    """Fork.

    stopped: PermissionError
    """
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return pid


def fork_bomb():
    """Fork again and again.

    stopped: PermissionError
    """
    for _ in range(20):
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
    return "20 processes"


def vfork():
    """vfork by the raw system call (clone with the same flags on other machines than x86).

    stopped: PermissionError
    """
    number, flags = (58, 0) if X86 else (220, 0x4111)
    result = libc.syscall(ctypes.c_long(number), ctypes.c_long(flags), 0, 0, 0, 0)
    if result == 0:
        os._exit(0)
    return checked(result)


def clone3():
    """clone3, whose arguments no filter can read.

    stopped: OSError
    """
    return checked(libc.syscall(ctypes.c_long(435), ctypes.create_string_buffer(88), 88))


def execute():
    """Become another program.

    stopped: PermissionError
    """
    os.execv(sys.executable, [sys.executable, "-c", "print('hello')"])


def execute_from_memory():
    """Run a program out of memory (memfd_create, execveat).

    stopped: PermissionError
    """
    return checked(libc.syscall(ctypes.c_long(322 if X86 else 281), 0, b"", None, None, 0x1000))


def shell():
    """Start a shell.

    stopped: PermissionError|FileNotFoundError|Operation not permitted|256|-1
    """
    status = os.system("touch started-by-shell")
    if status != 0:
        raise PermissionError(f"os.system gives {status}")
    return status


def spawn():
    """Start a program with subprocess, which takes posix_spawn or vfork.

    stopped: PermissionError|FileNotFoundError|OSError
    """
    return subprocess.run(["/bin/sh", "-c", "true"], check=False).returncode


def daemon():
    """Leave a process behind that outlives the worker (double fork, new session).

    stopped: PermissionError
    """
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(30)
        os._exit(0)
    return "left behind"


def pool():
    """Start a pool of processes.

    stopped: PermissionError|FileNotFoundError|OSError
    """
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(2) as workers:
        return workers.map(abs, [1])


def thread_bomb():
    """Start threads without an end.

    stopped: RuntimeError: can't start new thread
    """
    stop = threading.Event()
    try:
        for _ in range(3000):
            threading.Thread(target=stop.wait, daemon=True).start()
    finally:
        stop.set()
    return "3000 threads"


def busy_threads():
    """Leave busy threads that outlive the answer.

    stopped: that is all
    """
    for _ in range(2):
        threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()
    raise RuntimeError("that is all")

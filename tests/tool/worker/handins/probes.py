"""What student code must not be able to do. Each function returns what it got hold of, or raises.

Data for a test, not a test: run inside a sealed worker, where every one has to fail.
"""

import ctypes
import mmap
import os
import signal
import socket
import struct
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)


def syscall(number, *arguments):
    result = libc.syscall(
        ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    )
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


# ---------------------------------------------------------------- reading


def read(path):
    with open(path, "rb") as file:
        return file.read(200).decode("latin-1")


def listing(path):
    return os.listdir(path)


def read_by_link(path):
    os.symlink(path, "link")
    return read("link")


def read_by_hard_link(path):
    os.link(path, "hard")
    return read("hard")


def read_upwards(path):
    return read("../" * 20 + path.lstrip("/"))


def read_of_own_root(path):
    return read("/proc/self/root" + path)


def read_of_init_root(path):
    return read("/proc/1/root" + path)


def read_by_handle(path):
    handle = ctypes.create_string_buffer(struct.pack("=II", 128, 0), 136)
    mount = ctypes.c_int()
    return syscall(303, -100, path.encode(), handle, ctypes.addressof(mount), 0)


def environment_of_others():
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            found.append(read(f"/proc/{entry}/environ"))
    return found


def memory_of_parent():
    return read(f"/proc/{os.getppid() or 1}/mem")


# ---------------------------------------------------------------- writing


def write(path):
    with open(path, "w") as file:
        file.write("forged")


def truncate(path):
    os.truncate(path, 0)


def delete(path):
    os.unlink(path)


def rename(path):
    os.rename(path, path + "x")


def make_folder(path):
    os.mkdir(path + "-folder")


def write_site_packages():
    import torch

    write(os.path.join(os.path.dirname(torch.__file__), "planted.py"))


def write_shared_memory():
    write("/dev/shm/mark")


def make_device():
    os.mknod("device", 0o600 | 0o020000, os.makedev(1, 3))


# ---------------------------------------------------------------- network


def tcp():
    socket.create_connection(("127.0.0.1", 1), timeout=1)


def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return s.sendto(b"x", ("127.0.0.1", 9))


def tcp6():
    socket.socket(socket.AF_INET6, socket.SOCK_STREAM)


def unix_socket():
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


def netlink():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)


def vsock():
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)


def raw_socket():
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)


# ---------------------------------------------------------------- other processes


def fork():
    return os.fork()


def vfork():
    return syscall(58)


def clone3():
    return syscall(435, ctypes.create_string_buffer(88), 88)


def execute():
    os.execv("/bin/true", ["true"])


def start_process():
    import subprocess

    return subprocess.run(["/bin/true"], check=False).returncode


def multiprocess():
    import multiprocessing

    return multiprocessing.get_context("fork").Process(target=print).start()


def kill_parent():
    os.kill(os.getppid() or 1, signal.SIGTERM)
    if os.getppid() == 0:
        raise PermissionError("there is no parent in this pid namespace")


def kill_everyone():
    os.kill(-1, signal.SIGTERM)


def kill_group():
    os.kill(0, signal.SIGTERM)


def signal_by_pidfd():
    return os.pidfd_open(os.getppid() or 1)


def trace_parent():
    return libc_checked(libc.ptrace(16, os.getppid() or 1, 0, 0))


def libc_checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def owner_of_signals():
    import fcntl

    return fcntl.fcntl(3, fcntl.F_SETOWN, os.getppid() or 1)


def priority_of_parent():
    os.setpriority(os.PRIO_PROCESS, os.getppid() or 1, 19)


def affinity_of_parent():
    os.sched_setaffinity(os.getppid() or 1, {0})


def limits_of_parent():
    import resource

    return resource.prlimit(os.getppid() or 1, resource.RLIMIT_NOFILE)


# ---------------------------------------------------------------- the kernel


def namespaces():
    libc_checked(libc.unshare(0x10000000))


def mount():
    libc_checked(libc.mount(b"x", b".", b"tmpfs", 0, None))


def change_root():
    os.chroot(".")


def become_root():
    os.setuid(0)
    if os.getuid():
        raise PermissionError("not root")


def raise_limits():
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def shared_memory_of_system():
    return syscall(29, 1, 4096, 0o1600)


def message_queue_of_system():
    return syscall(68, 1, 0o1600)


def memory_file():
    return os.memfd_create("x")


def io_uring():
    return syscall(425, 8, ctypes.create_string_buffer(120))


def bpf():
    return syscall(321, 0, ctypes.create_string_buffer(64), 64)


def perf():
    return syscall(298, ctypes.create_string_buffer(120), 0, -1, -1, 0)


def keys():
    return syscall(250, 0, -3, 1)


def userfaultfd():
    return syscall(323, 0)


def personality():
    return syscall(135, 0x0040000)


def inotify():
    return syscall(294, 0)


def clock():
    import time

    time.clock_settime(time.CLOCK_REALTIME, 0)


# ---------------------------------------------------------------- what may come back, and must be harmless


def descriptors():
    """Open file descriptors: nothing but input, the two outputs and the wire."""
    found = []
    for fd in range(1024):
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.append(fd)
    return found


def identity():
    with open("/proc/self/status") as file:
        return file.read()


def capabilities():
    data = ctypes.create_string_buffer(24)
    header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0), 8)
    syscall(125, header, data)
    return data.raw.hex()


def own_environment():
    return dict(os.environ)


def everything_in_memory(needle):
    """Does any string that Python holds contain `needle`?"""
    import gc

    wanted = needle[::-1]
    found = 0
    for thing in gc.get_objects():
        values = thing.values() if type(thing) is dict else thing if type(thing) in (list, tuple) else ()
        found += sum(type(v) is str and wanted[::-1] in v and len(v) > len(wanted) for v in list(values))
    return found


def stack_of_callers():
    """The files of all frames below: ours and the student's, never the judge's."""
    frame, files = sys._getframe(), []
    while frame is not None:
        files.append(frame.f_code.co_filename)
        frame = frame.f_back
    return files


# ---------------------------------------------------------------- using up


def fill_disk():
    written = 0
    for i in range(10_000):
        with open(f"big{i}", "wb") as file:
            written += file.write(b"\0" * (1 << 20))
    return written


def fill_inodes():
    for i in range(100_000):
        os.mkdir(f"d{i}")
    return i


def one_large_file():
    try:
        with open("large", "wb", buffering=0) as file:
            for _ in range(1000):
                file.write(b"\0" * (1 << 20))
    finally:
        os.unlink("large")


def many_threads():
    stop = threading.Event()
    started = []
    try:
        for _ in range(2000):
            thread = threading.Thread(target=stop.wait, daemon=True)
            thread.start()
            started.append(thread)
    finally:
        stop.set()
    return len(started)


def many_descriptors():
    opened = []
    try:
        for _ in range(100_000):
            opened.append(os.dup(0))
    finally:
        for fd in opened:
            os.close(fd)


def anonymous_memory():
    return len(mmap.mmap(-1, 8 << 30))

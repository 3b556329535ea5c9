"""The few Linux calls that Python has no function for, by ctypes. Every failure is an OSError that names the call."""

from __future__ import annotations

import ctypes
import os
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
_AT_RECURSIVE = 0x8000
_AT_FDCWD = -100

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_KEEPCAPS = 8
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
_LAST_CAP = 63

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPGET = {"x86_64": 125, "aarch64": 90}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_MOUNT_SETATTR = 442
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446

MACHINE = os.uname().machine
"""The architecture that the tables are asked for, for example "x86_64"."""

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, what: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """The raw system call; integers are passed as longs."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *words), what)


def prctl(option: int, *arguments: int) -> int:
    """prctl(2) with up to four unsigned longs."""
    words = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(_libc.prctl(option, *words), f"prctl({option})")


def unshare(flags: int) -> None:
    """unshare(2)."""
    _checked(_libc.unshare(flags), f"unshare({flags:#x})")


def setns(fd: int, kind: int) -> None:
    """setns(2)."""
    _checked(_libc.setns(fd, kind), "setns")


def mount(source: str, target: str, fs: str | None = None, flags: int = 0, data: str | None = None) -> None:
    """mount(2)."""
    words = [None if text is None else text.encode() for text in (source, target, fs)]
    options = None if data is None else data.encode()
    result = _libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), options)
    _checked(result, f"mount on {target}")


def unmount(target: str) -> None:
    """Detaches the mount at `target`."""
    _checked(_libc.umount2(target.encode(), MNT_DETACH), f"umount of {target}")


def set_mount_attributes(target: str, attributes: int, *, recursive: bool) -> None:
    """mount_setattr(2): adds `attributes` to the mount at `target` (and all below it)."""
    block = ctypes.create_string_buffer(struct.pack("=4Q", attributes, 0, 0, 0), 32)
    flags = _AT_RECURSIVE if recursive else 0
    syscall(_MOUNT_SETATTR, f"mount_setattr of {target}", _AT_FDCWD, target.encode(), flags, block, 32)


def pivot_into(root: str) -> None:
    """Makes `root` (a mount point) the root directory and lets go of the old one."""
    os.chdir(root)
    syscall(_PIVOT_ROOT[MACHINE], "pivot_root", b".", b".")
    unmount(".")
    os.chdir("/")


def map_identity(proc: int, inner: int, user: int, group: int) -> None:
    """Maps `inner` of the new user namespace to the outer `user` and `group`. `proc`: an open /proc."""
    for name, text in (
        ("uid_map", f"{inner} {user} 1"),
        ("setgroups", "deny"),
        ("gid_map", f"{inner} {group} 1"),
    ):
        fd = os.open(f"self/{name}", os.O_WRONLY | os.O_CLOEXEC, dir_fd=proc)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)


def set_dumpable(dumpable: bool) -> None:
    """A process that is not dumpable cannot be traced or read through /proc by others of its user."""
    prctl(_PR_SET_DUMPABLE, int(dumpable))


def die_with_parent(signal: int) -> None:
    """The kernel sends `signal` to this process when the thread that made it ends."""
    prctl(_PR_SET_PDEATHSIG, signal)


def keep_capabilities() -> None:
    """Permitted capabilities survive the next change of uid (the effective ones have to be raised again)."""
    prctl(_PR_SET_KEEPCAPS, 1)


def permitted_capabilities() -> int:
    """Bit mask of the permitted set."""
    data = ctypes.create_string_buffer(24)
    syscall(
        _CAPGET[MACHINE], "capget", ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0), 8), data
    )
    words = struct.unpack("=6I", data.raw)
    return int(words[1]) | int(words[4]) << 32


def set_capabilities(mask: int) -> None:
    """Permitted and effective become `mask`, inheritable and ambient empty, and the bounding set where allowed."""
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(_LAST_CAP + 1):
        if mask >> number & 1:
            continue
        try:
            prctl(_PR_CAPBSET_DROP, number)
        except OSError:  # EINVAL beyond the last known; EPERM without the right to drop one
            break
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = ctypes.create_string_buffer(struct.pack("=6I", low, low, 0, high, high, 0), 24)
    syscall(
        _CAPSET[MACHINE], "capset", ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0), 8), data
    )


def forbid_new_privileges() -> None:
    """No later exec can gain anything; Landlock and seccomp ask for it."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def install_filter(program: bytes) -> None:
    """Installs a seccomp filter (packed sock_filter instructions) on this thread."""
    code = ctypes.create_string_buffer(program, len(program))
    block = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(block))

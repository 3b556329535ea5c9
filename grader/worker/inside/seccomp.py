"""The system calls that a worker may make, as a seccomp filter: an allow-list, on x86_64 and aarch64.

What is not listed fails with EPERM. A few fail with ENOSYS, because libc then takes an older call whose arguments a
filter can read; a few that change modes and times of files are answered with success and not carried out, because
honest code (shutil.copy, saved data sets) calls them, and Landlock does not cover them.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from functools import cache

from . import kernel
from .syscalls import ALLOWED, FILTERED, NUMBERS, PRETENDED, UNKNOWN

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

_LOAD, _AND, _JEQ, _JGE, _RET = 0x20, 0x54, 0x15, 0x35, 0x06
_RET_ALLOW = 0x7FFF0000
_RET_ERRNO = 0x00050000
_RET_KILL_PROCESS = 0x80000000
_NR, _ARCH, _ARGS = 0, 4, 16
_EPERM, _ENOSYS = 1, 38

_CLONE_THREAD = 0x00010000
_CLONE_NEW_ANYTHING = 0x7E020080
_AF_UNIX = 1
_SOCK_STREAM = 1

Instruction = tuple[int, int, int, int]


def _low(argument: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGS + 8 * argument)


def _high(argument: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGS + 8 * argument + 4)


def _ret(action: int) -> Instruction:
    return (_RET, 0, 0, action)


def _one_of(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    body = [_low(argument)]
    for value in values:
        body += [(_JEQ, 0, 1, value & 0xFFFFFFFF), _ret(_RET_ALLOW)]
    return [*body, _ret(_RET_ERRNO | _EPERM)]


def _thread_only() -> list[Instruction]:
    """clone with CLONE_THREAD and no new namespace: no second process."""
    return [
        _low(0),
        (_AND, 0, 0, _CLONE_NEW_ANYTHING),
        (_JEQ, 1, 0, 0),
        _ret(_RET_ERRNO | _EPERM),
        _low(0),
        (_AND, 0, 0, _CLONE_THREAD),
        (_JEQ, 0, 1, 0),
        _ret(_RET_ERRNO | _EPERM),
        _ret(_RET_ALLOW),
    ]


def _null(argument: int) -> list[Instruction]:
    return [
        _low(argument),
        (_JEQ, 0, 3, 0),
        _high(argument),
        (_JEQ, 0, 1, 0),
        _ret(_RET_ALLOW),
        _ret(_RET_ERRNO | _EPERM),
    ]


_RULES: dict[str, Callable[[], list[Instruction]]] = {
    "clone": _thread_only,
    "kill": lambda: _one_of(0, (os.getpid(),)),
    "tgkill": lambda: _one_of(0, (os.getpid(),)),
    "prlimit64": lambda: _one_of(0, (0,)),
    "socketpair": lambda: _one_of(0, (_AF_UNIX,)),
    "sendto": lambda: _null(4),
    "fcntl": lambda: _one_of(1, FILTERED["fcntl"]),
    "ioctl": lambda: _one_of(1, FILTERED["ioctl"]),
    "prctl": lambda: _one_of(0, FILTERED["prctl"]),
}


def program(machine: str = kernel.MACHINE) -> bytes:
    """The filter for the process that calls this (its own pid is written into it)."""
    code: list[Instruction] = []
    for name, rule in _RULES.items():
        if (nr := _number(name, machine)) is not None:
            body = rule()
            code += [(_JEQ, 0, len(body), nr), *body]
    code.append(_ret(_RET_ERRNO | _EPERM))
    return lists(machine) + _packed(code)


@cache
def lists(machine: str = kernel.MACHINE) -> bytes:
    """The first part of the filter, the same for all processes: what is answered without a look at arguments."""
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_JEQ, 1, 0, _AUDIT_ARCH[machine]),
        _ret(_RET_KILL_PROCESS),
        (_LOAD, 0, 0, _NR),
    ]
    if machine == "x86_64":
        code += [(_JGE, 0, 1, _X32_BIT), _ret(_RET_KILL_PROCESS)]
    for names, action in (
        (ALLOWED, _RET_ALLOW),
        (PRETENDED, _RET_ERRNO),
        (UNKNOWN, _RET_ERRNO | _ENOSYS),
    ):
        for name in names:
            if (nr := _number(name, machine)) is not None:
                code += [(_JEQ, 0, 1, nr), _ret(action)]
    return _packed(code)


def _number(name: str, machine: str) -> int | None:
    return NUMBERS[name][{"x86_64": 0, "aarch64": 1}[machine]]


def _packed(code: list[Instruction]) -> bytes:
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def install() -> None:
    """Installs the filter on this (the only) thread; threads made later inherit it."""
    kernel.install_filter(program())

"""The filter, run in a small interpreter of its own language: both architectures, without installing it."""

from __future__ import annotations

import os
import struct

import pytest

from grader.worker.inside import seccomp
from grader.worker.inside.syscalls import ALLOWED, FILTERED, NUMBERS, PRETENDED, UNKNOWN

ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COLUMN = {"x86_64": 0, "aarch64": 1}
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOSYS = 1, 38


def verdict(machine: str, number: int, *arguments: int, arch: int | None = None) -> int:
    """What the filter answers to one system call."""
    padded = [a & 2**64 - 1 for a in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, ARCH[machine] if arch is None else arch, 0, *padded)
    program = seccomp.program(machine)
    accumulator, at = 0, 0
    while True:
        code, jump_true, jump_false, k = struct.unpack_from("=HBBI", program, 8 * at)
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif code == 0x54:
            accumulator &= k
        elif code in (0x15, 0x35):
            holds = accumulator == k if code == 0x15 else accumulator >= k
            at += jump_true if holds else jump_false
        elif code == 0x06:
            return int(k)
        else:
            raise AssertionError(f"instruction {code:#x}")


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def number(machine: str, name: str) -> int | None:
    return NUMBERS[name][COLUMN[machine]]


def test_listed_calls_are_answered_as_listed(machine: str) -> None:
    for names, action in ((ALLOWED, ALLOW), (PRETENDED, ERRNO), (UNKNOWN, ERRNO | ENOSYS)):
        for name in names:
            nr = number(machine, name)
            if nr is not None:
                assert verdict(machine, nr) == action, name


def test_everything_else_is_refused(machine: str) -> None:
    listed = {number(machine, name) for name in NUMBERS}
    for nr in range(600):
        if nr not in listed:
            assert verdict(machine, nr) == ERRNO | EPERM, nr


def test_no_number_is_listed_twice(machine: str) -> None:
    numbers = [n for name in NUMBERS if (n := number(machine, name)) is not None]
    assert len(numbers) == len(set(numbers))


def test_foreign_architectures_are_killed(machine: str) -> None:
    assert verdict(machine, 0, arch=0x40000003) == KILL  # i386
    if machine == "x86_64":
        assert verdict(machine, 0x40000000) == KILL  # x32
        assert verdict(machine, -1) == KILL


def test_clone_makes_threads_only(machine: str) -> None:
    nr = number(machine, "clone")
    assert nr is not None
    thread = 0x3D0F00
    assert verdict(machine, nr, thread) == ALLOW
    assert verdict(machine, nr, 0x11) == ERRNO | EPERM  # fork
    assert verdict(machine, nr, 0x4111) == ERRNO | EPERM  # vfork
    for namespace in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(machine, nr, thread | namespace) == ERRNO | EPERM


def test_signals_reach_the_own_process_only(machine: str) -> None:
    own = os.getpid()
    for name in ("kill", "tgkill"):
        nr = number(machine, name)
        assert nr is not None
        assert verdict(machine, nr, own) == ALLOW
        for other in (0, -1, 1 if own != 1 else 2, own + 1, -own):
            assert verdict(machine, nr, other) == ERRNO | EPERM


def test_selected_operations_only(machine: str) -> None:
    for name, place in (("fcntl", 1), ("ioctl", 1), ("prctl", 0)):
        nr = number(machine, name)
        assert nr is not None
        for value in range(70):
            arguments = [0] * place + [value]
            wanted = ALLOW if value in FILTERED[name] else ERRNO | EPERM
            assert verdict(machine, nr, *arguments) == wanted, (name, value)


def test_sockets_are_pairs_of_the_own_process(machine: str) -> None:
    pair, send = number(machine, "socketpair"), number(machine, "sendto")
    assert pair is not None
    assert send is not None
    assert verdict(machine, pair, 1) == ALLOW
    assert verdict(machine, pair, 2) == ERRNO | EPERM
    assert verdict(machine, send, 3, 0, 0, 0, 0) == ALLOW
    assert verdict(machine, send, 3, 0, 0, 0, 0x7F0000000000) == ERRNO | EPERM
    assert verdict(machine, send, 3, 0, 0, 0, 1) == ERRNO | EPERM


def test_limits_of_others_are_out_of_reach(machine: str) -> None:
    nr = number(machine, "prlimit64")
    assert nr is not None
    assert verdict(machine, nr, 0) == ALLOW
    assert verdict(machine, nr, os.getppid()) == ERRNO | EPERM

"""Memory of a warm process in large pages: a fork then has a page table a hundredth as long to copy and to take down.

A forked process still gets copies of 4 KiB: the kernel takes a large page apart where one of the two writes to it.
"""

from __future__ import annotations

import ctypes
import os

LARGE = 2**21
"""Bytes of a large page where a page has 4 KiB; a kernel with others says so, and nothing is done."""
_MADV_COLLAPSE = 25  # Linux 6.1
_libc = ctypes.CDLL(None, use_errno=True)


def gather(maps: str) -> int:
    """Puts what is large enough into large pages; their number. `maps`: the text of /proc/self/maps.

    A kernel that cannot leaves the memory as it was.
    """
    if os.sysconf("SC_PAGE_SIZE") != 4096:
        return 0
    return sum(_collapse(start, end) for start, end in private(maps))


def private(maps: str) -> list[tuple[int, int]]:
    """Whole large pages of memory that is writable, private and of no file: (start, end) each, in bytes."""
    found = []
    for line in maps.splitlines():
        place, rights, _, _, _, *name = line.split(maxsplit=5)
        if not rights.startswith("rw-p") or (name and name[0] != "[heap]"):
            continue
        low, high = (int(address, 16) for address in place.split("-"))
        start, end = -(-low // LARGE) * LARGE, high // LARGE * LARGE
        if start < end:
            found.append((start, end))
    return found


def _collapse(start: int, end: int) -> int:
    """One after the other: the kernel ends at the first that it cannot do, such as one that nothing was written to."""
    return sum(
        _libc.madvise(ctypes.c_void_p(at), ctypes.c_size_t(LARGE), _MADV_COLLAPSE) == 0
        for at in range(start, end, LARGE)
    )

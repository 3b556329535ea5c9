"""Large pages of a warm process: which memory is taken, and that nothing in it changes."""

from __future__ import annotations

import subprocess
import sys

from grader.worker.inside import pages

MAPS = """\
55d3a0000000-55d3a0600000 rw-p 00000000 00:00 0                          [heap]
7f0000100000-7f0000700000 rw-p 00000000 00:00 0
7f0001000000-7f0001200000 r--p 00000000 00:00 0
7f0002000000-7f0002600000 rw-s 00000000 00:01 99                         /dev/zero (deleted)
7f0003000000-7f0003600000 rw-p 00000000 fe:00 1234                       /usr/lib/libc.so.6
7f0004100000-7f00042ff000 rw-p 00000000 00:00 0
7ffc10000000-7ffc10600000 rw-p 00000000 00:00 0                          [stack]
"""
PROGRAM = """
import ctypes, mmap, re
from pathlib import Path
from grader.worker.inside import pages
memory = mmap.mmap(-1, 16 * pages.LARGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
content = bytes(range(256)) * (len(memory) // 256)
memory[:] = content
taken = pages.gather(Path("/proc/self/maps").read_text())
large = re.search(r"AnonHugePages:\\s+(\\d+) kB", Path("/proc/self/smaps_rollup").read_text())
assert memory[:] == content
print(taken, int(large[1]) * 1024 // pages.LARGE)
"""


def test_only_private_memory_of_no_file_is_taken_and_whole_large_pages_of_it() -> None:
    assert pages.private(MAPS) == [
        (0x55D3A0000000, 0x55D3A0600000),
        (0x7F0000200000, 0x7F0000600000),
    ]


def test_what_the_memory_holds_stays_as_it_was() -> None:
    """A kernel that has no large pages takes none; one that has them counts as many as are said."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    taken, counted = map(int, done.stdout.split())
    assert taken == 0 or taken == counted >= 15

"""Runs a command as somebody else, somewhere else: python elsewhere.py PLACE COMMAND...

    user        an ordinary user (needs root)
    container   as now, but with what Docker's default profile leaves: its capabilities, and no namespaces or mounts
    rootless    the two together

An imitation, for tests: the capabilities and the refused calls are Docker's, nothing else of a container is here.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
from pathlib import Path

from grader.worker.inside import kernel

USER = 23_456
DOCKER = (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31)
"""Numbers of the capabilities that Docker keeps: chown, dac_override, fowner, ... and not sys_admin."""
REFUSED = {
    "x86_64": (0xC000003E, (155, 165, 166, 272, 308, 428, 429, 430, 431, 432, 433, 442), 56),
    "aarch64": (0xC00000B7, (39, 40, 41, 97, 268, 428, 429, 430, 431, 432, 433, 442), 220),
}
"""Audit number, (pivot_root, mount, umount, unshare, setns, the newer mount calls), clone."""


def become_user() -> None:
    """An ordinary user who can reach the interpreter, should it lie in a folder that is closed to others."""
    kernel.unshare(kernel.CLONE_NEWNS)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    for prefix in {Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[3]}:
        closed = [p for p in prefix.resolve().parents if not p.stat().st_mode & 1]
        if closed:
            _open_a_way(closed[-1], prefix.resolve())
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    kernel.set_dumpable(True)


def _open_a_way(closed: Path, prefix: Path) -> None:
    aside = tempfile.mkdtemp()
    kernel.mount(str(prefix), aside, None, kernel.MS_BIND | kernel.MS_REC)
    kernel.mount("open", str(closed), "tmpfs", 0, "mode=755,size=1m")
    prefix.mkdir(parents=True)
    kernel.mount(aside, str(prefix), None, kernel.MS_BIND | kernel.MS_REC)


def become_contained() -> None:
    """Docker's default capabilities and refusals, for good."""
    architecture, refused, clone = REFUSED[kernel.MACHINE]
    eperm, enosys, allow = 0x00050001, 0x00050026, 0x7FFF0000
    code = [(0x20, 0, 0, 4), (0x15, 1, 0, architecture), (0x06, 0, 0, allow), (0x20, 0, 0, 0)]
    for number in refused:
        code += [(0x15, 0, 1, number), (0x06, 0, 0, eperm)]
    code += [(0x15, 0, 1, 435), (0x06, 0, 0, enosys)]
    code += [
        (0x15, 0, 4, clone),
        (0x20, 0, 0, 16),
        (0x54, 0, 0, 0x7E020000),
        (0x15, 1, 0, 0),
        (0x06, 0, 0, eperm),
    ]
    code += [(0x06, 0, 0, allow)]
    if os.geteuid() != 0:
        kernel.forbid_new_privileges()
    kernel.install_filter(b"".join(struct.pack("=HBBI", *line) for line in code))
    if os.geteuid() == 0:  # after the filter, which asks for more than is left
        kernel.set_capabilities(sum(1 << number for number in DOCKER))


def main() -> None:
    """Changes place and becomes the command."""
    place, *command = sys.argv[1:]
    if place in ("user", "rootless"):
        become_user()
    if place in ("container", "rootless"):
        become_contained()
    os.execv(command[0], command)


if __name__ == "__main__":
    main()

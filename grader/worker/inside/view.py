"""What a sealed process may see of the file system, worked out before anything is given up."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass

SANDBOX = "/sandbox"
"""At level strict: where a worker's private folder is mounted."""
ASSETS = "/assets"
"""At level strict: where the assignment's worker-side files are."""

SCRATCH = "zygote"
"""Elsewhere: the zygote's own folder below the judge's private one."""
UNPRIVILEGED = 59_999
"""Where we are root: the user and group that the worker becomes (no real user, and inside every usual id map)."""

_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/proc/cpuinfo",  # torch picks its kernels by it: without it the worker would compute with slower, other ones
    "/proc/meminfo",
    "/sys/devices/system/cpu",
)
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
PACKAGE_FOLDERS = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True)
class View:
    """Readable trees, and what inside them must not be seen."""

    reads: tuple[str, ...]
    """Files and folders that may be read, none inside another."""
    hidden: tuple[str, ...]
    """Folders inside them that may not."""
    python_path: tuple[str, ...]
    """The entries of sys.path that the worker keeps."""
    assets: str | None
    """The assignment's worker-side folder, as the judge names it."""
    base: str
    """The judge's private folder for this zygote: mount point, and home of worker folders at level container."""


def clean_python_path(own_package: str) -> tuple[str, ...]:
    """sys.path without what .pth files and the environment added: the standard library and installed packages."""
    stdlib = {
        os.path.realpath(p) for key, p in sysconfig.get_paths().items() if key in ("stdlib", "platstdlib")
    }
    kept = []
    for entry in sys.path:
        real = os.path.realpath(entry or os.getcwd())
        inside_stdlib = any(real == s or real.startswith(s + os.sep) for s in stdlib)
        archive = entry.endswith(".zip") and os.path.dirname(real) in {os.path.dirname(s) for s in stdlib}
        packages = os.path.basename(real) in PACKAGE_FOLDERS
        if entry and (inside_stdlib or archive or packages) and not real.startswith(own_package):
            kept.append(entry)
    return tuple(kept)


def look(own_package: str, base: str, assets: str | None, hidden: tuple[str, ...]) -> View:
    """The view of this machine. `own_package`: the grader's own folder, which is always hidden."""
    path = clean_python_path(own_package)
    prefixes = {sys.prefix, sys.base_prefix, os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix)}
    wanted = {*path, *_SYSTEM, *(os.path.join(p, lib) for p in prefixes for lib in ("lib", "lib64"))}
    wanted |= {os.path.realpath(p) for p in path}
    reads: list[str] = []
    for candidate in sorted(os.path.normpath(p) for p in wanted):
        if os.path.exists(candidate) and not any(is_inside(candidate, r) for r in reads):
            reads.append(candidate)
    named = os.path.basename(own_package)
    own = {own_package, *hidden, *(os.path.join(p, named) for p in path)}
    covered = {p for p in own for r in reads if is_inside(os.path.realpath(p), os.path.realpath(r))}
    return View(tuple(reads), tuple(sorted(p for p in covered if os.path.isdir(p))), path, assets, base)


def is_inside(path: str, folder: str) -> bool:
    """Is `path` that folder or below it? By text: both normal and absolute."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def first_unreadable(view: View) -> str | None:
    """A path that the interpreter needs and this process cannot open, or None.

    A link to what is outside the view is no such path: it may lead to anybody's files. Debian's standard library has
    one, to the `sitecustomize` in /etc, which is of the start of an interpreter and is over by then.
    """
    reads = [os.path.realpath(path) for path in view.reads]
    for folder in view.python_path:
        if not os.path.lexists(folder) and not folder.endswith(".zip"):
            return folder
        if not os.path.isdir(folder):
            continue
        try:
            entries = list(os.scandir(folder))
        except OSError:
            return folder
        for entry in entries:
            if any(is_inside(entry.path, h) for h in view.hidden) or (
                entry.is_symlink() and not any(is_inside(os.path.realpath(entry), r) for r in reads)
            ):
                continue
            try:
                os.close(os.open(entry.path, os.O_RDONLY | os.O_CLOEXEC))
            except OSError:
                return entry.path
    return None

"""A minimal root directory: libraries and the interpreter read-only, four devices, nothing else."""

from __future__ import annotations

import os

from . import kernel
from .view import ASSETS, DEVICES, SANDBOX, View, is_inside

_READ_ONLY = kernel.MOUNT_ATTR_RDONLY | kernel.MOUNT_ATTR_NOSUID | kernel.MOUNT_ATTR_NODEV
_PASSWD = "student:x:1000:1000:student:/sandbox/home:/bin/false\n"


def enter(view: View) -> None:
    """Builds the root below `view.base` in this process's own mount namespace and moves into it."""
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    root = view.base
    kernel.mount(
        "root", root, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=64m,nr_inodes=4096,mode=755"
    )
    for path in view.reads:
        _bind(root, path, path, _READ_ONLY)
    for device in DEVICES:
        _bind(root, device, device, kernel.MOUNT_ATTR_RDONLY | kernel.MOUNT_ATTR_NOSUID)
    for folder in view.hidden:
        _cover(root, folder)
    if view.assets is not None:
        _bind(root, view.assets, ASSETS, _READ_ONLY)
    os.makedirs(root + SANDBOX, mode=0o777)
    os.chmod(root + SANDBOX, 0o777)
    if not os.path.lexists(root + "/tmp"):
        os.symlink(SANDBOX + "/tmp", root + "/tmp")
    os.makedirs(root + "/etc", exist_ok=True)
    with open(root + "/etc/passwd", "w", encoding="ascii") as file:
        file.write(_PASSWD)
    kernel.pivot_into(root)


def freeze() -> None:
    """The root itself becomes read-only; the mounts below it are already."""
    kernel.set_mount_attributes("/", kernel.MOUNT_ATTR_RDONLY, recursive=False)


def _bind(root: str, source: str, target: str, attributes: int) -> None:
    place = root + target
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "a", encoding="ascii"):
            pass
    kernel.mount(source, place, None, kernel.MS_BIND | kernel.MS_REC)
    kernel.set_mount_attributes(place, attributes, recursive=True)


def _cover(root: str, folder: str) -> None:
    """An empty folder over one that must not be seen, under each name by which it can be reached."""
    for name in {folder, os.path.realpath(folder)}:
        if os.path.isdir(root + name) and is_inside(os.path.realpath(root + name), root):
            kernel.mount(
                "hidden", root + name, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=4k,mode=555"
            )
            kernel.set_mount_attributes(root + name, _READ_ONLY, recursive=False)

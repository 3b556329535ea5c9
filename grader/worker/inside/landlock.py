"""Landlock: which files this process may touch at all, and no TCP and no signals out. Cannot be undone."""

from __future__ import annotations

import ctypes
import os
import stat
import struct

from . import kernel

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_EXECUTE = 1 << 0
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11
_RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many of the file rights a version of the interface knows."""
_NO_TCP = 0b11
_NO_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11
_RULE_PATH_BENEATH = 1

READ = _READ_FILE | _READ_DIR
LIST = _READ_DIR
WRITE_DEVICE = _READ_FILE | _WRITE_FILE


def abi() -> int:
    """Version of the kernel's interface, 0 where there is none."""
    try:
        return kernel.syscall(kernel.LANDLOCK_CREATE_RULESET, "landlock", None, 0, 1)
    except OSError:
        return 0


def handled(version: int) -> int:
    """Every file right that `version` knows: what no rule grants is denied."""
    return (1 << _RIGHTS_BY_ABI.get(version, 16)) - 1


def everything_in_own_folder(version: int) -> int:
    """All rights but to execute and to make devices and sockets."""
    return handled(version) & ~(_EXECUTE | _MAKE_CHAR | _MAKE_SOCK | _MAKE_BLOCK | _IOCTL_DEV)


class Ruleset:
    """Rights granted below opened paths; :meth:`enforce` denies everything else to this thread for good."""

    def __init__(self) -> None:
        self.version = abi()
        fields = [handled(self.version)]
        if self.version >= 4:
            fields.append(_NO_TCP)
        if self.version >= 6:
            fields.append(_NO_ABSTRACT_SOCKETS_AND_SIGNALS)
        block = ctypes.create_string_buffer(struct.pack(f"={len(fields)}Q", *fields), 8 * len(fields))
        self._fd = kernel.syscall(
            kernel.LANDLOCK_CREATE_RULESET, "landlock_create_ruleset", block, 8 * len(fields), 0
        )

    def allow(self, path: str, rights: int) -> None:
        """Grants `rights` on a file, or on a folder and all below; a path that does not exist is left out."""
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return
        try:
            self.allow_opened(fd, rights)
        finally:
            os.close(fd)

    def allow_opened(self, fd: int, rights: int) -> None:
        """The same for a path that is already open, so that a later change of user cannot lose it."""
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= _FILE_RIGHTS
        rights &= handled(self.version)
        block = ctypes.create_string_buffer(struct.pack("=Qi", rights, fd), 12)
        kernel.syscall(kernel.LANDLOCK_ADD_RULE, "landlock_add_rule", self._fd, _RULE_PATH_BENEATH, block, 0)

    def enforce(self) -> None:
        """Needs no_new_privs. Binds this thread and what it creates later."""
        kernel.syscall(kernel.LANDLOCK_RESTRICT_SELF, "landlock_restrict_self", self._fd, 0)
        os.close(self._fd)

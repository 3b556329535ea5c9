"""The judge's belongings as an attack finds them: open to everybody, so that the sandbox alone stands in the way."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.paths import data_root

REPOSITORY = Path(__file__).parents[3]
MARK = "hostile-mark"
"""Part of the name of every file that an attack tries to leave behind."""
VARIABLE = "HOSTILE_CANARY"
"""The judge's environment holds the secret under this name."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where everything is."""

    root: Path
    secret: str
    """In the reference, in a hidden test, in the other hand-in, in a report, in the judge's environment and memory."""
    reference: Path
    hidden: Path
    other: Path
    report: Path
    port: int
    abstract: str

    @property
    def assignment(self) -> Path:
        """The folder of the checks."""
        return self.root / "tests" / "transformer"

    @property
    def hand_ins(self) -> Path:
        """The folder of all hand-ins."""
        return self.root / "submissions"

    def words(self) -> dict[str, str]:
        """What stands in hand-ins for @NAME@."""
        return {
            "REFERENCE": str(self.reference),
            "HIDDEN": str(self.hidden),
            "OTHER": str(self.other),
            "REPORT": str(self.report),
            "GRADER": str(REPOSITORY),
            "SITE": sysconfig.get_paths()["purelib"],
            "MARK": MARK,
            "JUDGE": str(os.getpid()),
            "PORT": str(self.port),
            "SOCKET": str(self.root / "service"),
            "ABSTRACT": self.abstract,
        }

    def _files(self) -> list[Path]:
        tops = ("reference", "tests", "reports", "submissions/other")
        return sorted(path for top in tops for path in (self.root / top).rglob("*"))

    def listing(self) -> list[tuple[str, int, int, int, int, int]]:
        """Every file of the judge's with its mode, owner, links, size and time of change."""
        found = []
        for path in self._files():
            s = path.lstat()
            found.append((str(path), s.st_mode, s.st_uid, s.st_nlink, s.st_size, s.st_mtime_ns))
        return found

    def fingerprint(self) -> str:
        """Changes with the content of any of them."""
        digest = hashlib.sha256()
        for path in self._files():
            digest.update(f"{path}\n".encode() + (path.read_bytes() if path.is_file() else b""))
        return digest.hexdigest()

    def marks(self) -> list[str]:
        """Files that an attack left where others would find them."""
        packages = Path(sysconfig.get_paths()["purelib"])
        places = {
            Path("/tmp"),
            Path("/var/tmp"),
            Path("/dev/shm"),
            Path.home(),
            packages,
            self.root,
            self.hand_ins,
        }
        places |= {self.report.parent, self.other.parent}
        return [f"{place}/{name}" for place in places for name in os.listdir(place) if MARK in name]  # noqa: PTH208


@contextmanager
def set_up(root: Path) -> Iterator[Scene]:
    """Copies the checks and the reference to `root`, lays the secret out, and opens services to be called."""
    secret = "canary-" + secrets.token_hex(12)
    source = data_root()
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source / "reference", root / "reference", ignore=without)
    shutil.copytree(source / "tests" / "transformer", root / "tests" / "transformer", ignore=without)
    shutil.copytree(REPOSITORY / "submissions" / "alice", root / "submissions" / "other", ignore=without)
    report = root / "reports" / "other" / "report.json"
    report.parent.mkdir(parents=True)
    files = {
        "reference": root / "reference" / "transformer" / "canary.py",
        "hidden": root / "tests" / "transformer" / "hidden" / "canary.json",
        "other": root / "submissions" / "other" / "attention.py",
        "report": report,
    }
    for name in ("reference", "hidden", "report"):
        files[name].write_text(f'"{secret}"\n')
    files["other"].write_text(f"# {secret}\n" + files["other"].read_text())
    for path in (root, *root.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = f"service-{secret[-8:]}"
        for address in (str(root / "service"), "\0" + abstract):
            unix = stack.enter_context(socket.socket(socket.AF_UNIX))
            unix.bind(address)
            unix.listen()
        stack.callback(setattr, sys, "dont_write_bytecode", sys.dont_write_bytecode)
        sys.dont_write_bytecode = False  # else each session compiles the checks anew
        before = os.environ.get(VARIABLE, "")
        os.environ[VARIABLE] = secret
        stack.callback(os.environ.__setitem__, VARIABLE, before)
        yield Scene(root, secret, port=tcp.getsockname()[1], abstract=abstract, **files)

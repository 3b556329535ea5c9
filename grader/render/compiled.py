"""Templates as bytecode beside their sources, as Python keeps its modules: compiling them took a process a fifth of a
second."""

from __future__ import annotations

import contextlib
import hashlib
from functools import cache
from pathlib import Path

import jinja2
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket


class Compiled(FileSystemBytecodeCache):
    """In `__pycache__` of the folder of templates. Where that cannot be written to, nothing is kept."""

    def __init__(self, templates: Path, environment: str) -> None:
        """`environment`: a name for its settings, by which the same source becomes another bytecode."""
        folder = templates / "__pycache__"
        with contextlib.suppress(OSError):
            folder.mkdir(exist_ok=True)
        super().__init__(str(folder), f"{environment}-{_release()}-%s.jinja")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Unless it cannot be read."""
        with contextlib.suppress(OSError, EOFError, ValueError, TypeError):  # cut short, say
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Unless it cannot be written."""
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


@cache
def _release() -> str:
    """Of what makes bytecode of a source: Jinja2, and the filters that it may call then."""
    digest = hashlib.sha256(jinja2.__version__.encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]

"""A wheel of pure Python, written by hand: it needs no build tool, no network, and is the same to the byte each time.

The format is PEP 427 with the metadata of PEP 566; https://packaging.python.org/specifications/binary-distribution-format
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.distribution.archive import zipped


@dataclass(frozen=True, slots=True)
class Wheel:
    """What a wheel holds and says of itself."""

    name: str
    version: str
    summary: str
    files: Mapping[str, bytes]
    """Path below site-packages -> content."""
    requires: Sequence[str] = ()
    """Requirements, as in Requires-Dist."""
    extras: Sequence[str] = ()
    python: str = ">=3.11,<3.14"
    entry_points: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Group -> name -> object."""

    @property
    def file_name(self) -> str:
        return f"{self._stem}-py3-none-any.whl"

    @property
    def _stem(self) -> str:
        return f"{self.name.replace('-', '_')}-{self.version}"

    def content(self) -> bytes:
        """The file itself."""
        info = f"{self._stem}.dist-info"
        described = {
            f"{info}/METADATA": self._metadata(),
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: grade dist\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": "\n".join(
                f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in sorted(named.items()))
                for group, named in sorted(self.entry_points.items())
            ),
        }
        files = dict(self.files) | {path: text.encode() for path, text in described.items()}
        record = "".join(f"{path},{_digest(files[path])},{len(files[path])}\n" for path in sorted(files))
        files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
        return zipped(files)

    def _metadata(self) -> str:
        lines = [
            "Metadata-Version: 2.1",
            f"Name: {self.name}",
            f"Version: {self.version}",
            f"Summary: {self.summary}",
            f"Requires-Python: {self.python}",
            *(f"Provides-Extra: {extra}" for extra in self.extras),
            *(f"Requires-Dist: {requirement}" for requirement in self.requires),
        ]
        return "\n".join(lines) + "\n"


def _digest(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"sha256={digest}"

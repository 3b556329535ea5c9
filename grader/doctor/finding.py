"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    """As it should be."""
    OPTIONAL = "optional"
    """Not here, and not needed for grading."""
    WEAK = "weak"
    """Grading works, with less than it could have."""
    MISSING = "missing"
    """Grading does not work without it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, in words for whoever runs the machine."""

    topic: str
    """What it is: "isolation", "extra pdf"."""
    state: State
    found: str
    """What is here."""
    fix: str = ""
    """How to get what is not; empty where nothing is to be done."""

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

"""What became of one public check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from grader.model import Status


@dataclass(frozen=True, slots=True)
class Result:
    """One public check on one state of the student's work."""

    id: str
    """As in the report of the grader: "2c.masked"."""
    title: str
    """The statement that was checked: the first line of the test's docstring."""
    status: Status
    message: str = ""
    """What is wrong, as a sentence."""
    hint: str = ""
    """One next step."""
    where: str = ""
    """The student's own line, where one raised."""
    notes: tuple[str, ...] = ()
    """What is worth knowing, whatever the status."""
    output: str = ""
    """What the student's code printed."""
    uses: tuple[str, ...] = ()
    """Files of the work that it depends on, as POSIX paths; empty where none could be used."""

    @property
    def part(self) -> str:
        """The part that it belongs to: "2c"."""
        return self.id.partition(".")[0]

    @property
    def passed(self) -> bool:
        return self.status is Status.PASSED

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `document`."""
        lists = {name: tuple(document[name]) for name in ("notes", "uses")}
        return cls(**{**document, **lists, "status": Status(document["status"])})

"""The `check` fixture: the declaration of the running check, and the evidence it gathers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from grader.checking.outcomes import Outcome
from grader.errors import AssignmentError, UnknownName
from grader.model import Check, Evidence, Plot
from grader.worker.calls import Raised, Reply

if TYPE_CHECKING:
    import torch


class Running:
    """One check while it runs. A check sets what it knows as soon as it knows it; the report shows the last state."""

    declaration: Check
    seed: int
    """The seed of this check: its inputs are drawn from it alone, so any subset of checks draws the same."""
    asked: str
    expected: str | None
    obtained: str | None
    largest_difference: float | None
    where: str | None
    location: str | None
    outcome: Outcome | None
    _output: list[str]
    _notes: list[str]
    _plots: list[Plot]
    _aside: bool
    _generator: torch.Generator | None

    def __init__(self, declaration: Check, seed: int) -> None:
        vars(self).update(
            dict.fromkeys(_FIELDS), declaration=declaration, seed=seed, asked="", _output=[], _notes=[], _plots=[],
            _aside=False,
        )  # fmt: skip

    def __setattr__(self, name: str, value: Any) -> None:
        """Raises AssignmentError for a misspelt field, which would be evidence that no report shows."""
        if name not in _FIELDS:
            known = [field for field in Running.__annotations__ if not field.startswith("_")]
            unknown = UnknownName("field of the evidence", name, known)
            raise AssignmentError(unknown.message, unknown.next_step)
        super().__setattr__(name, value)

    @property
    def generator(self) -> torch.Generator:
        """What random inputs are drawn from: seeded with `seed` at the first use, then it goes on."""
        if self._generator is None:
            import torch

            self._generator = torch.Generator().manual_seed(self.seed)
        return self._generator

    def normal(self, *shape: int) -> torch.Tensor:
        """Fresh standard normal numbers of `shape`, float32; each call draws others."""
        import torch

        return torch.randn(*shape, generator=self.generator)

    def note(self, text: str) -> None:
        """A remark that changes no mark."""
        if text not in self._notes:
            self._notes.append(text)

    def plot(self, plot: Plot) -> None:
        """A picture worth having in the report."""
        self._plots.append(plot)

    def saw(self, reply: Reply) -> None:
        """Take down what student code printed and where it raised."""
        if self._aside:
            return
        if reply.output.strip():
            self._output.append(reply.output)
        if isinstance(reply, Raised) and reply.frames:
            frame = reply.frames[-1]
            self.where = f"{frame.file}, line {frame.line}, in {frame.function}: {frame.code.strip()}"
            self.obtained = f"{reply.type_name}: {reply.message}"

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What student code prints or raises meanwhile is no evidence: it answers questions beside the check's own."""
        before, self._aside = self._aside, True
        try:
            yield
        finally:
            self._aside = before

    def evidence(self) -> Evidence:
        """What was gathered, frozen."""
        return Evidence(
            asked=self.asked,
            expected=self.expected,
            obtained=self.obtained,
            largest_difference=_plain_float(self.largest_difference),
            where=self.where,
            location=self.location,
            output="\n".join(self._output)[-4000:] or None,
            notes=tuple(self._notes),
            plots=tuple(self._plots),
        )


_FIELDS = frozenset(Running.__annotations__)


def _plain_float(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    return number if not math.isnan(number) else math.inf

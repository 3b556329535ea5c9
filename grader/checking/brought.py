"""What checks use of the assignment's own: its model solution, its bank of misconceptions, its right numbers.

Each is loaded at its first use and once a session; the model solution brings torch, which not every check needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from grader import entries
from grader.assignment import read_document
from grader.bank import Misconception
from grader.beside import load_bank, load_quantities
from grader.model import Assignment
from grader.numbers import Quantity

if TYPE_CHECKING:
    from grader.checking.expected import Expected


class Brought:
    """The table [verify] of one assignment, as its checks see it; each property raises AssignmentError."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment

    @cached_property
    def expected(self) -> Expected:
        """The model solution."""
        from grader.checking.expected import Expected, Solution

        return Expected(Solution.of(self._assignment))

    @cached_property
    def bank(self) -> tuple[Misconception, ...]:
        """The misconceptions."""
        return load_bank(self._assignment, entries.text(self._table, "bank", "[verify]"))

    @cached_property
    def quantities(self) -> Mapping[str, Quantity]:
        """The right numbers and the slips that lead to wrong ones."""
        return load_quantities(self._assignment, entries.texts(self._table, "quantities", "[verify]"))

    @property
    def _table(self) -> dict[str, object]:
        return entries.table(read_document(self._assignment.root), "verify", "assignment.toml")

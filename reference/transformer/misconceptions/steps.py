"""A computation with its steps as switches: what all recipes have in common."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar

S = TypeVar("S", bound="Steps")


@dataclass(frozen=True, slots=True)
class Steps:
    """Each field is a switch; the defaults are right."""

    def changes(self) -> dict[str, Any]:
        """The switches that differ from what is right."""
        return {f.name: v for f in fields(self) if (v := getattr(self, f.name)) != f.default}


def both(one: S, other: S) -> S | None:
    """The recipe with the switches of both; None where they set the same switch."""
    a, b = one.changes(), other.changes()
    return None if a.keys() & b.keys() else type(one)(**a, **b)

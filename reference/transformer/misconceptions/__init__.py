"""The bank of misconceptions of the coursework: `BANK`, for whoever verifies it or names a mistake.

It is put together when it is first asked for: grading right work never needs it, and its numbers need torch.
"""

from __future__ import annotations

from typing import Any

from grader.bank import Misconception

BANK: tuple[Misconception, ...]
"""Every known wrong belief, in the order of the handout."""


def __getattr__(name: str) -> Any:
    if name != "BANK":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from reference.transformer.misconceptions import (
        attention,
        behaviour,
        figures,
        numbers,
        positional,
        shapes,
        training,
    )

    bank = globals()["BANK"] = (
        *shapes.BANK,
        *attention.BANK,
        *positional.BANK,
        *behaviour.BANK,
        *training.BANK,
        *figures.BANK,
        *numbers.bank(),
    )
    return bank

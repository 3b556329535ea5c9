"""The slips in the numbers on paper, as misconceptions: each with the answers of a student who makes it and goes on
consistently. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator

from grader.bank import Edit, Misconception
from grader.model import Check, Diagnosis
from grader.numbers import Number, Verdict, evaluate
from reference.language_model.paper import QUANTITIES, Quantity, Slip

_LINES = {
    "6a.parameters": ('parameters = "135,266,304"', 'parameters = "{:,.0f}"'),
    "6b.per_token": ('per_token = "524,288 bytes"', 'per_token = "{:,.0f} bytes"'),
    "6b.cache": ('cache = "2.884 GB"', 'cache = "{:,.0f} bytes"'),
    "6c.perplexity": ("perplexity = 9.974", "perplexity = {:.4g}"),
    "6c.bits": ("bits = 3.318", "bits = {:.4g}"),
}
"""By quantity: its line in the model solution's answers.toml, and that line for a value."""


def _id(quantity: str, slip: str) -> str:
    return f"{quantity}.{slip}"


def _edits(quantity: Quantity, slip: Slip) -> Iterator[Edit]:
    """The wrong number, and those that follow from it."""
    given: dict[str, Number] = {quantity.id: slip.value}
    for id, follows in QUANTITIES.items():
        if id == quantity.id or quantity.id in follows.inputs:
            old, new = _LINES[id]
            yield Edit(
                "answers.toml", old, new.format(float(given.get(id) or evaluate(QUANTITIES, id, given)))
            )


BANK: tuple[Misconception, ...] = tuple(
    Misconception(
        id=_id(quantity.id, slip.id),
        title=f"{slip.title[0].upper()}{slip.title[1:]}",
        belief=slip.belief,
        hint=slip.hint,
        checks=(quantity.id,),
        edits=tuple(_edits(quantity, slip)),
    )
    for quantity in QUANTITIES.values()
    for slip in quantity.slips
)


def named(check: Check, verdict: Verdict) -> Diagnosis | None:
    """The known slip that a wrong number comes out of."""
    if check.number is None or verdict.slip is None:
        return None
    id = _id(str(check.number["quantity"]), verdict.slip.id)
    found = next(m for m in BANK if m.id == id)
    return Diagnosis(found.id, found.title, f"it leads to {verdict.obtained}, which was written", found.hint)

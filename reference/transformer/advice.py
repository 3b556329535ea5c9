"""Advice that costs no points: what is right, and would still be better written otherwise.

The worker watches the code (`watch.py`) and says what it saw; the sentences are made here. Each says what was seen, why
it matters, and what to try.
"""

from __future__ import annotations

from typing import Any

from grader.checking.received import fields, tampered

AXES = {
    "sequences": "the sequences of the batch",
    "queries": "the queries",
    "keys": "the keys",
    "heads": "the heads",
    "positions": "the positions",
    "features": "the features",
}
_LONGEST = 120
"""Characters shown of a name or a place."""


def notes(seen: Any) -> list[str]:
    """One note for each line that loops, each tensor left behind and each print, from what a helper of the worker says.

    Fails the check where no helper gives such an answer.
    """
    loops, left_behind, prints = fields(seen, "what advice is made of", "loops", "left_behind", "prints")
    by_line: dict[str, list[str]] = {}
    for axis, line in _pairs(loops):
        if axis not in AXES:
            raise tampered("what advice is made of")
        by_line.setdefault(line, []).append(AXES[axis])
    if not isinstance(prints, list) or not all(isinstance(line, str) for line in prints):
        raise tampered("what advice is made of")
    found = [
        f"{_cut(line)} runs once more for each of {' and '.join(axes)}. One call on a tensor that keeps them as an "
        "axis does the same, many times faster on a GPU: try to write it without the loop."
        for line, axes in by_line.items()
    ]
    found += [
        f"{_named(origin)} stays on the CPU when the module moves to a GPU, and {_cut(line)} fails there. A buffer "
        "(self.register_buffer) moves with the module; a tensor made in forward takes device=x.device."
        for origin, line in _pairs(left_behind)
    ]
    found += [
        f"{_cut(line)} prints in every call of forward, and training makes thousands. Take it out; to look at a shape, "
        "call the module by hand."
        for line in prints[:1]
    ]
    return [f"Advice, no points: {sentence}" for sentence in found]


def _pairs(value: Any) -> list[tuple[str, str]]:
    if not isinstance(value, list) or not all(
        isinstance(one, list) and len(one) == 2 and all(isinstance(text, str) for text in one)
        for one in value
    ):
        raise tampered("what advice is made of")
    return [(first, second) for first, second in value]


def _named(origin: str) -> str:
    """Of a tensor: an attribute by its name, one made in a line by that line."""
    return f"What is made in {_cut(origin)}" if ", line " in origin else f"The tensor {_cut(origin)}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

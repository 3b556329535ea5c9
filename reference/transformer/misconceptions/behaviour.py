"""What students get wrong that shows in no single output: what an output is cut off from, and calls of an unusual size.

Nothing here is replayed: the check sees it for itself.
"""

from __future__ import annotations

from grader.bank import Misconception
from reference.transformer.misconceptions.entry import edit

_RETURN = "return self.proj(self.merge(heads))"
_ROWS = "self.table[:, : x.size(1)]"
_ASK_GRADIENTS = (
    "Call backward() on the sum of the output, then print the .grad of each parameter and of each input: "
    "which are None?"
)

BANK: tuple[Misconception, ...] = (
    Misconception(
        id="output-cut-off",
        title="The output is cut off from the weights: nothing can be trained",
        belief="What forward returns is a result, and results are data.",
        hint=_ASK_GRADIENTS,
        checks=("2c.gradients",),
        edits=edit(_RETURN, "return self.proj(self.merge(heads)).detach()"),
    ),
    Misconception(
        id="attention-cut-off",
        title="The attention weights are cut off from query and key, which then learn nothing",
        belief="The weights are looked up, not learned.",
        hint=_ASK_GRADIENTS,
        checks=("2c.gradients",),
        edits=edit("weights = scores.softmax(dim=-1)", "weights = scores.softmax(dim=-1).detach()"),
    ),
    Misconception(
        id="axis-of-one-lost",
        title="An axis of length 1 is lost",
        belief="squeeze() takes away axes that carry nothing.",
        hint="Call it with a single sequence, then with a single query: how many axes has the output?",
        checks=("2c.properties",),
        edits=edit(_RETURN, _RETURN + ".squeeze(1)"),
    ),
    Misconception(
        id="pe-from-the-end",
        title="The rows are taken from the end of the table",
        belief="The last positions of the table belong to the sequence.",
        hint="Print what is added at position 0 for two lengths: is it the same row?",
        checks=("2d.values", "2d.lengths", "2d.reported"),
        edits=edit(_ROWS, "self.table[:, -x.size(1) :]"),
        diagnosed=False,  # where the table ends is known to the module alone
    ),
    Misconception(
        id="pe-table-cut",
        title="A call cuts the table to its own length, and later ones find no more of it",
        belief="The part that was needed is the part that is needed.",
        hint="Call it on a short sequence, then on a longer one: what has the first call changed?",
        checks=("2d.lengths",),
        edits=edit(f"x = x + {_ROWS}", f"self.table = {_ROWS}\n        x = x + self.table"),
        diagnosed=False,  # the sum of two lengths raises an error, which many other mistakes do too
    ),
)

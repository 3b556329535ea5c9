"""What students lose in precision: right but for rounding, and so the nearest to right that there is."""

from __future__ import annotations

from reference.transformer.misconceptions.entry import AROUND, RUNS, VALUES, AttentionMisconception, edit

PRECISION = (
    AttentionMisconception(
        id="half-precision",
        title="The queries are rounded to half precision",
        belief="Half precision is faster, and three digits are enough.",
        hint="Print the dtype of each tensor from the input to the output: where do digits go?",
        checks=VALUES,
        may_cost=(*AROUND, *RUNS),
        edits=edit("q = self.split(self.query(query))", "q = self.split(self.query(query)).half().float()"),
        diagnosed=False,  # which tensor was rounded cannot be told from the output
    ),
)

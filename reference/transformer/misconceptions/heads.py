"""What students get wrong when features are split into heads and put together again."""

from __future__ import annotations

from reference.transformer.misconceptions.entry import (
    AROUND,
    RUNS,
    VALUES,
    AttentionMisconception,
    edit,
    norm,
)
from reference.transformer.misconceptions.recipes import Recipe

_SPLIT = "x = x.view(N, L, self.num_heads, E // self.num_heads)  # (N, L, H, D)"
_TRANSPOSE = "return x.transpose(1, 2)  # (N, H, L, D)"
_MERGE = "x = x.transpose(1, 2)  # (N, L, H, D)"

_ASK_HEADS = (
    "Number the features of one token 0, 1, 2, …, and print them after each reshape: which lie in one head?"
)

HEADS = (
    AttentionMisconception(
        id="split-by-view",
        title="The heads are split by a reshape to (N, H, L, D), without a transpose",
        belief="view moves axes.",
        hint=_ASK_HEADS,
        checks=(*VALUES, *RUNS, "2b.masked_norm"),
        may_cost=AROUND,
        edits=(
            *edit(
                f"{_SPLIT}\n        {_TRANSPOSE}", "return x.view(N, self.num_heads, L, E // self.num_heads)"
            ),
            *norm("1.1074"),
        ),
        recipe=Recipe(split="view"),
    ),
    AttentionMisconception(
        id="merge-by-view",
        title="The heads are merged by a reshape, without transposing back",
        belief="view moves axes.",
        hint=_ASK_HEADS,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_MERGE, "# (N, H, L, D) -> (N, L, H * D)"),
        recipe=Recipe(merge="view"),
    ),
    AttentionMisconception(
        id="split-and-merge-by-view",
        title="The heads are split and merged by reshapes, without a transpose",
        belief="view moves axes, and moves them back.",
        hint=_ASK_HEADS,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=(
            *edit(
                f"{_SPLIT}\n        {_TRANSPOSE}", "return x.view(N, self.num_heads, L, E // self.num_heads)"
            ),
            *edit(_MERGE, "# (N, H, L, D) -> (N, L, H * D)"),
        ),
        recipe=Recipe(split="view", merge="view"),
    ),
    AttentionMisconception(
        id="split-interleaved",
        title="Neighbouring features go to different heads",
        belief="The last axis is split into (D, H).",
        hint=_ASK_HEADS,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=(
            *edit(_SPLIT, "x = x.view(N, L, E // self.num_heads, self.num_heads)"),
            *edit(_TRANSPOSE, "return x.permute(0, 3, 1, 2)"),
        ),
        recipe=Recipe(split="interleaved"),
    ),
    AttentionMisconception(
        id="merge-interleaved",
        title="The merged features run over the heads first",
        belief="The heads are the last axis when they are put together.",
        hint=_ASK_HEADS,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_MERGE, "x = x.permute(0, 2, 3, 1)"),
        recipe=Recipe(merge="interleaved"),
    ),
    AttentionMisconception(
        id="split-and-merge-interleaved",
        title="Neighbouring features go to different heads, and are put together in that order",
        belief="It does not matter which features a head gets.",
        hint=_ASK_HEADS,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=(
            *edit(_SPLIT, "x = x.view(N, L, E // self.num_heads, self.num_heads)"),
            *edit(_TRANSPOSE, "return x.permute(0, 3, 1, 2)"),
            *edit(_MERGE, "x = x.permute(0, 2, 3, 1)"),
        ),
        recipe=Recipe(split="interleaved", merge="interleaved"),
    ),
    AttentionMisconception(
        id="one-head",
        title="There is one head as wide as the model, whatever num_heads is",
        belief="The heads are a detail of the layers' sizes.",
        hint="Build the module with 1 head and with 4, with the same weights: do the outputs differ?",
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(f"{_SPLIT}\n        {_TRANSPOSE}", "return x.unsqueeze(1)"),
        recipe=Recipe(split="one"),
    ),
)

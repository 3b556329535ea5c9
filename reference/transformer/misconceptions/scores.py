"""What students get wrong between queries and keys: the product, its scale, the softmax."""

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

_SCALE = "scores = scores / math.sqrt(q.size(-1))"
_SOFTMAX = "weights = scores.softmax(dim=-1)"

_ASK_SCALE = (
    "Draw many pairs of random vectors as long as those of one head: what is the spread of their products, and what "
    "is it after your division?"
)
_ASK_SUM = "Print the weights of one head: over which axis do they add up to 1, and over which should they?"
_ASK_PRODUCT = (
    "For a query of length 4 and keys of length 7, which shape must this product have, and which has yours?"
)

SCALES = (
    AttentionMisconception(
        id="scale-by-head-size",
        title="The scores are divided by d_k, not by its square root",
        belief="Scaling means dividing by the size of a head.",
        hint=_ASK_SCALE,
        checks=(*VALUES, *RUNS, "2b.masked_norm"),
        edits=(*edit(_SCALE, "scores = scores / q.size(-1)"), *norm("1.0083")),
        recipe=Recipe(scale="D"),
    ),
    AttentionMisconception(
        id="scale-by-embed-dim",
        title="The scores are divided by embed_dim",
        belief="Scaling means dividing by the width of the model.",
        hint=_ASK_SCALE,
        checks=(*VALUES, *RUNS),
        edits=edit(_SCALE, "scores = scores / query.size(-1)"),
        recipe=Recipe(scale="E"),
    ),
    AttentionMisconception(
        id="scale-by-root-embed-dim",
        title="The scores are divided by the root of embed_dim, not of the head size",
        belief="d_k is the width of the model, as in attention with one head.",
        hint=_ASK_SCALE,
        checks=(*VALUES, *RUNS),
        edits=edit(_SCALE, "scores = scores / math.sqrt(query.size(-1))"),
        recipe=Recipe(scale="root of E"),
    ),
    AttentionMisconception(
        id="scale-by-heads",
        title="The scores are divided by the number of heads",
        belief="Each head takes its share, so the scores are shared out among them.",
        hint=_ASK_SCALE,
        checks=VALUES,  # the handout has as many heads as the root of their size
        edits=edit(_SCALE, "scores = scores / self.num_heads"),
        recipe=Recipe(scale="H"),
    ),
    AttentionMisconception(
        id="scale-by-root-heads",
        title="The scores are divided by the root of the number of heads",
        belief="The k of d_k counts the heads.",
        hint=_ASK_SCALE,
        checks=(*VALUES, *RUNS),
        edits=edit(_SCALE, "scores = scores / math.sqrt(self.num_heads)"),
        recipe=Recipe(scale="root of H"),
    ),
    AttentionMisconception(
        id="scale-by-root-length",
        title="The scores are divided by the root of the number of keys",
        belief="The softmax runs over the keys, so their number sets the scale.",
        hint="Give the keys another length and print the divisor: should it change?",
        checks=(*VALUES, *RUNS),
        edits=edit(_SCALE, "scores = scores / math.sqrt(k.size(-2))"),
        recipe=Recipe(scale="root of T"),
    ),
    AttentionMisconception(
        id="scale-whole-root",
        title="The root of the head size is cut to a whole number",
        belief="A size is a whole number, and so is its root.",
        hint="Print the divisor for heads of size 4 and of size 6.",
        checks=("2c.self",),
        may_cost=("2c.masked", "2c.cross", "2c.independence"),  # a head size with a whole root hides it
        edits=edit(_SCALE, "scores = scores / int(math.sqrt(q.size(-1)))"),
        recipe=Recipe(scale="whole root of D"),
    ),
    AttentionMisconception(
        id="no-scale",
        title="The scores are not scaled",
        belief="The softmax takes care of the size of the scores.",
        hint=_ASK_SCALE,
        checks=(*VALUES, *RUNS, "2b.masked_norm"),
        edits=(*edit(_SCALE, "# the softmax normalises"), *norm("1.0353")),
        recipe=Recipe(scale="1"),
    ),
    AttentionMisconception(
        id="scale-multiplied",
        title="The scores are multiplied by the root of the head size",
        belief="The scale is a factor.",
        hint=_ASK_SCALE,
        checks=(*VALUES, *RUNS),
        edits=edit(_SCALE, "scores = scores * math.sqrt(q.size(-1))"),
        recipe=Recipe(scale="1 / root of D"),
    ),
    AttentionMisconception(
        id="scale-after-softmax",
        title="The attention weights are scaled, not the scores",
        belief="It does not matter whether one scales before the softmax or after it.",
        hint="Add up the weights of one query right before they meet the values: what do you get?",
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=(
            *edit(_SCALE, "# scaled below"),
            *edit(_SOFTMAX, "weights = scores.softmax(dim=-1) / math.sqrt(q.size(-1))"),
        ),
        recipe=Recipe(scale="after"),
    ),
)

SOFTMAXES = (
    AttentionMisconception(
        id="softmax-over-queries",
        title="The softmax runs over the queries, not over the keys",
        belief="The weights of each key add up to 1.",
        hint=_ASK_SUM,
        checks=(*VALUES, *RUNS, "2c.properties"),
        may_cost=AROUND,
        edits=edit(_SOFTMAX, "weights = scores.softmax(dim=-2)"),
        recipe=Recipe(softmax="queries"),
    ),
    AttentionMisconception(
        id="softmax-over-heads",
        title="The softmax runs over the heads",
        belief="dim=1 is the last axis, as it is for a matrix.",
        hint=_ASK_SUM,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_SOFTMAX, "weights = scores.softmax(dim=1)"),
        recipe=Recipe(softmax="heads"),
    ),
    AttentionMisconception(
        id="softmax-over-batch",
        title="The softmax runs over the sequences of the batch",
        belief="dim=0 is the axis to normalise over, as it is for a vector.",
        hint=_ASK_SUM,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_SOFTMAX, "weights = scores.softmax(dim=0)"),
        recipe=Recipe(softmax="batch"),
    ),
    AttentionMisconception(
        id="softmax-missing",
        title="The scores meet the values without a softmax",
        belief="The scores are the weights.",
        hint=_ASK_SUM,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_SOFTMAX, "weights = scores"),
        recipe=Recipe(softmax="none"),
    ),
    AttentionMisconception(
        id="softmax-twice",
        title="The softmax is taken twice",
        belief="What was changed after the softmax has to be normalised by another one.",
        hint="Print the largest weight of a query after each step: which step makes the weights alike?",
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_SOFTMAX, "weights = scores.softmax(dim=-1).softmax(dim=-1)"),
        recipe=Recipe(softmax="twice"),
    ),
    AttentionMisconception(
        id="uniform-weights",
        title="All keys get the same weight",
        belief="Attention is an average over the values.",
        hint="Do the scores reach the weights? Multiply the query by 10: does the output change?",
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_SOFTMAX, "weights = torch.ones_like(scores) / scores.size(-1)"),
        recipe=Recipe(softmax="uniform"),
    ),
)

PRODUCTS = (
    AttentionMisconception(
        id="star-for-scores",
        title="Query and key are multiplied element by element",
        belief="* is the product of matrices.",
        hint=_ASK_PRODUCT,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit("q @ k.transpose(-2, -1)", "q * k.transpose(-2, -1)"),
        recipe=Recipe(product="*"),
    ),
    AttentionMisconception(
        id="star-for-weighted-sum",
        title="Weights and values are multiplied element by element",
        belief="* is the product of matrices.",
        hint=_ASK_PRODUCT,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit("weights @ v", "weights * v"),
        recipe=Recipe(weighted="*"),
    ),
    AttentionMisconception(
        id="scores-turned",
        title="The scores have the keys in their rows and the queries in their columns",
        belief="K Qᵀ is Q Kᵀ.",
        hint=_ASK_PRODUCT,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit("q @ k.transpose(-2, -1)", "k @ q.transpose(-2, -1)"),
        recipe=Recipe(product="turned"),
    ),
)

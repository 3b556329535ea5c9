"""What students get wrong about the mask: its meaning, its place, its shape."""

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

_IF = "if attn_mask is not None:"
_MASK = 'scores = scores.masked_fill(attn_mask == 0, float("-inf"))'
_BLOCK = f"{_IF}\n            {_MASK}"
_SOFTMAX = "weights = scores.softmax(dim=-1)"
_CAUSAL = "torch.tril(torch.ones(query.size(1), key.size(1)))"

_ASK_WEIGHTS = (
    "Print the attention weights for a small mask: which of them should be exactly 0, and which are?"
)
_ASK_SHAPE = "Write a 2 × 3 mask down, with one 0 in it: which query loses which key in your scores?"
_ASK_NAN = (
    "Print scores and weights after every line, for a mask with one 0 in it: where does a nan come up first?"
)
_MASKED = ("2c.masked", "2c.independence")


def _after(value: str) -> str:
    return f"{_SOFTMAX}\n        {_IF}\n            weights = weights.masked_fill(attn_mask == 0, {value})"


MASKS = (
    AttentionMisconception(
        id="mask-inverted",
        title="The mask keeps what it should remove",
        belief="1 in the mask means: masked out, as in nn.MultiheadAttention.",
        hint=_ASK_WEIGHTS,
        checks=(*_MASKED, *RUNS),
        may_cost=AROUND,
        edits=edit(_MASK, 'scores = scores.masked_fill(attn_mask == 1, float("-inf"))'),
        recipe=Recipe(mask="invert"),
    ),
    AttentionMisconception(
        id="mask-ignored",
        title="The mask has no effect",
        belief="masked_fill changes the tensor that it is called on.",
        hint="Is the result of the masking used? A function whose name does not end in _ returns a new tensor.",
        checks=(*_MASKED, *RUNS, "2b.masked_norm"),
        may_cost=AROUND,
        edits=(*edit(_MASK, 'scores.masked_fill(attn_mask == 0, float("-inf"))'), *norm("1.0322")),
        recipe=Recipe(mask="ignore"),
    ),
    AttentionMisconception(
        id="mask-after-softmax",
        title="The mask is applied after the softmax, so the weights that are left do not add up to 1",
        belief="Setting weights to 0 is the same as removing scores.",
        hint="Add up the weights of a query that loses a key: what do you get?",
        checks=(*_MASKED, *RUNS, "2b.masked_norm"),
        may_cost=AROUND,
        edits=(*edit(_BLOCK, "# masked below"), *edit(_SOFTMAX, _after("0.0")), *norm("0.9925")),
        recipe=Recipe(mask="zero after"),
    ),
    AttentionMisconception(
        id="mask-infinite-after-softmax",
        title="Attention weights are set to -inf, after the softmax",
        belief="The softmax comes first; -inf then takes the rest away.",
        hint=_ASK_NAN,
        checks=(*_MASKED, *RUNS),
        may_cost=AROUND,
        edits=(*edit(_BLOCK, "# masked below"), *edit(_SOFTMAX, _after('float("-inf")'))),
        recipe=Recipe(mask="infinite after"),
    ),
    AttentionMisconception(
        id="mask-as-zero-score",
        title="Removed scores are set to 0, or nearly so, which has weight after the softmax",
        belief="A score of 0 means no attention.",
        hint=_ASK_WEIGHTS,
        checks=(*_MASKED, *RUNS),
        may_cost=AROUND,
        edits=edit(_MASK, "scores = scores.masked_fill(attn_mask == 0, 1e-9)"),
        recipe=Recipe(mask="zero"),
    ),
    AttentionMisconception(
        id="mask-value-too-large",
        title="Removed scores are set to a value that is not low enough",
        belief="Any negative number is as good as minus infinity.",
        hint=_ASK_WEIGHTS,
        checks=_MASKED,
        may_cost=(*AROUND, *RUNS),
        edits=edit(_MASK, "scores = scores.masked_fill(attn_mask == 0, -4.0)"),
        diagnosed=False,  # any value from -1 to -10 does it; one that was not tried cannot be replayed
    ),
    AttentionMisconception(
        id="mask-added",
        title="The mask is added to the scores as it is",
        belief="A mask is something that one adds, so 1 raises what is kept.",
        hint=_ASK_WEIGHTS,
        checks=(*_MASKED, *RUNS),
        may_cost=AROUND,
        edits=edit(_MASK, "scores = scores + attn_mask"),
        recipe=Recipe(mask="add"),
    ),
    AttentionMisconception(
        id="mask-times-infinity",
        title="The mask is multiplied by infinity, which turns 0 into nan",
        belief="0 times infinity is 0.",
        hint=_ASK_NAN,
        checks=(*_MASKED, *RUNS),
        may_cost=AROUND,
        edits=edit(_MASK, 'scores = scores + (attn_mask == 0) * float("-inf")'),
        recipe=Recipe(mask="times infinity"),
    ),
    AttentionMisconception(
        id="mask-not-on-floats",
        title="~ is used on the mask, which holds only for booleans",
        belief="~ means not, whatever it stands before.",
        hint="Call it with torch.ones(3, 3).tril() for a mask, and with the same mask as booleans.",
        checks=("2c.masked",),
        may_cost=("2c.gradients", "2c.dropout", *AROUND),
        edits=edit(_MASK, 'scores = scores.masked_fill(~attn_mask, float("-inf"))'),
        recipe=Recipe(mask="not"),
    ),
    AttentionMisconception(
        id="mask-arithmetic-on-booleans",
        title="The mask is subtracted from 1, which holds only for numbers",
        belief="A mask is always made of 0 and 1.",
        hint="Call it with torch.ones(3, 3).tril() for a mask, and with the same mask as booleans.",
        checks=("2c.masked", *RUNS),
        may_cost=AROUND,
        edits=edit(_MASK, "scores = scores + (1 - attn_mask) * -1e9"),
        recipe=Recipe(mask="one minus"),
    ),
    AttentionMisconception(
        id="mask-transposed",
        title="The mask is transposed: its rows are taken for keys",
        belief="A mask is (keys, queries).",
        hint=_ASK_SHAPE,
        checks=(*_MASKED, *RUNS),
        may_cost=AROUND,
        edits=edit(_MASK, 'scores = scores.masked_fill(attn_mask.T == 0, float("-inf"))'),
        recipe=Recipe(mask="transposed"),
    ),
    AttentionMisconception(
        id="mask-first-row",
        title="The first row of the mask is used for all queries",
        belief="A mask says which keys are padding, the same for all queries.",
        hint=_ASK_SHAPE,
        checks=("2c.masked", *RUNS),
        may_cost=AROUND,
        edits=edit(_MASK, 'scores = scores.masked_fill(attn_mask[0] == 0, float("-inf"))'),
        recipe=Recipe(mask="first row"),
    ),
    AttentionMisconception(
        id="mask-first-sequence",
        title="The mask reaches the first sequence of the batch alone",
        belief="A mask of shape (S, T) belongs to one sequence.",
        hint="Put the same sequence into a batch twice, with a mask: are the two outputs alike?",
        checks=_MASKED,
        may_cost=AROUND,
        edits=edit(_MASK, 'scores[0] = scores[0].masked_fill(attn_mask == 0, float("-inf"))'),
        recipe=Recipe(mask="first sequence"),
    ),
    AttentionMisconception(
        id="causal-by-default",
        title="A causal mask is applied where none is given",
        belief="Attention never looks ahead.",
        hint="Call it without a mask and change the last token: which outputs change, and which should?",
        checks=("2c.self", "2c.cross", *RUNS),
        may_cost=AROUND,
        edits=edit(_IF, f"if attn_mask is None:\n            attn_mask = {_CAUSAL}\n        {_IF}"),
        recipe=Recipe(mask="causal by default"),
    ),
    AttentionMisconception(
        id="causal-always",
        title="A causal mask is applied in place of the one that is given",
        belief="The mask of attention is the causal one.",
        hint="Call it with a mask of ones and change the last token: which outputs change, and which should?",
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_IF, f"attn_mask = {_CAUSAL}\n        {_IF}"),
        recipe=Recipe(mask="causal"),
    ),
)

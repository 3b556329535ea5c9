"""What students get wrong in causal attention and in the layer with its cache."""

from __future__ import annotations

from grader.bank import Edit, Misconception

_SCALE = "scores = scores / math.sqrt(q.size(-1))"
_FUTURE = "torch.ones(S, T, dtype=torch.bool).triu(T - S + 1)"
_MASK = 'scores = scores.masked_fill(future, float("-inf"))'
_END = "return scores.softmax(dim=-1) @ v"
_POSITIONS = "positions = torch.arange(past, past + S)"
_KEY = 'k = rope(split(x @ weights["k"].T), positions)'
_HEADS = "heads = causal_attention(q, k, v)"
_RETURN = 'return joined @ weights["o"].T, {"k": k, "v": v}'
_SPLIT = "y.view(B, S, num_heads, E // num_heads).transpose(1, 2)"
_ASK_SCALE = (
    "Draw many pairs of random vectors as long as those of a head: what is the spread of their products?"
)
_ASK_MASK = "Print the mask for S = 2 and T = 5, and for S = T = 3: which keys may each query see?"
_ASK_REMOVED = "Print the weights of the first query: do they sum to 1, and is every later key exactly 0?"
_ASK_LARGE = "Multiply the queries by 1000: what is exp of the scores then, and what is left of the softmax?"
_ASK_PAST = "Feed three tokens one by one and print the positions and the number of keys in each call."
_ASK_TURNED = "Print q and k before and after rope: which are turned, and how often a key in the cache?"
_ASK_HEADS = (
    "With E = 4 and two heads: which features of x @ w.T are those of head 0, and where do they end up?"
)

_CALLS = ("3a.attend", "3a.offset")
_LAYER = ("3b.layer", "3b.steps", "3b.reuse")
_BUILT_ON = (*_LAYER, "3c.logits", "3c.steps")


def _edit(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("attention.py", old, new),)


FORMULA: tuple[Misconception, ...] = (
    Misconception(
        id="attend-no-scale",
        title="The scores are not divided by the root of D",
        belief="The softmax takes care of the size of the scores.",
        hint=_ASK_SCALE,
        checks=_CALLS,
        may_cost=("3a.large",),
        edits=_edit(_SCALE, "scores = scores"),
    ),
    Misconception(
        id="attend-scale-by-d",
        title="The scores are divided by D, not by its root",
        belief="A product of D numbers is divided by D.",
        hint=_ASK_SCALE,
        checks=_CALLS,
        may_cost=("3a.large",),
        edits=_edit("math.sqrt(q.size(-1))", "q.size(-1)"),
    ),
    Misconception(
        id="attend-no-mask",
        title="Every query sees every key, later ones too",
        belief="masked_fill changes the tensor that it is called on.",
        hint=_ASK_MASK,
        checks=_CALLS,
        may_cost=("3a.large",),
        edits=_edit(_MASK, 'scores.masked_fill(future, float("-inf"))'),
    ),
    Misconception(
        id="attend-mask-from-the-top",
        title="With fewer queries than keys the mask starts at the first key, not at the first new token",
        belief="The diagonal of the mask starts in its corner.",
        hint=_ASK_MASK,
        checks=("3a.offset",),
        edits=_edit("triu(T - S + 1)", "triu(1)"),
    ),
    Misconception(
        id="attend-not-itself",
        title="A query does not see its own key",
        belief="Causal means that only earlier tokens are seen.",
        hint=_ASK_MASK,
        checks=(*_CALLS, "3a.large"),
        may_cost=_BUILT_ON,  # a query without a key is NaN, and nothing can be judged on top of it
        edits=_edit("triu(T - S + 1)", "triu(T - S)"),
    ),
    Misconception(
        id="attend-mask-inverted",
        title="Each query sees the later keys, and not the earlier ones",
        belief="True in a mask means that a key may be seen.",
        hint=_ASK_MASK,
        checks=(*_CALLS, "3a.large"),
        may_cost=_BUILT_ON,  # a query without a key is NaN, and nothing can be judged on top of it
        edits=_edit(_MASK, 'scores = scores.masked_fill(~future, float("-inf"))'),
    ),
    Misconception(
        id="attend-masked-with-zero",
        title="Scores that are removed become 0, and keep a weight",
        belief="A score of 0 means no attention.",
        hint=_ASK_REMOVED,
        checks=_CALLS,
        may_cost=("3a.large",),
        edits=_edit('float("-inf")', "0.0"),
    ),
    Misconception(
        id="attend-masked-with-minus-100",
        title="Scores that are removed become -100, which is not below all others",
        belief="-100 is as good as minus infinity.",
        hint=_ASK_LARGE,
        checks=("3a.large",),
        edits=_edit('float("-inf")', "-100.0"),
    ),
    Misconception(
        id="attend-mask-after-softmax",
        title="The weights are masked after the softmax, and no longer sum to 1",
        belief="It does not matter where later keys are removed.",
        hint=_ASK_REMOVED,
        checks=_CALLS,
        may_cost=("3a.large",),
        edits=_edit(_MASK, "pass")
        + _edit(_END, "return scores.softmax(dim=-1).masked_fill(future, 0.0) @ v"),
    ),
    Misconception(
        id="attend-softmax-over-queries",
        title="The softmax is taken over the queries, not over the keys",
        belief="Each key shares itself out among the queries.",
        hint=_ASK_REMOVED,
        checks=_CALLS,
        may_cost=("3a.large",),
        edits=_edit("softmax(dim=-1)", "softmax(dim=-2)"),
    ),
    Misconception(
        id="attend-overflow",
        title="The exponential of large scores overflows",
        belief="A softmax is exp divided by the sum of exp.",
        hint=_ASK_LARGE,
        checks=("3a.large",),
        edits=_edit(_END, "return (scores.exp() / scores.exp().sum(dim=-1, keepdim=True)) @ v"),
    ),
)

LAYER: tuple[Misconception, ...] = (
    Misconception(
        id="cache-positions-restart",
        title="After the cache the positions start at 0 again",
        belief="Each call starts a sequence.",
        hint=_ASK_PAST,
        checks=("3b.steps", "3b.reuse"),
        edits=_edit(_POSITIONS, "positions = torch.arange(S)"),
    ),
    Misconception(
        id="cache-in-front",
        title="New keys and values are put before those of the cache",
        belief="The order of the keys does not matter.",
        hint=_ASK_PAST,
        checks=("3b.steps",),
        may_cost=("3b.reuse",),
        edits=_edit('torch.cat([cache["k"], k]', 'torch.cat([k, cache["k"]]')
        + _edit('torch.cat([cache["v"], v]', 'torch.cat([v, cache["v"]]'),
    ),
    Misconception(
        id="cache-last-call-only",
        title="The cache holds the tokens of the last call alone",
        belief="The cache grows by itself.",
        hint=_ASK_PAST,
        checks=("3b.steps",),
        edits=_edit(_RETURN, _RETURN.replace('"k": k, "v": v', '"k": k[:, :, past:], "v": v[:, :, past:]')),
    ),
    Misconception(
        id="cache-not-used",
        title="What is in the cache is not attended to",
        belief="The new tokens are all that counts.",
        hint=_ASK_PAST,
        checks=("3b.steps", "3b.reuse"),
        edits=_edit(_HEADS, "heads = causal_attention(q, k[:, :, past:], v[:, :, past:])"),
    ),
    Misconception(
        id="cache-turned-again",
        title="Keys of the cache are turned again in every call",
        belief="All keys are turned where they are used.",
        hint=_ASK_TURNED,
        checks=("3b.steps", "3b.reuse"),
        edits=_edit(_KEY, 'k = split(x @ weights["k"].T)')
        + _edit(_HEADS, f"k = rope(k, torch.arange(past + S))\n    {_HEADS}"),
    ),
    Misconception(
        id="cache-overwritten",
        title="A cache that is passed in is overwritten, and cannot be used again",
        belief="A cache is used once.",
        hint="Go on from one cache twice, and print its number of keys before each call.",
        checks=("3b.reuse",),
        edits=_edit(
            _RETURN,
            'cache = {} if cache is None else cache\n    cache.update({"k": k, "v": v})\n'
            '    return joined @ weights["o"].T, cache',
        ),
    ),
    Misconception(
        id="layer-no-rope",
        title="Queries and keys are not turned",
        belief="The order of tokens is in the mask.",
        hint=_ASK_TURNED,
        checks=_LAYER,
        edits=_edit('q = rope(split(x @ weights["q"].T), positions)', 'q = split(x @ weights["q"].T)')
        + _edit(_KEY, 'k = split(x @ weights["k"].T)'),
    ),
    Misconception(
        id="layer-rope-on-queries-only",
        title="The queries are turned and the keys are not",
        belief="It is the query that has a position.",
        hint=_ASK_TURNED,
        checks=_LAYER,
        edits=_edit(_KEY, 'k = split(x @ weights["k"].T)'),
    ),
    Misconception(
        id="layer-rope-on-values",
        title="The values are turned too",
        belief="Everything that enters attention has a position.",
        hint=_ASK_TURNED,
        checks=_LAYER,
        edits=_edit('v = split(x @ weights["v"].T)', 'v = rope(split(x @ weights["v"].T), positions)'),
    ),
    Misconception(
        id="layer-rope-across-heads",
        title="Queries and keys are turned before they are split into heads",
        belief="It does not matter whether the features are split first.",
        hint=_ASK_TURNED,
        checks=_LAYER,
        edits=_edit(
            'rope(split(x @ weights["q"].T), positions)', 'split(rope(x @ weights["q"].T, positions))'
        )
        + _edit('rope(split(x @ weights["k"].T), positions)', 'split(rope(x @ weights["k"].T, positions))'),
    ),
    Misconception(
        id="layer-heads-by-view",
        title="The features are cut into heads across tokens: an axis is viewed that has to be transposed",
        belief="view and transpose do the same.",
        hint=_ASK_HEADS,
        checks=_LAYER,
        edits=_edit(_SPLIT, "y.view(B, num_heads, S, E // num_heads)"),
    ),
    Misconception(
        id="layer-heads-interleaved",
        title="Head h takes every H-th feature, not D in a row",
        belief="Features are dealt out to the heads in turn.",
        hint=_ASK_HEADS,
        checks=_LAYER,
        edits=_edit(_SPLIT, "y.view(B, S, E // num_heads, num_heads).permute(0, 3, 1, 2)"),
    ),
    Misconception(
        id="layer-joined-by-view",
        title="The heads are joined without being transposed back",
        belief="reshape puts the axes in order.",
        hint=_ASK_HEADS,
        checks=_LAYER,
        edits=_edit("heads.transpose(1, 2).reshape(B, S, E)", "heads.reshape(B, S, E)"),
    ),
    Misconception(
        id="layer-o-not-transposed",
        title="The last matrix is not transposed",
        belief="x @ w and x @ w.T do the same to a square matrix.",
        hint="Multiply (1, 0) by a matrix that is not symmetric in both ways. Which one is nn.Linear?",
        checks=_LAYER,
        edits=_edit('joined @ weights["o"].T', 'joined @ weights["o"]'),
    ),
    Misconception(
        id="layer-o-missing",
        title="The last matrix is left out",
        belief="The joined heads are the output.",
        hint="Which of the four weights does your code use, and where?",
        checks=_LAYER,
        edits=_edit('joined @ weights["o"].T', "joined"),
    ),
)

BANK: tuple[Misconception, ...] = (*FORMULA, *LAYER)

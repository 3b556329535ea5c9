"""What students get wrong in perplexity."""

from __future__ import annotations

from grader.bank import Edit, Misconception

_LOGP = "log_p = logits[:, :-1].log_softmax(dim=-1)"
_TARGETS = "targets = ids[:, 1:]"
_COUNTED = "torch.ones_like(targets, dtype=torch.bool) if pad is None else targets != pad"
_RETURN = "return loss[counted].mean().exp().item()"
_ASK_SHIFT = (
    "With one sequence of two tokens: which position of the logits is used, and which token does it predict?"
)
_ASK_MEAN = (
    "Take two sequences of different lengths: over how many tokens is the mean, and how much does each count?"
)
_ASK_UNIFORM = "With logits of zero over V tokens the perplexity is V. What is yours?"
_ASK_LARGE = "What is softmax([100, 0]) in float32, and what is its logarithm?"

_ALL = ("5d.perplexity", "5d.padding", "5d.large")


def _edit(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("sampling.py", old, new),)


BANK: tuple[Misconception, ...] = (
    Misconception(
        id="perplexity-not-shifted",
        title="The logits are held against the token that they have already seen",
        belief="Position t predicts token t.",
        hint=_ASK_SHIFT,
        checks=_ALL,
        edits=_edit(_LOGP, "log_p = logits.log_softmax(dim=-1)") + _edit(_TARGETS, "targets = ids"),
    ),
    Misconception(
        id="perplexity-shifted-back",
        title="The logits are held against the token before",
        belief="Dropping the first position shifts the right way.",
        hint=_ASK_SHIFT,
        checks=_ALL,
        edits=_edit("logits[:, :-1]", "logits[:, 1:]") + _edit(_TARGETS, "targets = ids[:, :-1]"),
    ),
    Misconception(
        id="perplexity-mean-of-sequences",
        title="The mean is over the perplexities of the sequences, not over the tokens",
        belief="Every sequence has its perplexity.",
        hint=_ASK_MEAN,
        checks=("5d.perplexity", "5d.padding"),
        edits=_edit(
            _RETURN,
            "mean = (loss * counted).sum(dim=-1) / counted.sum(dim=-1)\n    return mean.exp().mean().item()",
        ),
    ),
    Misconception(
        id="perplexity-loss-of-sequences",
        title="Every sequence counts the same, however few tokens it has",
        belief="The mean of the means is the mean.",
        hint=_ASK_MEAN,
        checks=("5d.padding",),
        edits=_edit(
            _RETURN,
            "mean = (loss * counted).sum(dim=-1) / counted.sum(dim=-1)\n    return mean.mean().exp().item()",
        ),
    ),
    Misconception(
        id="perplexity-padding-counted",
        title="Predicting the padding counts",
        belief="The padding is a token like any other.",
        hint=_ASK_MEAN,
        checks=("5d.padding",),
        edits=_edit(_COUNTED, "torch.ones_like(targets, dtype=torch.bool)"),
    ),
    Misconception(
        id="perplexity-padding-in-the-number",
        title="The loss of the padding is dropped, yet the sum is divided by all tokens",
        belief="A loss of zero changes nothing.",
        hint=_ASK_MEAN,
        checks=("5d.padding",),
        edits=_edit(_RETURN, "return (loss * counted).mean().exp().item()"),
    ),
    Misconception(
        id="perplexity-loss",
        title="The loss is returned, not its exponential",
        belief="Perplexity is another word for the loss.",
        hint=_ASK_UNIFORM,
        checks=_ALL,
        edits=_edit(".mean().exp().item()", ".mean().item()"),
    ),
    Misconception(
        id="perplexity-base-2",
        title="2 is raised to a loss that is in nats",
        belief="Perplexity is 2 to the power of the loss.",
        hint=_ASK_UNIFORM,
        checks=_ALL,
        edits=_edit(_RETURN, "return 2 ** loss[counted].mean().item()"),
    ),
    Misconception(
        id="perplexity-mean-of-tokens",
        title="The mean is taken after the exponential",
        belief="It does not matter when the mean is taken.",
        hint="Take two tokens with probabilities 1/2 and 1/8: what is the perplexity by the definition?",
        checks=("5d.perplexity", "5d.padding", "5d.large"),
        edits=_edit("loss[counted].mean().exp()", "loss[counted].exp().mean()"),
    ),
    Misconception(
        id="perplexity-log-of-softmax",
        title="The logarithm of a probability that has become 0 is infinite",
        belief="log_softmax is the logarithm of the softmax.",
        hint=_ASK_LARGE,
        checks=("5d.large",),
        edits=_edit("log_softmax(dim=-1)", "softmax(dim=-1).log()"),
    ),
    Misconception(
        id="perplexity-softmax-twice",
        title="The softmax is taken twice",
        belief="Cross-entropy wants probabilities.",
        hint=_ASK_UNIFORM,
        checks=_ALL,
        edits=_edit("logits[:, :-1].log_softmax", "logits[:, :-1].softmax(dim=-1).log_softmax"),
    ),
)

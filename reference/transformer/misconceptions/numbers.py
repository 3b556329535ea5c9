"""The slips in numbers, as misconceptions: each with the answers of a student who makes it and goes on consistently.

`named` imports no torch: it serves parts that run no student code. The bank itself has numbers of part 2 in it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grader.bank import Edit, Misconception
from grader.model import Diagnosis
from reference.transformer import analysis
from reference.transformer.quantity import Number, Quantity, Slip, evaluate

_ANSWERS: dict[str, tuple[str, str, str]] = {
    "2a.norm": ("2a.norm", "norm = 2.7053", "norm = {:.4f}"),
    "2b.norm": ("2b.norm", "norm = 1.4747", "norm = {:.4f}"),
    "4a.probability": ("4a.probability", "probability = 0.7500", "probability = {:.6g}"),
    "4a.loss": ("4a.loss", "loss = 0.2876", "loss = {:.6g}"),
    "4c.elements": ("4c.elements", 'elements = "268,435,456"', 'elements = "{:,.0f}"'),
    "4c.bytes": ("4c.bytes", 'bytes = "536,870,912 bytes"', 'bytes = "{:,.0f} bytes"'),
    "4c.total_gb": ("4c.total", 'total = "25.770 GB"', 'total = "{:,.0f} bytes"'),
    "4d.first": ("4d.first", 'first = "151,019,520"', 'first = "{:,.0f}"'),
    "4d.second": ("4d.second", 'second = "151,001,088"', 'second = "{:,.0f}"'),
    "4d.block": ("4d.block", 'block = "302,020,608"', 'block = "{:,.0f}"'),
    "4d.total": ("4d.total", 'total = "14,496,989,184"', 'total = "{:,.0f}"'),
    "4e1.trainable": ("4e1.trainable", 'trainable = "9,437,184"', 'trainable = "{:,.0f}"'),
    "4e2.lora_state": ("4e2.lora_state", 'lora_state = "75,497,472 bytes"', 'lora_state = "{:,.0f} bytes"'),
    "4e3.ffn_state": ("4e3.ffn_state", 'ffn_state = "115.976 GB"', 'ffn_state = "{:,.0f} bytes"'),
    "4e3.share": ("4e3.share", 'share = "0.0651 %"', 'share = "{:.6g} %"'),
}
"""By quantity: the check that judges it, its line in the model solution's answers.toml, and that line for a value."""

_BELIEFS = {
    "all_heads": "A score matrix holds the scores of all heads.",
    "all_matrices": "LoRA adapts every matrix of attention.",
    "base_2": "The softmax may be taken to any base.",
    "bits": "A b is a b, whether it stands for bits or for bytes.",
    "causal": "What a mask removes takes no memory.",
    "complement": "The loss is the probability of being wrong.",
    "count": "An optimizer keeps one byte a parameter.",
    "first_only": "The block is its first layer.",
    "full": "Fine-tuning with LoRA trains the matrices that it adapts.",
    "gib": "A GB has 2^30 bytes.",
    "half": "An update is one matrix, or one matrix a layer is adapted.",
    "inverse": "The larger number goes on top.",
    "key_first": "The order in which layers are made does not matter.",
    "log10": "A logarithm without a base has base 10.",
    "log2": "Information is measured in bits, so the loss is too.",
    "mib": "A MB has 2^20 bytes.",
    "mixed_units": "Numbers can be divided as they are printed, whatever their units.",
    "mixed_units_ratio": "Numbers can be divided as they are printed, and a ratio is a percentage.",
    "no_bias": "The parameters of a layer are its weights.",
    "no_exponential": "Dividing by the sum turns logits into probabilities.",
    "not_normalised": "The exponential of a logit is a probability.",
    "not_percent": "A ratio is a percentage.",
    "not_scaled": "The softmax takes care of the size of the scores.",
    "one_byte": "A number takes one byte.",
    "one_head": "The heads share one matrix.",
    "one_layer": "The question is about one layer.",
    "one_moment": "Adam remembers one number a parameter, or two of half precision.",
    "other_bias": "Each input has a bias.",
    "quarter": "An update is one matrix, and one matrix a layer is adapted.",
    "row": "A sequence of S tokens has S scores.",
    "scaled_by_d": "Scaling means dividing by the size of a head.",
    "scores": "The scores are the attention weights.",
    "second_only": "The block is its second layer.",
    "sign": "The loss is the logarithm of the probability.",
    "single_precision": "A number takes 4 bytes.",
    "with_weights": "The optimizer keeps the parameters too.",
}
"""By the id of a slip."""


def named(quantity: str, slip: Slip, obtained: str) -> Diagnosis:
    """The diagnosis of an answer `obtained` (as the student wrote it) that comes out of a slip."""
    return Diagnosis(
        id=_id(quantity, slip), title=_title(slip), evidence=f"{obtained} is what it comes to", hint=slip.hint
    )


def bank() -> tuple[Misconception, ...]:
    """Every slip that costs points."""
    from reference.transformer import handout

    known = {**handout.QUANTITIES, **analysis.QUANTITIES}
    return tuple(
        _misconception(known[id], slip, check, known)
        for id, (check, _, _) in _ANSWERS.items()
        for slip in known[id].slips
        if not slip.keeps_marks
    )


def _misconception(
    quantity: Quantity, slip: Slip, check: str, known: Mapping[str, Quantity]
) -> Misconception:
    parts = slip.id.split("_and_")
    return Misconception(
        id=_id(quantity.id, slip),
        title=_title(slip),
        belief=" ".join(_BELIEFS[part] for part in parts),
        hint=slip.hint,
        checks=(check,),
        edits=tuple(_edits(quantity.id, slip.value, known)),
    )


def _edits(id: str, value: Number, known: Mapping[str, Quantity]) -> Iterator[Edit]:
    """The answer, and every later one as it follows from it: what is carried forward costs nothing more."""
    yield _answer(id, value)
    for later in known.values():
        if later.id in _ANSWERS and id in _origins(later.id, known):
            yield _answer(later.id, evaluate(known, later.id, {id: value}))


def _origins(id: str, known: Mapping[str, Quantity]) -> set[str]:
    """The quantities that one follows from, through others too."""
    inputs = known[id].inputs
    return set(inputs).union(*(_origins(i, known) for i in inputs))


def _answer(id: str, value: Number) -> Edit:
    _, line, form = _ANSWERS[id]
    return Edit("answers.toml", line, form.format(float(value)))


def _id(quantity: str, slip: Slip) -> str:
    return f"{quantity}.{slip.id}"


def _title(slip: Slip) -> str:
    return f"{slip.title[0].upper()}{slip.title[1:]}"

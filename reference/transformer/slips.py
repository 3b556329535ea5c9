"""Part 4: the known other ways to a number, by the quantity that they miss. Imports no torch.

Slips that cost marks, alone and two at a time, and roundings that do not (`keeps_marks`). Hints ask a question; they
give no answer away.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from reference.transformer.derivations import (
    ADAPTED,
    BYTES,
    HEADS,
    LAYERS,
    LOGITS,
    S_MAX,
    TARGET,
    VOCABULARY,
    WIDE,
    H,
    all_heads_bytes,
    cross_entropy,
    first_layer,
    lora_parameters,
    optimizer_bytes,
    score_elements,
    second_layer,
    share,
    target_probability,
)
from reference.transformer.quantity import Number, Slip


def _softmax_rounded(digits: int) -> float:
    """P(mat) from exponentials rounded to so many decimals first."""
    e = [round(math.exp(z), digits) for z in LOGITS]
    return e[VOCABULARY.index(TARGET)] / sum(e)


def _softmax_base_2() -> float:
    return 2 ** float(LOGITS[2]) / sum(2 ** float(z) for z in LOGITS)


_FIRST = first_layer()
_SECOND = second_layer()
_BLOCK = _FIRST + _SECOND
_ALL = _BLOCK * LAYERS
_NO_BIAS = _FIRST - WIDE
_LORA = lora_parameters()
_ONE = score_elements() * BYTES

_UNITS = "Write the unit under each number of the division before you divide."
_BIAS_HINT = "Write down one such nn.Linear and count everything that it learns."
_ONE_LAYER_HINT = "Which of the numbers in the question have you not used yet?"
_STATE_HINT = "What does the optimizer remember for one parameter, and how many bytes is that?"
_BINARY_HINT = "How many bytes are in a GB, and how many in a GiB? Which did you divide by?"
_BITS_HINT = "In which unit is the question asked, and in which one is your answer?"


def _state_slips(parameters: Fraction) -> tuple[Slip, ...]:
    return (
        Slip("one_moment", "one moment of 4 bytes (or two of 2 bytes)", _STATE_HINT, lambda: parameters * 4),
        Slip("bits", "bits for bytes", _BITS_HINT, lambda: optimizer_bytes(parameters) * 8),
        Slip("with_weights", "the parameters themselves counted in", _STATE_HINT, lambda: parameters * 12),
        Slip("count", "the number of parameters, not of bytes", _STATE_HINT, lambda: parameters),
    )


_ALONE: dict[str, tuple[Slip, ...]] = {
    "4a.probability": (
        Slip(
            "rounded_early",
            "the exponentials rounded to three decimals before the division",
            "Keep all digits until the last step.",
            lambda: _softmax_rounded(3),
            keeps_marks=True,
        ),
        Slip(
            "no_exponential",
            "the logits divided by their sum, without the exponential",
            "Could your formula be used if a logit were negative?",
            lambda: Fraction(LOGITS[2]) / sum(map(Fraction, LOGITS)),
        ),
        Slip(
            "base_2",
            "powers of 2 in place of powers of e",
            "Which base does the softmax use?",
            _softmax_base_2,
        ),
        Slip(
            "not_normalised",
            "e^3.0 without the division",
            "What do the probabilities of the five words have to add up to?",
            lambda: math.exp(LOGITS[2]),
        ),
    ),
    "4a.loss": (
        Slip(
            "rounded_early",
            "the logarithm of a probability that was rounded to two digits",
            "Keep all digits until the last step.",
            lambda: cross_entropy(round(target_probability(), 2)),
            keeps_marks=True,
        ),
        Slip(
            "log2",
            "logarithm to base 2: the loss in bits",
            "Which logarithm does nn.CrossEntropyLoss take?",
            lambda: -math.log2(target_probability()),
        ),
        Slip(
            "log10",
            "logarithm to base 10",
            "Which logarithm does nn.CrossEntropyLoss take?",
            lambda: -math.log10(target_probability()),
        ),
        Slip(
            "sign",
            "the sign is missing",
            "What is the loss of a perfect prediction, and what sign has every other one?",
            lambda: math.log(target_probability()),
        ),
        Slip(
            "complement",
            "the probability of being wrong, 1 - P",
            "Which function turns a probability into a surprise?",
            lambda: 1 - target_probability(),
        ),
    ),
    "4c.elements": (
        Slip(
            "row",
            "one row of the matrix",
            "Which two indices does a score have?",
            lambda: Fraction(S_MAX),
        ),
        Slip(
            "causal",
            "only the scores that a causal mask keeps",
            "Is the memory of a masked score saved, or is it computed and then removed?",
            lambda: Fraction(S_MAX * (S_MAX + 1), 2),
        ),
        Slip(
            "all_heads",
            "the matrices of all heads together",
            "The question is about one head first.",
            lambda: score_elements() * HEADS,
        ),
    ),
    "4c.bytes": (
        Slip("bits", "bits for bytes", _BITS_HINT, lambda: _ONE * 8),
        Slip("mib", "MiB called MB", _BINARY_HINT, lambda: _ONE / 2**20 * 10**6),
        Slip(
            "single_precision",
            "4 bytes an element",
            "How many bytes has one number in the precision of the question?",
            lambda: score_elements() * 4,
        ),
        Slip(
            "one_byte",
            "1 byte an element",
            "How many bytes has one number in the precision of the question?",
            lambda: score_elements(),
        ),
    ),
    "4c.total_gb": (
        Slip(
            "rounded_early",
            "0.537 GB rounded before multiplying by the heads",
            "Keep all digits until the last step.",
            lambda: round(_ONE / 10**9, 3) * HEADS * 10**9,
            keeps_marks=True,
        ),
        Slip(
            "gib",
            "GiB called GB",
            _BINARY_HINT,
            lambda: all_heads_bytes(_ONE) / 2**30 * 10**9,
        ),
        Slip("one_head", "one head for all", _ONE_LAYER_HINT, lambda: _ONE),
        Slip("bits", "bits for bytes", _BITS_HINT, lambda: all_heads_bytes(_ONE) * 8),
    ),
    "4d.first": (
        Slip("no_bias", "biases left out", _BIAS_HINT, lambda: _NO_BIAS),
        Slip(
            "other_bias",
            "a bias for each input in place of each output",
            "To which vector is the bias added, and how long is that?",
            lambda: _SECOND,
        ),
    ),
    "4d.second": (
        Slip("no_bias", "biases left out", _BIAS_HINT, lambda: _NO_BIAS),
        Slip(
            "other_bias",
            "a bias for each input in place of each output",
            "To which vector is the bias added, and how long is that?",
            lambda: _FIRST,
        ),
    ),
    "4d.block": (
        Slip("no_bias", "biases left out", _BIAS_HINT, lambda: 2 * _NO_BIAS),
        Slip("first_only", "the first layer only", _ONE_LAYER_HINT, lambda: _FIRST),
        Slip("second_only", "the second layer only", _ONE_LAYER_HINT, lambda: _SECOND),
    ),
    "4d.total": (
        Slip("no_bias", "biases left out", _BIAS_HINT, lambda: 2 * _NO_BIAS * LAYERS),
        Slip("one_layer", "one block for all", _ONE_LAYER_HINT, lambda: _BLOCK),
        Slip("first_only", "the first layer only", _ONE_LAYER_HINT, lambda: _FIRST * LAYERS),
        Slip("second_only", "the second layer only", _ONE_LAYER_HINT, lambda: _SECOND * LAYERS),
    ),
    "4e1.trainable": (
        Slip(
            "half",
            "half of them: only one of the two LoRA matrices, or only W_Q",
            "How many small matrices stand in for one update, and how many updates does a layer have?",
            lambda: _LORA / 2,
        ),
        Slip(
            "quarter",
            "a quarter of them: only one of the two LoRA matrices, and only W_Q",
            "How many small matrices stand in for one update, and how many updates does a layer have?",
            lambda: _LORA / 4,
        ),
        Slip("one_layer", "one layer for all", _ONE_LAYER_HINT, lambda: lora_parameters(layers=1)),
        Slip(
            "all_matrices",
            "W_Q, W_K, W_V and W_O adapted",
            "Which matrices does the question adapt?",
            lambda: lora_parameters(matrices=4),
        ),
        Slip(
            "full",
            "the matrices themselves, not their low-rank update",
            "What stays frozen?",
            lambda: Fraction(H * H * ADAPTED * LAYERS),
        ),
    ),
    "4e2.lora_state": (
        *_state_slips(_LORA),
        Slip("mib", "MiB called MB", _BINARY_HINT, lambda: optimizer_bytes(_LORA) / 2**20 * 10**6),
    ),
    "4e3.ffn_state": (
        *_state_slips(_ALL),
        Slip("gib", "GiB called GB", _BINARY_HINT, lambda: optimizer_bytes(_ALL) / 2**30 * 10**9),
        Slip("one_layer", "one block for all", _ONE_LAYER_HINT, lambda: optimizer_bytes(_BLOCK)),
    ),
    "4e3.share": (
        Slip(
            "not_percent",
            "the ratio, not times 100",
            "What does the sign % stand for?",
            lambda: _LORA / (_ALL),
        ),
        Slip("mixed_units", "MB divided by GB", _UNITS, lambda: share(_LORA * 1000, _ALL)),
        Slip(
            "mixed_units_ratio",
            "MB divided by GB, and not times 100",
            _UNITS,
            lambda: _LORA * 1000 / (_ALL),
        ),
        Slip(
            "inverse",
            "the other way round",
            "Which of the two is the part, and which is the whole?",
            lambda: share(_ALL, _LORA),
        ),
    ),
}
"""Slips by the id of the quantity, each made alone."""

_TOGETHER: dict[str, dict[tuple[str, str], Callable[[], Number]]] = {
    "4a.probability": {("base_2", "not_normalised"): lambda: 2 ** float(LOGITS[2])},
    "4a.loss": {
        ("log2", "sign"): lambda: math.log2(target_probability()),
        ("log10", "sign"): lambda: math.log10(target_probability()),
    },
    "4c.elements": {
        ("row", "all_heads"): lambda: Fraction(S_MAX * HEADS),
        ("causal", "all_heads"): lambda: Fraction(S_MAX * (S_MAX + 1), 2) * HEADS,
    },
    "4c.bytes": {
        ("bits", "single_precision"): lambda: score_elements() * 32,
        ("bits", "one_byte"): lambda: score_elements() * 8,
        ("mib", "single_precision"): lambda: score_elements() * 4 / 2**20 * 10**6,
        ("mib", "one_byte"): lambda: score_elements() / 2**20 * 10**6,
    },
    "4c.total_gb": {
        ("gib", "one_head"): lambda: _ONE / 2**30 * 10**9,
        ("gib", "bits"): lambda: all_heads_bytes(_ONE) * 8 / 2**30 * 10**9,
        ("one_head", "bits"): lambda: _ONE * 8,
    },
    "4d.block": {
        ("no_bias", "first_only"): lambda: _NO_BIAS,
    },
    "4d.total": {
        ("no_bias", "one_layer"): lambda: 2 * _NO_BIAS,
        ("no_bias", "first_only"): lambda: _NO_BIAS * LAYERS,
    },
    "4e1.trainable": {
        ("half", "one_layer"): lambda: lora_parameters(layers=1) / 2,
        ("quarter", "one_layer"): lambda: lora_parameters(layers=1) / 4,
        ("all_matrices", "one_layer"): lambda: lora_parameters(matrices=4, layers=1),
        ("full", "one_layer"): lambda: Fraction(H * H * ADAPTED),
    },
    "4e2.lora_state": {
        ("one_moment", "bits"): lambda: _LORA * 32,
        ("with_weights", "bits"): lambda: _LORA * 96,
        ("mib", "one_moment"): lambda: _LORA * 4 / 2**20 * 10**6,
    },
    "4e3.ffn_state": {
        ("one_moment", "bits"): lambda: _ALL * 32,
        ("with_weights", "bits"): lambda: _ALL * 96,
        ("gib", "one_moment"): lambda: _ALL * 4 / 2**30 * 10**9,
        ("one_layer", "one_moment"): lambda: _BLOCK * 4,
    },
    "4e3.share": {("inverse", "not_percent"): lambda: _ALL / _LORA},
}
"""Two of them made at once: what comes out."""


def _together(alone: tuple[Slip, ...], pairs: dict[tuple[str, str], Callable[[], Number]]) -> list[Slip]:
    by_id = {slip.id: slip for slip in alone}
    found = []
    for (one, other), compute in pairs.items():
        a, b = by_id[one], by_id[other]
        hint = a.hint if a.hint == b.hint else f"{a.hint} {b.hint}"
        found.append(Slip(f"{one}_and_{other}", f"{a.title}, and {b.title}", hint, compute))
    return found


SLIPS: dict[str, tuple[Slip, ...]] = {
    id: (*alone, *_together(alone, _TOGETHER.get(id, {}))) for id, alone in _ALONE.items()
}
"""Slips by the id of the quantity: each alone, and those that go together."""

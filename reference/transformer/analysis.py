"""Part 4, on paper: every number that it asks for, derived. Imports no torch.

value("4c.bytes")                                        the right value
value("4c.bytes", given={"4c.elements": 1000})           what follows from another value of an earlier number
"""

from __future__ import annotations

from functools import partial

from reference.transformer.derivations import (
    ADAPTED,
    BYTES,
    HEADS,
    LAYERS,
    MOMENT_BYTES,
    MOMENTS,
    RANK,
    S_MAX,
    WIDE,
    H,
    all_blocks,
    all_heads_bytes,
    cross_entropy,
    first_layer,
    lora_parameters,
    optimizer_bytes,
    score_bytes,
    score_elements,
    second_layer,
    share,
    target_probability,
)
from reference.transformer.quantity import Quantity, evaluate, table
from reference.transformer.slips import SLIPS

QUANTITIES: dict[str, Quantity] = table(
    Quantity(
        "4a.probability",
        "probability of the target word",
        "",
        "P(mat) = e^3.0 / (e^0.5 + e^0.1 + e^3.0 + e^0.2 + e^1.0)",
        target_probability,
        slips=SLIPS["4a.probability"],
    ),
    Quantity(
        "4a.loss",
        "cross-entropy loss",
        "",
        "-ln P(mat)",
        cross_entropy,
        inputs=("4a.probability",),
        slips=SLIPS["4a.loss"],
    ),
    Quantity(
        "4c.elements",
        "elements of one score matrix",
        "",
        f"S_max · S_max = {S_MAX:,} · {S_MAX:,}",
        score_elements,
        slips=SLIPS["4c.elements"],
    ),
    Quantity(
        "4c.bytes",
        "bytes of one score matrix",
        "byte",
        f"elements · {BYTES} bytes",
        score_bytes,
        inputs=("4c.elements",),
        slips=SLIPS["4c.bytes"],
    ),
    Quantity(
        "4c.total_gb",
        "memory of the score matrices of all heads",
        "byte",
        f"bytes of one · {HEADS} heads; 1 GB = 10^9 bytes",
        all_heads_bytes,
        inputs=("4c.bytes",),
        slips=SLIPS["4c.total_gb"],
    ),
    Quantity(
        "4d.first",
        "parameters of the first feed-forward layer",
        "parameter",
        f"H · 4H + 4H = {H:,} · {WIDE:,} + {WIDE:,}",
        first_layer,
        slips=SLIPS["4d.first"],
    ),
    Quantity(
        "4d.second",
        "parameters of the second feed-forward layer",
        "parameter",
        f"4H · H + H = {WIDE:,} · {H:,} + {H:,}",
        second_layer,
        slips=SLIPS["4d.second"],
    ),
    Quantity(
        "4d.block",
        "parameters of the feed-forward layers of one block",
        "parameter",
        "first + second",
        lambda first, second: first + second,
        inputs=("4d.first", "4d.second"),
        slips=SLIPS["4d.block"],
    ),
    Quantity(
        "4d.total",
        "parameters of the feed-forward layers of all blocks",
        "parameter",
        f"one block · {LAYERS} blocks",
        all_blocks,
        inputs=("4d.block",),
        slips=SLIPS["4d.total"],
    ),
    Quantity(
        "4e1.trainable",
        "parameters that LoRA trains",
        "parameter",
        f"(r·H + H·r) · {ADAPTED} matrices · {LAYERS} layers, r = {RANK}",
        lora_parameters,
        slips=SLIPS["4e1.trainable"],
    ),
    Quantity(
        "4e2.lora_state",
        "optimizer state of LoRA",
        "byte",
        f"trainable parameters · {MOMENTS} moments · {MOMENT_BYTES} bytes",
        optimizer_bytes,
        inputs=("4e1.trainable",),
        slips=SLIPS["4e2.lora_state"],
    ),
    Quantity(
        "4e3.ffn_state",
        "optimizer state of the feed-forward layers",
        "byte",
        f"parameters of 4d · {MOMENTS} moments · {MOMENT_BYTES} bytes",
        optimizer_bytes,
        inputs=("4d.total",),
        slips=SLIPS["4e3.ffn_state"],
    ),
    Quantity(
        "4e3.share",
        "LoRA's share of the feed-forward optimizer state",
        "percent",
        "LoRA state / feed-forward state · 100 %",
        share,
        inputs=("4e2.lora_state", "4e3.ffn_state"),
        slips=SLIPS["4e3.share"],
    ),
)
"""Every number of part 4, in the order of the handout. 4d in billions is 4d.total in another unit."""


value = partial(evaluate, QUANTITIES)
"""value(id, given=None): the value of a quantity of part 4; with `given`, what follows from those values of earlier
ones."""

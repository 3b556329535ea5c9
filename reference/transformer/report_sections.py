"""What the reference's own report says, question by question; `report` gives it its form."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from reference.transformer import analysis, derivations, handout
from reference.transformer.published import PUBLISHED_ERRORS
from reference.transformer.quantity import Number
from reference.transformer.report import Line, Section
from reference.transformer.runs import N_TEST, N_TRAIN, RUNS, TOPICS, counts


def sections() -> Iterator[Section]:
    """Every question, in the order of the handout."""
    yield from _part_2()
    yield from _part_3()
    yield from _part_4()


# ---------------------------------------------------------------- numbers in words


def _integer(value: Number) -> str:
    return f"{int(value):,}"


def _scaled(value: Number, scale: int, unit: str, decimals: int) -> str:
    """value / scale with so many decimals, and its unit."""
    return f"{float(value) / scale:,.{decimals}f} {unit}"


def _slip(id: str, slip: str) -> Number:
    return next(s.value for s in analysis.QUANTITIES[id].slips if s.id == slip)


# ---------------------------------------------------------------- 2


def _part_2() -> Iterator[Section]:
    yield _heads()
    yield _attention_weights()
    yield _attention_errors()
    yield _encoding_error()


def _heads() -> Section:
    return Section(
        "2a",
        "Projected query, split into heads",
        (
            Line(
                "shape",
                _shape(handout.self_attention().query_heads),
                ("(N, H, S, D): 1 text, 2 heads, 3 positions, 8 / 2 features",),
            ),
            Line("L2 norm", f"{handout.value('2a.norm'):.4f}", ("‖ split(x W_Qᵀ + b_Q) ‖",)),
        ),
        "torch.manual_seed(123); x = torch.randn(1, 3, 8); then nn.Linear(8, 8) for query, key, value, proj.",
    )


def _attention_weights() -> Section:
    return Section(
        "2b",
        "Attention weights",
        (
            Line(
                "shape",
                _shape(handout.self_attention().weights),
                ("(N, H, S, T): a weight for each pair of positions",),
            ),
            Line(
                "L2 norm",
                f"{handout.value('2b.norm'):.4f}",
                ("‖ softmax(Q Kᵀ / √4) ‖",),
            ),
            Line(
                "L2 norm, masked output",
                f"{handout.value('2b.masked_norm'):.4f}",
                (
                    "torch.manual_seed(123); x = torch.randn(1, 3, 8); attn = MultiHeadAttention(8, 2).eval()",
                    "mask = torch.ones(3, 3).tril(); ‖ attn(x, x, x, mask) ‖",
                    "defined here: the mask behind the handout's 2.0186 is not published",
                    "layers made in the order key, query, value, proj; each of the 24 orders gives another "
                    f"number, from {min(handout.masked_norms().values()):.4f} "
                    f"to {max(handout.masked_norms().values()):.4f}",
                ),
            ),
        ),
    )


def _attention_errors() -> Section:
    intel, other, exact, off = _errors()
    return Section(
        "2c",
        "Attention against the handout's arrays",
        tuple(
            Line(
                label,
                repr(getattr(intel, name)),
                (
                    f"published {getattr(PUBLISHED_ERRORS, name)!r}; "
                    f"in double precision {getattr(exact, name):.10f}",
                    f"on a CPU with another dropout stream {getattr(other, name):.3f}, "
                    f"in eval mode {getattr(off, name):.3f}",
                ),
            )
            for name, label in (
                ("self", "self-attention"),
                ("masked", "masked self-attention"),
                ("cross", "cross attention"),
            )
        ),
        "Relative error max |x - y| / max(1e-8, |x| + |y|), below 1e-3. torch.manual_seed(231), train mode, "
        "dropout 0.1 from the Intel stream: one 32-bit draw a call seeds MCG31m1, "
        "x ← 1132489760·x mod (2^31 - 1), and a weight is kept where x / (2^31 - 1) < 0.9.",
    )


def _encoding_error() -> Section:
    intel, other, exact, off = _errors()
    return Section(
        "2d",
        "Positional encoding against the handout's array",
        (
            Line(
                "relative error",
                repr(intel.encoding),
                (
                    f"published {PUBLISHED_ERRORS.encoding!r}; in double precision {exact.encoding:.10f}",
                    f"on a CPU with another dropout stream {other.encoding:.3f}, in eval mode {off.encoding:.3f}",
                ),
            ),
        ),
        "The same error and stream; torch.manual_seed(231); data = torch.randn(1, 2, 6); PositionalEncoding(6).",
    )


def _errors() -> tuple[handout.Errors, ...]:
    """On the Intel stream, on another, in double precision, in eval mode."""
    return (
        handout.reference_errors(),
        handout.reference_errors("per_element"),
        handout.reference_errors(dtype=torch.float64),
        handout.reference_errors(training=False),
    )


def _shape(x: Tensor) -> str:
    return str(list(x.shape))


# ---------------------------------------------------------------- 3


def _part_3() -> Iterator[Section]:
    yield Section(
        "3a",
        "First training samples",
        (Line("samples", "3", ("text and label of train[0], train[1], train[2]",)),),
    )
    for part, run in zip(("3b", "3d"), RUNS, strict=True):
        if part == "3d":
            yield _predictions()
        lines = [
            Line(
                f"epoch {epoch}, train / test",
                f"{train} / {test}",
                (f"{_fraction(train, N_TRAIN)}; {_fraction(test, N_TEST)}",),
            )
            for epoch, (train, test) in enumerate(zip(run.train, run.test, strict=True), 1)
        ]
        time = Line("time on a CPU", f"{run.minutes} min")
        yield Section(
            part,
            f"Fine-tuning {run.model}",
            (*lines, time),
            "Batch 8, learning rate 5e-5, 3 epochs. One real run, not computed here; your seed gives other figures.",
        )


def _predictions() -> Section:
    subjects = ("Lakers and Nets", "dinosaur of Uzbekistan", "ceasefire in Yemen", "Amazon in New Zealand")
    lines = tuple(Line(subject, topic) for subject, topic in zip(subjects, TOPICS, strict=True))
    return Section("3c", "Topics of four news texts", lines)


def _fraction(printed: str, n: int) -> str:
    return f"{printed} = {' or '.join(map(str, counts(printed, n)))}/{n}"


# ---------------------------------------------------------------- 4


def _part_4() -> Iterator[Section]:
    value = analysis.value
    yield _softmax_section()
    total = value("4c.total_gb")
    yield Section(
        "4c",
        "Memory of the attention scores",
        (
            _line("4c.elements", _integer(value("4c.elements"))),
            _line("4c.bytes", f"{_integer(value('4c.bytes'))} bytes"),
            _line(
                "4c.total_gb",
                _scaled(total, 10**9, "GB", 9),
                f"{_integer(total)} bytes = {_scaled(total, 2**30, 'GiB', 0)}",
                f"0.537 GB rounded first gives {_scaled(_slip('4c.total_gb', 'rounded_early'), 10**9, 'GB', 3)}",
            ),
        ),
    )
    parameters = value("4d.total")
    yield Section(
        "4d",
        "Parameters of the feed-forward layers",
        (
            *(_line(id, _integer(value(id))) for id in ("4d.first", "4d.second", "4d.block")),
            _line("4d.total", _integer(parameters), f"= {_scaled(parameters, 10**9, 'billion', 3)}"),
        ),
        f"H = {derivations.H:,}, {derivations.LAYERS} blocks, H → 4H → H with biases.",
    )
    lora = value("4e1.trainable")
    yield Section(
        "4e1",
        "LoRA: trainable parameters",
        (_line("4e1.trainable", _integer(lora), f"= {_scaled(lora, 10**6, 'million', 3)}"),),
        f"r = {derivations.RANK} on W_Q and W_V in {derivations.LAYERS} layers; ΔW = B A, A is (r, H), B is (H, r).",
    )
    state = value("4e2.lora_state")
    yield Section(
        "4e2",
        "LoRA: optimizer state",
        (_line("4e2.lora_state", f"{_integer(state)} bytes", f"= {_scaled(state, 10**6, 'MB', 3)}"),),
    )
    state, share = value("4e3.ffn_state"), float(value("4e3.share"))
    yield Section(
        "4e3",
        "LoRA against the feed-forward layers",
        (
            _line("4e3.ffn_state", f"{_integer(state)} bytes", f"= {_scaled(state, 10**6, 'MB', 0)}"),
            _line("4e3.share", f"{share:.7f} %", f"≈ {share:.3f} %"),
        ),
    )


def _softmax_section() -> Section:
    exponentials = [z.exp() for z in derivations.LOGITS]
    terms = ", ".join(
        f"e^{z} = {e:.4f} ({word})"
        for word, z, e in zip(derivations.VOCABULARY, derivations.LOGITS, exponentials, strict=True)
    )
    p, loss = analysis.value("4a.probability"), analysis.value("4a.loss")
    return Section(
        "4a",
        "Softmax and cross-entropy",
        (
            _line(
                "4a.probability",
                f"{p:.10f}",
                terms,
                f"their sum {sum(exponentials):.4f}",
                f"exponentials rounded to three decimals give {_slip('4a.probability', 'rounded_early'):.4f}",
            ),
            _line(
                "4a.loss",
                f"{loss:.10f} nats",
                f"P rounded to 0.75 first gives {_slip('4a.loss', 'rounded_early'):.4f}",
            ),
        ),
        "The model answers of 4a and 4b in words are in reference/transformer/prose.py.",
    )


def _line(id: str, value: str, *more: str) -> Line:
    """A quantity with its formula, and what else there is to say."""
    quantity = analysis.QUANTITIES[id]
    return Line(quantity.title, value, (quantity.formula, *more))

"""Asking a student's MultiHeadAttention and reading its answers: what the checks of part 2c share.

Weights and inputs are drawn in the judge. Of the student's module nothing is believed but the names and shapes of its
parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from grader.checking.compare import Difference, difference, problem_with, show, show_shape
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed
from grader.checking.received import shapes
from grader.model import Plot, Tolerance
from grader.worker.calls import Call, Ref
from reference.transformer.attention import AttentionWeights
from reference.transformer.fresh_weights import fresh_weights
from reference.transformer.kept import expected_attention
from reference.transformer.matching import count_maps, kept_candidates, versions

T = TypeVar("T")

SIZES = ((12, 3), (20, 5), (18, 3), (30, 5))
"""(embed_dim, num_heads): heads, head size and lengths never coincide, so that a mixed-up axis shows; nor does the root
of the head size with the number of heads, a root of another size or a length, so that every wrong scale does. The first
two have heads of 4 features, a whole root, the others of 6."""
FLOAT32_NOISE = Tolerance(absolute=2e-5, why="float32 rounding")
SMALL = 0.02
"""Half precision and a mask value of -10 differ by less from the formula, a wrong formula by more than 0.1."""


class Probe(NamedTuple):
    """Inputs of one call, by their names in the reference."""

    query: Tensor
    key: Tensor
    value: Tensor
    attn_mask: Tensor | None = None

    def inputs(self) -> list[Tensor]:
        return [x for x in self if x is not None]


class Asked(NamedTuple):
    """Calls of one module of the student's, and what came back."""

    num_heads: int
    probes: list[Probe]
    outputs: list[Any]
    parameters: dict[str, Tensor]
    """The module's weights by name, as the judge has drawn them."""
    dropout: float | None
    """The probability that the module was built with; None for its own default."""


class Agreement(NamedTuple):
    """The reading of the student's weights that fits best, and how well it fits."""

    weights: AttentionWeights
    worst: Difference
    expected: Tensor
    obtained: Tensor


once_a_seed = lru_cache(maxsize=4)
"""Of a function of a check's seed: the hand-ins of a class are asked the same, which is drawn, and written down to be
sent, once. What it gives is not to be written to."""


@lru_cache(maxsize=64)
def building(
    embed_dim: int, num_heads: int, seed: int, dropout: float | None = None, keep: str = "attention"
) -> tuple[Call, Call]:
    """Build the student's module, kept as `keep`, and give it the fresh weights of `seed`; the reply to the second call
    says of which shapes. A `dropout` of None is left out."""
    named = {} if dropout is None else {"dropout": dropout}
    return (
        Call("student:MultiHeadAttention", (embed_dim, num_heads), named, seed, keep),
        Call("harness:randomise", (Ref(keep), seed)),
    )


def build(check: Running, embed_dim: int, num_heads: int) -> tuple[Call, Call]:
    """Build the student's module and give it fresh weights; the reply to the second call says of which shapes."""
    return building(embed_dim, num_heads, check.seed)


def weights_of(check: Running, reply: Any) -> dict[str, Tensor]:
    """The module's weights by name, as the judge has drawn them; `reply` is that to the second call of `build`."""
    return fresh_weights(shapes(reply, "the shapes of the parameters"), check.seed)


def call(probe: Probe, *, training: bool = False, seed: int = 0, module: str = "attention") -> Call:
    """Of the module that was kept under this name. For the same tensors it is the same object."""
    return _call(probe, versions(probe), training, seed, module)


@lru_cache(maxsize=256)
def _call(probe: Probe, versions: tuple[int, ...], training: bool, seed: int, module: str) -> Call:
    return Call("harness:forward", (Ref(module), training, seed, probe.inputs()))


def draw(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator)


def random_mask(generator: torch.Generator, S: int, T: int) -> Tensor:
    """(S, T) booleans, about half of them False; every row keeps and removes at least one key."""
    mask = torch.rand(S, T, generator=generator) < 0.5
    rows = torch.arange(S)
    mask[rows, rows % T] = True
    mask[rows, (rows + 1) % T] = False
    return mask


def readings(parameters: dict[str, Tensor], embed_dim: int, num_heads: int) -> Sequence[AttentionWeights]:
    """Every reading of the weights as query, key, value and output; fails the check where there is none."""
    found = kept_candidates(parameters, embed_dim, num_heads)
    if not found:
        maps = count_maps(parameters, embed_dim, num_heads)
        names = ", ".join(f"{k} {show_shape(v.shape)}" for k, v in parameters.items()) or "none"
        raise Failed(
            f"Of maps of size {embed_dim} × {embed_dim} your module holds {maps}; the coursework has four: "
            f"key, query, value and proj. Its parameters are: {names[:600]}.",
            "Create the four linear layers in __init__ and use each of them in forward. Layers in a plain list or dict "
            "are not found and not trained: nn.ModuleList and nn.ModuleDict are.",
        )
    return found


def judge(check: Running, asked: Asked) -> Agreement:
    """Fail the check unless one reading of the student's weights explains all outputs of the module."""
    tolerance = check.declaration.tolerance
    assert tolerance is not None
    outputs, probes, num_heads = asked.outputs, asked.probes, asked.num_heads
    for output, probe in zip(outputs, probes, strict=True):
        problem = problem_with(output, tuple(probe.query.shape))
        if problem:
            check.obtained = show(output)
            raise Failed(problem, output_hint(output, probe))
    best = first_or_best(
        (
            _agreement(outputs, probes, weights, num_heads, tolerance)
            for weights in readings(asked.parameters, probes[0].query.size(-1), num_heads)
        ),
        good=lambda a: a.worst.agrees,
        badness=lambda a: a.worst.largest,
    )
    check.obtained, check.expected = show(best.obtained), show(best.expected)
    check.largest_difference = best.worst.largest
    if not best.worst.agrees:
        check.where = best.worst.place
        check.plot(heat_map(best))
        raise Failed(
            f"The output is off the formula by up to {best.worst.largest:.3g}, with your own weights put into it.",
            "So small a difference comes from rounding, half precision, or a mask value that is not low enough."
            if best.worst.largest < SMALL
            else "Compare step by step with small tensors: scores, mask, softmax, weighted sum, output layer.",
        )
    return best


def _agreement(
    outputs: list[Tensor], probes: list[Probe], weights: AttentionWeights, num_heads: int, tolerance: Any
) -> Agreement:
    """How well one reading explains the outputs: its worst probe."""
    found = []
    for output, probe in zip(outputs, probes, strict=True):
        expected = expected_attention(*probe[:3], weights, num_heads, probe.attn_mask).output
        found.append(Agreement(weights, difference(output, expected, tolerance), expected, output))
    return max(found, key=lambda a: (not a.worst.agrees, a.worst.largest))


def first_or_best(found: Iterable[T], good: Callable[[T], bool], badness: Callable[[T], float]) -> T:
    """The first that is good, else the least bad: a reading that fits ends the search."""
    least: T | None = None
    for one in found:
        if good(one):
            return one
        if least is None or badness(one) < badness(least):
            least = one
    assert least is not None
    return least


def heat_map(agreement: Agreement) -> Plot:
    expected, obtained = agreement.expected[0].double(), agreement.obtained[0].double()
    return Plot(
        kind="heatmap",
        title="Where your output differs from the formula (first sequence of the batch)",
        x_label="feature",
        y_label="position",
        series={
            "yours": obtained.tolist(),
            "due": expected.tolist(),
            "difference": (obtained - expected).abs().tolist(),
        },
    )


def output_hint(output: Any, probe: Probe) -> str:
    """What to try where the output cannot even be compared."""
    if isinstance(output, Tensor) and output.shape == probe.query.shape:
        if output.isfinite().all():
            return "Keep the dtype of the input; leave out .long(), .half() and the like."
        return (
            "Print scores and weights: every row here keeps a key, so no row may be all -inf; divide by no 0."
        )
    if (
        isinstance(output, Tensor)
        and output.dim() == 3
        and output.size(1) == probe.key.size(1) != probe.query.size(1)
    ):
        return "The output has one row a query: its length is that of the query, not of the key."
    if isinstance(output, list):
        return "Return the output alone, not a pair of output and weights."
    return "The output has the shape of the query: (N, S, E)."


def sizes(generator: torch.Generator, among: tuple[tuple[int, int], ...] = SIZES) -> tuple[int, int]:
    return among[int(torch.randint(len(among), (), generator=generator))]

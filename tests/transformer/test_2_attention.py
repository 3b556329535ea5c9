"""Part 2c: multi-head attention is judged by what it computes with weights and on inputs drawn for this run.

Both are drawn in the judge. Of the student's module it believes nothing but the names and shapes of its parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar

import pytest
import torch
from torch import Tensor

from grader.checking.compare import Difference, difference, problem_with, show, show_shape
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Partial
from grader.checking.received import fields, shapes, tampered, tensors, texts
from grader.checking.student import Student
from grader.model import Plot, Tolerance
from grader.worker.calls import Call, Raised, Ref, Returned
from reference.transformer.attention import AttentionWeights, attention
from reference.transformer.fresh_weights import fresh_weights
from reference.transformer.matching import candidates, count_maps
from reference.transformer.misconceptions.attention import diagnose

T = TypeVar("T")

SIZES = ((8, 2), (12, 3), (20, 4), (24, 4))
"""(embed_dim, num_heads): heads, head size and lengths never coincide, so that a mixed-up axis shows; nor do the head
size and the root of embed_dim, so that wrong scales can be told apart."""
FLOAT32_NOISE = Tolerance(absolute=2e-5, why="float32 rounding")
SMALL = 0.02
"""Half precision and a mask value of -10 differ by less from the formula, a wrong formula by more than 0.1."""
NUDGE = 0.0005
"""Standard deviation of a change of one matrix, small beside its values: an output follows its gradient to a few
per cent."""


class Probe(NamedTuple):
    """Inputs of one call, by their names in the reference."""

    query: Tensor
    key: Tensor
    value: Tensor
    attn_mask: Tensor | None = None

    def inputs(self) -> list[Tensor]:
        return [x for x in self if x is not None]


class Agreement(NamedTuple):
    """The reading of the student's weights that fits best, and how well it fits."""

    weights: AttentionWeights
    worst: Difference
    expected: Tensor
    obtained: Tensor


def build(check: Running, embed_dim: int, num_heads: int) -> list[Call]:
    """Build the student's module and give it fresh weights; the reply to the second call says of which shapes."""
    return [
        Call("student:MultiHeadAttention", (embed_dim, num_heads), seed=check.seed, keep="attention"),
        Call("harness:randomise", (Ref("attention"), check.seed)),
    ]


def weights_of(check: Running, reply: Any) -> dict[str, Tensor]:
    """The module's weights by name, as the judge has drawn them; `reply` is that to the second call of `build`."""
    return fresh_weights(shapes(reply, "the shapes of the parameters"), check.seed)


def call(probe: Probe, *, training: bool = False, seed: int = 0) -> Call:
    return Call("harness:forward", (Ref("attention"), training, seed, probe.inputs()))


def draw(check: Running) -> torch.Generator:
    return torch.Generator().manual_seed(check.seed)


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator)


def random_mask(generator: torch.Generator, S: int, T: int) -> Tensor:
    """(S, T) booleans, about half of them False; every row keeps and removes at least one key."""
    mask = torch.rand(S, T, generator=generator) < 0.5
    rows = torch.arange(S)
    mask[rows, rows % T] = True
    mask[rows, (rows + 1) % T] = False
    return mask


def readings(parameters: dict[str, Tensor], embed_dim: int, num_heads: int) -> list[AttentionWeights]:
    """Every reading of the weights as query, key, value and output; fails the check where there is none."""
    found = candidates(parameters, embed_dim, num_heads)
    if not found:
        maps = count_maps(parameters, embed_dim, num_heads)
        names = ", ".join(f"{k} {show_shape(v.shape)}" for k, v in parameters.items()) or "none"
        raise Failed(
            f"Your module holds {maps} maps of size {embed_dim} × {embed_dim}; the coursework has four: "
            f"key, query, value and proj. Its parameters are: {names[:600]}.",
            "Create the four linear layers in __init__ and use each of them in forward.",
        )
    return found


def judge(
    check: Running, outputs: list[Any], probes: list[Probe], parameters: dict[str, Tensor], num_heads: int
) -> Agreement:
    """Fail the check unless one reading of the student's weights explains all their outputs."""
    tolerance = check.declaration.tolerance
    assert tolerance is not None
    embed_dim = probes[0].query.size(-1)
    for output, probe in zip(outputs, probes, strict=True):
        check.obtained = show(output)
        problem = problem_with(output, tuple(probe.query.shape))
        if problem:
            raise Failed(problem, output_hint(output, probe))
    found = readings(parameters, embed_dim, num_heads)
    best = first_or_best(
        (_agreement(outputs, probes, w, num_heads, tolerance) for w in found),
        good=lambda a: a.worst.agrees,
        badness=lambda a: a.worst.largest,
    )
    check.obtained, check.expected = show(best.obtained), show(best.expected)
    check.largest_difference = best.worst.largest
    if not best.worst.agrees:
        check.where = best.worst.place
        check.plot(heat_map(best))
        known = diagnose(outputs, [p._asdict() for p in probes], found, num_heads)
        if known is not None:
            raise Failed(
                f"{known.title}: your output is what that gives, on every input that was tried.", known.hint
            )
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
        expected = attention(*probe[:3], weights, num_heads, probe.attn_mask).output
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


# ---------------------------------------------------------------- the checks


@pytest.mark.check("2c.self")
def test_self_attention(check: Running, student: Student) -> None:
    generator = draw(check)
    # Heads of a size with a whole root, and of one without: a rounded root shows in the second.
    for first, among in ((True, SIZES[:2]), (False, SIZES[2:])):
        E, H = sizes(generator, among)
        x, y = normal(generator, 2, 5, E), normal(generator, 1, 7, E)
        probes = [Probe(x, x, x), Probe(y, y, y)]
        check.asked = (
            f"MultiHeadAttention({E}, {H}) called as attn(x, x, x), x of shape (2, 5, {E}) and (1, 7, {E})"
        )
        left_behind = Call("harness:tensors_left_behind", (Ref("attention"), [x, x, x]))
        _, described, left, *outputs = student.ask(*build(check, E, H), left_behind, *map(call, probes))
        if texts(left, "the tensors that stay behind") and first:
            check.note(
                f"Advice, no points: {left[0]} is a plain tensor and stays on the CPU when the module moves to a GPU."
            )
        judge(check, outputs, probes, weights_of(check, described), H)


@pytest.mark.check("2c.masked")
def test_masked_self_attention(check: Running, student: Student) -> None:
    generator = draw(check)
    E, H = sizes(generator)
    x = normal(generator, 2, 6, E)
    masks = [random_mask(generator, 6, 6), random_mask(generator, 6, 6)]
    probes = [Probe(x, x, x, mask) for mask in masks]
    # The handout removes a score where the mask is 0 *or* False: the same mask as 0/1 floats must do the same.
    as_floats = Probe(x, x, x, masks[0].float())
    check.asked = (
        f"attn(x, x, x, mask) with x of shape (2, 6, {E}) and masks of shape (6, 6), boolean and 0/1 floats"
    )
    replies = student.replies(*build(check, E, H), *map(call, [*probes, as_floats]))
    _, described, *outputs = student.values(replies[:-1])
    best = judge(check, outputs, probes, weights_of(check, described), H)
    expected = attention(*as_floats[:3], best.weights, H, as_floats.attn_mask).output
    last = replies[-1]
    tolerance = check.declaration.tolerance
    assert tolerance is not None
    right = (
        isinstance(last, Returned)
        and problem_with(last.value, tuple(expected.shape)) is None
        and difference(last.value, expected, tolerance).agrees
    )
    if not right:
        raise Partial(
            "Right with a boolean mask, wrong where the same mask comes as 0/1 floats.",
            "`~mask` needs booleans; `mask == 0` is true for 0 and for False.",
            fraction=Fraction(2, 3),
        )


@pytest.mark.check("2c.cross")
def test_cross_attention(check: Running, student: Student) -> None:
    generator = draw(check)
    E, H = sizes(generator)
    probes = [
        Probe(normal(generator, 2, S, E), normal(generator, 2, T, E), normal(generator, 2, T, E))
        for S, T in ((5, 3), (2, 7), (4, 4))
    ]
    check.asked = (
        f"attn(query, key, value) with query of length 5, 2 and 4, key and value (different tensors) of length 3, 7 "
        f"and 4, {E} features"
    )
    _, described, *outputs = student.ask(*build(check, E, H), *map(call, probes))
    judge(check, outputs, probes, weights_of(check, described), H)


@pytest.mark.check("2c.dropout")
def test_dropout(check: Running, student: Student) -> None:
    """The attention weights after dropout are recovered from the output, through the student's own matrices: each must
    be 0 or the weight / (1 - p). With some 700 weights and p = 0.1 or 0.3, none dropped, or a share eight standard
    deviations off, has a probability below 1e-14 by chance alone."""
    generator = draw(check)
    E, H, S, T = 8, 2, 8, 3
    x, y = normal(generator, 16, S, E), normal(generator, 16, T, E)
    probe = Probe(x, y, y)
    calls = [
        call(probe, seed=1),
        call(probe, seed=2),
        call(probe, training=True, seed=check.seed),
    ]
    (described, first, second, trained), asked_for = ask_with_dropout(check, student, H, calls)
    for output in (first, second, trained):
        problem = problem_with(output, (16, S, E))
        if problem:
            raise Failed(problem, output_hint(output, probe))
    if not torch.equal(first, second):
        raise Failed(
            "In eval mode the output changes from call to call: dropout is still on, or weights are drawn in forward.",
            "F.dropout needs training=self.training; nn.Dropout as a sub-module knows the mode by itself.",
        )
    if torch.equal(first, trained):
        raise Failed(
            "In train mode nothing is dropped: the output equals that of eval mode.",
            "Apply dropout to the attention weights, after the softmax, and use its result.",
        )
    parameters = weights_of(check, described)
    weights = next((w for w in readings(parameters, E, H) if _explains(w, first, probe, H)), None)
    if weights is None:
        judge_ratios(check, ratios_of_one_head(check, student, generator), asked_for)
    else:
        judge_ratios(check, dropped_ratios(first, trained, probe, weights, H), asked_for)


DROPOUT = 0.3
"""Asked for by name: another than the handout's 0.1, so that an argument that is not used shows."""


def ask_with_dropout(
    check: Running, student: Student, num_heads: int, calls: list[Call]
) -> tuple[list[Any], float | None]:
    """The values of `calls` on a module with DROPOUT, and that probability; with the default, and None, where the
    constructor has no argument of that name."""
    plain = build(check, 8, num_heads)
    with_p = replace(plain[0], kwargs={"dropout": DROPOUT})
    check.asked = (
        f"MultiHeadAttention(8, {num_heads}, dropout={DROPOUT}) in eval mode twice, then in train mode, on the same "
        "inputs"
    )
    replies = student.replies(with_p, plain[1], *calls)
    if isinstance(replies[0], Raised) and replies[0].kind == "signature":
        check.asked = check.asked.replace(f", dropout={DROPOUT}", "")
        return student.ask(*plain, *calls)[1:], None
    return student.values(replies)[1:], DROPOUT


def _explains(weights: AttentionWeights, output: Tensor, probe: Probe, num_heads: int) -> bool:
    return difference(output, attention(*probe[:3], weights, num_heads).output, FLOAT32_NOISE).agrees


def ratios_of_one_head(check: Running, student: Student, generator: torch.Generator) -> Tensor:
    """The same ratios (N, 1, S, T), for a module whose output is not the formula's: nan where one does not show.

    With one head, changing the value of one key moves the output by the key's weight along one direction, whatever
    the scale, the mask or the matrices are. Other mistakes are then not punished here a second time.
    """
    N, S, T, E = 16, 8, 3, 8
    x, y = normal(generator, N, S, E), normal(generator, N, T, E)
    probes = [Probe(x, y, y)]
    for t in range(T):
        value = y.clone()
        value[:, t] += 2 * normal(generator, N, E)
        probes.append(Probe(x, y, value))
    calls = [call(p, training=training, seed=check.seed) for training in (False, True) for p in probes]
    (_, *outputs), _ = ask_with_dropout(check, student, 1, calls)
    if any(problem_with(output, (N, S, E)) for output in outputs):
        raise unseen()
    plain, trained = (torch.stack(part).double() for part in (outputs[: T + 1], outputs[T + 1 :]))
    before, after = plain[1:] - plain[0], trained[1:] - trained[0]  # (T, N, S, E)
    size = (before * before).sum(-1)
    ratios = (after * before).sum(-1) / size
    off = (after - ratios[..., None] * before).norm(dim=-1) / size.sqrt()
    clear = size.sqrt() > 0.02
    if float(clear.double().mean()) < 0.3 or float(off[clear].median()) > 0.01:
        raise unseen()
    return torch.where(clear, ratios, torch.nan).permute(1, 2, 0)[:, None]


def unseen() -> Failed:
    return Failed(
        "Whether attention weights are dropped in train mode cannot be told: the output differs from attention.",
        "Get the output right in eval mode first; then dropout goes on the weights, after the softmax.",
    )


def dropped_ratios(
    plain: Tensor, dropped: Tensor, probe: Probe, weights: AttentionWeights, num_heads: int
) -> Tensor:
    """Attention weights after dropout over those without, (N, H, S, T) float64; nan where they do not show well.

    plain and dropped are outputs (N, S, E) in eval and train mode.
    """
    values = attention(*probe[:3], weights, num_heads).value_heads.double()  # (N, H, T, D)
    before, after = (_recover(output, values, weights) for output in (plain, dropped))  # (N, H, S, T)
    conditioned = torch.linalg.cond(values) < 50  # (N, H)
    keep = (before.abs() > 0.02) & conditioned[..., None, None]
    return torch.where(keep, after / before, torch.nan)


def _recover(output: Tensor, values: Tensor, weights: AttentionWeights) -> Tensor:
    """The attention weights (N, H, S, T) behind an output: undo the output layer, then solve A V = heads (T < D)."""
    bias = 0.0 if weights.b_o is None else weights.b_o.double()
    merged = torch.linalg.solve(weights.w_o.double(), (output.double() - bias).transpose(1, 2)).transpose(
        1, 2
    )
    N, S, E = merged.shape
    num_heads = values.size(1)
    heads = merged.view(N, S, num_heads, E // num_heads).transpose(1, 2)  # (N, H, S, D)
    return heads @ torch.linalg.pinv(values)


def _off_the_grid(ratios: Tensor) -> float:
    """Share of ratios that are neither 0 nor the one other value."""
    kept = ratios[ratios.abs() > 0.05]
    if kept.numel() == 0:
        return 1.0
    return float(((kept - kept.median()).abs() > 0.02).double().mean())


def judge_ratios(check: Running, table: Tensor, asked_for: float | None) -> None:
    """Fail unless the ratios (N, H, S, T) are 0 or 1/(1-p), with a share p of zeros, each dropped for itself."""
    ratios = table[~table.isnan()]
    zeros = float((ratios.abs() <= 0.05).double().mean())
    kept = ratios[ratios.abs() > 0.05]
    scale = float(kept.median()) if kept.numel() else 0.0
    check.expected = "each attention weight is 0, or itself times 1 / (1 - p)"
    check.obtained = (
        f"{zeros:.1%} of {ratios.numel()} weights are 0; the others are multiplied by {scale:.4f}"
    )
    if _off_the_grid(ratios) > 0:
        check.obtained = (
            f"{_off_the_grid(ratios):.0%} of {ratios.numel()} weights are neither 0 nor scaled alike"
        )
        raise Failed(
            "Something is dropped in train mode, but not single attention weights alone.",
            "Dropout belongs after the softmax and before the product with the values; not on scores or the output.",
        )
    p = 1 - 1 / scale if scale > 1 else 0.0
    spread = 8 * (p * (1 - p) / ratios.numel()) ** 0.5  # eight standard deviations: one run in 10^15
    together = dropped_together(table)
    if 0 < p < 0.5 and together:
        raise Failed(
            f"Weights are dropped together, over all {together}, not each for itself.",
            "nn.Dropout on the attention weights (N, H, S, T) draws for each of them.",
        )
    if p <= 0 or abs(zeros - p) > spread:
        raise Failed(
            f"{zeros:.1%} of the weights are dropped, yet the others are scaled as if it were {p:.1%}.",
            "Use nn.Dropout or F.dropout, which do both.",
        )
    if asked_for is not None and abs(p - asked_for) > 0.01:
        raise Partial(
            f"dropout={asked_for} was asked for, and the weights are dropped with a probability of {p:.3g}.",
            "Pass the argument of the constructor on, and drop once.",
            fraction=Fraction(2, 3),
        )
    if asked_for is None and abs(p - 0.1) > 0.01:
        check.note(f"The default of the coursework is dropout=0.1; yours drops with {p:.3g}.")


def dropped_together(table: Tensor) -> str | None:
    """The axis of (N, H, S, T) along which weights are dropped all at once, in words; None where there is none.

    Of the neighbours of a dropped weight a share p is dropped by chance. Nine tenths of them come once in 10^20 runs:
    with p = 0.1 there are some 50 of them, with p = 0.3 some 150.
    """
    for axis, name in enumerate(("the sequences of the batch", "the heads", "the queries", "the keys")):
        length = table.size(axis)
        if length < 2:
            continue
        here, there = table.narrow(axis, 0, length - 1), table.narrow(axis, 1, length - 1)
        seen = (here.abs() <= 0.05) & ~there.isnan()
        both = seen & (there.abs() <= 0.05)
        if int(seen.sum()) >= 30 and int(both.sum()) > 0.9 * int(seen.sum()):
            return name
    return None


@pytest.mark.check("2c.gradients")
def test_gradients_and_inputs(check: Running, student: Student) -> None:
    generator = draw(check)
    E, H = sizes(generator)
    x, y, mask = normal(generator, 2, 4, E), normal(generator, 2, 5, E), random_mask(generator, 4, 5)
    inputs = [x, y, y, mask]
    cotangent = normal(generator, 2, 4, E)
    check.asked = (
        "gradients of a weighted sum of the output, and the inputs compared before and after the call"
    )
    _, described, after, result = student.ask(
        *build(check, E, H),
        Call("harness:forward_and_inputs", (Ref("attention"), inputs)),
        Call("harness:gradients", (Ref("attention"), inputs, cotangent)),
    )
    output, left = fields(after, "output and inputs", "output", "inputs")
    problem = problem_with(output, (2, 4, E))
    if problem:
        raise Failed(problem, output_hint(output, Probe(x, y, y, mask)))
    names = ("query", "key", "value", "mask")
    if not isinstance(left, list) or len(left) != len(names) or not all(isinstance(x, Tensor) for x in left):
        raise tampered("the inputs after the call")
    changed = [n for n, a, b in zip(names, inputs, left, strict=True) if not torch.equal(a, b)]
    if changed:
        raise Failed(
            f"forward changes its argument {changed[0]!r} in place.",
            "Functions whose name ends in _ and += on an argument change the caller's tensor; use the plain ones.",
        )
    parameters = weights_of(check, described)
    gradients = received_gradients(check, result, parameters)
    case = GradientCase(Probe(x, y, y, mask), cotangent, H)
    due = formula_gradients(parameters, output, case)
    if due is not None:
        wrong = [n for n, g in gradients.items() if not near(g, due[n], due)]
    else:
        wrong = disagreeing_gradients(student, check, gradients, parameters, case)
    if wrong:
        raise Failed(
            f"The gradient of {wrong[0]} is not that of your output.",
            "Take out .data, .detach(), torch.no_grad() and numpy: every step of forward has to be differentiable.",
        )


class GradientCase(NamedTuple):
    """What the gradients are of: (output · cotangent).sum() on one probe."""

    probe: Probe
    cotangent: Tensor
    num_heads: int


def received_gradients(check: Running, result: Any, parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    """The gradients of the worker; fails the check where none reaches a matrix."""
    attached, found, of_inputs = fields(result, "gradients", "attached", "gradients", "inputs")
    if attached is not True:
        raise Failed(
            "The output is cut off from the weights: no gradient can flow.",
            "Take out .data, .detach(), torch.no_grad() and numpy from forward.",
        )
    if not isinstance(found, dict) or found.keys() != parameters.keys() or not isinstance(of_inputs, list):
        raise tampered("gradients")
    for name, gradient in zip(("query", "key", "value"), of_inputs, strict=False):
        if not isinstance(gradient, Tensor) or not (gradient.abs() > 0).any():
            raise Failed(
                f"No gradient gets through to the {name}: the layers before this one cannot learn.",
                "Take out .data, .detach() and torch.no_grad() from forward.",
            )
    gradients = tensors(
        {n: torch.zeros_like(parameters[n]) if g is None else g for n, g in found.items()}, "gradients"
    )
    if any(g.shape != parameters[n].shape or not g.is_floating_point() for n, g in gradients.items()):
        raise tampered("gradients")
    # The gradient of the key's bias is exactly 0 for right code too: it shifts all scores of a row alike.
    dead = [
        name for name, g in gradients.items()
        if found[name] is None or not g.isfinite().all() or (g.dim() >= 2 and not (g.abs() > 1e-8).any())
    ]  # fmt: skip
    check.obtained = f"{len(gradients) - len(dead)} of {len(gradients)} parameters get a gradient"
    if dead:
        raise Failed(
            f"No gradient reaches {', '.join(dead)[:300]}: in forward it is not used, or replaced, or cut off.",
            "Every layer made in __init__ has its place in forward, without .detach(), .data or rounding behind it.",
        )
    return gradients


def formula_gradients(
    parameters: dict[str, Tensor], output: Tensor, case: GradientCase
) -> dict[str, Tensor] | None:
    """The gradients that the formula has, by parameter; None where the output is not the formula's."""
    leaves = {name: value.requires_grad_() for name, value in parameters.items()}
    for weights in candidates(leaves, case.probe.query.size(-1), case.num_heads):
        due = attention(*case.probe[:3], weights, case.num_heads, case.probe.attn_mask).output
        if difference(output, due, FLOAT32_NOISE).agrees:
            (due * case.cotangent).sum().backward()  # type: ignore[no-untyped-call]
            return {n: torch.zeros_like(v) if v.grad is None else v.grad for n, v in leaves.items()}
    return None


def near(obtained: Tensor, due: Tensor, all_due: dict[str, Tensor]) -> bool:
    """Equal to a thousandth of the largest element, or to float32 rounding beside the largest of all parameters."""
    largest = max(float(g.abs().max()) for g in all_due.values() if g.numel())
    scale = float(due.abs().max()) if due.numel() else 0.0
    return bool(((obtained.double() - due.double()).abs() <= 1e-3 * scale + 1e-5 * largest).all())


def disagreeing_gradients(
    student: Student,
    check: Running,
    gradients: dict[str, Tensor],
    parameters: dict[str, Tensor],
    case: GradientCase,
) -> list[str]:
    """Matrices whose gradient does not foretell how the student's own output changes when they change.

    For a module that computes something other than the formula. The directions are drawn after the gradients came.
    """
    matrices = [name for name, g in gradients.items() if g.dim() >= 2]
    generator = torch.Generator().manual_seed(check.seed + 1)
    steps = {n: NUDGE * normal(generator, *gradients[n].shape) for n in matrices}
    answers = student.ask(
        *build(check, case.probe.query.size(-1), case.num_heads),
        *(
            Call("harness:forward_nearby", (Ref("attention"), case.probe.inputs(), name, sign * steps[name]))
            for name in matrices
            for sign in (1, -1)
        ),
    )[2:]
    wrong = []
    for name, above, below in zip(matrices, answers[::2], answers[1::2], strict=True):
        for output in (above, below):
            if problem_with(output, tuple(case.cotangent.shape)):
                raise tampered("the output with other weights")
        seen = float(((above.double() - below.double()) * case.cotangent).sum()) / 2
        foretold = float((gradients[name].double() * steps[name]).sum())
        spread = NUDGE * float(gradients[name].double().norm())  # of what is foretold, over directions
        if abs(seen - foretold) > 0.2 * spread + 1e-4:
            wrong.append(name)
    return wrong


@pytest.mark.check("2c.independence")
def test_independence(check: Running, student: Student) -> None:
    generator = draw(check)
    E, H, S, T = 16, 4, 6, 5
    x, y = normal(generator, 3, S, E), normal(generator, 3, T, E)
    mask = random_mask(generator, S, T)
    mask[:, 1] = False  # the second key is removed for every query
    mask[:, 0] = True
    other, kept = y.clone(), normal(generator, 3, T, E)
    other[:, 1] = 10 * normal(generator, 3, E)
    alone = Probe(x[1:2], y[1:2], y[1:2], mask)
    check.asked = (
        "outputs before and after removed, then kept keys are changed, and of one sequence without its batch"
    )
    *_, plain, changed, moved, single = student.ask(
        *build(check, E, H),
        call(Probe(x, y, y, mask)),
        call(Probe(x, other, other, mask)),
        call(Probe(x, kept, kept, mask)),
        call(alone),
    )
    for output, shape in ((plain, (3, S, E)), (changed, (3, S, E)), (moved, (3, S, E)), (single, (1, S, E))):
        problem = problem_with(output, shape)
        if problem:
            raise Failed(problem, output_hint(output, alone if output is single else Probe(x, y, y, mask)))
    tolerance = check.declaration.tolerance
    assert tolerance is not None
    influence = difference(changed, plain, tolerance)
    mixing = difference(single, plain[1:2], tolerance)
    check.largest_difference = max(influence.largest, mixing.largest)
    if not influence.agrees:
        raise Failed(
            f"A key that the mask removes still changes the output, by up to {influence.largest:.3g}.",
            "Remove the score before the softmax, with a value so low that nothing of it is left.",
        )
    if not mixing.agrees:
        raise Failed(
            f"The output of one sequence depends on the others of its batch, by up to {mixing.largest:.3g}.",
            "Look for a reshape or a softmax that runs over the batch.",
        )
    if float((moved - plain).abs().max()) < 1e-3:
        raise Failed(
            "The keys that the mask keeps have no influence on the output either.",
            "The output is a weighted sum of the values: other values have to show in it.",
        )

"""Part 4: AdamW, the schedule and clipping. Gradients and rates are drawn here; the student's optimiser only steps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed
from grader.checking.received import fields
from grader.checking.student import Student
from grader.worker.calls import Call
from reference.language_model import optimisation
from reference.language_model.inquiry import asking
from reference.language_model.judging import agree, agree_on_number, drawn, items, normal, whole

_STEP = (
    "Do the first two steps for one number by hand, with g = 1 and then g = 2: print m and v, also corrected."
)
_SCHEDULE = "Plot it: where does it start, where is its top, and what does it have at the last step?"
Options = dict[str, Any]


def judge_adamw(
    check: Running,
    student: Student,
    values: list[Tensor],
    gradients: list[list[Tensor | None]],
    rates: list[float],
    options: Options,
    hint: str,
    probe: Call | None = None,
) -> None:
    """Fail unless every parameter is right after every step; `probe` tells known mistakes apart."""
    with asking(check, student) as inquiry:
        (after,) = inquiry.ask(Call("harness:adamw", (values, gradients, rates, options)))
        if probe is not None:
            inquiry.probe(probe)
        due = optimisation.adamw(values, gradients, rates, **options)
        steps = items(after, len(rates), "the parameters")
        for number, (found, expected) in enumerate(zip(steps, due, strict=True), 1):
            both = zip(items(found, len(values), "the parameters"), expected, strict=True)
            for place, (parameter, right) in enumerate(both, 1):
                agree(check, parameter, right, f"Parameter {place} after step {number}", hint)


@pytest.mark.check("4a.steps")
def test_steps(check: Running, student: Student) -> None:
    """Two parameters, five steps, gradients of changing size; eps is large enough to show. The decay is 4a.decay's."""
    generator = drawn(check)
    shapes = (3, 4), (5,)
    values = [normal(generator, *shape) for shape in shapes]
    gradients: list[list[Tensor | None]] = [
        [normal(generator, *shape) * scale for shape in shapes] for scale in (1.0, 0.2, 3.0, 0.5, 1.0)
    ]
    rates = [whole(generator, 5, 20) / 100 for _ in range(5)]
    options: Options = {"betas": [0.8, 0.95], "eps": 0.05, "weight_decay": 0.0}
    check.asked = "AdamW on two parameters, five steps, betas (0.8, 0.95), eps 0.05, no weight decay"
    judge_adamw(check, student, values, gradients, rates, options, _STEP)


@pytest.mark.check("4a.decay")
def test_decay(check: Running, student: Student) -> None:
    """Gradients of zero: what moves a parameter then is the decay alone, whatever becomes of the moments."""
    generator = drawn(check)
    gradients: list[list[Tensor | None]] = [[torch.zeros(6)] for _ in range(3)]
    rates = [whole(generator, 10, 30) / 100 for _ in range(3)]
    options: Options = {"betas": [0.9, 0.99], "eps": 1e-3, "weight_decay": 0.5}
    check.asked = "AdamW with weight_decay 0.5 on gradients of zero, three steps"
    hint = "With a gradient of zero, what is left of p - lr (m / sqrt(v) + weight_decay p)?"
    values = [normal(generator, 6)]
    probe = Call("harness:adamw", (values, [[normal(generator, 6)]], [0.1], {**options, "weight_decay": 0.0}))
    judge_adamw(check, student, values, gradients, rates, options, hint, probe)


@pytest.mark.check("4a.skips")
def test_skips(check: Running, student: Student) -> None:
    """The parameter in the middle never has a gradient; only that one is looked at."""
    generator = drawn(check)
    values = [normal(generator, 4), normal(generator, 4), normal(generator, 2)]
    gradients = [[normal(generator, 4), None, normal(generator, 2)] for _ in range(3)]
    options: Options = {"betas": [0.9, 0.99], "eps": 1e-3, "weight_decay": 0.2}
    check.asked = "AdamW on three parameters, the second of which has no gradient"
    hint = "What is .grad of a parameter that no loss has reached, and what should happen to it?"
    with asking(check, student) as inquiry:
        (after,) = inquiry.ask(Call("harness:adamw", (values, gradients, [0.1, 0.2, 0.1], options)))
        for found in items(after, 3, "the parameters"):
            _, second, _ = items(found, 3, "the parameters")
            agree(check, second, values[1], "The parameter without a gradient", hint)


def judge_rates(check: Running, student: Student, cases: list[tuple[list[int], tuple[Any, ...]]]) -> None:
    """Fail unless the learning rate of every step is right."""
    with asking(check, student) as inquiry:
        results = inquiry.ask(*(Call("harness:learning_rates", (steps, *of)) for steps, of in cases))
        for (steps, of), rates in zip(cases, results, strict=True):
            check.asked = "learning_rate(step, {}, {}, warmup={}, total={}) for steps {}".format(*of, steps)
            for step, rate in zip(steps, items(rates, len(steps), "the rates"), strict=True):
                due = optimisation.learning_rate(step, *of)
                agree_on_number(check, rate, due, f"The learning rate of step {step}", _SCHEDULE)


@pytest.mark.check("4b.schedule")
def test_schedule(check: Running, student: Student) -> None:
    """Within warm-up, at the top, and on the way down."""
    generator = drawn(check)
    warmup, decay = whole(generator, 4, 8), whole(generator, 9, 20)
    top = whole(generator, 10, 30) / 10
    total = warmup + decay
    judge_rates(check, student, [(list(range(total)), (top, top / 10, warmup, total))])


@pytest.mark.check("4b.edges")
def test_edges(check: Running, student: Student) -> None:
    """From the last step on, and without warm-up."""
    generator = drawn(check)
    warmup, total = whole(generator, 3, 5), whole(generator, 12, 20)
    after = [total - 1, total, total + 1, total + 7]
    cases: list[tuple[list[int], tuple[Any, ...]]] = [
        (after, (2.0, 0.5, warmup, total)),
        ([0, 1, 5], (2.0, 0.5, 0, total)),
    ]
    judge_rates(check, student, cases)


def judge_clipping(
    check: Running, student: Student, gradients: list[Tensor], max_norm: float, hint: str
) -> None:
    """Fail unless the gradients and their norm are right, and those that were passed in as they were."""
    with asking(check, student) as inquiry:
        (result,) = inquiry.ask(Call("harness:clip", (gradients, max_norm)))
        clipped, norm, after = fields(result, "what clip_gradients returned", "clipped", "norm", "gradients")
        agree_on_number(check, norm, optimisation.common_norm(gradients), "The norm", hint)
        due = optimisation.clipped(gradients, max_norm)
        for place, (found, right) in enumerate(
            zip(items(clipped, len(due), "the gradients"), due, strict=True), 1
        ):
            agree(check, found, right, f"Gradient {place}", hint)
        if not all(
            isinstance(g, Tensor) and torch.equal(g, before)
            for g, before in zip(after, gradients, strict=True)
        ):
            raise Failed(
                "clip_gradients changes the gradients that are passed in.",
                "g *= … writes into the caller's g.",
            )


@pytest.mark.check("4c.clip")
def test_clip(check: Running, student: Student) -> None:
    generator = drawn(check)
    gradients = [normal(generator, 4, 5) * 2, normal(generator, 7), normal(generator, 3) * 0.2]
    max_norm = whole(generator, 10, 25) / 10
    check.asked = f"clip_gradients on three gradients with a norm around 9, max_norm {max_norm}"
    hint = "Put all numbers of all gradients into one long vector: what is its length, before and after?"
    judge_clipping(check, student, gradients, max_norm, hint)


@pytest.mark.check("4c.small")
def test_small_gradients(check: Running, student: Student) -> None:
    """A norm below max_norm, and gradients of zero."""
    generator = drawn(check)
    for gradients in ([normal(generator, 4), normal(generator, 2, 2)], [torch.zeros(3), torch.zeros(2)]):
        check.asked = (
            f"clip_gradients on gradients of norm {optimisation.common_norm(gradients):.3g}, max_norm 20"
        )
        judge_clipping(
            check, student, gradients, 20.0, "Should a gradient that is small be made any longer, or shorter?"
        )

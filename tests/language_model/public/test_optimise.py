"""Part 4: what holds for every right AdamW, schedule and clipping."""

import math

import pytest
import torch

from grader.checking.outcomes import Failed


def stepped(student, start, gradients, lr=0.1, **options):
    """The parameter after one step for each gradient."""
    p = start.clone().requires_grad_()
    optimiser = student.AdamW([p], **options)
    for g in gradients:
        p.grad = None if g is None else g.clone()
        optimiser.step(lr)
    return p.detach()


def far(one, other):
    return float((one - other).abs().max()) > 1e-4


@pytest.mark.check("4a.steps")
def test_adamw(student):
    """The first step has the size of the rate, and ten times the gradients make the same steps"""
    start, gradients = torch.randn(5), [torch.randn(5) for _ in range(4)]
    plain = {"eps": 1e-12, "weight_decay": 0.0}
    first = stepped(student, start, gradients[:1], **plain)
    if far((first - start).abs(), torch.full((5,), 0.1)) or far((first - start).sign(), -gradients[0].sign()):
        raise Failed(
            "The first step is not the rate, against the sign of the gradient.",
            "What are m^ and v^ at t = 1?",
        )
    if far(
        stepped(student, start, gradients, **plain),
        stepped(student, start, [10 * g for g in gradients], **plain),
    ):
        raise Failed("Ten times the gradients make other steps.", "By what is m divided?")
    if far(stepped(student, start, [None, None]), start):
        raise Failed("A parameter without a gradient moves.", "Look for .grad being None.")


@pytest.mark.check("4a.decay")
def test_decay(student):
    """With gradients of zero, a parameter shrinks in proportion to itself and to the rate"""
    start, zero = torch.randn(5), [torch.zeros(5)]
    small, large = (stepped(student, start, zero, lr, weight_decay=0.5) - start for lr in (0.01, 0.02))
    if far(large, 2 * small) or far(small / start, (small / start)[:1]) or not (small / start < 0).all():
        raise Failed(
            "The decay is no share of the parameter, in proportion to the rate.",
            "Is it part of the gradient?",
        )


@pytest.mark.check("4b.schedule")
def test_schedule(student):
    """It rises to max_lr, falls to min_lr, and stays there"""
    rates = [float(student.learning_rate(step, 2.0, 0.5, 4, 12)) for step in range(16)]
    ends = rates[0] > 0 and math.isclose(max(rates), 2.0) and all(math.isclose(r, 0.5) for r in rates[12:])
    if not ends or not math.isclose(rates[3], 2.0) or not math.isclose(rates[4], 2.0):
        raise Failed(
            f"The rates are {[round(r, 3) for r in rates]}.",
            "Compare steps 0, 3, 4 and 12 with the docstring.",
        )
    if rates[:4] != sorted(rates[:4]) or rates[4:] != sorted(rates[4:], reverse=True):
        raise Failed("The rate does not rise and then fall.", "Plot it.")


@pytest.mark.check("4c.clip")
def test_clip(student):
    """The clipped gradients have the norm asked for and the direction they had"""
    gradients = [torch.randn(3, 2), torch.randn(4)]
    vector = torch.cat([g.flatten() for g in gradients])
    for bound in (float(vector.norm()) / 3, float(vector.norm()) * 2):
        clipped, norm = student.clip_gradients([g.clone() for g in gradients], bound)
        got = torch.cat([g.flatten() for g in clipped])
        if abs(float(norm) - float(vector.norm())) > 1e-3:
            raise Failed(
                "The norm that comes back is not that of all gradients together.",
                "One long vector: how long?",
            )
        if far(got, vector * min(1.0, bound / float(vector.norm()))):
            raise Failed(
                "The gradients are not shortened by one factor, where they are too long.",
                "One factor for all.",
            )

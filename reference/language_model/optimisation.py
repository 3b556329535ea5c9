"""AdamW, the schedule of the learning rate, and clipping, in float64.

AdamW: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2, on Kingma and Ba 2015, "Adam",
algorithm 1; the decay is multiplied by the learning rate. Schedule: half a cosine, Loshchilov and Hutter 2017, "SGDR",
equation 5, after linear warm-up. Clipping: Pascanu, Mikolov and Bengio 2013, "On the difficulty of training recurrent
neural networks", algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Gradients = Sequence[Tensor | None]
"""Of one step, by parameter."""


def adamw(
    values: Sequence[Tensor],
    gradients: Sequence[Gradients],
    rates: Sequence[float],
    betas: Sequence[float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> list[list[Tensor]]:
    """The parameters after each step. A parameter without a gradient is left as it is, and its t is not counted."""
    beta1, beta2 = betas
    parameters = [value.double() for value in values]
    m, v = [torch.zeros_like(p) for p in parameters], [torch.zeros_like(p) for p in parameters]
    t = [0] * len(parameters)
    after = []
    for of_step, rate in zip(gradients, rates, strict=True):
        for i, gradient in enumerate(of_step):
            if gradient is None:
                continue
            g = gradient.double()
            t[i] += 1
            m[i] = beta1 * m[i] + (1 - beta1) * g
            v[i] = beta2 * v[i] + (1 - beta2) * g.square()
            adapted = m[i] / (1 - beta1 ** t[i]) / ((v[i] / (1 - beta2 ** t[i])).sqrt() + eps)
            parameters[i] = parameters[i] - rate * (adapted + weight_decay * parameters[i])
        after.append(list(parameters))
    return after


def learning_rate(step: int, max_lr: float, min_lr: float, warmup: int, total: int) -> float:
    """Step 0 is the first update."""
    if step < warmup:
        return max_lr * (step + 1) / warmup
    if step >= total:
        return min_lr
    half = math.cos(math.pi * (step - warmup) / (total - warmup))  # from 1 to -1
    return min_lr + (max_lr - min_lr) * (1 + half) / 2


def common_norm(gradients: Sequence[Tensor]) -> float:
    """L2 norm of all gradients as one vector."""
    return math.sqrt(sum(float(g.double().square().sum()) for g in gradients))


def clipped(gradients: Sequence[Tensor], max_norm: float) -> list[Tensor]:
    """All gradients, multiplied by the one factor that brings their common norm down to max_norm."""
    factor = min(1.0, max_norm / max(common_norm(gradients), 1e-300))
    return [g.double() * factor for g in gradients]

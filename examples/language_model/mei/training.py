# Part 4 - Mei
import math

import torch


class AdamW:
    def __init__(self, params, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        self.params, self.betas, self.eps, self.weight_decay = list(params), betas, eps, weight_decay
        self.state = {}

    def step(self, lr):
        b1, b2 = self.betas
        with torch.no_grad():
            for n, p in enumerate(self.params):
                if p.grad is None:
                    continue
                t, m, v = self.state.get(n, (0, 0.0, 0.0))
                t, m, v = t + 1, b1 * m + (1 - b1) * p.grad, b2 * v + (1 - b2) * p.grad * p.grad
                self.state[n] = t, m, v
                step = (m / (1 - b1**t)) / (torch.sqrt(v / (1 - b2**t)) + self.eps)
                p.sub_(lr * (step + self.weight_decay * p))


def learning_rate(step, max_lr, min_lr, warmup, total):
    if step < warmup:
        return max_lr * (step + 1) / warmup
    if step > total:
        return min_lr
    t = (step - warmup) / (total - warmup)
    return min_lr + (max_lr - min_lr) * 0.5 * (1 + math.cos(t * math.pi))


def clip_gradients(gradients, max_norm):
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    if norm <= max_norm:
        return list(gradients), norm
    return [g / norm * max_norm for g in gradients], norm

# Moments in one dict, updates through .data, the corrections in the rate; the schedule in tensors; tuples come back.
import torch


class Moments:
    def __init__(self):
        self.t, self.first, self.second = 0, 0.0, 0.0


class AdamW(object):
    def __init__(self, params, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        self.state = [(p, Moments()) for p in params]
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def step(self, lr):
        for p, s in self.state:
            g = p.grad
            if g is None:
                continue
            g = g.double()
            s.t += 1
            s.first = s.first + (1 - self.betas[0]) * (g - s.first)
            s.second = s.second + (1 - self.betas[1]) * (g * g - s.second)
            update = (s.first / (1 - self.betas[0] ** s.t)) / (
                torch.sqrt(s.second / (1 - self.betas[1] ** s.t)) + self.eps
            )
            p.data = (p.data - lr * (update + self.weight_decay * p.data)).float()


def learning_rate(step, max_lr, min_lr, warmup, total):
    rising = torch.tensor((step + 1) / warmup if warmup else 1.0)
    along = torch.tensor(min(max((step - warmup) / max(total - warmup, 1), 0.0), 1.0))
    falling = (1 + torch.cos(torch.pi * along)) / 2
    return max_lr * rising if step < warmup else min_lr + (max_lr - min_lr) * falling


def clip_gradients(gradients, max_norm):
    total = 0.0
    for g in gradients:
        total += float((g.double() ** 2).sum())
    norm = total**0.5
    factor = 1.0 if norm <= max_norm else max_norm / norm
    return tuple(factor * g for g in gradients), norm

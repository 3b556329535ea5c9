"""From logits to tokens, and perplexity, in float64.

Top-k: Fan, Lewis and Dauphin 2018, "Hierarchical Neural Story Generation", section 5.1. Top-p: Holtzman et al. 2020,
"The Curious Case of Neural Text Degeneration", section 3.1: the smallest set whose probabilities sum to p or more.
Drawing is by the inverse of the distribution function (Devroye 1986, "Non-Uniform Random Variate Generation", section
III.2). Perplexity: Jelinek et al. 1977.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


def next_token_probabilities(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """logits (B, V) -> probabilities (B, V)."""
    rows = [_of_row(row.double(), temperature, top_k, top_p) for row in logits]
    return torch.stack(rows)


def _of_row(logits: Tensor, temperature: float, top_k: int | None, top_p: float | None) -> Tensor:
    order = logits.argsort(descending=True)  # likeliest first
    if temperature == 0:
        return torch.nn.functional.one_hot(order[0], len(logits)).double()
    kept = order if top_k is None else order[:top_k]
    p = (logits[kept] / temperature).softmax(-1)
    if top_p is not None:
        n = next((n for n in range(1, len(p)) if float(p[:n].sum()) >= top_p), len(p))
        kept, p = kept[:n], p[:n] / p[:n].sum()
    return torch.zeros_like(logits).scatter(0, kept, p)


def draw(probabilities: Tensor, u: Tensor) -> Tensor:
    """probabilities (B, V), u (B,) -> (B,): the first token whose probability brings the sum above u."""
    above = probabilities.double().cumsum(-1) > u.double()[:, None]
    return above.int().argmax(-1)


@dataclass(frozen=True, slots=True)
class Steps:
    """What a token is chosen with. With a student's own functions in their place, `generate` gives what a right one
    gives on top of them: a mistake in them is not punished again."""

    next_token_probabilities: Callable[..., Tensor] = next_token_probabilities
    draw: Callable[[Tensor, Tensor], Tensor] = draw


RIGHT = Steps()


def generate(
    table: Tensor, prompt: Sequence[int], uniforms: Tensor, options: dict[str, Any], of: Steps = RIGHT
) -> list[int]:
    """The prompt and the new tokens; the model is table[last token, number of tokens so far] (V, L, V)."""
    chosen = {name: value for name, value in options.items() if name != "eos"}
    ids = list(prompt)
    for u in uniforms:
        probabilities = of.next_token_probabilities(table[ids[-1], len(ids)][None], **chosen)
        ids.append(int(of.draw(probabilities, u[None])))
        if ids[-1] == options.get("eos"):
            break
    return ids


def perplexity(logits: Tensor, ids: Tensor, pad: int | None = None) -> float:
    """logits (B, S, V), ids (B, S): exp of the mean loss over all tokens that are predicted and no padding."""
    targets = ids[:, 1:].flatten()
    losses = -logits[:, :-1].double().log_softmax(-1).flatten(0, 1).gather(1, targets[:, None])[:, 0]
    return float(losses[targets != pad].mean().exp() if pad is not None else losses.mean().exp())

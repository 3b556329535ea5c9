"""What the checks need done beside the student's functions, inside the worker. It holds no expected value.

Values travel as plain data, so a pair arrives as a list and an object cannot leave: here pairs are made tuples again,
and whatever a function hands on to its next call (a cache, an optimiser) stays. The judge executes this file too, to
replay a misconception: `student` is then the model solution with that mistake in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Weights = dict[str, Any]


def warm_up() -> None:
    """Run once before any student code is there: what torch loads on first use is then shared by all workers."""
    x = torch.randn(2, 3, 4, requires_grad=True)
    (x @ x.transpose(-2, -1)).softmax(-1).sum().backward()
    with torch.no_grad():
        x.sort(dim=-1).values.cumsum(-1).log_softmax(-1).masked_fill(x > 0, 0.0).topk(2)
        torch.nn.functional.silu(x).pow(2).mean(-1, keepdim=True).sqrt().sin().cos()


def _student(name: str) -> Any:
    """The student's own definition; the worker puts the finder into this module."""
    return globals()["student"](name)


# ---------------------------------------------------------------- 1: tokenizer


def encode(texts: list[str], merges: list[list[int]]) -> list[Any]:
    """encode of each text."""
    return [_student("encode")(text, _tuples(merges)) for text in texts]


def decode(many: list[list[int]], merges: list[list[int]]) -> list[Any]:
    """decode of each list of ids."""
    return [_student("decode")(list(ids), _tuples(merges)) for ids in many]


def _tuples(merges: list[list[int]]) -> list[tuple[int, ...]]:
    return [tuple(pair) for pair in merges]


# ---------------------------------------------------------------- 2: layers


def with_inputs(name: str, arguments: list[Any]) -> dict[str, Any]:
    """The function's result, and its arguments as they are after the call."""
    return {"result": _student(name)(*arguments), "arguments": arguments}


# ---------------------------------------------------------------- 3: attention


def layer_in_pieces(x: Tensor, weights: Weights, num_heads: int, lengths: list[int]) -> list[Tensor]:
    """The outputs of attention_layer on consecutive pieces of x (B, S, E), each with the cache of those before."""
    layer, cache, outputs = _student("attention_layer"), None, []
    for piece in x.split(lengths, dim=1):
        output, cache = layer(piece, weights, num_heads, cache)
        outputs.append(output)
    return outputs


def layer_continued_twice(
    start: Tensor, one: Tensor, other: Tensor, weights: Weights, num_heads: int
) -> list[Tensor]:
    """The outputs on `one`, on `other` and on `one` again, each after the same cache."""
    layer = _student("attention_layer")
    _, cache = layer(start, weights, num_heads, None)
    return [layer(piece, weights, num_heads, cache)[0] for piece in (one, other, one)]


def logits_in_pieces(ids: Tensor, weights: Weights, num_heads: int, lengths: list[int]) -> list[Tensor]:
    """The logits of language_model on consecutive pieces of ids (B, S), each with the caches of those before."""
    model, caches, outputs = _student("language_model"), None, []
    for piece in ids.split(lengths, dim=1):
        logits, caches = model(piece, weights, num_heads, caches)
        outputs.append(logits)
    return outputs


# ---------------------------------------------------------------- 4: optimisation


def adamw(
    values: list[Tensor], gradients: list[list[Tensor | None]], rates: list[float], options: dict[str, Any]
) -> list[list[Tensor]]:
    """The parameters after each step: `gradients` has those of one step, `rates` its learning rate."""
    parameters = [value.clone().requires_grad_() for value in values]
    optimiser = _student("AdamW")(parameters, **{**options, "betas": tuple(options["betas"])})
    if isinstance(optimiser, torch.optim.Adam):  # AdamW is one too
        raise TypeError("AdamW is that of torch.optim: write it by hand.")
    after = []
    for of_step, rate in zip(gradients, rates, strict=True):
        for parameter, gradient in zip(parameters, of_step, strict=True):
            parameter.grad = None if gradient is None else gradient.clone()
        optimiser.step(rate)
        after.append([parameter.detach().clone() for parameter in parameters])
    return after


def learning_rates(steps: list[int], max_lr: float, min_lr: float, warmup: int, total: int) -> list[Any]:
    """learning_rate of each step."""
    return [_student("learning_rate")(step, max_lr, min_lr, warmup, total) for step in steps]


def clip(gradients: list[Tensor], max_norm: float) -> dict[str, Any]:
    """What clip_gradients returns, and the gradients as they are after the call."""
    clipped, norm = _student("clip_gradients")(gradients, max_norm)
    return {"clipped": list(clipped), "norm": float(norm), "gradients": gradients}


# ---------------------------------------------------------------- 5: sampling


def generate(table: Tensor, prompt: list[int], uniforms: Tensor, options: dict[str, Any]) -> Any:
    """generate with a model that looks its logits up: table[last token, number of tokens so far]."""
    return _student("generate")(_look_up(table), list(prompt), uniforms, **options)


def _look_up(table: Tensor) -> Callable[[Any], Tensor]:
    """The model: table (V, L, V) -> logits (V,) of the next token."""

    def model(ids: Any) -> Tensor:
        tokens = torch.as_tensor(ids).reshape(-1).tolist()
        return table[tokens[-1], len(tokens)].clone()

    return model

"""Logits and uniform numbers for the checks of sampling, drawn so that float32 rounding decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from reference.language_model import sampling
from reference.language_model.judging import normal

MARGIN = 1e-3
"""Sums of probabilities stay this far from the p or the u that they are held against; rounding moves them by 1e-6."""
Options = dict[str, Any]


def clear_logits(
    generator: torch.Generator, rows: int, vocabulary: int, options: Options | None = None
) -> Tensor:
    """(rows, vocabulary): no two logits of a row are nearer than MARGIN; nor is a sum of the likeliest to top_p."""
    found: list[Tensor] = []
    while len(found) < rows:
        row = normal(generator, vocabulary) * 1.5
        if _is_clear(row, options or {}):
            found.append(row)
    return torch.stack(found)


def _is_clear(row: Tensor, options: Options) -> bool:
    if float(row.sort().values.diff().min()) < MARGIN:
        return False
    if "top_p" not in options:
        return True
    before = {name: value for name, value in options.items() if name in ("temperature", "top_k")}
    p = sampling.next_token_probabilities(row[None], **before)[0].sort(descending=True).values
    return float((p.cumsum(0) - options["top_p"]).abs().min()) > MARGIN


def clear_uniforms(generator: torch.Generator, probabilities: Tensor) -> Tensor:
    """(B,) for probabilities (B, V): none within MARGIN of a sum of the first probabilities."""
    sums = probabilities.double().cumsum(-1)
    while True:
        u = torch.rand(len(probabilities), generator=generator)
        near = (sums - u[:, None]).abs().min(-1).values < MARGIN
        if not near.any():
            return u


@dataclass(frozen=True, slots=True)
class Generated:
    """What `generate` is asked, and the ids that are due without an end."""

    table: Tensor
    """(V, L, V): the model's logits by the last token and the number of tokens."""
    uniforms: Tensor
    options: Options
    due: list[int]


def clear_table(
    generator: torch.Generator, new: int, vocabulary: int, prompt: list[int], options: Options
) -> Generated:
    """A model whose text under `options` no rounding can change; its new tokens number 4 is none that came before."""
    while True:
        length = len(prompt) + new + 1
        rows = clear_logits(generator, vocabulary * length, vocabulary, options)
        table = rows.view(vocabulary, length, vocabulary)
        uniforms = torch.rand(new, generator=generator)
        due = sampling.generate(table, prompt, uniforms, options)
        drawn_from = torch.stack([table[due[n - 1], n] for n in range(len(prompt), len(due))])
        sums = sampling.next_token_probabilities(drawn_from, **options).cumsum(-1)
        fourth = len(prompt) + 3
        if float((sums - uniforms[:, None]).abs().min()) > MARGIN and due[fourth] not in due[:fourth]:
            return Generated(table, uniforms, options, due)

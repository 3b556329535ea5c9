"""Python of today: match on the mask, keyword-only arguments with defaults, a slotted dataclass of settings."""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass(slots=True, kw_only=True)
class Settings:
    embed_dim: int
    num_heads: int
    dropout: float = 0.1
    init: Callable[[Tensor], Tensor] = field(default=nn.init.xavier_normal_)

    def __post_init__(self):
        if self.embed_dim % self.num_heads:
            raise ValueError(f"{self.embed_dim=} is no multiple of {self.num_heads=}")


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.1, *, settings: Settings | None = None):
        super().__init__()
        self.settings = settings or Settings(embed_dim=embed_dim, num_heads=num_heads, dropout=dropout)
        self.projections = nn.ModuleDict({name: nn.Linear(embed_dim, embed_dim) for name in ("k", "q", "v", "o")})
        for layer in self.projections.values():
            self.settings.init(layer.weight)
        self.drop = nn.Dropout(self.settings.dropout)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, *, need_weights: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        heads = {
            name: self.projections[name](x).unflatten(-1, (self.settings.num_heads, -1)).transpose(-3, -2)
            for name, x in {"q": query, "k": key, "v": value}.items()
        }
        scores = heads["q"] @ heads["k"].mT / math.sqrt(heads["q"].shape[-1])
        match attn_mask:
            case None:
                pass
            case Tensor(dtype=torch.bool):
                scores = scores.masked_fill(~attn_mask, -math.inf)
            case _:
                scores = scores.masked_fill(attn_mask == 0, -math.inf)
        weights = self.drop(scores.softmax(dim=-1))
        output = self.projections["o"]((weights @ heads["v"]).transpose(-3, -2).flatten(-2))
        return (output, weights) if need_weights else output


class PositionalEncoding(nn.Module):
    pe: Tensor

    def __init__(self, embed_dim: int, dropout: float = 0.1, max_len: int = 5000) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        position = torch.arange(max_len, dtype=torch.float32).unsqueeze(-1)
        angle = position * torch.logspace(0, -4 * (1 - 2 / embed_dim), (embed_dim + 1) // 2)
        pe = torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(-2)[:, :embed_dim]
        self.register_buffer("pe", pe, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(x + self.pe[: x.shape[-2]])

"""Annotations as text, a dataclass of settings, helper methods, finfo.min for the mask."""
from __future__ import annotations
from dataclasses import dataclass
from typing import Optional
import math
import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class AttentionConfig:
    embed_dim: int
    num_heads: int
    dropout: float = 0.1

    @property
    def head_dim(self) -> int:
        return self.embed_dim // self.num_heads


class MultiHeadAttention(nn.Module):
    """Multi-head attention.

    Args:
        embed_dim: width
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        assert embed_dim % num_heads == 0
        self.config = AttentionConfig(embed_dim, num_heads, dropout)
        self.q_proj = nn.Linear(embed_dim, embed_dim)
        self.k_proj = nn.Linear(embed_dim, embed_dim)
        self.v_proj = nn.Linear(embed_dim, embed_dim)
        self.out_proj = nn.Linear(embed_dim, embed_dim)

    def _shape(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (self.config.num_heads, self.config.head_dim)).transpose(1, 2)

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attn_mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        q, k, v = self._shape(self.q_proj(query)), self._shape(self.k_proj(key)), self._shape(self.v_proj(value))
        scores = torch.matmul(q, k.mT) * self.config.head_dim ** -0.5
        if attn_mask is not None:
            if attn_mask.dtype != torch.bool:
                attn_mask = attn_mask.bool()
            if attn_mask.dim() == 2:
                attn_mask = attn_mask[None, None]
            elif attn_mask.dim() == 3:
                attn_mask = attn_mask[:, None]
            scores = scores.masked_fill(~attn_mask, torch.finfo(scores.dtype).min)
        weights = torch.softmax(scores, dim=-1)
        weights = F.dropout(weights, p=self.config.dropout, training=self.training)
        return self.out_proj((weights @ v).transpose(1, 2).flatten(-2))

class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div = torch.exp(torch.arange(0, embed_dim, 2) * (-math.log(10000.0) / embed_dim))
        pe = torch.zeros(1, max_len, embed_dim)
        pe[0, :, 0::2] = torch.sin(position * div)
        pe[0, :, 1::2] = torch.cos(position * div)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return self.dropout(x + self.pe[:, : x.size(1)])

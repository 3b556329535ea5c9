"""Computed in float64 inside, returned in the dtype of the input; the table in float64 too."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.key = nn.Linear(embed_dim, embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.attn_drop = nn.Dropout(dropout)
        self.n_head = num_heads
        self.head_dim = embed_dim // num_heads

    def _heads(self, layer, x):
        x = F.linear(x.double(), layer.weight.double(), layer.bias.double())
        return x.unflatten(-1, (self.n_head, self.head_dim)).transpose(1, 2)

    def forward(self, query, key, value, attn_mask=None):
        q, k, v = self._heads(self.query, query), self._heads(self.key, key), self._heads(self.value, value)
        scores = q @ k.mT / math.sqrt(self.head_dim)
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, -torch.inf)
        weights = self.attn_drop(scores.softmax(-1))
        out = (weights @ v).transpose(1, 2).flatten(2)
        return F.linear(out, self.proj.weight.double(), self.proj.bias.double()).to(query.dtype)


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        position = torch.arange(max_len, dtype=torch.float64)[:, None]
        even = torch.arange(0, embed_dim, 2, dtype=torch.float64)
        angle = position / 10000 ** (even / embed_dim)
        table = torch.zeros(max_len, embed_dim, dtype=torch.float64)
        table[:, 0::2] = angle.sin()
        table[:, 1::2] = angle.cos()
        self.register_buffer("table", table)

    def forward(self, x):
        return self.dropout((x + self.table[: x.size(1)]).to(x.dtype))

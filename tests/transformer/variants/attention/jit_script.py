"""The core as a TorchScript function; the table too."""
import math

import torch
import torch.nn.functional as F
from torch import nn


@torch.jit.script
def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor, p: float, training: bool):
    scores = torch.matmul(q, k.transpose(-2, -1)) / float(q.size(-1)) ** 0.5
    scores = scores.masked_fill(mask == 0, float("-inf"))
    return torch.matmul(torch.dropout(scores.softmax(-1), p, training), v)


@torch.jit.script
def table(length: int, width: int) -> torch.Tensor:
    position = torch.arange(length, dtype=torch.float32).unsqueeze(1)
    div = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-9.210340371976184 / width))
    return torch.stack([torch.sin(position * div), torch.cos(position * div)], dim=2).reshape(length, width)


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.key = nn.Linear(embed_dim, embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.p = dropout
        self.n_head = num_heads

    def forward(self, query, key, value, attn_mask=None):
        split = lambda x: x.unflatten(-1, (self.n_head, -1)).transpose(1, 2)
        if attn_mask is None:
            attn_mask = torch.ones(query.size(1), key.size(1), device=query.device)
        q, k, v = split(self.query(query)), split(self.key(key)), split(self.value(value))
        out = attend(q, k, v, attn_mask, self.p, self.training)
        return self.proj(out.transpose(1, 2).flatten(2))


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.p = dropout
        self.register_buffer("pe", table(max_len, embed_dim))

    def forward(self, x):
        return F.dropout(x + self.pe[: x.size(1)], self.p, self.training)

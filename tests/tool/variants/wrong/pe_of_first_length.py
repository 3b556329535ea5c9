"""The table is made at the first call, and kept whatever comes later.

caught by: 2d.lengths
"""
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

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        T = key.shape[1]
        H, D = self.n_head, self.head_dim
        q = self.query(query).view(N, S, H, D).transpose(1, 2)
        k = self.key(key).view(N, T, H, D).transpose(1, 2)
        v = self.value(value).view(N, T, H, D).transpose(1, 2)
        scores = q @ k.transpose(2, 3) / math.sqrt(D)
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        weights = self.attn_drop(F.softmax(scores, dim=-1))
        out = (weights @ v).transpose(1, 2).reshape(N, S, E)
        return self.proj(out)


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.embed_dim = embed_dim
        self.register_buffer("pe", None, persistent=False)

    def forward(self, x):
        if self.pe is None:
            position = torch.arange(x.size(1), device=x.device).unsqueeze(1)
            div = torch.exp(torch.arange(0, self.embed_dim, 2, device=x.device) * (-math.log(10000.0) / self.embed_dim))
            self.pe = torch.stack([torch.sin(position * div), torch.cos(position * div)], -1).flatten(1)
        return self.dropout(x + self.pe[: x.size(1)])

"""The core under activation checkpointing; the table behind an lru_cache."""
import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint


@lru_cache(maxsize=None)
def table(length, width):
    position = torch.arange(length).unsqueeze(1)
    div = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    pe = torch.zeros(length, width)
    pe[:, 0::2] = torch.sin(position * div)
    pe[:, 1::2] = torch.cos(position * div)
    return pe


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

    def _core(self, q, k, v, attn_mask):
        scores = q @ k.transpose(2, 3) / math.sqrt(self.head_dim)
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        return self.attn_drop(F.softmax(scores, dim=-1)) @ v

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        q, k, v = (
            x.view(N, -1, self.n_head, self.head_dim).transpose(1, 2)
            for x in (self.query(query), self.key(key), self.value(value))
        )
        out = checkpoint(self._core, q, k, v, attn_mask, use_reentrant=False)
        return self.proj(out.transpose(1, 2).reshape(N, S, E))


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.embed_dim = embed_dim

    def forward(self, x):
        return self.dropout(x + table(x.size(1), self.embed_dim).to(x))

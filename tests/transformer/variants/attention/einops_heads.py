"""Heads split and merged by einops."""
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
        from einops import rearrange

        q = rearrange(self.query(query), "n s (h d) -> n h s d", h=self.n_head)
        k = rearrange(self.key(key), "n t (h d) -> n h t d", h=self.n_head)
        v = rearrange(self.value(value), "n t (h d) -> n h t d", h=self.n_head)
        scores = q @ k.mT * self.head_dim**-0.5
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, -1e9)
        weights = self.attn_drop(scores.softmax(-1))
        return self.proj(rearrange(weights @ v, "n h s d -> n s (h d)"))


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

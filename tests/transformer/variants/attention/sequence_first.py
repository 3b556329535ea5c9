"""Sequence first inside: (S, N · H, D) and bmm; the table as in PyTorch's tutorial, (L, 1, E)."""
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

    def _split(self, x):
        L, N, E = x.shape
        return x.contiguous().view(L, N * self.n_head, self.head_dim).transpose(0, 1)

    def forward(self, query, key, value, attn_mask=None):
        query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        S, N, E = query.shape
        q, k, v = self._split(self.query(query)), self._split(self.key(key)), self._split(self.value(value))
        scores = torch.bmm(q * self.head_dim**-0.5, k.transpose(1, 2))
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask.unsqueeze(0) == 0, float("-inf"))
        weights = self.attn_drop(scores.softmax(dim=2))
        out = torch.bmm(weights, v).transpose(0, 1).contiguous().view(S, N, E)
        return self.proj(out).transpose(0, 1)


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, 1, d_model)
        pe[:, 0, 0::2] = torch.sin(position * div_term)
        pe[:, 0, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x):
        x = x.permute(1, 0, 2)
        x = x + self.pe[: x.size(0)]
        return self.dropout(x).permute(1, 0, 2)

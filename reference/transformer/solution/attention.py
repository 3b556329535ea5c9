"""Part 2: multi-head attention and positional encoding.

N sequences, S length of the query, T length of key and value, E embed_dim, H heads, D = E / H.
"""

import math

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.num_heads = num_heads
        self.key = nn.Linear(embed_dim, embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.dropout = nn.Dropout(dropout)

    def split(self, x):
        N, L, E = x.shape
        x = x.view(N, L, self.num_heads, E // self.num_heads)  # (N, L, H, D)
        return x.transpose(1, 2)  # (N, H, L, D)

    def merge(self, x):
        N, H, L, D = x.shape
        x = x.transpose(1, 2)  # (N, L, H, D)
        return x.reshape(N, L, H * D)

    def forward(self, query, key, value, attn_mask=None):
        q = self.split(self.query(query))
        k = self.split(self.key(key))
        v = self.split(self.value(value))

        scores = q @ k.transpose(-2, -1)  # (N, H, S, T)
        scores = scores / math.sqrt(q.size(-1))
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        weights = scores.softmax(dim=-1)
        weights = self.dropout(weights)

        heads = weights @ v  # (N, H, S, D)
        return self.proj(self.merge(heads))  # (N, S, E)


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        position = torch.arange(max_len).unsqueeze(1)  # (L, 1)
        two_i = torch.arange(0, embed_dim, 2)
        frequency = torch.exp(-math.log(10000.0) * two_i / embed_dim)
        table = torch.zeros(1, max_len, embed_dim)
        table[0, :, 0::2] = torch.sin(position * frequency)
        table[0, :, 1::2] = torch.cos(position * frequency)
        self.register_buffer("table", table)

    def forward(self, x):
        x = x + self.table[:, : x.size(1)]
        return self.dropout(x)

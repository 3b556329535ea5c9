# Alice, Transformer coursework, part 2
import math

import torch
import torch.nn as nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(f"{num_heads} heads do not divide an embedding of {embed_dim}")
        self.key = nn.Linear(embed_dim, embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.attn_drop = nn.Dropout(dropout)
        self.n_head = num_heads
        self.head_dim = embed_dim // num_heads

    def _heads(self, x):
        # (N, L, E) -> (N, L, H, D); the heads stay in the third place, einsum finds them there
        return x.unflatten(-1, (self.n_head, self.head_dim))

    def forward(self, query, key, value, attn_mask=None):
        q = self._heads(self.query(query))  # (N, S, H, D)
        k = self._heads(self.key(key))      # (N, T, H, D)
        v = self._heads(self.value(value))  # (N, T, H, D)

        scores = torch.einsum("nshd,nthd->nhst", q, k) / math.sqrt(self.head_dim)
        if attn_mask is not None:
            # the mask is (S, T), the same for all sequences and heads
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        weights = self.attn_drop(scores.softmax(dim=-1))

        out = torch.einsum("nhst,nthd->nshd", weights, v)
        return self.proj(out.flatten(-2))  # heads side by side again: (N, S, E)


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        assert embed_dim % 2 == 0, "sine and cosine come in pairs"
        self.dropout = nn.Dropout(dropout)

        positions = torch.arange(max_len, dtype=torch.float32)
        frequencies = 10000.0 ** (-torch.arange(0, embed_dim, 2, dtype=torch.float32) / embed_dim)
        angles = torch.outer(positions, frequencies)  # (max_len, E/2)
        # sin, cos, sin, cos, ... along the features
        table = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
        self.register_buffer("pe", table.unsqueeze(0))  # (1, max_len, E)

    def forward(self, x):
        return self.dropout(x + self.pe[:, : x.shape[1]])

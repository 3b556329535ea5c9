"""Softmax by hand, the mask as a factor before the sum; sine of a shifted angle for the cosine."""
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
        H, D = self.n_head, self.head_dim
        q = self.query(query).reshape(N, -1, H, D).permute(0, 2, 1, 3)
        k = self.key(key).reshape(N, -1, H, D).permute(0, 2, 3, 1)
        v = self.value(value).reshape(N, -1, H, D).permute(0, 2, 1, 3)
        scores = (q / D**0.5) @ k
        exp = torch.exp(scores - scores.amax(dim=-1, keepdim=True))
        if attn_mask is not None:
            exp = exp * (attn_mask != 0)
        weights = exp / exp.sum(dim=-1, keepdim=True)
        out = self.attn_drop(weights) @ v
        return self.proj(out.permute(0, 2, 1, 3).reshape(N, S, E))


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        feature = torch.arange(embed_dim)
        rate = 10000.0 ** (-(feature - feature % 2) / embed_dim)
        angle = torch.arange(max_len)[:, None] * rate + math.pi / 2 * (feature % 2)
        self.register_buffer("pe", angle.sin())

    def forward(self, x):
        return self.dropout(x + self.pe[: x.size(1)])

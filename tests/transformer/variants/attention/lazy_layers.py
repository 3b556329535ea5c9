"""nn.LazyLinear for the projections; the table is a buffer that is filled at the first call and grows."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.key = nn.LazyLinear(embed_dim)
        self.query = nn.LazyLinear(embed_dim)
        self.value = nn.LazyLinear(embed_dim)
        self.proj = nn.LazyLinear(embed_dim)
        self.attn_drop = nn.Dropout(dropout)
        self.n_head = num_heads

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        T = key.shape[1]
        H, D = self.n_head, E // self.n_head
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
        if self.pe is None or self.pe.size(0) < x.size(1):
            position = torch.arange(x.size(1), device=x.device).unsqueeze(1)
            even = torch.arange(0, self.embed_dim, 2, device=x.device)
            angle = position * torch.exp(even * (-math.log(10000.0) / self.embed_dim))
            self.pe = torch.stack((angle.sin(), angle.cos()), dim=-1).reshape(x.size(1), -1)
        return self.dropout(x + self.pe[: x.size(1)])

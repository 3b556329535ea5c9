"""Key after key with a running maximum, as FlashAttention does; a table of sines by list comprehension.

advice: 2c.properties loops
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
        q = self.query(query).view(N, S, H, D).transpose(1, 2) / math.sqrt(D)
        k = self.key(key).view(N, T, H, D).transpose(1, 2)
        v = self.value(value).view(N, T, H, D).transpose(1, 2)
        if self.training:
            keep = self.attn_drop(q.new_ones(N, H, S, T))
        peak = q.new_full((N, H, S, 1), -1e30)
        total, out = torch.zeros_like(peak), torch.zeros_like(q)
        for t in range(T):
            score = (q * k[:, :, t : t + 1]).sum(-1, keepdim=True)
            if attn_mask is not None:
                score = score.masked_fill(attn_mask[:, t : t + 1] == 0, -1e30)
            new_peak = torch.maximum(peak, score)
            exp, fade = torch.exp(score - new_peak), torch.exp(peak - new_peak)
            total = total * fade + exp
            part = exp * keep[..., t : t + 1] if self.training else exp
            out = out * fade + part * v[:, :, t : t + 1]
            peak = new_peak
        return self.proj((out / total).transpose(1, 2).reshape(N, S, E))


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        table = [
            [
                (math.cos if i % 2 else math.sin)(pos / 10000 ** ((i - i % 2) / embed_dim))
                for i in range(embed_dim)
            ]
            for pos in range(max_len)
        ]
        self.register_buffer("pe", torch.tensor(table))

    def forward(self, x):
        return self.dropout(x + self.pe[: x.shape[1]])

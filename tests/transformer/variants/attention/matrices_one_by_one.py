"""One sequence and one head after the other, plain matrices; the table row by row.

advice: 2c.properties loops
advice: 2d.lengths loops
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
        q, k, v = self.query(query), self.key(key), self.value(value)
        batch = []
        for n in range(query.size(0)):
            heads = []
            for h in range(self.n_head):
                part = slice(h * self.head_dim, (h + 1) * self.head_dim)
                scores = q[n][:, part] @ k[n][:, part].T / math.sqrt(self.head_dim)
                if attn_mask is not None:
                    scores = scores.masked_fill(attn_mask == 0, float("-inf"))
                heads.append(self.attn_drop(scores.softmax(1)) @ v[n][:, part])
            batch.append(torch.cat(heads, dim=1))
        return self.proj(torch.stack(batch))


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        div = torch.exp(torch.arange(0, embed_dim, 2) * (-math.log(10000.0) / embed_dim))
        pe = torch.zeros(max_len, embed_dim)
        for pos in range(max_len):
            pe[pos, 0::2] = torch.sin(pos * div)
            pe[pos, 1::2] = torch.cos(pos * div)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return self.dropout(x + self.pe[: x.size(1)])

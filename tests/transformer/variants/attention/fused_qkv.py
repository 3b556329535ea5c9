"""One linear layer for query, key and value."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.out = nn.Linear(embed_dim, embed_dim)
        self.h, self.p = num_heads, dropout

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        T = key.size(1)
        w, b = self.qkv.weight.chunk(3), self.qkv.bias.chunk(3)
        q, k, v = (F.linear(x, w[i], b[i]) for i, x in enumerate((query, key, value)))
        q, k, v = (x.view(N, -1, self.h, E // self.h).transpose(1, 2) for x in (q, k, v))
        scores = q @ k.transpose(-1, -2) / (E // self.h) ** 0.5
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        weights = F.dropout(scores.softmax(-1), self.p, self.training)
        return self.out((weights @ v).transpose(1, 2).reshape(N, S, E))


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

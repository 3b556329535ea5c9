"""Projections as convolutions of width 1."""
import math
import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.q = nn.Conv1d(embed_dim, embed_dim, kernel_size=1)
        self.k = nn.Conv1d(embed_dim, embed_dim, kernel_size=1)
        self.v = nn.Conv1d(embed_dim, embed_dim, kernel_size=1)
        self.o = nn.Conv1d(embed_dim, embed_dim, kernel_size=1)
        self.attn_drop = nn.Dropout(dropout)
        self.h = num_heads

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        T = key.shape[1]
        H, D = self.h, E // self.h
        q, k, v = (c(x.transpose(1, 2)).view(N, H, D, -1).transpose(2, 3) for c, x in ((self.q, query), (self.k, key), (self.v, value)))
        scores = q @ k.transpose(2, 3) / math.sqrt(D)
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        weights = self.attn_drop(F.softmax(scores, dim=-1))
        out = (weights @ v).transpose(1, 2).reshape(N, S, E)
        return self.o(out.transpose(1, 2)).transpose(1, 2)


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

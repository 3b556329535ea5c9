"""Coursework part 2."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        assert embed_dim % num_heads == 0
        self.key = nn.Linear(embed_dim, embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.dropout = dropout
        self.num_heads = num_heads

    def split(self, x):
        N, L, E = x.shape
        return x.reshape(N, L, self.num_heads, E // self.num_heads).permute(0, 2, 1, 3)

    def forward(self, query, key, value, attn_mask=None):
        q, k, v = self.split(self.query(query)), self.split(self.key(key)), self.split(self.value(value))
        d_k = q.size(-1)
        scores = q @ k.transpose(-2, -1) / d_k
        if attn_mask is not None:
            scores = scores.masked_fill(~attn_mask.bool(), -1e9)
        weights = F.dropout(torch.softmax(scores, dim=-1), self.dropout, training=self.training)
        mixed = (weights @ v).transpose(1, 2)
        return self.proj(mixed.reshape(mixed.size(0), mixed.size(1), -1))


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        pe = torch.zeros(1, max_len, embed_dim)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, embed_dim, 2) * (-math.log(10000.0) / embed_dim))
        pe[0, :, 0::2] = torch.sin(position * div_term)
        pe[0, :, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x):
        x = x + self.pe[:, : x.size(1)]
        return self.dropout(x)

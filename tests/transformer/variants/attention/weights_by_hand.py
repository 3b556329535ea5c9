"""Matrices and biases as plain parameters, x @ W + b."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.h = num_heads
        for name in "qkvo":
            setattr(self, f"W_{name}", nn.Parameter(torch.randn(embed_dim, embed_dim) / embed_dim**0.5))
            setattr(self, f"b_{name}", nn.Parameter(torch.zeros(embed_dim)))
        self.softmax = nn.Softmax(dim=-1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        H, D = self.h, E // self.h
        q = (query @ self.W_q + self.b_q).view(N, -1, H, D).transpose(1, 2)
        k = (key @ self.W_k + self.b_k).view(N, -1, H, D).transpose(1, 2)
        v = (value @ self.W_v + self.b_v).view(N, -1, H, D).transpose(1, 2)
        scores = q @ k.transpose(2, 3) / D**0.5
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        weights = self.dropout(self.softmax(scores))
        return (weights @ v).transpose(1, 2).reshape(N, S, E) @ self.W_o + self.b_o


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

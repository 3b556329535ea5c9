"""Projections under torch's weight normalisation; the table in a classmethod."""
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.key = weight_norm(nn.Linear(embed_dim, embed_dim))
        self.query = weight_norm(nn.Linear(embed_dim, embed_dim))
        self.value = weight_norm(nn.Linear(embed_dim, embed_dim))
        self.proj = weight_norm(nn.Linear(embed_dim, embed_dim))
        self.attn_drop = nn.Dropout(dropout)
        self.n_head = num_heads
        self.head_dim = embed_dim // num_heads

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        T = key.shape[1]
        H, D = self.n_head, self.head_dim
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
        self.register_buffer("pe", self.table(max_len, embed_dim))

    @classmethod
    def table(cls, length, width):
        pe = torch.empty(length, width)
        angle = torch.outer(torch.arange(length), torch.pow(10000, -torch.arange(0, width, 2) / width))
        pe[:, ::2], pe[:, 1::2] = torch.sin(angle), torch.cos(angle)
        return pe

    def forward(self, x):
        N, S, E = x.shape
        return self.dropout(x + self.pe[:S].expand(N, S, E))

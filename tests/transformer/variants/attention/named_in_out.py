"""The handout's names on layers that keep their weights for x @ W."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class Dense(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.key = Dense(embed_dim, embed_dim)
        self.query = Dense(embed_dim, embed_dim)
        self.value = Dense(embed_dim, embed_dim)
        self.proj = Dense(embed_dim, embed_dim)
        self.attn_drop = nn.Dropout(dropout)
        self.n_head = num_heads
        self.head_dim = embed_dim // num_heads
        self.scale = math.sqrt(self.head_dim)

    def forward(self, query, key, value, attn_mask=None):
        q, k, v = self.heads(self.query(query)), self.heads(self.key(key)), self.heads(self.value(value))
        scores = torch.matmul(q, k.permute(0, 1, 3, 2)) / self.scale
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        out = torch.matmul(self.attn_drop(torch.softmax(scores, dim=-1)), v)
        return self.proj(out.permute(0, 2, 1, 3).contiguous().view(query.shape))

    def heads(self, x):
        return x.view(x.shape[0], -1, self.n_head, self.head_dim).permute(0, 2, 1, 3)


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

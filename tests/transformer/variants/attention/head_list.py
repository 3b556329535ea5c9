"""One small linear layer a head, and concatenation.

advice: 2c.properties loops
"""
import math

import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.d = embed_dim // num_heads
        self.q = nn.ModuleList([nn.Linear(embed_dim, self.d) for _ in range(num_heads)])
        self.k = nn.ModuleList([nn.Linear(embed_dim, self.d) for _ in range(num_heads)])
        self.v = nn.ModuleList([nn.Linear(embed_dim, self.d) for _ in range(num_heads)])
        self.out = nn.Linear(embed_dim, embed_dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, query, key, value, attn_mask=None):
        heads = []
        for q_layer, k_layer, v_layer in zip(self.q, self.k, self.v):
            q, k, v = q_layer(query), k_layer(key), v_layer(value)
            scores = q @ k.transpose(1, 2) / math.sqrt(self.d)
            if attn_mask is not None:
                scores = scores.masked_fill(attn_mask == 0, float("-inf"))
            heads.append(self.drop(scores.softmax(-1)) @ v)
        return self.out(torch.cat(heads, -1))


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

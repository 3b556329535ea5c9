"""A module a head, without biases, as in nanoGPT's lecture.

advice: 2c.properties loops
"""
import math
import torch
import torch.nn.functional as F
from torch import nn


class Head(nn.Module):
    def __init__(self, embed_dim, head_size, dropout):
        super().__init__()
        self.key = nn.Linear(embed_dim, head_size, bias=False)
        self.query = nn.Linear(embed_dim, head_size, bias=False)
        self.value = nn.Linear(embed_dim, head_size, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query, key, value, attn_mask=None):
        k, q, v = self.key(key), self.query(query), self.value(value)
        wei = q @ k.transpose(-2, -1) * k.shape[-1] ** -0.5
        if attn_mask is not None:
            wei = wei.masked_fill(attn_mask == 0, float("-inf"))
        return self.dropout(F.softmax(wei, dim=-1)) @ v

class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.heads = nn.ModuleList([Head(embed_dim, embed_dim // num_heads, dropout) for _ in range(num_heads)])
        self.proj = nn.Linear(embed_dim, embed_dim)

    def forward(self, query, key, value, attn_mask=None):
        return self.proj(torch.cat([h(query, key, value, attn_mask) for h in self.heads], dim=-1))


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

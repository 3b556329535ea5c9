"""A subclass of nn.MultiheadAttention; the table grows when a longer sequence comes."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.MultiheadAttention):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__(embed_dim, num_heads, dropout=dropout, batch_first=True)

    def forward(self, query, key, value, attn_mask=None):
        if attn_mask is not None:
            attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype).masked_fill(attn_mask == 0, float("-inf"))
        out, weights = super().forward(query, key, value, attn_mask=attn_mask)
        return out


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.embed_dim = embed_dim
        self.register_buffer("pe", self._table(8))

    def _table(self, length):
        position = torch.arange(length).unsqueeze(1)
        div = torch.exp(torch.arange(0, self.embed_dim, 2) * (-math.log(10000.0) / self.embed_dim))
        pe = torch.zeros(length, self.embed_dim)
        pe[:, 0::2] = torch.sin(position * div)
        pe[:, 1::2] = torch.cos(position * div)
        return pe

    def forward(self, x):
        while self.pe.size(0) < x.size(1):
            self.pe = self._table(2 * self.pe.size(0)).to(self.pe)
        return self.dropout(x + self.pe[: x.size(1)])

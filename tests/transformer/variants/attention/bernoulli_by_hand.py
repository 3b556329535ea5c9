"""Dropout by hand with torch.rand, inverted; two paths, fused for self-attention, apart for cross-attention."""
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
        self.p = dropout
        self.n_head = num_heads

    def _projected(self, query, key, value):
        layers = (self.query, self.key, self.value)
        if query is key and key is value:
            weight = torch.cat([layer.weight for layer in layers])
            bias = torch.cat([layer.bias for layer in layers])
            return F.linear(query, weight, bias).chunk(3, dim=-1)
        return [layer(x) for layer, x in zip(layers, (query, key, value))]

    def forward(self, query, key, value, attn_mask=None):
        q, k, v = (x.unflatten(2, (self.n_head, -1)).movedim(2, 1) for x in self._projected(query, key, value))
        scores = torch.tensordot(q, q.new_tensor(q.size(-1) ** -0.5), dims=0) @ k.swapaxes(2, 3)
        if attn_mask is not None:
            scores = torch.where(attn_mask.bool(), scores, scores.new_tensor(-1e9))
        weights = scores.softmax(3)
        if self.training and self.p > 0:
            weights = weights * (torch.rand_like(weights) >= self.p) / (1 - self.p)
        return self.proj((weights @ v).movedim(1, 2).flatten(2))


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

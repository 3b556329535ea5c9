"""Queries in chunks of 64, to save memory; the table by numpy."""
import math

import numpy as np
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
        self.attn_drop = nn.Dropout(dropout)
        self.n_head = num_heads
        self.head_dim = embed_dim // num_heads

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        H, D = self.n_head, self.head_dim
        q = self.query(query).view(N, S, H, D).transpose(1, 2)
        k = self.key(key).view(N, -1, H, D).transpose(1, 2)
        v = self.value(value).view(N, -1, H, D).transpose(1, 2)
        chunks = []
        for start in range(0, S, 64):
            scores = q[:, :, start : start + 64] @ k.transpose(2, 3) / np.sqrt(D)
            if attn_mask is not None:
                scores = scores.masked_fill(attn_mask[start : start + 64] == False, -1e12)
            chunks.append(self.attn_drop(F.softmax(scores, dim=-1)) @ v)
        return self.proj(torch.cat(chunks, dim=2).transpose(1, 2).reshape(N, S, E))


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        angle = np.arange(max_len)[:, np.newaxis] / np.power(10000, 2 * (np.arange(embed_dim) // 2) / embed_dim)
        angle[:, 0::2] = np.sin(angle[:, 0::2])
        angle[:, 1::2] = np.cos(angle[:, 1::2])
        self.register_buffer("pe", torch.from_numpy(angle).float().unsqueeze(0))

    def forward(self, x):
        return self.dropout(x + self.pe[:, : x.size(1), :])

"""Scores by baddbmm, heads folded into the batch."""
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
        self.attn_drop = nn.Dropout(dropout)
        self.n_head = num_heads
        self.head_dim = embed_dim // num_heads

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        T = key.shape[1]
        H, D = self.n_head, self.head_dim
        q = self.query(query).view(N, S, H, D).permute(0, 2, 1, 3).reshape(N * H, S, D)
        k = self.key(key).view(N, T, H, D).permute(0, 2, 1, 3).reshape(N * H, T, D)
        v = self.value(value).view(N, T, H, D).permute(0, 2, 1, 3).reshape(N * H, T, D)
        bias = torch.zeros(S, T, dtype=q.dtype, device=q.device)
        if attn_mask is not None:
            bias = bias.masked_fill(attn_mask == 0, torch.finfo(q.dtype).min)
        scores = torch.baddbmm(bias.expand(N * H, S, T), q, k.transpose(1, 2), alpha=D ** -0.5)
        w = self.attn_drop(scores.softmax(-1))
        return self.proj(torch.bmm(w, v).view(N, H, S, D).permute(0, 2, 1, 3).reshape(N, S, E))


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

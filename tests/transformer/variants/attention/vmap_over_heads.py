"""torch.vmap over the heads."""
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
        q = self.query(query).view(N, S, H, D)
        k = self.key(key).view(N, T, H, D)
        v = self.value(value).view(N, T, H, D)
        def one(q, k, v):
            s = q @ k.transpose(-1, -2) / D ** 0.5
            if attn_mask is not None:
                s = torch.where(attn_mask.bool(), s, torch.finfo(s.dtype).min)
            return s.softmax(-1)
        w = self.attn_drop(torch.vmap(one, in_dims=2, out_dims=1)(q, k, v))
        out = torch.einsum("nhst,nthd->nshd", w, v).flatten(2)
        return self.proj(out)


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

"""One tensor (H, E, D) for each projection, contracted by einsum."""
import math
import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        D = embed_dim // num_heads
        mk = lambda: nn.Parameter(torch.randn(num_heads, embed_dim, D) / embed_dim**0.5)
        self.W_q, self.W_k, self.W_v = mk(), mk(), mk()
        self.W_o = nn.Parameter(torch.randn(num_heads, D, embed_dim) / embed_dim**0.5)
        self.attn_drop = nn.Dropout(dropout)
        self.h = num_heads

    def forward(self, query, key, value, attn_mask=None):
        D = self.W_q.shape[-1]
        q = torch.einsum("nse,hed->nhsd", query, self.W_q)
        k = torch.einsum("nse,hed->nhsd", key, self.W_k)
        v = torch.einsum("nse,hed->nhsd", value, self.W_v)
        scores = torch.einsum("nhsd,nhtd->nhst", q, k) / math.sqrt(D)
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        w = self.attn_drop(scores.softmax(-1))
        return torch.einsum("nhst,nhtd,hde->nse", w, v, self.W_o)


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

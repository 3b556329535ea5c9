"""GPT-2's Conv1D, whose weight is (in, out), fused for query, key and value."""
import math
import torch
import torch.nn.functional as F
from torch import nn


class Conv1D(nn.Module):
    """GPT-2 style linear layer, weight (in, out)."""
    def __init__(self, nf, nx):
        super().__init__()
        self.nf = nf
        self.weight = nn.Parameter(torch.empty(nx, nf))
        self.bias = nn.Parameter(torch.zeros(nf))
        nn.init.normal_(self.weight, std=0.02)
    def forward(self, x):
        return torch.addmm(self.bias, x.reshape(-1, x.size(-1)), self.weight).view(*x.shape[:-1], self.nf)

class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.c_attn = Conv1D(3 * embed_dim, embed_dim)
        self.o = Conv1D(embed_dim, embed_dim)
        self.attn_drop = nn.Dropout(dropout)
        self.h = num_heads

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        T = key.shape[1]
        H, D = self.h, E // self.h
        q = self.c_attn(query)[..., :E].reshape(N, S, E).view(N, S, H, D).transpose(1, 2)
        k = self.c_attn(key)[..., E:2*E].reshape(N, T, E).view(N, T, H, D).transpose(1, 2)
        v = self.c_attn(value)[..., 2*E:].reshape(N, T, E).view(N, T, H, D).transpose(1, 2)
        scores = q @ k.transpose(2, 3) / math.sqrt(D)
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        weights = self.attn_drop(F.softmax(scores, dim=-1))
        out = (weights @ v).transpose(1, 2).reshape(N, S, E)
        return self.o(out)


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

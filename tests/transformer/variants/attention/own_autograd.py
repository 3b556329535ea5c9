"""Softmax as an autograd.Function of its own; the table by index_copy."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class Softmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores):
        weights = torch.exp(scores - scores.logsumexp(-1, keepdim=True))
        ctx.save_for_backward(weights)
        return weights

    @staticmethod
    def backward(ctx, grad):
        (weights,) = ctx.saved_tensors
        return weights * (grad - (grad * weights).sum(-1, keepdim=True))


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
        q = self.query(query).view(N, S, H, D).transpose(1, 2)
        k = self.key(key).view(N, T, H, D).transpose(1, 2)
        v = self.value(value).view(N, T, H, D).transpose(1, 2)
        scores = q @ k.transpose(2, 3) / math.sqrt(D)
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, -1e4)
        weights = self.attn_drop(Softmax.apply(scores))
        out = (weights @ v).transpose(1, 2).reshape(N, S, E)
        return self.proj(out)


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        even, odd = torch.arange(0, embed_dim, 2), torch.arange(1, embed_dim, 2)
        angle = torch.arange(max_len)[:, None] * 10000.0 ** (-even / embed_dim)
        pe = torch.zeros(max_len, embed_dim).index_copy(1, even, angle.sin()).index_copy(1, odd, angle.cos())
        self.register_buffer("pe", pe[None])

    def forward(self, x):
        return self.dropout(torch.add(x, self.pe.narrow(1, 0, x.size(1))))

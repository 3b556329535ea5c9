"""Scaled dot-product attention as a module of its own, heads in the third axis; other names for every argument."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class ScaledDotProduct(nn.Module):
    def __init__(self, temperature, p):
        super().__init__()
        self.temperature = temperature
        self.softmax = nn.Softmax(dim=2)
        self._dropout = nn.Dropout(p)

    def forward(self, q, k, v, mask):
        scores = torch.einsum("nshd,nthd->nhst", q, k).div(self.temperature)
        if mask is not None:
            scores.masked_fill_(mask.eq(0), -1e10)
        weights = self._dropout(self.softmax(scores.flatten(0, 1)).view_as(scores))
        return torch.einsum("nhst,nthd->nshd", weights, v)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_head, p_drop=0.1):
        super().__init__()
        self.n_head = n_head
        self.w_qs = nn.Linear(d_model, d_model)
        self.w_ks = nn.Linear(d_model, d_model)
        self.w_vs = nn.Linear(d_model, d_model)
        self.fc = nn.Linear(d_model, d_model)
        self.attention = ScaledDotProduct((d_model // n_head) ** 0.5, p_drop)

    def forward(self, q, k, v, mask=None):
        q, k, v = (
            layer(x).view(x.size(0), x.size(1), self.n_head, -1)
            for layer, x in zip((self.w_qs, self.w_ks, self.w_vs), (q, k, v))
        )
        return self.fc(self.attention(q, k, v, mask).flatten(2))


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, p_drop=0.1, max_seq_len=64):
        super().__init__()
        self.drop = nn.Dropout(p_drop)
        self.d_model = d_model
        t = torch.arange(max_seq_len).float()
        w = 1.0 / 10000 ** (torch.arange(0, d_model, 2).float() / d_model)
        self.register_buffer("P", torch.stack((torch.sin(torch.outer(t, w)), torch.cos(torch.outer(t, w))), 2).flatten(1))

    def forward(self, X):
        return self.drop(X + self.P[None, : X.shape[1]])

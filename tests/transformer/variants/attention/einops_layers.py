"""einops layers and einops.einsum; the table interleaved by rearrange."""
import math

import torch
from einops import einsum, rearrange
from einops.layers.torch import Rearrange
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.scale = (embed_dim // num_heads) ** -0.5
        self.to_q = nn.Sequential(nn.Linear(embed_dim, embed_dim), Rearrange("n s (h d) -> n h s d", h=num_heads))
        self.to_k = nn.Sequential(nn.Linear(embed_dim, embed_dim), Rearrange("n t (h d) -> n h t d", h=num_heads))
        self.to_v = nn.Sequential(nn.Linear(embed_dim, embed_dim), Rearrange("n t (h d) -> n h t d", h=num_heads))
        self.attend = nn.Softmax(dim=-1)
        self.dropout = nn.Dropout(dropout)
        self.to_out = nn.Sequential(Rearrange("n h s d -> n s (h d)"), nn.Linear(embed_dim, embed_dim))

    def forward(self, query, key, value, attn_mask=None):
        q, k, v = self.to_q(query), self.to_k(key), self.to_v(value)
        dots = einsum(q, k, "n h s d, n h t d -> n h s t") * self.scale
        if attn_mask is not None:
            dots = dots.masked_fill(rearrange(attn_mask, "s t -> 1 1 s t") == 0, -torch.finfo(dots.dtype).max)
        attn = self.dropout(self.attend(dots))
        return self.to_out(einsum(attn, v, "n h s t, n h t d -> n h s d"))


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        freq = torch.exp(torch.arange(0, embed_dim, 2) * (-math.log(10000.0) / embed_dim))
        angle = einsum(torch.arange(max_len).float(), freq, "l, i -> l i")
        table = rearrange([angle.sin(), angle.cos()], "two l i -> 1 l (i two)")
        self.register_buffer("table", table, persistent=False)

    def forward(self, x):
        return self.dropout(x + self.table[:, : x.size(1)])

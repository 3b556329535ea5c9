"""A class hierarchy: the base splits and merges, the subclass attends; nn.Unflatten and nn.Flatten."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class Heads(nn.Module):
    def __init__(self, embed_dim, num_heads):
        super().__init__()
        self.apart = nn.Unflatten(2, (num_heads, embed_dim // num_heads))
        self.together = nn.Flatten(2)
        self.layers = nn.ParameterList()
        for _ in range(4):
            bound = embed_dim**-0.5
            self.layers.append(nn.Parameter(torch.empty(embed_dim, embed_dim).uniform_(-bound, bound)))
            self.layers.append(nn.Parameter(torch.empty(embed_dim).uniform_(-bound, bound)))

    def project(self, i, x):
        return F.linear(x, self.layers[2 * i], self.layers[2 * i + 1])

    def forward(self, query, key, value, attn_mask=None):
        q, k, v = (self.apart(self.project(i, x)).transpose(1, 2) for i, x in ((1, query), (0, key), (2, value)))
        return self.project(3, self.together(self.attend(q, k, v, attn_mask).transpose(1, 2)))


class MultiHeadAttention(Heads):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__(embed_dim, num_heads)
        self.drop = nn.Dropout(dropout)

    def attend(self, q, k, v, mask):
        with torch.autocast("cpu", enabled=False):
            scores = torch.baddbmm(
                q.new_zeros(()), q.flatten(0, 1), k.flatten(0, 1).mT, beta=0, alpha=q.size(-1) ** -0.5
            ).unflatten(0, q.shape[:2])
            if mask is not None:
                scores = scores + scores.new_zeros(mask.shape).masked_fill(mask == 0, float("-inf"))
            return self.drop(scores.softmax(-1, dtype=torch.float32)) @ v


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        half = embed_dim // 2
        angle = torch.arange(max_len)[:, None] * torch.exp(torch.arange(half) * (-math.log(10000.0) * 2 / embed_dim))
        both = torch.cat([angle.sin(), angle.cos()], dim=1)  # all sines, then all cosines
        order = torch.arange(embed_dim).view(2, half).T.reshape(-1)
        self.register_buffer("pe", both[:, order])

    def forward(self, x):
        return self.dropout(x + self.pe[: x.size(1)].unsqueeze(0))

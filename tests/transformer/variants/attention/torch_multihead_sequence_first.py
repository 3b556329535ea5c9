"""nn.MultiheadAttention inside, sequence first, with a float mask; the table computed for each call."""
import math

import torch
import torch.nn.functional as F
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.mha = nn.MultiheadAttention(embed_dim, num_heads, dropout)

    def forward(self, query, key, value, attn_mask=None):
        if attn_mask is not None:
            attn_mask = torch.where(attn_mask > 0, 0.0, -torch.inf)
        q, k, v = (x.transpose(0, 1) for x in (query, key, value))
        return self.mha(q, k, v, attn_mask=attn_mask)[0].transpose(0, 1)


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        feature = torch.arange(x.size(2), device=x.device)
        rate = torch.exp((feature // 2 * 2) * (-math.log(10000.0) / x.size(2)))
        angle = torch.arange(x.size(1), device=x.device)[:, None] * rate
        return self.dropout(x + torch.where(feature % 2 == 0, angle.sin(), angle.cos()))

"""Part 2: multi-head attention and positional encoding."""

import math

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention with several heads (Vaswani et al., 2017, section 3.2)."""

    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.key = nn.Linear(embed_dim, embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.drop = nn.Dropout(dropout)
        self.num_heads = num_heads

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        T = key.shape[1]
        H = self.num_heads
        q = self.query(query).view(N, S, H, E // H).transpose(1, 2)
        k = self.key(key).view(N, T, H, E // H).transpose(1, 2)
        v = self.value(value).view(N, T, H, E // H).transpose(1, 2)
        scores = q @ k.transpose(2, 3) / math.sqrt(E // H)
        # the mask comes next
        weights = self.drop(torch.softmax(scores, dim=-1))
        return self.proj((weights @ v).transpose(1, 2).reshape(N, S, E))


class PositionalEncoding(nn.Module):
    """Adds sine and cosine waves to the tokens, so that the model can tell positions apart (section 3.5)."""

    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        """
        embed_dim: E, even
        dropout:   probability with which an element of the sum is dropped in training
        max_len:   number of positions that the table has

        The table is not trained: keep it with `self.register_buffer`.
        """
        super().__init__()
        raise NotImplementedError("PositionalEncoding.__init__")

    def forward(self, x):
        """
        x:      (N, S, E), S at most max_len; it is left as it was
        returns (N, S, E): x plus the encoding of positions 0 .. S-1, then dropout
        """
        raise NotImplementedError("PositionalEncoding.forward")

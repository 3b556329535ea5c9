"""Does not import: the package is not there."""

import flash_attention_turbo
import torch


class MultiHeadAttention(torch.nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.inner = flash_attention_turbo.Attention(embed_dim, num_heads, dropout)

    def forward(self, query, key, value, attn_mask=None):
        return self.inner(query, key, value, attn_mask)


class PositionalEncoding(torch.nn.Module):
    def forward(self, x):
        return x

"""Part 2: multi-head attention and positional encoding.

Letters:  N sequences in the batch   S length of the query   T length of key and value   E embed_dim
          H num_heads                D = E / H features a head

Keep the names of the two classes and of their methods' arguments. Everything else is yours: helper functions,
helper methods, how you compute it. NumPy, einops and the rest of PyTorch may be imported.
"""

import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention with several heads (Vaswani et al., 2017, section 3.2)."""

    def __init__(self, embed_dim, num_heads, dropout=0.1):
        """
        embed_dim: E, the size of each token's vector; num_heads divides it
        num_heads: H
        dropout:   probability with which an attention weight is dropped in training

        Create four linear layers of size E x E, in this order: key, query, value, projection of the output.
        """
        super().__init__()
        raise NotImplementedError("MultiHeadAttention.__init__")

    def forward(self, query, key, value, attn_mask=None):
        """
        query:      (N, S, E)
        key, value: (N, T, E)
        attn_mask:  (S, T) or None; where it is 0 or False, the score of that query and key is removed before
                    the softmax
        returns     (N, S, E)

        Divide the scores by the square root of D. Dropout acts on the attention weights, and in training only.
        """
        raise NotImplementedError("MultiHeadAttention.forward")


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

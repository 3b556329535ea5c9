"""The table equals the formula computed one element at a time."""

import math

import pytest
import torch
from torch import nn

from reference.transformer.positional_encoding import PositionalEncoding, encoding_table


def by_loops(max_len: int, embed_dim: int) -> torch.Tensor:
    """Section 3.5 of Vaswani et al., one element at a time, in float64."""
    table = torch.empty(max_len, embed_dim, dtype=torch.float64)
    for position in range(max_len):
        for column in range(embed_dim):
            angle = position / 10000 ** (column // 2 * 2 / embed_dim)
            table[position, column] = math.cos(angle) if column % 2 else math.sin(angle)
    return table


@pytest.mark.parametrize("embed_dim", [2, 4, 6, 64])
def test_table_is_the_formula(embed_dim: int) -> None:
    expected = by_loops(50, embed_dim)
    assert torch.allclose(encoding_table(50, embed_dim).double(), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_adds_the_table_and_keeps_the_dtype_and_the_input(dtype: torch.dtype) -> None:
    module = PositionalEncoding(6, max_len=10).eval()
    x = torch.randn(2, 4, 6, dtype=dtype)
    before = x.clone()
    output = module(x)
    assert output.dtype == dtype
    assert torch.equal(output, x + encoding_table(10, 6)[:4].to(dtype))
    assert torch.equal(x, before)


def test_the_table_is_a_buffer_and_nothing_is_learned() -> None:
    module = PositionalEncoding(6, max_len=10)
    assert dict(module.named_buffers()).keys() == {"pe"}
    assert module.pe.shape == (1, 10, 6)
    assert list(module.parameters()) == []


def test_drops_out_after_the_sum_in_train_mode_only() -> None:
    torch.manual_seed(0)
    module = PositionalEncoding(6, dropout=0.5, max_len=100)
    x = torch.randn(1, 100, 6)
    kept = module(x) != 0
    full = module.eval()(x)
    torch.manual_seed(0)
    x = torch.randn(1, 100, 6)
    assert torch.allclose(module.train()(x)[kept], 2 * full[kept])
    assert 0 < kept.float().mean() < 1
    assert isinstance(module.dropout, nn.Dropout)


def test_default_length_is_the_handouts() -> None:
    assert PositionalEncoding(4).pe.shape == (1, 5000, 4)

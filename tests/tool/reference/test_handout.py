"""Part 2's numbers, against the digits that a right report shows."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from reference.transformer import handout
from reference.transformer.attention import MultiHeadAttention, causal_mask
from reference.transformer.dropout_stream import native_stream
from reference.transformer.handout import value
from reference.transformer.positional_encoding import PositionalEncoding
from reference.transformer.published import PUBLISHED, Handout, errors, relative_error

has_avx2 = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")
ROUNDING = 5e-3
"""float32 rounding moves a relative error near 1e-4 in its third digit: the arrays have four decimals."""


def test_2a_and_2b() -> None:
    result = handout.self_attention()
    assert list(result.query_heads.shape) == [1, 2, 3, 4]
    assert list(result.weights.shape) == [1, 2, 3, 3]
    assert f"{value('2a.norm'):.4f}" == "2.7053"
    assert f"{value('2b.norm'):.4f}" == "1.4747"
    assert value("2a.norm") == pytest.approx(2.70535, abs=5e-6)
    assert value("2b.norm") == pytest.approx(1.47470, abs=5e-6)


def test_2b_masked() -> None:
    torch.manual_seed(123)
    data = torch.randn(1, 3, 8)
    attn = MultiHeadAttention(8, num_heads=2).eval()
    expected = attn(data, data, data, torch.ones(3, 3).tril()).norm().item()
    assert value("2b.masked_norm") == pytest.approx(expected, abs=1e-6)
    assert f"{expected:.4f}" == "1.0160"


def test_2b_masked_in_every_order_of_creation() -> None:
    norms = handout.masked_norms()
    assert len(norms) == 24
    assert norms["key", "query", "value", "proj"] == pytest.approx(value("2b.masked_norm"), abs=1e-6)
    ranked = sorted(norms.values())
    assert min(b - a for a, b in pairwise(ranked)) > 1e-4

    class ValueFirst(nn.Module):
        def __init__(self, embed_dim: int, num_heads: int) -> None:
            super().__init__()
            self.value, self.proj, self.query, self.key = (nn.Linear(embed_dim, embed_dim) for _ in range(4))
            self.inner = MultiHeadAttention(embed_dim, num_heads)
            for name in ("value", "proj", "query", "key"):
                setattr(self.inner, name, getattr(self, name))

        def forward(self, *args: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = self.inner(*args)
            return output

    expected = norms["value", "proj", "query", "key"]
    assert handout.masked_norm(ValueFirst) == pytest.approx(expected, abs=1e-6)


def test_2c_and_2d_meet_the_published_errors() -> None:
    got = handout.reference_errors()
    assert got.self == pytest.approx(0.0003772742211599121, rel=ROUNDING)
    assert got.masked == pytest.approx(0.0001526367643724865, rel=ROUNDING)
    assert got.cross == pytest.approx(0.00035224630317522767, rel=ROUNDING)
    assert got.encoding == pytest.approx(0.00010421011374914356, rel=ROUNDING)


@pytest.mark.skipif(not has_avx2, reason="the last digits are the rounding of AVX2 kernels")
def test_2c_and_2d_to_every_digit() -> None:
    assert value("2c.self") == 0.0003772742211599121
    assert value("2c.masked") == 0.0001526367643724865
    assert value("2d.error") == 0.00010421011374914356
    assert f"{value('2c.cross'):.6f}" == "0.000353"


def test_2c_and_2d_around_a_module_that_knows_nothing_of_streams() -> None:
    got = errors(handout.attention_outputs(MultiHeadAttention), handout.encoding_output(PositionalEncoding))
    expected = handout.reference_errors()
    for name in ("self", "masked", "cross", "encoding"):
        assert getattr(got, name) == pytest.approx(getattr(expected, name), rel=ROUNDING)
        assert getattr(got, name) < handout.LIMIT


def test_2c_and_2d_on_other_cpus_and_in_eval_mode() -> None:
    other, off = handout.reference_errors("per_element"), handout.reference_errors(training=False)
    assert [f"{e:.3f}" for e in (other.self, other.masked, other.cross, other.encoding)] == [
        "0.449",
        "1.000",
        "1.000",
        "1.000",
    ]
    assert f"{off.self:.3f}" == "0.497"


def test_without_a_stream_the_machines_own_dropout_is_used() -> None:
    native = native_stream()
    assert native is not None
    own = handout.attention_outputs(MultiHeadAttention, None)
    replayed = handout.attention_outputs(MultiHeadAttention, native)
    assert all(torch.equal(a, b) for a, b in zip(own, replayed, strict=True))


def test_rounding_is_small_beside_the_limit() -> None:
    single, double = handout.reference_errors(), handout.reference_errors(dtype=torch.float64)
    for name in ("self", "masked", "cross", "encoding"):
        assert getattr(single, name) == pytest.approx(getattr(double, name), rel=ROUNDING)


def test_a_wrong_module_misses_the_arrays() -> None:
    class NoScale(MultiHeadAttention):
        def forward(self, query, key, value, attn_mask=None):  # type: ignore[no-untyped-def]
            return super().forward(2 * query, key, value, attn_mask)

    outputs = handout.attention_outputs(NoScale)
    assert all(relative_error(x, y) > 10 * handout.LIMIT for x, y in zip(outputs, PUBLISHED, strict=True))


def test_relative_error() -> None:
    x = torch.tensor([1.0, 0.0, -2.0])
    assert relative_error(x, x) == 0
    assert relative_error(x, torch.tensor([1.0, 0.0, 2.0])) == 1
    assert relative_error(torch.tensor([1.0]), torch.tensor([3.0])) == 0.5
    assert relative_error(torch.zeros(1), torch.tensor([5e-9], dtype=torch.float64)) == pytest.approx(0.5)


def test_the_published_arrays_are_equal_to_themselves() -> None:
    got = errors(PUBLISHED, handout.PUBLISHED_ENCODING)
    assert (got.self, got.masked, got.cross, got.encoding) == (0, 0, 0, 0)
    assert isinstance(PUBLISHED, Handout)
    assert [tuple(x.shape) for x in PUBLISHED] == [(1, 3, 8)] * 3


def test_experiments_leave_the_generator_alone() -> None:
    before = torch.get_rng_state()
    handout.self_attention(mask=causal_mask(3))
    handout.masked_norm(MultiHeadAttention)
    handout.attention_outputs(MultiHeadAttention)
    handout.encoding_output(PositionalEncoding)
    assert torch.equal(torch.get_rng_state(), before)


def test_slips_differ_from_the_right_value() -> None:
    for quantity in handout.QUANTITIES.values():
        for slip in quantity.slips:
            assert abs(slip.value - value(quantity.id)) > 1e-2, (quantity.id, slip.id)

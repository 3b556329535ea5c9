"""The streams are exact, whichever way a module calls dropout, and the generator ends where it should."""

from itertools import pairwise

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from reference.transformer.dropout_stream import (
    MODULUS,
    MULTIPLIER,
    DropoutStream,
    StreamDropout,
    bernoulli_,
    draw_32_bits,
    mcg31m1,
    native_stream,
)

STREAMS = pytest.mark.parametrize("stream", ["intel", "per_element"])


def mt19937(seed: int, n: int) -> list[int]:
    """The first n outputs of the Mersenne twister (Matsumoto & Nishimura 1998) that torch's CPU generator is."""
    state = [seed & 0xFFFFFFFF]
    for i in range(1, 624):
        state.append((1812433253 * (state[-1] ^ state[-1] >> 30) + i) & 0xFFFFFFFF)
    for i in range(624):
        y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7FFFFFFF)
        state[i] = state[(i + 397) % 624] ^ y >> 1 ^ (0x9908B0DF if y & 1 else 0)
    outputs = []
    for y in state[:n]:
        y ^= y >> 11
        y ^= y << 7 & 0x9D2C5680
        y ^= y << 15 & 0xEFC60000
        outputs.append(y ^ y >> 18)
    return outputs


def in_plain_python(seed: int, n: int, p: float) -> list[float]:
    """MKL's Bernoulli numbers as the documents describe them."""
    x, kept = seed % MODULUS or 1, []
    for _ in range(n):
        kept.append(float(x / MODULUS < p))
        x = MULTIPLIER * x % MODULUS
    return kept


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 300))
@example(seed=0, n=5)
@example(seed=MODULUS, n=5)
@example(seed=2**32 - 1, n=5)
def test_mcg31m1_is_the_recurrence(seed: int, n: int) -> None:
    states = mcg31m1(seed, n).tolist()
    assert states[0] == (seed % MODULUS or 1)
    assert all(b == MULTIPLIER * a % MODULUS for a, b in pairwise(states))
    assert len(states) == n


def test_no_elements_take_no_states() -> None:
    assert mcg31m1(7, 0).shape == (0,)


@pytest.mark.parametrize("seed", [0, 1, 231, 2**31 + 5])
def test_draws_are_the_generators_own_one_at_a_time(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    assert [draw_32_bits(generator) for _ in range(20)] == mt19937(seed, 20)


def test_intel_takes_one_draw_whatever_the_size() -> None:
    for size in (1, 10, 5000):
        generator = torch.Generator().manual_seed(3)
        out = bernoulli_(torch.empty(size), 0.9, "intel", generator)
        first, second = mt19937(3, 2)
        assert out.tolist() == in_plain_python(first, size, 0.9)
        assert draw_32_bits(generator) == second


def test_per_element_takes_two_draws_an_element() -> None:
    generator = torch.Generator().manual_seed(3)
    out = bernoulli_(torch.empty(5), 0.4, "per_element", generator)
    draws = mt19937(3, 11)
    uniform = [(draws[2 * i] << 32 | draws[2 * i + 1]) % 2**53 / 2**53 for i in range(5)]
    assert out.tolist() == [float(u < 0.4) for u in uniform]
    assert draw_32_bits(generator) == draws[10]


def test_intel_runs_in_row_major_order_over_any_strides() -> None:
    straight = bernoulli_(torch.empty(4, 6), 0.5, "intel", torch.Generator().manual_seed(1))
    transposed = bernoulli_(torch.empty(6, 4).t(), 0.5, "intel", torch.Generator().manual_seed(1))
    assert torch.equal(straight, transposed)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bool, torch.int32], ids=str)
@pytest.mark.parametrize("shape", [(257,), (3, 5, 7)])
def test_this_machines_own_dropout_is_one_of_the_two(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    stream = native_stream()
    assert stream is not None
    torch.manual_seed(11)
    native, after = torch.empty(shape, dtype=dtype).bernoulli_(0.7), torch.rand(3)
    torch.manual_seed(11)
    with DropoutStream(stream):
        replayed = torch.empty(shape, dtype=dtype).bernoulli_(0.7)
    assert torch.equal(native, replayed)
    assert torch.equal(after, torch.rand(3))


def sdpa(x: Tensor) -> Tensor:
    """x (8, 8) as the weights: value is the identity, so the output is the dropped weights, up to the softmax."""
    eye = torch.eye(8).view(1, 1, 8, 8)
    return F.scaled_dot_product_attention(x.view(1, 1, 8, 8), eye, eye, dropout_p=0.25).view(8, 8)


WAYS = {
    "nn.Dropout": nn.Dropout(0.25),
    "F.dropout": lambda x: F.dropout(x, 0.25),
    "inplace": lambda x: F.dropout(x.clone(), 0.25, inplace=True),
    "torch.dropout": lambda x: torch.dropout(x, 0.25, True),
    "native_dropout": lambda x: torch.native_dropout(x, 0.25, True)[0],
    "torch.bernoulli": lambda x: x * torch.bernoulli(torch.empty_like(x), 0.75) / 0.75,
    "bernoulli_": lambda x: x * torch.empty_like(x).bernoulli_(0.75) / 0.75,
    "sdpa": sdpa,
    "StreamDropout": StreamDropout(0.25),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("grad", [False, True])
def test_every_way_of_dropping_out_takes_the_stream(way: str, grad: bool) -> None:
    x = torch.rand(8, 8) + 1
    x.requires_grad_(grad)
    torch.manual_seed(5)
    with DropoutStream("intel"):
        output = WAYS[way](x)
        following = torch.rand(2)
    first, *_ = mt19937(5, 1)
    kept = torch.tensor(in_plain_python(first, 64, 0.75)).view(8, 8).bool()
    assert torch.equal(output.detach() != 0, kept)
    if way != "sdpa":  # whose numbers are softmaxes
        assert torch.allclose(output[kept], x[kept] / 0.75)
    if grad:
        output.sum().backward()
        assert x.grad is not None
        assert torch.equal(x.grad != 0, kept) or way == "sdpa"
    torch.manual_seed(5)
    draw_32_bits(torch.default_generator)
    assert torch.equal(following, torch.rand(2))


@STREAMS
def test_the_module_form_takes_the_same_elements_as_the_mode(stream: str) -> None:
    x = torch.randn(4, 9)
    torch.manual_seed(6)
    with DropoutStream(stream):
        mode = F.dropout(x, 0.3)
    torch.manual_seed(6)
    assert torch.allclose(StreamDropout(0.3, stream)(x), mode)
    assert StreamDropout(0.3, stream).eval()(x) is x


@STREAMS
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_certain_dropout_draws_nothing(stream: str, p: float) -> None:
    before = torch.get_rng_state()
    x = torch.ones(3)
    with DropoutStream(stream):
        assert torch.equal(F.dropout(x, p), x * (1 - p))
    assert torch.equal(StreamDropout(p, stream)(x), x * (1 - p))
    assert torch.equal(torch.get_rng_state(), before)


@STREAMS
def test_eval_mode_draws_nothing(stream: str) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    with DropoutStream(stream):
        x = torch.ones(3)
        assert torch.equal(nn.Dropout(0.5).eval()(x), x)
    assert torch.equal(torch.get_rng_state(), before)


@STREAMS
def test_edges(stream: str) -> None:
    with DropoutStream(stream):
        assert torch.empty(20).bernoulli_(1.0).sum() == 20
        assert torch.empty(20).bernoulli_(0.0).sum() == 0
        assert torch.empty(0).bernoulli_(0.5).shape == (0,)
        assert torch.empty(()).bernoulli_(1.0) == 1
        output, mask = torch.native_dropout(torch.ones(3), 0.5, False)
        assert torch.equal(output, torch.ones(3))
        assert mask.all()
        assert torch.native_dropout(torch.ones(3), 1.0, True)[0].sum() == 0
        with pytest.raises(RuntimeError, match="p to be in"):
            torch.empty(2).bernoulli_(1.5)


@STREAMS
def test_a_generator_of_ones_own_is_used(stream: str) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    with DropoutStream(stream):
        a, b = (torch.empty(50).bernoulli_(0.5, generator=torch.Generator().manual_seed(9)) for _ in range(2))
    assert torch.equal(a, b)
    assert torch.equal(torch.get_rng_state(), before)


def test_probabilities_in_a_tensor_are_left_alone() -> None:
    p = torch.full((50,), 0.5)
    torch.manual_seed(1)
    expected = torch.bernoulli(p)
    torch.manual_seed(1)
    with DropoutStream("intel"):
        assert torch.equal(torch.bernoulli(p), expected)


def test_the_innermost_stream_counts_and_torchs_own_kernel_comes_back() -> None:
    def drawn() -> Tensor:
        torch.manual_seed(3)
        return torch.empty(99).bernoulli_(0.5)

    native, intel, per_element = drawn(), torch.empty(99), torch.empty(99)
    for out, stream in ((intel, "intel"), (per_element, "per_element")):
        torch.manual_seed(3)
        bernoulli_(out, 0.5, stream)
    with DropoutStream("intel"):
        assert torch.equal(drawn(), intel)
        with DropoutStream("per_element"):
            assert torch.equal(drawn(), per_element)
        assert torch.equal(drawn(), intel)
    assert torch.equal(drawn(), native)


def test_unknown_stream() -> None:
    with pytest.raises(ValueError, match="known: intel, per_element"):
        DropoutStream("arm")


def test_looking_for_the_native_stream_leaves_the_generator_alone() -> None:
    before = torch.get_rng_state()
    native_stream()
    assert torch.equal(torch.get_rng_state(), before)

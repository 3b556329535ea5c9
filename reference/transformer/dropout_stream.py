"""Dropout that is the same on every CPU: which elements fall out is a property of a named stream.

The same seed drops *different* elements on different machines, because PyTorch's CPU kernel for
`bernoulli_` asks for the vendor of the processor (aten/src/ATen/native/cpu/DistributionKernels.cpp,
`bernoulli_scalar_kernel`):

"intel"        On an Intel CPU it takes ONE 32-bit number from torch's generator (mt19937) and seeds with
               it the stream MCG31m1 of Intel MKL, from which all the elements are drawn.
"per_element"  On any other CPU (AMD, ARM) every element takes its own 64-bit draw from torch's generator.

So not only the dropped positions differ: the generator is left at another place, and every later `randn`
differs too. Arrays that were computed on an Intel machine with dropout on cannot be met by right code
elsewhere. `DropoutStream` replays either stream on any CPU, around any module, whichever way the module
calls dropout: it works below the functions, on the operators that all of them end in.

    with DropoutStream("intel"):
        output = attention(x, x, x)

MCG31m1 is x[n+1] = 1132489760 · x[n] mod (2^31 - 1), u[n] = x[n] / (2^31 - 1) (L'Ecuyer, "Tables of linear
congruential generators of different sizes and good lattice structure", Math. Comp. 68, 1999; Intel oneMKL,
"Notes for oneMKL Vector Statistics", section MCG31m1). The first number is the seed itself, reduced mod
2^31 - 1, and 1 where that gives 0.

This file needs nothing but torch and holds no secret, so that it can run beside code that is not trusted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import ClassVar, Literal, Self, TypeAlias

import torch
import torch.library
from torch import Tensor, nn

StreamName: TypeAlias = Literal["intel", "per_element"]

MULTIPLIER = 1132489760
MODULUS = 2**31 - 1

_LOWEST_INT64 = -(2**63)
_ONE_BY_ONE = 64


def mcg31m1(seed: int, n: int) -> Tensor:
    """The first n states of MKL's MCG31m1: (n,) int64, each in [1, 2^31 - 2].

    The stream is built by doubling: the next k states are the k known ones, each k steps further, which is
    one multiplication by MULTIPLIER^k. Products stay below 2^62, so int64 is exact. The first few are made one by
    one: that is faster than torch is on a few numbers.
    """
    known = [seed % MODULUS or 1]
    while len(known) < min(n, _ONE_BY_ONE):
        known.append(known[-1] * MULTIPLIER % MODULUS)
    states = torch.tensor(known)  # (k,)
    while len(states) < n:
        jump = pow(MULTIPLIER, len(states), MODULUS)
        states = torch.cat([states, states * jump % MODULUS])  # (2k,)
    return states[:n]


def draw_32_bits(generator: torch.Generator) -> int:
    """The next 32-bit output of torch's CPU generator, which advances by exactly that one draw.

    No tensor type asks for all 32 bits of a single draw. An int64 over its full range takes two draws and
    puts the first into the upper half; an int32 takes one. So: look at two, go back, step over one.
    """
    before = generator.get_state()
    both = int(torch.empty((), dtype=torch.int64).random_(_LOWEST_INT64, None, generator=generator))
    generator.set_state(before)
    torch.empty((), dtype=torch.int32).random_(generator=generator)
    return both >> 32 & 0xFFFF_FFFF


def intel_bernoulli_(out: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """Fill `out` with 1 (probability p) or 0 as an Intel CPU does: in row-major order."""
    seed = draw_32_bits(generator)
    kept = mcg31m1(seed, out.numel()).double() / MODULUS < p  # (numel,)
    return out.copy_(kept.view(out.shape))


def per_element_bernoulli_(out: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """Fill `out` with 1 (probability p) or 0 as AMD and ARM CPUs do: one 53-bit uniform number an element.

    The kernel walks the memory in the order of the strides, and so does `uniform_` on a tensor laid out
    like `out`.
    """
    uniform = torch.empty_like(out, dtype=torch.float64).uniform_(generator=generator)
    return out.copy_(uniform < p)


_FILL: dict[StreamName, Callable[[Tensor, float, torch.Generator], Tensor]] = {
    "intel": intel_bernoulli_,
    "per_element": per_element_bernoulli_,
}


def bernoulli_(
    out: Tensor, p: float, stream: StreamName = "intel", generator: torch.Generator | None = None
) -> Tensor:
    """Fill `out` with 1 (probability p) or 0 from the named stream, seeded by torch's default generator."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
    return _FILL[stream](out, p, generator if generator is not None else torch.default_generator)


class StreamDropout(nn.Dropout):
    """`nn.Dropout` from a named stream, without a mode around it.

    It divides x by 1 - p where `nn.Dropout` multiplies by the rounded 1 / (1 - p). In float32 the two differ in
    the last bit, and with this one three of the handout's four errors come out to the digits that were published.
    It was chosen for that: the masked case and the encoding come out under either form, the self-attention under
    this one alone, which says nothing of what the original machine computed.
    """

    def __init__(self, p: float = 0.1, stream: StreamName = "intel") -> None:
        super().__init__(p)
        self.stream: StreamName = stream

    def forward(self, x: Tensor) -> Tensor:
        """x of any shape -> the same shape."""
        if not self.training or self.p == 0:
            return x
        if self.p == 1:
            return x * 0  # without a draw, as `nn.Dropout` does
        return x * bernoulli_(torch.empty_like(x), 1 - self.p, self.stream) / (1 - self.p)


class DropoutStream:
    """Inside `with DropoutStream(stream):` every dropout on the CPU draws from the named stream.

    `nn.Dropout`, `F.dropout`, `torch.dropout`, `torch.native_dropout`, `torch.bernoulli(x, p)`, `dropout_p=` of
    `F.scaled_dot_product_attention` and the feature and alpha variants all end in the kernel of `bernoulli_` with a
    number, which is another one inside: nothing else runs otherwise than outside, or slower. Gradients flow as always.
    `torch.bernoulli` of a tensor of probabilities is left alone: it is per element on every CPU. Tensors on other
    devices are left alone. All threads of the process are inside.
    """

    _inside: ClassVar[list[DropoutStream]] = []
    """The streams that are entered, the innermost last."""
    _kernel: ClassVar[torch.library.Library | None] = None

    def __init__(self, stream: StreamName = "intel") -> None:
        if stream not in _FILL:
            raise ValueError(f"no dropout stream {stream!r}; known: {', '.join(_FILL)}")
        self.stream: StreamName = stream

    def __enter__(self) -> Self:
        if not self._inside:
            DropoutStream._kernel = _replaced_kernel()
        self._inside.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        self._inside.pop()
        if not self._inside and self._kernel is not None:
            self._kernel._destroy()  # type: ignore[no-untyped-call]
            DropoutStream._kernel = None

    def _bernoulli_(self, out: Tensor, p: float = 0.5, *, generator: torch.Generator | None = None) -> Tensor:
        return bernoulli_(out, p, self.stream, generator)


def _replaced_kernel() -> torch.library.Library:
    """Puts the innermost stream in the place of torch's own kernel, until what is returned is destroyed."""
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():  # torch warns that a kernel is replaced
        warnings.simplefilter("ignore")
        library.impl("bernoulli_.float", _innermost, "CPU")  # type: ignore[no-untyped-call]
    return library


def _innermost(out: Tensor, p: float = 0.5, *, generator: torch.Generator | None = None) -> Tensor:
    return DropoutStream._inside[-1]._bernoulli_(out, p, generator=generator)


def native_stream() -> StreamName | None:
    """Which of the two streams this machine's own dropout is; None for a PyTorch that draws in a third way.

    torch's default generator stays as it was."""
    for stream in _FILL:
        native, replayed = (torch.Generator().manual_seed(0) for _ in range(2))
        expected = bernoulli_(torch.empty(256), 0.5, stream, replayed)
        if torch.equal(torch.empty(256).bernoulli_(0.5, generator=native), expected):
            return stream
    return None

"""What a check of part 2d asks of a student's PositionalEncoding, kept, so that a wrong answer can be explained.

Works as `inquiry` does for attention; see there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from grader.checking.evidence import Running
from grader.checking.student import Student
from grader.diagnosis import Finding
from grader.worker.calls import Call, Raised, Ref, Reply
from reference.transformer.explaining import explained
from reference.transformer.matching import versions
from reference.transformer.misconceptions.drops import Mode

if TYPE_CHECKING:
    from reference.transformer.misconceptions.encoding_calls import EncodingRecord
    from reference.transformer.misconceptions.replay import Replays

MAX_LEN = 64
"""Small on purpose: a table built by nested loops takes half a minute for the default of 5,000."""
PROBED = ((6, 2, 4), (10, 3, 5))
"""(embed_dim, sequences, length) of the probes of diagnosis: lengths at which no two tables of the bank are alike."""
SAVED = "replays of the encoding"
"""Where the checks of one submission share the probes."""
_NO_MAX_LEN = "Your PositionalEncoding takes no max_len; it was built with its default."


class _Kept(NamedTuple):
    x: Tensor
    mode: Mode
    output: Any


class EncodingInquiry:
    """What one check asked."""

    def __init__(self, check: Running, student: Student, max_len: int = MAX_LEN) -> None:
        """`max_len`: with which the modules are built, unless their constructor takes none."""
        self._check = check
        self._max_len = max_len
        self._student = student
        self._kept: list[_Kept] = []

    def ask(
        self, embed_dim: int, x: Tensor, modes: Sequence[Mode], *, dropout: float | None = None
    ) -> tuple[list[Any], float | None]:
        """Build the module and call it on x (N, S, E) in each mode: the outputs, and the dropout that it was built
        with, None for its own default: an argument that the constructor does not have is left out."""
        calls = [forward(x, mode) for mode in modes]
        if dropout is not None:
            outputs = self._values(self._student.replies(self._build(embed_dim, dropout=dropout), *calls))
            if outputs is None:
                dropout = None
        if dropout is None:
            outputs = self.call(embed_dim, *calls)
        assert outputs is not None
        modes = [mode if dropout is None else mode._replace(p=dropout) for mode in modes]
        for mode, output in zip(modes, outputs, strict=True):
            self.keep(x, mode, output)
        return outputs, dropout

    def call(self, embed_dim: int, *calls: Call) -> list[Any]:
        """Build the module as "encoding" and make `calls`: their values."""
        values = self._values(self._student.replies(self._build(embed_dim), *calls))
        if values is None:
            self._check.note(_NO_MAX_LEN)
            build = building(embed_dim, self._check.seed)
            values = self._student.values(self._student.replies(build, *calls))[1:]
        return values

    def _build(self, embed_dim: int, dropout: float | None = None) -> Call:
        return building(embed_dim, self._check.seed, self._max_len, dropout)

    def _values(self, replies: list[Reply]) -> list[Any] | None:
        """The values after the first; None where the constructor has not all arguments."""
        if isinstance(replies[0], Raised) and replies[0].kind == "signature":
            return None
        return self._student.values(replies)[1:]

    def keep(self, x: Tensor, mode: Mode, output: Any) -> None:
        """Take down one call, to be replayed where the check is wrong."""
        self._kept.append(_Kept(x, mode, output))

    def finding(self, shared: dict[str, Any]) -> Finding:
        """Which known mistake explains all that was asked. The first check that is wrong asks the probes for all."""
        own = _recorded(self._kept)
        if own is None:
            return Finding(None)
        if SAVED not in shared:
            shared[SAVED] = None  # where the probes end the worker, they are not asked again
            shared[SAVED] = self._replays()
        replays: Replays | None = shared[SAVED]
        return replays.finding([own]) if replays else Finding(None)

    def _replays(self) -> Replays | None:
        from reference.transformer.misconceptions.encoding_calls import encoding_hypotheses
        from reference.transformer.misconceptions.replay import Replays

        generator = torch.Generator().manual_seed(self._check.seed)
        probes = EncodingInquiry(self._check, self._student)
        with self._check.aside():
            for place, x in enumerate(diagnostic_inputs(generator)):
                probes.ask(x.size(-1), x, [Mode(seed=place)])
        record = _recorded(probes._kept)
        return Replays(record, encoding_hypotheses()) if record else None


def diagnostic_inputs(generator: torch.Generator) -> list[Tensor]:
    """(N, S, E) each, between -1 and 1: tables are told apart on the scale of what comes out, which these keep low."""
    return [2 * torch.rand(N, S, E, generator=generator) - 1 for E, N, S in PROBED]


@lru_cache(maxsize=64)
def building(
    embed_dim: int, seed: int | None, max_len: int | None = None, dropout: float | None = None
) -> Call:
    """Build the student's PositionalEncoding, kept as "encoding"; what is None is left out."""
    named = {"max_len": max_len, "dropout": dropout}
    given = {name: value for name, value in named.items() if value is not None}
    return Call("student:PositionalEncoding", (embed_dim,), given, seed=seed, keep="encoding")


def forward(x: Tensor, mode: Mode = Mode()) -> Call:  # noqa: B008
    """Of the module that was built; for the same tensor it is the same object."""
    return _forward(x, versions([x]), mode)


@lru_cache(maxsize=256)
def _forward(x: Tensor, versions: tuple[int, ...], mode: Mode) -> Call:
    return Call("harness:forward", (Ref("encoding"), mode.training, mode.seed, [x]))


def _recorded(kept: Sequence[_Kept]) -> EncodingRecord | None:
    """The calls as they can be replayed; None where one gave no output of the right kind."""
    from reference.transformer.misconceptions.encoding_calls import EncodingRecord
    from reference.transformer.misconceptions.replay import Run

    for _, _, output in kept:
        if not isinstance(output, Tensor) or not output.is_floating_point() or output.dim() != 3:
            return None
    return EncodingRecord([Run((x,), output.float(), mode) for x, mode, output in kept]) if kept else None


@contextmanager
def asking(check: Running, student: Student, shared: dict[str, Any]) -> Iterator[EncodingInquiry]:
    """An inquiry; what takes points inside is explained by what was asked."""
    inquiry = EncodingInquiry(check, student)
    with explained(check, lambda: inquiry.finding(shared)):
        yield inquiry

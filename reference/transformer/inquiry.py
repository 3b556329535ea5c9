"""What a check of part 2c asks of a student's MultiHeadAttention, kept, so that a wrong answer can be explained.

    with asking(check, student, shared) as inquiry:
        asked = inquiry.ask(E, H, probes)          # raises where student code did
        judge(check, [asked])                      # raises where it is wrong: what was asked is then replayed

The bank of misconceptions is imported only after something was wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from grader.checking.evidence import Running
from grader.checking.received import shapes
from grader.checking.student import Student
from grader.diagnosis import Finding
from grader.worker.calls import Call, Raised, Reply, Returned
from reference.transformer.asking import Asked, Probe, building, call, draw, normal, once_a_seed, random_mask
from reference.transformer.explaining import explained
from reference.transformer.fresh_weights import fresh_weights
from reference.transformer.matching import replayable
from reference.transformer.misconceptions.drops import Mode

if TYPE_CHECKING:
    from reference.transformer.misconceptions.replay import Fault, Record, Replays

PROBED = (18, 3)
"""embed_dim and num_heads of the module that diagnosis asks. Neither the head size, 6, nor its root is the number of
heads, a length below, or the root of one of these or of embed_dim; and that root is no whole number."""
SAVED = "replays of attention"
"""Where the checks of one submission share the probes."""


class _Kept(NamedTuple):
    """The calls of one module, before anything about the replies is known to be in order."""

    embed_dim: int
    num_heads: int
    seed: int
    described: Reply
    probes: Sequence[Probe]
    modes: Sequence[Mode]
    replies: Sequence[Reply]


class Inquiry:
    """What one check asked."""

    def __init__(self, check: Running, student: Student) -> None:
        self._check = check
        self._student = student
        self._kept: list[_Kept] = []

    def ask(
        self,
        embed_dim: int,
        num_heads: int,
        probes: Sequence[Probe],
        modes: Sequence[Mode] = (),
        *,
        dropout: float | None = None,
    ) -> Asked:
        """Build the module with fresh weights, then put each probe in its mode, eval by default.

        A `dropout` that the constructor has no argument for is left out.
        """
        modes = modes or [Mode()] * len(probes)
        seed = self._check.seed
        calls = [forward(*pair) for pair in zip(probes, modes, strict=True)]
        replies = self._student.replies(*building(embed_dim, num_heads, seed, dropout), *calls)
        if dropout is not None and isinstance(replies[0], Raised) and replies[0].kind == "signature":
            dropout = None
            replies = self._student.replies(*building(embed_dim, num_heads, seed), *calls)
        modes = [mode._replace(p=dropout if dropout is not None else mode.p) for mode in modes]
        self._kept.append(_Kept(embed_dim, num_heads, seed, replies[1], probes, modes, replies[2:]))
        _, described, *outputs = self._student.values(replies)
        parameters = fresh_weights(shapes(described, "the shapes of the parameters"), seed)
        return Asked(num_heads, list(probes), outputs, parameters, dropout)

    def ask_more(self, probes: Sequence[Probe]) -> Sequence[Reply]:
        """Put more probes to the module of the last `ask`, in eval mode; what is raised comes back too."""
        kept = self._kept[-1]
        replies = self._student.replies(*(forward(probe, Mode()) for probe in probes))
        self._kept.append(kept._replace(probes=probes, modes=[Mode()] * len(probes), replies=replies))
        return replies

    def finding(self, shared: dict[str, Any]) -> Finding:
        """Which known mistake explains all that was asked. The first check that is wrong asks the probes for all."""
        own = [record for kept in self._kept if (record := recorded(kept))]
        if not own:
            return Finding(None)
        if SAVED not in shared:
            shared[SAVED] = None  # where the probes end the worker, they are not asked again
            shared[SAVED] = self._replays()
        replays: Replays | None = shared[SAVED]
        return replays.finding(own) if replays else Finding(None)

    def _replays(self) -> Replays | None:
        """Put the probes to a module of their own."""
        from reference.transformer.misconceptions.attention_calls import attention_hypotheses
        from reference.transformer.misconceptions.replay import Replays

        (embed_dim, num_heads), seed = PROBED, self._check.seed
        probes = _probes(seed, embed_dim)
        modes = [Mode(seed=place) for place in range(len(probes))]
        with self._check.aside():
            _, described = self._student.replies(*building(*PROBED, seed, keep="probed"))
            replies = self._each([forward(*asked, "probed") for asked in zip(probes, modes, strict=True)])
        record = recorded(_Kept(embed_dim, num_heads, seed, described, probes, modes, replies))
        return Replays(record, attention_hypotheses()) if record else None

    def _each(self, calls: Sequence[Call]) -> list[Reply]:
        """The replies to all calls: what raises on one may answer the next, which the worker then skips."""
        replies: list[Reply] = []
        while len(replies) < len(calls):
            first, *others = self._student.replies(*calls[len(replies) :])
            replies.append(first)  # whatever it says: a worker that skips everything must not keep us here
            replies += [r for r in others if isinstance(r, Returned) or r.kind != "skipped"]
        return replies


def forward(probe: Probe, mode: Mode, module: str = "attention") -> Call:
    return call(probe, training=mode.training, seed=mode.seed, module=module)


@once_a_seed
def _probes(seed: int, embed_dim: int) -> list[Probe]:
    return diagnostic_probes(draw(seed), embed_dim)


def diagnostic_probes(generator: torch.Generator, embed_dim: int) -> list[Probe]:
    """On which every two misconceptions of the bank that show in eval mode differ.

    Three different tensors, other lengths of query and key, masks that are not their own transpose, a batch and a
    single sequence; and one length that is the head size, where * does not fail for @. One query of each mask keeps
    all keys, so that nan and -inf do not reach every row.
    """

    def three(N: int, S: int, T: int) -> tuple[Tensor, Tensor, Tensor]:
        return (
            normal(generator, N, S, embed_dim),
            normal(generator, N, T, embed_dim),
            normal(generator, N, T, embed_dim),
        )

    def same(N: int, L: int) -> tuple[Tensor, Tensor, Tensor]:
        x = normal(generator, N, L, embed_dim)
        return x, x, x

    def mask(S: int, T: int) -> Tensor:
        found = random_mask(generator, S, T)
        found[-1] = True
        return found

    return [
        # Small, and one tensor for all three: most recipes are unlike on the first, and those that differ in masks and
        # arguments alone need not be told apart there.
        Probe(*same(1, 3)),
        Probe(*three(1, 3, 4), mask(3, 4)),
        Probe(*three(2, 4, 5), mask(4, 5)),
        Probe(*same(2, 5)),
        Probe(*three(3, 4, 7)),
        Probe(*three(2, 6, 6)),
        Probe(*same(2, 7), mask(7, 7)),
        Probe(*same(2, 5), mask(5, 5).float()),
    ]


def recorded(kept: _Kept) -> Record | None:
    """The calls as they can be replayed; None where the module's weights are not those of attention."""
    from reference.transformer.misconceptions.attention_calls import AttentionRecord
    from reference.transformer.misconceptions.replay import Run

    if not isinstance(kept.described, Returned):
        return None
    parameters = fresh_weights(shapes(kept.described.value, "the shapes of the parameters"), kept.seed)
    readings = replayable(parameters, kept.embed_dim, kept.num_heads)
    runs = [
        Run(tuple(probe.inputs()), _result(reply), mode)
        for probe, mode, reply in zip(kept.probes, kept.modes, kept.replies, strict=True)
        if isinstance(reply, Returned) or reply.kind != "skipped"
    ]
    return AttentionRecord(runs, readings, kept.num_heads) if readings and runs else None


def _result(reply: Reply) -> Tensor | Fault:
    from reference.transformer.misconceptions.replay import Fault

    if isinstance(reply, Raised):
        return Fault(reply.type_name if reply.kind == "exception" else "", reply.message)
    is_output = isinstance(reply.value, Tensor) and reply.value.is_floating_point()
    return reply.value.float() if is_output else Fault("", "no output")


@contextmanager
def asking(check: Running, student: Student, shared: dict[str, Any]) -> Iterator[Inquiry]:
    """An inquiry; what takes points inside is explained by what was asked."""
    inquiry = Inquiry(check, student)
    with explained(check, lambda: inquiry.finding(shared)):
        yield inquiry

"""Runs one attack through the real path of grading and writes down everything that the judge got to see."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import torch

from grader.assignment import read_assignment, select
from grader.checking.session import run_checks
from grader.checking.student import AskWorker
from grader.intake import read_submission
from grader.model import CheckResult
from grader.worker import Call, Limits, Ref, Reply, Returned, Zygote, ZygoteSpec
from reference.transformer.attention import MultiHeadAttention
from reference.transformer.fresh_weights import fresh_weights

from . import folders
from .attacks import Attack
from .scene import Scene

MIB = 2**20
LIMITS = Limits(
    memory_bytes=768 * MIB,
    cpu_s=20,
    tmp_bytes=8 * MIB,
    tmp_inodes=200,
    file_bytes=4 * MIB,
    reply_bytes=16 * MIB,
)
HONEST = (
    "2c.self", "2c.masked", "2c.cross", "2c.dropout", "2c.gradients", "2c.independence", "2c.handout", "2c.reported",
    "2d.values", "2d.dropout", "2d.input", "2d.buffer", "2d.reported",
)  # fmt: skip
_CLAIMS = """
["2a"]
norm = {0}
["2b"]
masked_norm = {0}
["2c"]
self_error = {0}
masked_error = {0}
cross_error = {0}
["2d"]
error = {0}
"""


@dataclass(slots=True)
class Seen:
    """What became of one attack."""

    results: list[CheckResult]
    internal: dict[str, str]
    received: str
    """Every reply of the worker and every word of the results, as text."""
    workers: list[psutil.Process] = field(default_factory=list)
    """Processes that were started for it."""


class _Recording:
    """A worker whose replies are kept."""

    def __init__(self, worker: AskWorker, kept: list[str]) -> None:
        self._worker = worker
        self._kept = kept

    @property
    def alive(self) -> bool:
        return self._worker.alive

    def run(self, calls: Sequence[Call], timeout_s: float) -> list[Reply]:
        replies = self._worker.run(calls, timeout_s)
        self._kept.extend(map(_as_text, replies))
        return replies

    def close(self) -> None:
        self._worker.close()


def _as_text(reply: Reply) -> str:
    tensors: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, torch.Tensor):
            tensors.append(value.contiguous().view(-1).view(torch.uint8).numpy().tobytes().decode("latin-1"))
        elif isinstance(value, list):
            for item in value:
                look(item)
        elif isinstance(value, dict):
            for item in value.values():
                look(item)

    if isinstance(reply, Returned):
        look(reply.value)
    return repr(reply) + "".join(tensors)


class Arena:
    """One zygote, warm for part 2, at one level."""

    def __init__(self, level: str, scene: Scene) -> None:
        self.scene = scene
        self.assignment = read_assignment(scene.assignment)
        spec = ZygoteSpec.of(self.assignment, ("torch",), LIMITS)
        self.zygote = Zygote(spec, isolation=level)  # type: ignore[arg-type]
        self.zygote.wait_ready()
        honest = read_submission(scene.other.parent)
        self._honest = [(file.path, file.content) for file in honest.files]

    def attack(self, attack: Attack) -> Seen:
        """Hand the attack in and grade it."""
        folder = self.scene.hand_ins / "mallory"
        folder.mkdir()
        try:
            if attack.source is None:
                getattr(folders, attack.name)(folder, self.scene)
            else:
                (folder / "attention.py").write_text(attack.code(self.scene.words()), encoding="utf-8")
            if attack.answers is not None:
                (folder / "answers.toml").write_text(_CLAIMS.format(attack.answers), encoding="utf-8")
            return self.grade(folder, attack.checks, attack.timeout_s)
        finally:
            shutil.rmtree(folder)

    def honest_student_is_right(self) -> bool:
        """The hand-in after it: another student's worker computes what is due."""
        x = torch.randn(1, 3, 8)
        with self.zygote.worker(self._honest) as worker:
            replies = worker.run(
                [
                    Call("student:MultiHeadAttention", (8, 2), keep="attention"),
                    Call("harness:randomise", (Ref("attention"), 5)),
                    Call("harness:forward", (Ref("attention"), False, 0, [x, x, x])),
                ]
            )
        obtained = getattr(replies[2], "value", None)
        module = MultiHeadAttention(8, 2)
        due = fresh_weights({name: p.shape for name, p in module.named_parameters()}, 5)
        module.load_state_dict(due)
        return isinstance(obtained, torch.Tensor) and torch.allclose(
            obtained, module.eval()(x, x, x), atol=1e-5
        )

    def honest_marks(self) -> dict[str, bool]:
        """Check -> has the other student every point of it?"""
        seen = self.grade(self.scene.other.parent, HONEST, None)
        return {result.id: result.points.earned == result.points.possible for result in seen.results}

    def grade(self, folder: Path, checks: Sequence[str], timeout_s: float | None) -> Seen:
        submission = read_submission(folder)
        files = [(file.path, file.content) for file in submission.files if file.problem is None]
        chosen = [
            replace(c, timeout_s=timeout_s or c.timeout_s) for c in select(self.assignment, checks=checks)
        ]
        received: list[str] = []
        seen = Seen([], {}, "")

        def open_worker() -> AskWorker:
            before = set(self.processes())
            worker = _Recording(self.zygote.worker(files, submission.name), received)
            seen.workers += [p for p in self.processes() if p not in before]
            return worker

        seen.results, seen.internal = run_checks(
            self.assignment, submission, chosen, seed=20, open_worker=open_worker
        )
        seen.received = "\n".join([*received, *map(repr, seen.results), *submission.notes])
        return seen

    def processes(self) -> list[psutil.Process]:
        """All below the zygote."""
        return psutil.Process(self.zygote.pid).children(recursive=True)

    def left_running(self, seen: Seen) -> list[psutil.Process]:
        """Processes started for an attack that are still there, once the kernel has had time to take them away."""
        _, alive = psutil.wait_procs(seen.workers, timeout=5)
        return alive

    def private_folders(self) -> list[str]:
        """What is in the private folder of the judge for this zygote; workers' own are gone with them."""
        base = self.zygote._host._base  # type: ignore[union-attr]
        return sorted(path.name for path in base.iterdir())

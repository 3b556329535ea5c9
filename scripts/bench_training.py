"""What part 3 of one submission costs warm, beside the same hand-in in a fresh process; and a worker's private memory.

    python scripts/bench_training.py [--runs 5] [PATH]

    warm    both models trained, recomputed and asked for hidden predictions: sealed worker, all checks, warm process
    fresh   scripts/baseline.py --part 3: one new process that imports torch, transformers, datasets and the student's
            code, and runs the very same checks on the very same texts
    watch   the CPU of finetune alone in the worker, watched and not: what taking notes costs

CPU is user + system of everything that runs for it. Medians; the ways take turns, so that a machine whose speed drifts
treats them alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
import torch
from bench import REPOSITORY, measure
from bench_class import cost

from grader.assignment import load_assignment, select
from grader.checking.session import run_checks
from grader.checking.student import AskWorker
from grader.intake import read_submission
from grader.model import Assignment, Submission
from grader.worker import Call, Ref, Reply, Returned, Worker, Zygote, ZygoteSpec
from reference.transformer.bodies import dataset_call, sample
from reference.transformer.rerun import BATCH_SIZE, EPOCHS, ROWS, SHORTEST, labelled_test_texts

PRELOAD = ("torch", "transformers", "datasets")


class Weighed:
    """A worker whose private memory is taken down after each batch of calls."""

    def __init__(self, worker: Worker, zygote: Zygote, private: list[float]) -> None:
        self._worker, self._zygote, self._private = worker, zygote, private

    @property
    def alive(self) -> bool:
        return self._worker.alive

    def run(self, calls: Sequence[Call], timeout_s: float) -> list[Reply]:
        replies = self._worker.run(calls, timeout_s)
        workers = psutil.Process(self._zygote.pid).children(recursive=True)
        self._private.append(max((w.memory_full_info().uss for w in workers), default=0) / 2**20)
        return replies

    def close(self) -> None:
        self._worker.close()


def grade_once(
    assignment: Assignment, submission: Submission, zygote: Zygote, private: list[float] | None = None
) -> None:
    """Part 3 of the submission; raises RuntimeError where it loses a point that a machine marks."""
    files = [(file.path, file.content) for file in submission.files if file.problem is None]

    def open_worker() -> AskWorker:
        worker = zygote.worker(files, name=submission.name)
        return worker if private is None else Weighed(worker, zygote, private)

    selected = [check for check in select(assignment, parts=["3"]) if not check.review]
    results, internal = run_checks(assignment, submission, selected, seed=1, open_worker=open_worker)
    lost = [result.id for result in results if result.points.earned < result.points.possible]
    if internal or any(id.endswith((".trains", ".claims", ".predict")) for id in lost):
        raise RuntimeError(f"points were lost: {lost} {internal}")


def finetune_s(submission: Submission, zygote: Zygote, body: str, watched: bool) -> float:
    """CPU seconds of the student's finetune, as the worker tells them."""
    train = sample("assets/news/train.jsonl", ROWS[body], 1, shortest=SHORTEST)
    test = labelled_test_texts(1)
    calls = [
        Call("harness:tiny_model", (body,), seed=1, keep="model"),
        Call("harness:tokenizer", (body,), keep="tokenizer"),
        dataset_call(train, "train"),
        dataset_call(test, "test"),
        Call(
            "student:finetune",
            tuple(Ref(name) for name in ("model", "tokenizer", "train", "test")),
            {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "learning_rate": 5e-5, "seed": 1},
            seed=1,
        ),
    ]
    if watched:
        texts = [row["text"] for row in (*train, *test)]
        calls.insert(-1, Call("harness:watch_training", (Ref("model"), texts)))
    files = [(file.path, file.content) for file in submission.files if file.problem is None]
    with zygote.worker(files, name=submission.name) as worker:
        last = worker.run(calls, timeout_s=600)[-1]
    if not isinstance(last, Returned):
        raise RuntimeError(last.message)
    return last.seconds


def spread(values: Sequence[float]) -> str:
    """Median (smallest to largest)."""
    return f"{statistics.median(values):6.2f}  ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", nargs="?", type=Path, default=REPOSITORY / "submissions" / "alice")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    assignment, submission = load_assignment(), read_submission(options.path)
    fresh_command = [sys.executable, "scripts/baseline.py", str(options.path), "--part", "3"]
    warm, fresh, ratios, watched, plain, private = ([] for _ in range(6))  # type: list[list[float]]
    with Zygote(ZygoteSpec.of(assignment, PRELOAD)) as zygote:
        grade_once(assignment, submission, zygote, private)
        for _ in range(options.runs):
            warm.append(cost(lambda: grade_once(assignment, submission, zygote), [zygote.pid], 1) / 1000)
            fresh.append(measure(fresh_command, {0}).cpu_s)
            ratios.append(fresh[-1] / warm[-1])
            for seconds, is_watched in ((watched, True), (plain, False)):
                seconds.append(
                    sum(
                        finetune_s(submission, zygote, body, is_watched) for body in ("distilbert", "roberta")
                    )
                )
        level = zygote.isolation.level
    print(f"{options.path.name}, part 3, isolation {level}; CPU s, {options.runs} runs, median (min to max)")
    print(f"  warm            {spread(warm)}")
    print(f"  fresh           {spread(fresh)}")
    print(f"  fresh / warm    {spread(ratios)}")
    print(f"  finetune ×2     {spread(plain)}")
    print(f"  watched         {spread(watched)}   {min(watched) / min(plain) - 1:+.1%} (smallest of each)")
    print(f"  private memory of the worker: at most {max(private):.0f} MiB")


if __name__ == "__main__":
    main()

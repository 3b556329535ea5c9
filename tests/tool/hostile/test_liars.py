"""A worker that is the student's altogether: whatever it answers, no mark comes of it and no check breaks.

The strongest attacker that the protocol allows. A check that breaks is excused as the grader's own error, and its
points no longer count: to break one is to raise a mark.
"""

from __future__ import annotations

import importlib.util
import inspect
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from grader.assignment import load_assignment, select
from grader.checking.evidence import Running
from grader.checking.outcomes import Outcome
from grader.checking.plugin import derive_seed
from grader.checking.student import AskWorker, Student
from grader.intake import read_answers, read_submission
from grader.model import Check
from grader.worker import Call, Raised, Reply, Returned, Zygote, ZygoteSpec
from reference.transformer.bodies import body
from reference.transformer.history import epochs_of

ALICE = Path(__file__).parents[3] / "submissions" / "alice"
ASSIGNMENT = load_assignment()
CODE_2 = select(ASSIGNMENT, parts=["2c", "2d"])
CODE_3 = select(ASSIGNMENT, checks=["3a.samples", "3b.trains", "3c.predict"])
SEED = 7

LIES: dict[str, Any] = {
    "none": None,
    "true": True,
    "minus one": -1,
    "nan": math.nan,
    "text": "passed",
    "empty list": [],
    "list of none": [None] * 8,
    "list of lists": [["passed", 1], [{}]],
    "empty dict": {},
    "dict of none": dict.fromkeys(["output", "inputs", "attached", "gradients", "self", "masked", "text", "label"]),
    "dict of lists": {"output": [1], "inputs": ["x"], "attached": True, "gradients": [], "text": [1], "label": ["x"]},
    "dict of nans": {"output": torch.tensor(math.nan), "inputs": [torch.tensor(1)], "attached": True, "gradients": {}},
    "scalar": torch.tensor(1.0),
    "empty tensor": torch.empty(0, 2**39),
    "integers": torch.ones(2, 5, 8, dtype=torch.int64),
    "booleans": torch.ones(2, 5, 8, dtype=torch.bool),
    "halves": torch.ones(2, 5, 8, dtype=torch.float16),
    "infinities": torch.full((2, 5, 8), math.inf),
    "raised": Raised("exception", "ValueError", "x"),
    "a value that did not travel": Raised("value", "", "The result is a generator"),
}  # fmt: skip


@dataclass
class Liar:
    """Answers each batch by `answer(call, index)`."""

    answer: Callable[[Sequence[Call], int], Reply]
    alive: bool = True

    def run(self, calls: Sequence[Call], timeout_s: float) -> list[Reply]:
        return [self.answer(calls, i) for i in range(len(calls))]

    def close(self) -> None:
        self.alive = False


@dataclass
class Recorder:
    """An honest worker, with its answers kept by what was asked."""

    worker: Any
    kept: dict[str, list[Reply]] = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        return bool(self.worker.alive)

    def run(self, calls: Sequence[Call], timeout_s: float) -> list[Reply]:
        replies: list[Reply] = self.worker.run(calls, timeout_s)
        self.kept[asked(calls)] = replies
        return replies

    def close(self) -> None:
        self.worker.close()


def asked(calls: Sequence[Call]) -> str:
    """What tells one batch of part 2 from another."""
    return " ".join(f"{c.target} {c.seed} {[a for a in c.args if isinstance(a, int | str)]}" for c in calls)


def checks_of(file: str) -> ModuleType:
    """One file of the assignment's checks, as a module of this test."""
    spec = importlib.util.spec_from_file_location(f"hostile_{file}", ASSIGNMENT.root / f"{file}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FILES = sorted(path.stem for path in ASSIGNMENT.root.glob("test_[23]_*.py"))
FUNCTIONS: dict[str, Any] = {}
"""check -> the function that judges it"""
MODULES: dict[str, ModuleType] = {}


@pytest.fixture(autouse=True, scope="module")
def _checks(request: pytest.FixtureRequest) -> None:
    """Load the checks, whose mark the session that runs them for `grade` knows by its plugin."""
    request.config.addinivalue_line("markers", "check(id): a check of an assignment")
    for name in FILES:
        MODULES[name] = checks_of(name)
        for function in vars(MODULES[name]).values():
            for mark in getattr(function, "pytestmark", []):
                FUNCTIONS[mark.args[0]] = function


def judged(checks: Sequence[Check], worker: AskWorker) -> dict[str, Outcome | None]:
    """check -> its outcome, None for passed. What else a check raises would be taken for the grader's own error."""
    submission = read_submission(ALICE)
    given = {"submission": submission, "answers": read_answers(submission), "shared": {}}
    found: dict[str, Outcome | None] = {}
    for check in checks:
        running = Running(check, derive_seed(SEED, check.id))
        given |= {"check": running, "student": Student(lambda: worker, 10.0, on_reply=running.saw)}
        function = FUNCTIONS[check.id]
        try:
            function(**{name: given[name] for name in inspect.signature(function).parameters})
            found[check.id] = None
        except Outcome as outcome:
            found[check.id] = outcome
        running.evidence()
    return found


def as_reply(lie: Any) -> Reply:
    return lie if isinstance(lie, Raised) else Returned(lie)


@pytest.mark.parametrize("lie", LIES)
def test_one_answer_to_everything_earns_nothing(lie: str) -> None:
    found = judged([*CODE_2, *CODE_3], Liar(lambda calls, i: as_reply(LIES[lie])))
    earned = {check for check, outcome in found.items() if outcome is None or outcome.fraction}
    # An empty list of tensors left behind is what right code answers: the worker's word, for one point.
    assert earned <= ({"2d.buffer"} if lie == "empty list" else set())


@pytest.fixture(scope="module")
def honest(_checks: None) -> dict[str, list[Reply]]:
    """What alice's code answers in part 2."""
    spec = ZygoteSpec.of(ASSIGNMENT, ("torch",))
    files = [(f.path, f.content) for f in read_submission(ALICE).files]
    with Zygote(spec) as zygote, zygote.worker(files) as worker:
        recorder = Recorder(worker)
        assert set(judged(CODE_2, recorder).values()) == {None}
        return recorder.kept


@pytest.mark.parametrize("lie", LIES)
def test_one_lie_among_honest_answers_breaks_no_check(lie: str, honest: dict[str, list[Reply]]) -> None:
    """The lie is told in each place of every batch in turn."""
    longest = max(map(len, honest.values()))
    for place in range(1, longest):

        def answer(calls: Sequence[Call], i: int, place: int = place) -> Reply:
            replies = honest.get(asked(calls))
            if replies is None or i == place % len(calls):
                return as_reply(LIES[lie])
            return replies[i]

        found = judged(CODE_2, Liar(answer))
        assert len(found) == len(CODE_2)


WEIGHTS = {
    "zeros": lambda state: {k: torch.zeros_like(v) for k, v in state.items()},
    "huge": lambda state: {k: torch.full_like(v, 3e38) for k, v in state.items()},
    "nan": lambda state: {k: v * math.nan for k, v in state.items()},
    "integers": lambda state: {k: torch.ones(v.shape, dtype=torch.int64) for k, v in state.items()},
    "one missing": lambda state: dict(list(state.items())[1:]),
    "other shapes": lambda state: {k: v[:0] for k, v in state.items()},
    "no tensors": lambda state: dict.fromkeys(state, "passed"),
    "as it came": lambda state: state,
}


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("labels", ["World", "Sports", 3])
def test_weights_without_training_earn_nothing(name: str, labels: Any) -> None:
    """Nor do labels that no model gave: zeros for weights would make every label right."""
    state = WEIGHTS[name](body("distilbert").state_dict())

    def answer(calls: Sequence[Call], i: int) -> Reply:
        if calls[i].target == "harness:weights":
            return Returned(state)
        if calls[i].target == "student:predict":
            return Returned([labels] * len(calls[i].args[2]))
        return Returned([{"train_loss": 0.1, "train_acc": 1.0, "test_acc": 1.0, "seconds": 1.0}] * 3)

    found = judged(CODE_3, Liar(answer))
    assert [check for check, outcome in found.items() if outcome is None or outcome.fraction] == []


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, True, None, "1.0", torch.tensor([math.nan]), torch.ones(2)]
)
def test_an_accuracy_that_is_no_number_is_none(value: Any) -> None:
    """NaN is not further from the recomputed accuracy than any tolerance."""
    epoch = {"train_loss": 0.1, "train_acc": 1.0, "test_acc": value, "seconds": 1.0}
    assert epochs_of([epoch] * 3) is None
    assert epochs_of({key: [number] * 3 for key, number in epoch.items()}) is None

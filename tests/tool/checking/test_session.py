"""One pytest session for one submission: nothing but a confirmed pass is a pass, and no check is ever lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from grader.checking import session
from grader.checking.plugin import derive_seed
from grader.checking.session import run_checks
from grader.model import Assignment, Check, CheckResult, Part, Status, Submission
from grader.worker.calls import Call, Reply, Returned, WorkerCrashed

PREAMBLE = """
from decimal import Decimal
from fractions import Fraction
import pytest
from grader.checking.outcomes import Blocked, Failed, Missing, NeedsReview, Partial
from grader.worker.calls import Call

def check(name):
    return pytest.mark.check(name)
"""
RIGHT = "\n@check('2a.right')\ndef test_right(check):\n    pass\n"
Run = Callable[..., tuple[dict[str, CheckResult], dict[str, str]]]


class FakeWorker:
    """Answers each call with its target; dies at "die"."""

    def __init__(self) -> None:
        self.alive, self.closed = True, False

    def run(self, calls: Sequence[Call], timeout_s: float) -> list[Reply]:
        if any(call.target == "die" for call in calls):
            self.alive = False
            raise WorkerCrashed("It died.")
        return [Returned(call.target) for call in calls]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """run(body, "2a.x", ...): judge these checks by a check file with this body; results and tracebacks by id."""

    def judge(
        body: str, *declared: str | Check, workers: list[FakeWorker] | None = None, **options: Any
    ) -> Any:
        checks = [
            d if isinstance(d, Check) else Check(d, d[:2], f"Title of {d}", Decimal(2)) for d in declared
        ]
        parts = tuple(Part(id, id, "") for id in dict.fromkeys(c.part for c in checks))
        assignment = Assignment("t", "1", "T", parts, tuple(checks), tmp_path, "0" * 64)
        (tmp_path / "test_2_checks.py").write_text(PREAMBLE + body, encoding="utf-8")

        def open_worker() -> FakeWorker:
            assert workers is not None, "no worker was to be opened"
            workers.append(FakeWorker())
            return workers[-1]

        submission = Submission("s", tmp_path, "0" * 64, ())
        options = {"seed": 1, "open_worker": open_worker, **options}
        results, internal = run_checks(assignment, submission, checks, **options)
        assert [result.id for result in results] == [check.id for check in checks]
        return {result.id: result for result in results}, internal

    return judge


# ---------------------------------------------------------------- only a pass is a pass


@pytest.mark.parametrize(
    ("statement", "status", "earned"),
    [
        ("pass", Status.PASSED, 2),
        ("raise Failed('no', 'try')", Status.FAILED, 0),
        ("raise Partial('half', 'try', fraction=Fraction(1, 2))", Status.PARTIAL, 1),
        ("raise Missing('not there', 'write it')", Status.MISSING, 0),
        ("raise Blocked('not asked', 'look there')", Status.BLOCKED, 0),
        ("raise NeedsReview('a person')", Status.NEEDS_REVIEW, 0),
        ("assert 1 == 2, 'they differ'", Status.FAILED, 0),
    ],
)
def test_what_a_check_says_is_its_status(statement: str, status: Status, earned: int, run: Run) -> None:
    results, internal = run(f"@check('2a.x')\ndef test_x(check):\n    {statement}\n", "2a.x")
    assert (results["2a.x"].status, results["2a.x"].points.earned) == (status, earned)
    assert results["2a.x"].message
    assert internal == {}


def test_a_diagnosis_goes_with_lost_points_only(run: Run) -> None:
    body = """
from grader.model import Diagnosis
KNOWN = Diagnosis("known", "Title", "evidence", "hint")

@check('2a.lost')
def test_lost(check):
    raise Failed('no').because(KNOWN)

@check('2a.partial')
def test_partial(check):
    raise Partial('half', fraction=Fraction(1, 2), diagnosis=KNOWN)

@check('2a.missing')
def test_missing(check):
    raise Missing('not there', diagnosis=KNOWN)

@check('2a.broken')
def test_broken(check):
    raise ZeroDivisionError from Failed('no', diagnosis=KNOWN)
"""
    results, _ = run(body, "2a.lost", "2a.partial", "2a.missing", "2a.broken")
    named = {id: result.diagnosis.id if result.diagnosis else None for id, result in results.items()}
    assert named == {"2a.lost": "known", "2a.partial": "known", "2a.missing": None, "2a.broken": None}
    assert results["2a.lost"].hint == "hint"
    assert (results["2a.lost"].points.earned, results["2a.partial"].points.earned) == (0, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "raise ZeroDivisionError('ours')",
        "raise SystemExit(0)",
        "raise GeneratorExit",
        "raise BaseException('ours')",
        "pytest.fail('ours')",
        "pytest.skip('ours')",
        "pytest.xfail('ours')",
        "import torch; torch.ones(2) @ torch.ones(3)",
        "return_value = {}; return_value['x']",
    ],
)
def test_any_other_exception_is_our_fault_and_costs_nothing(statement: str, run: Run) -> None:
    body = f"@check('2a.x')\ndef test_x(check):\n    {statement}\n" + RIGHT
    results, internal = run(body, "2a.x", "2a.right")
    assert results["2a.x"].status is Status.GRADER_ERROR
    assert "no points are lost" in results["2a.x"].message
    assert internal.keys() == {"2a.x"}
    assert internal["2a.x"]
    assert results["2a.right"].status is Status.PASSED


@pytest.mark.parametrize("statement", ["pytest.exit('enough')", "pytest.exit('enough', returncode=0)"])
def test_a_check_that_ends_the_session_passes_nothing(statement: str, run: Run) -> None:
    body = (
        RIGHT
        + f"\n@check('2a.x')\ndef test_x(check):\n    {statement}\n\n@check('2a.z')\ndef test_z(check): pass\n"
    )
    results, internal = run(body, "2a.right", "2a.x", "2a.z")
    assert results["2a.x"].status is Status.GRADER_ERROR
    assert results["2a.z"].status is Status.GRADER_ERROR
    assert {"2a.x", "2a.z"} <= internal.keys()


def test_ctrl_c_in_a_check_ends_the_run_without_a_result(run: Run) -> None:
    body = "@check('2a.x')\ndef test_x(check):\n    raise KeyboardInterrupt\n" + RIGHT
    with pytest.raises(KeyboardInterrupt):
        run(body, "2a.x", "2a.right")


def test_ctrl_c_between_two_checks_ends_the_run_and_closes_the_worker(run: Run) -> None:
    workers: list[FakeWorker] = []
    body = "@check('2a.x')\ndef test_x(check, student):\n    student.ask(Call('t'))\n" + RIGHT

    def strike(check: Check) -> None:
        if check.id == "2a.right":
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(body, "2a.x", "2a.right", workers=workers, on_start=strike)
    assert [worker.closed for worker in workers] == [True]


@pytest.mark.parametrize(
    "setup",
    [
        "@pytest.fixture\ndef broken(): raise ValueError\n",
        "@pytest.fixture\ndef broken():\n    yield\n    raise ValueError\n",
        "",
    ],
    ids=["setup", "teardown", "no such fixture"],
)
def test_a_check_whose_fixture_fails_does_not_pass(setup: str, run: Run) -> None:
    body = setup + "@check('2a.x')\ndef test_x(check, broken): pass\n" + RIGHT
    results, internal = run(body, "2a.x", "2a.right")
    assert results["2a.x"].status is Status.GRADER_ERROR
    assert internal.keys() == {"2a.x"}
    assert results["2a.right"].status is Status.PASSED


def test_an_authors_own_fixture_may_ask_for_what_a_check_may(run: Run) -> None:
    body = """
@pytest.fixture
def answered(check, student, submission, shared):
    shared["seen"] = submission.name
    return check, student.call("f")

@check('2a.x')
def test_x(check, answered, shared):
    assert answered == (check, "student:f") and shared == {"seen": "s"}
"""
    results, internal = run(body, "2a.x", workers=[])
    assert (results["2a.x"].status, internal) == (Status.PASSED, {})


@pytest.mark.parametrize("mark", ["skip", "skipif(True, reason='no')", "xfail"])
def test_no_mark_of_pytest_lets_a_check_off(mark: str, run: Run) -> None:
    body = f"@check('2a.x')\n@pytest.mark.{mark}\ndef test_x(check): assert False, 'wrong'\n" + RIGHT
    results, _ = run(body, "2a.x", "2a.right")
    assert results["2a.x"].status is Status.FAILED
    assert results["2a.right"].status is Status.PASSED


def test_a_declared_check_without_a_test_is_our_fault(run: Run) -> None:
    results, internal = run(RIGHT, "2a.right", "2a.forgotten")
    assert results["2a.forgotten"].status is Status.GRADER_ERROR
    assert "did not report this check" in internal["2a.forgotten"]
    assert results["2a.right"].status is Status.PASSED


def test_a_check_file_that_does_not_import_is_our_fault_and_costs_no_other_file_its_checks(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / f"test_2_broken_{tmp_path.name}.py").write_text("raise RuntimeError('broken check file')\n")
    results, internal = run(RIGHT, "2a.right", "2a.broken")
    assert results["2a.broken"].status is Status.GRADER_ERROR
    assert "broken check file" in internal["2a.broken"]
    assert results["2a.right"].status is Status.PASSED


def test_without_the_json_report_nothing_is_confirmed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_confirmed_passes", lambda report, exit_code, check_of: set())
    results, _ = run(RIGHT, "2a.right")
    assert results["2a.right"].status is Status.GRADER_ERROR


CHECK_OF = {"test_x": "2a.x"}


@pytest.mark.parametrize("exit_code", [2, 3, 4, 5])
def test_a_session_that_ended_badly_confirms_nothing(exit_code: int) -> None:
    passed = {"nodeid": "test_x", "outcome": "passed", "call": {"outcome": "passed"}}
    assert session._confirmed_passes({"tests": [passed]}, 0, CHECK_OF) == {"2a.x"}
    assert session._confirmed_passes({"tests": [passed]}, exit_code, CHECK_OF) == set()
    assert session._confirmed_passes(None, 0, CHECK_OF) == set()


@pytest.mark.parametrize(
    "test",
    [
        {"nodeid": "test_x", "outcome": "passed"},
        {"nodeid": "test_x", "outcome": "passed", "call": {"outcome": "failed"}},
        {"nodeid": "test_x", "outcome": "error", "call": {"outcome": "passed"}},
        {"nodeid": "test_other", "outcome": "passed", "call": {"outcome": "passed"}},
    ],
    ids=["no call", "call failed", "teardown failed", "no check"],
)
def test_the_default_of_the_json_report_is_no_pass(test: dict[str, Any]) -> None:
    assert session._confirmed_passes({"tests": [test]}, 0, CHECK_OF) == set()


# ---------------------------------------------------------------- dependencies, workers, evidence


def test_a_check_that_rests_on_a_failed_one_names_it(run: Run) -> None:
    rests = Check("2a.y", "2a", "y", Decimal(1), depends_on=("2a.x",))
    body = "@check('2a.x')\ndef test_x(check):\n    raise Failed('no')\n@check('2a.y')\ndef test_y(check): pass\n"
    results, _ = run(body, "2a.x", rests)
    assert results["2a.y"].status is Status.BLOCKED
    assert results["2a.y"].message == "It rests on 2a.x, which did not pass."


def test_what_rests_on_something_missing_is_missing(run: Run) -> None:
    rests = Check("2a.y", "2a", "y", Decimal(1), depends_on=("2a.x",))
    body = "@check('2a.x')\ndef test_x(check):\n    raise Missing('no')\n@check('2a.y')\ndef test_y(check): pass\n"
    results, _ = run(body, "2a.x", rests)
    assert results["2a.y"].status is Status.MISSING
    assert "It rests on 2a.x, for which nothing was handed in." in results["2a.y"].message


def test_a_section_has_a_worker_of_its_own_and_a_dead_one_is_replaced(run: Run) -> None:
    workers: list[FakeWorker] = []
    body = "".join(
        f"@check('{id}')\ndef test_{i}(check, student):\n    student.ask(Call('{target}'))\n"
        for i, (id, target) in enumerate(
            [("2a.a", "t"), ("2a.b", "die"), ("2a.c", "t"), ("2b.a", "t"), ("3a.a", "t")]
        )
    )
    results, _ = run(body, "2a.a", "2a.b", "2a.c", "2b.a", "3a.a", workers=workers)
    passed, crashed = Status.PASSED, Status.CRASHED
    assert [r.status for r in results.values()] == [passed, crashed, passed, passed, passed]
    assert len(workers) == 3
    assert all(worker.closed for worker in workers)


def test_evidence_is_kept_up_to_the_moment_of_failure(run: Run) -> None:
    body = """
@check('2a.x')
def test_x(check):
    check.asked, check.expected = 'the sum', '3'
    check.note('a remark')
    check.note('a remark')
    check.largest_difference = float('nan')
    raise Failed('It differs.', 'Add again.')
"""
    evidence = run(body, "2a.x")[0]["2a.x"].evidence
    assert (evidence.asked, evidence.expected, evidence.notes) == ("the sum", "3", ("a remark",))
    assert evidence.largest_difference == float("inf")


def test_progress_is_told_of_every_check_in_order(run: Run) -> None:
    seen: list[tuple[str, str]] = []
    body = RIGHT + "\n@check('2a.x')\ndef test_x(check):\n    raise Failed('no')\n"
    run(
        body, "2a.x", "2a.right",
        on_start=lambda check: seen.append(("start", check.id)),
        on_finish=lambda check, status: seen.append((status.value, check.id)),
    )  # fmt: skip
    assert seen == [("start", "2a.x"), ("failed", "2a.x"), ("start", "2a.right"), ("passed", "2a.right")]


# ---------------------------------------------------------------- seeds, and what comes from outside


def test_the_seed_of_a_check_does_not_depend_on_the_others(run: Run) -> None:
    body = "".join(
        f"@check('2a.{n}')\ndef test_{n}(check):\n    check.obtained = str(check.seed)\n" for n in "xyz"
    )
    alone = run(body, "2a.y", seed=7)[0]["2a.y"].evidence.obtained
    among = run(body, "2a.z", "2a.y", "2a.x", seed=7)[0]
    assert among["2a.y"].evidence.obtained == alone == str(derive_seed(7, "2a.y"))
    assert len({r.evidence.obtained for r in among.values()}) == 3
    assert run(body, "2a.y", seed=8)[0]["2a.y"].evidence.obtained != alone


def test_the_callers_environment_does_not_steer_the_session(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_text("raise SystemExit('conftest')")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    results, _ = run(RIGHT, "2a.right")
    assert results["2a.right"].status is Status.PASSED
    assert (os.environ["PYTEST_ADDOPTS"], os.environ["PYTEST_PLUGINS"]) == (
        "--collect-only",
        "no_such_plugin",
    )


def test_two_sessions_share_nothing(run: Run) -> None:
    body = "@check('2a.x')\ndef test_x(check, shared):\n    assert shared == {}\n    shared['left'] = 1\n"
    assert [run(body, "2a.x")[0]["2a.x"].status for _ in range(2)] == [Status.PASSED, Status.PASSED]


def test_check_files_of_one_name_in_two_folders_are_two_files(run: Run) -> None:
    """pytest keeps modules by name, and two assignments may well call a file test_2_checks.py: `run` always does."""
    other = ModuleType("test_2_checks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "test_2_checks", other)
        results, internal = run(RIGHT, "2a.right")
        assert sys.modules["test_2_checks"] is other
    assert results["2a.right"].status is Status.PASSED
    assert internal == {}


def test_thirds_of_points_are_exact_where_they_can_be(run: Run) -> None:
    third = Check("2a.x", "2a", "x", Decimal("0.9"))
    body = "@check('2a.x')\ndef test_x(check):\n    raise Partial('one of three', fraction=Fraction(1, 3))\n"
    assert run(body, third)[0]["2a.x"].points.earned == Decimal("0.3")

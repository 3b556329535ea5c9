"""Grading on a cluster of real processes: the same results as on one machine, whatever becomes of a node."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import distributed
import pytest

from grader.assignment import find_assignment
from grader.checking.warm import WarmJudge
from grader.classroom.grading import ClassRun
from grader.classroom.hand_in import ClassOptions, Tally, Watcher
from grader.classroom.judges import Local
from grader.cluster import on_cluster
from grader.cluster.client import connected
from grader.cluster.judges import ClusterJudges
from grader.cluster.order import Order, identity
from grader.errors import ClusterUnusable, UsageError
from grader.gradebook import Gradebook
from grader.model import Assignment, GradeReport
from grader.serialise import to_document
from tests.tool.classroom.conftest import CHECKS, Word

DECLARED = """
id = "pocket_of_a_cluster"
version = "1"
title = "Pocket"

[[part]]
id = "1a"
title = "1a"
asks = "A word of at most five letters."

[[part]]
id = "1b"
title = "1b"
asks = "A word of at most five letters."

[[part]]
id = "1c"
title = "1c"
asks = "A word of at most five letters."

[[check]]
id = "1a.word"
title = "The word"
points = "3"

[[check]]
id = "1b.length"
title = "Its length"
points = "2"

[[check]]
id = "1c.rests"
title = "What rests on the word"
points = "1"
depends_on = ["1a.word"]
"""
CLASS = [Word(f"s{i:02d}", ("right", "wrong", "toolong", "half")[i % 4]) for i in range(16)]


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    root = tmp_path_factory.mktemp("cluster") / "assignment"
    root.mkdir()
    (root / "assignment.toml").write_text(DECLARED, "utf-8")
    (root / "test_1_of_a_cluster.py").write_text(CHECKS.replace("{limit}", "5"), "utf-8")
    return find_assignment(str(root))


@pytest.fixture(scope="module")
def client() -> Iterator[distributed.Client]:
    with connected("local", 2) as client:
        yield client


def order_of(assignment: Assignment, timeout_s: float = 60.0) -> Order:
    ids = tuple(check.id for check in assignment.checks)
    return Order(str(assignment.root), identity(assignment), ids, "auto", timeout_s, seed=1)


def waited_for(judges: ClusterJudges) -> ClusterJudges:
    while not judges.at_a_time:
        judges.wait()
    return judges


Graded = tuple[Tally, dict[str, GradeReport]]


def run(
    assignment: Assignment,
    judges: ClusterJudges | Local,
    path: Path,
    hand_ins: Sequence[Word] = CLASS,
    on_graded: Callable[[object, object], None] = lambda hand_in, report: None,
) -> Graded:
    """Graded, and the one report that the gradebook has of each student."""
    options = ClassOptions(jobs=2, author="ina")
    with Gradebook.open(path) as book:
        tally = ClassRun(assignment, assignment.checks, book, options, Watcher(on_graded=on_graded)).grade(
            hand_ins, source="class", seed=7, judges=judges
        )
        current = book.current(assignment.id)
        assert [len(book.history(assignment.id, student)) for student in current] == [1] * len(current)
        return tally, {who: book.report(result.id) for who, result in current.items() if not result.failure}


def document(report: GradeReport) -> str:
    """Without what differs between two runs on one machine: times."""
    still = [replace(check, duration_s=0.0) for check in report.checks]
    return str(to_document(replace(report, checks=tuple(still), duration_s=0.0, created="")))


def test_a_killed_node_loses_nothing_and_doubles_nothing(
    assignment: Assignment, client: distributed.Client, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill_one(*_: object) -> None:
        if not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    with WarmJudge(assignment, assignment.checks, None) as warm:
        _, alone = run(assignment, Local(warm, None, 2), tmp_path / "alone.sqlite")
    judges = waited_for(ClusterJudges(client, order_of(assignment)))
    tally, together = run(assignment, judges, tmp_path / "cluster.sqlite", on_graded=kill_one)
    assert killed
    assert (tally.graded, tally.failed) == (16, {})
    assert {s: document(r) for s, r in together.items()} == {s: document(r) for s, r in alone.items()}


def test_a_node_that_is_not_trusted_is_given_nothing(
    assignment: Assignment, client: distributed.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The assignment's secrets stay with the nodes that were started for it: these offer something else."""
    monkeypatch.setattr("grader.cluster.judges.RESOURCE", "grader-of-another-course")
    with pytest.raises(ClusterUnusable, match=r"\d workers, none of them trusted") as told:
        ClusterJudges(client, order_of(assignment)).wait()
    assert '--resources "grader-of-another-course=N"' in told.value.next_step


def test_a_node_with_another_version_judges_nothing(
    assignment: Assignment, client: distributed.Client, tmp_path: Path
) -> None:
    other = replace(order_of(assignment), identity="another")
    judges = waited_for(ClusterJudges(client, other))
    with pytest.raises(ClusterUnusable, match="another version"):
        run(assignment, judges, tmp_path / "book.sqlite")
    with Gradebook.open(tmp_path / "book.sqlite") as book:
        assert book.current(assignment.id) == {}


def test_what_hangs_or_dies_costs_itself_only(
    assignment: Assignment, client: distributed.Client, tmp_path: Path
) -> None:
    hand_ins = [Word("ann", "right"), Word("bob", "hangs"), Word("cyd", "dies"), Word("dan", "right")]
    judges = waited_for(ClusterJudges(client, order_of(assignment, timeout_s=8.0)))
    tally, _ = run(assignment, judges, tmp_path / "book.sqlite", hand_ins[:1])
    assert tally.failed == {}
    tally, _ = run(assignment, judges, tmp_path / "book.sqlite", hand_ins)
    assert (tally.graded, tally.unchanged) == (1, 1)
    assert "not done within 8 s" in tally.failed["bob"]
    assert "ended without a result" in tally.failed["cyd"]


def test_no_scheduler_is_said() -> None:
    missing = connected("tcp://127.0.0.1:1", 1, patience_s=0.5)
    with pytest.raises(ClusterUnusable, match=r"no scheduler at tcp://127\.0\.0\.1:1"), missing:
        pass


def test_without_the_packages_the_extra_is_named(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    cluster = on_cluster("local", "x", assignment, assignment.checks, "auto", ClassOptions(jobs=1), seed=1)
    with pytest.raises(UsageError) as told, cluster:
        pass
    assert "transformer-grader[cluster]" in told.value.next_step

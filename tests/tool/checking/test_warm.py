"""Judges that are forked with sessions collected ahead: the same results, and nothing left for the next submission."""

from __future__ import annotations

import os
import select
import selectors
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from grader.assignment import select as select_checks
from grader.checking.session import run_checks
from grader.checking.warm import JudgeDied, Rehearsal, WarmJudge
from grader.intake import read_submission
from grader.model import Assignment, Check, CheckResult, Part, Status, Submission
from grader.worker import Zygote

ALICE = Path(__file__).parents[3] / "submissions" / "alice"

CHECKS = """
import os
import sys
import time
from grader.checking.outcomes import Failed
import pytest

seen = []

@pytest.fixture(scope="session")
def once():
    seen.append("session")
    return seen

@pytest.mark.check("2a.first")
def test_first(check, submission, once):
    seen.append(submission.name)
    sys.modules["left_behind_by_" + submission.name] = sys
    os.environ["LEFT_BEHIND"] = submission.name
    if submission.name == "dies":
        os._exit(3)
    if submission.name == "hangs":
        time.sleep(600)

@pytest.mark.check("2a.second")
def test_second(check, submission, shared):
    others = [name for name in sys.modules if name.startswith("left_behind") and submission.name not in name]
    if seen != ["session", submission.name] or others or shared:
        raise Failed(f"{seen} {others} {shared}")
    shared["mine"] = submission.name
"""


@pytest.fixture
def pocket(tmp_path: Path) -> Assignment:
    """Two checks that fail where another submission has been judged before in the same process."""
    (tmp_path / f"test_2_{tmp_path.name}.py").write_text(CHECKS, encoding="utf-8")
    checks = tuple(Check(id, "2a", id, Decimal(1)) for id in ("2a.first", "2a.second"))
    return Assignment("t", "1", "T", (Part("2a", "2a", ""),), checks, tmp_path, "0" * 64)


@pytest.fixture
def warm(pocket: Assignment) -> Iterator[WarmJudge]:
    with WarmJudge(pocket, pocket.checks, None) as judge:
        yield judge


def named(name: str) -> Submission:
    return Submission(name, Path(), "0" * 64, ())


def statuses(results: list[CheckResult]) -> dict[str, Status]:
    return {result.id: result.status for result in results}


def said(result: CheckResult) -> tuple[object, ...]:
    """All but times and the last digits of differences, which depend on the number of threads."""
    return result.id, result.status, result.points, result.message, result.evidence.asked


def test_nothing_is_left_for_the_next_submission(warm: WarmJudge) -> None:
    for name in ("ann", "bob", "ann"):
        with warm.begin(named(name), seed=1) as judging:
            results, internal = judging.result()
        assert (statuses(results), internal) == (
            {"2a.first": Status.PASSED, "2a.second": Status.PASSED},
            {},
        ), [result.message for result in results]
    assert "LEFT_BEHIND" not in os.environ


def test_a_judge_that_dies_costs_its_own_submission_alone(warm: WarmJudge) -> None:
    with warm.begin(named("dies"), seed=1) as judging, pytest.raises(JudgeDied, match="without a result"):
        judging.result()
    with warm.begin(named("ann"), seed=1) as judging:
        assert set(statuses(judging.result()[0]).values()) == {Status.PASSED}


def test_a_judge_that_hangs_is_ended_and_others_go_on_beside_it(warm: WarmJudge) -> None:
    with warm.begin(named("hangs"), seed=1) as hanging:
        with warm.begin(named("ann"), seed=1) as judging:
            assert set(statuses(judging.result()[0]).values()) == {Status.PASSED}
        process = os.dup(hanging.pidfd)
        hanging.close()
    ended, _, _ = select.select([process], [], [], 10)  # a pidfd is readable once its process has ended
    os.close(process)
    assert ended


def test_several_can_be_waited_for_at_once(warm: WarmJudge) -> None:
    judgings = [warm.begin(named(name), seed=1) for name in ("ann", "bob", "cyd")]
    ended = []
    with selectors.DefaultSelector() as selector:
        for judging in judgings:
            selector.register(judging, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                judging = judgings[[j.fileno() for j in judgings].index(key.fd)]
                if judging.receive():
                    selector.unregister(key.fd)
                    ended.append(judging)
    assert len(ended) == 3
    for judging in judgings:
        assert set(statuses(judging.result()[0]).values()) == {Status.PASSED}
        judging.close()


def test_a_warm_judge_that_is_gone_is_said_and_can_be_started_again(warm: WarmJudge) -> None:
    with warm.begin(named("ann"), seed=1) as judging:
        judging.result()
    assert warm.pid is not None
    psutil.Process(warm.pid).kill()
    with pytest.raises(JudgeDied, match="warm judge is gone"):
        warm.begin(named("bob"), seed=1)
    with warm.begin(named("bob"), seed=1) as judging:
        assert set(statuses(judging.result()[0]).values()) == {Status.PASSED}


def test_descriptors_and_processes_do_not_grow(warm: WarmJudge) -> None:
    def grade() -> tuple[int, int]:
        with warm.begin(named("ann"), seed=1) as judging:
            judging.result()
        assert warm.pid is not None
        ours, template = psutil.Process(), psutil.Process(warm.pid)
        return ours.num_fds(), template.num_fds()

    first = [grade() for _ in range(3)][-1]
    last = [grade() for _ in range(30)][-1]
    assert last == first
    assert warm.pid is not None
    # At most the last one, which nobody has reaped yet, and the one that was ending when it began.
    assert len(psutil.Process(warm.pid).children()) <= 2


def test_the_results_are_those_of_a_session_in_this_process(assignment: Assignment, zygote: Zygote) -> None:
    selected = select_checks(assignment, parts=["2", "4"])
    submission = read_submission(ALICE)
    files = [(file.path, file.content) for file in submission.files]
    expected, _ = run_checks(
        assignment, submission, selected, seed=7, open_worker=lambda: zygote.worker(files, "alice")
    )
    # A rehearsal under the same seed leaves the judge what the reference has computed from it.
    with WarmJudge(
        assignment, selected, zygote, rehearsals=[Rehearsal(submission, selected)], seed=7
    ) as judge:
        judgings = [judge.begin(submission, seed=7) for _ in range(2)]
        for judging in judgings:
            results, internal = judging.result()
            assert internal == {}
            assert [said(result) for result in results] == [said(result) for result in expected]
            judging.close()
    # The zygote outlives the judges and their connections.
    with zygote.worker(files, "alice") as worker:
        assert worker.alive


# ---------------------------------------------------------------- several submissions for one judge

SEVERAL = """
import os
import random
import sys
import torch
from grader.checking.outcomes import Failed
import pytest

behind = []

@pytest.fixture(scope="session")
def once():
    return []

@pytest.mark.check("2a.first")
def test_first(check, submission, once, request):
    once.append(submission.name)
    facts = (id(request.session), id(request.config), len(once), float(torch.rand(())), random.random())
    if submission.name == "leaves":
        behind.append(1)
    if submission.name == "breaks":
        raise ZeroDivisionError
    if submission.name == "dies":
        os._exit(3)
    raise Failed(" ".join(map(str, (os.getpid(), *facts))))

def deeper(calls):
    return 1 + deeper(calls - 1) if calls else 0

@pytest.mark.check("2a.second")
def test_second(check):
    raise Failed(f"{deeper(700)} {sorted(os.sched_getaffinity(0))}")
"""


@pytest.fixture
def of_two(tmp_path: Path) -> Assignment:
    (tmp_path / f"test_2_{tmp_path.name}.py").write_text(SEVERAL, encoding="utf-8")
    checks = tuple(Check(id, "2a", id, Decimal(1)) for id in ("2a.first", "2a.second"))
    return Assignment("t", "1", "T", (Part("2a", "2a", ""),), checks, tmp_path, "0" * 64)


@pytest.fixture
def several(of_two: Assignment) -> Iterator[WarmJudge]:
    """A judge takes three submissions here."""
    with WarmJudge(of_two, of_two.checks, None, sessions=3) as judge:
        yield judge


def judged(warm: WarmJudge, name: str, only: list[str] | None = None) -> tuple[list[str], str | None]:
    """What the checks said of one submission, and why its judge takes no other."""
    with warm.begin(named(name), seed=1, only=only) as judging:
        results, _ = judging.result()
        return [r.message for r in results], judging.ends


def test_one_judge_takes_several_each_in_a_session_of_its_own(several: WarmJudge) -> None:
    said = [judged(several, name) for name in ("ann", "bob", "cyd", "dee")]
    pids, sessions, configs, used, *drawn = zip(*(words[0].split() for words, _ in said), strict=True)
    assert pids[0] == pids[1] == pids[2] != pids[3]
    assert len(set(sessions[:3])) == len(set(configs[:3])) == 3
    assert set(used) == {"1"}
    assert all(len(set(numbers)) == 1 for numbers in drawn)  # random generators begin alike
    assert [ends for _, ends in said] == [None, None, "there is no other session", None]


def test_calls_go_as_deep_in_every_session(several: WarmJudge) -> None:
    for name in ("ann", "bob", "cyd"):
        assert judged(several, name)[0][1].startswith("700 ")


def test_each_judge_stays_on_one_processor(several: WarmJudge) -> None:
    with several.begin(named("ann"), seed=1) as one, several.begin(named("bob"), seed=1) as other:
        places = [judging.result()[0][1].message.split(maxsplit=1)[1] for judging in (one, other)]
    assert all(place.count(",") == 0 for place in places)
    assert len(set(places)) == min(2, len(os.sched_getaffinity(0)))


def test_where_others_judge_too_the_kernel_chooses_the_processor(of_two: Assignment) -> None:
    with WarmJudge(of_two, of_two.checks, None, pinned=False) as judge:
        (_, said), _ = judged(judge, "ann")
    assert said.split(maxsplit=1)[1] == str(sorted(os.sched_getaffinity(0)))


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("leaves", "holds something else"),
        ("breaks", "a check failed by the grader's own fault"),
    ],
)
def test_a_judge_that_is_not_as_it_was_is_not_used_again(several: WarmJudge, name: str, ends: str) -> None:
    first = judged(several, "ann")[0][0].split()[0]
    assert (judged(several, name)[1] or "").endswith(ends)
    (said, _), last = judged(several, "bob")
    assert said.split()[0] != first
    assert last is None


def test_a_judge_that_died_is_replaced(several: WarmJudge) -> None:
    judged(several, "ann")
    with several.begin(named("dies"), seed=1) as judging, pytest.raises(JudgeDied, match="without a result"):
        judging.result()
    assert judged(several, "bob")[1] is None
    with several.begin(named("cyd"), seed=1):
        pass  # nobody waits for the result: the judge is ended
    assert judged(several, "dee")[1] is None


def test_some_checks_alone_may_be_asked_for_between_others(several: WarmJudge) -> None:
    assert len(judged(several, "ann", only=["2a.second"])[0]) == 1
    assert len(judged(several, "bob")[0]) == 2

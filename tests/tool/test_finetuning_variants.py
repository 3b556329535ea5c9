"""Part 3 on whole hand-ins: right loops keep their points, wrong ones lose them in the right check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import load_assignment, select
from grader.checking.session import run_checks
from grader.intake import read_submission
from grader.model import CheckResult, Status
from grader.worker import Zygote, ZygoteSpec

ASSIGNMENT = load_assignment()
RIGHT = sorted((ASSIGNMENT.root / "variants" / "finetune").glob("*.py"))
WRONG = sorted((Path(__file__).parent / "variants" / "finetune" / "wrong").glob("*.py"))
CHECKS = select(
    ASSIGNMENT, checks=["3a.samples", "3b.trains", "3b.claims", "3c.predict", "3d.trains", "3d.claims"]
)
DISTILBERT_ONLY = [check for check in CHECKS if check.part != "3d"]


@pytest.fixture(scope="module")
def warm() -> Iterator[Zygote]:
    with Zygote(ZygoteSpec.of(ASSIGNMENT, ("torch", "transformers", "datasets"))) as zygote:
        yield zygote


def judged(
    source: str, folder: Path, zygote: Zygote, checks: list, timeout_s: float = 120
) -> dict[str, CheckResult]:
    (folder / "train.py").write_text(source, encoding="utf-8")
    submission = read_submission(folder)
    files = [(file.path, file.content) for file in submission.files]
    results, internal = run_checks(
        ASSIGNMENT,
        submission,
        [replace(check, timeout_s=timeout_s) for check in checks],
        seed=11,
        open_worker=lambda: zygote.worker(files, name="variant"),
    )
    assert internal == {}
    return {result.id: result for result in results}


@pytest.mark.parametrize("source", RIGHT, ids=lambda path: path.stem)
def test_a_right_loop_keeps_its_points(source: Path, tmp_path: Path, warm: Zygote) -> None:
    results = judged(source.read_text(encoding="utf-8"), tmp_path, warm, list(CHECKS))
    lost = {
        r.id: (r.status.value, r.message, r.evidence.obtained)
        for r in results.values()
        if r.status != "passed"
    }
    assert lost == {}


@pytest.mark.parametrize("source", WRONG, ids=lambda path: path.stem)
def test_a_wrong_loop_loses_points_where_it_is_wrong(source: Path, tmp_path: Path, warm: Zygote) -> None:
    text = source.read_text(encoding="utf-8")
    caught_by = re.search(r"caught by: (\S+)", text)
    assert caught_by is not None
    part = caught_by[1].partition(".")[0]
    checks = [check for check in DISTILBERT_ONLY if check.part == part]
    results = judged(text, tmp_path, warm, checks)
    assert results[caught_by[1]].status is Status.FAILED
    assert results[caught_by[1]].hint
    if caught_by[1] == "3b.claims":
        assert results["3b.trains"].status is Status.PASSED


def test_a_training_loop_that_hangs_is_run_once(tmp_path: Path, warm: Zygote) -> None:
    endless = "def finetune(model, tokenizer, train, test, **settings):\n    while True:\n        pass\n"
    results = judged(endless, tmp_path, warm, list(CHECKS), timeout_s=3)
    assert results["3b.trains"].status is Status.TIMEOUT
    assert results["3d.trains"].status is Status.TIMEOUT
    assert "not run again" in results["3d.trains"].message
    assert results["3b.claims"].status is Status.BLOCKED
    assert results["3c.predict"].status is Status.MISSING

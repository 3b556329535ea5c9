"""Part 3 on whole hand-ins: right loops keep their points and hear of no mistake, wrong ones are named.

Some of each kind are graded here, with TRAINING_WHOLE=1 every mistake and every right style;
`scripts/measure_training.py` grades each variant under two seeds.
"""

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
from reference.transformer.training_mistakes import MISTAKES
from scripts.measure_training import grade
from tests.tool.variants.finetune.bugs import BUGS, Variant, in_tuning_half
from tests.tool.variants.finetune.sample import SOME_BUGS, SOME_LOOPS, SOME_STYLES, WHOLE
from tests.tool.variants.finetune.styles import STYLES, Style

ASSIGNMENT = load_assignment()
RIGHT = [
    path
    for path in sorted((ASSIGNMENT.root / "variants" / "finetune").glob("*.py"))
    if SOME_LOOPS is None or path.stem in SOME_LOOPS
]
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
    checks = list(CHECKS) if WHOLE or source.stem == "plain" else DISTILBERT_ONLY
    results = judged(source.read_text(encoding="utf-8"), tmp_path, warm, checks)
    lost = {
        r.id: (r.status.value, r.message, r.evidence.obtained)
        for r in results.values()
        if r.status != "passed"
    }
    assert lost == {}
    assert not any("Seen while it trained" in note for r in results.values() for note in r.evidence.notes)


@pytest.mark.parametrize("source", WRONG, ids=lambda path: path.stem)
def test_wrong_code_loses_points_where_it_is_wrong(source: Path, tmp_path: Path, warm: Zygote) -> None:
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


@pytest.mark.parametrize("bug", SOME_BUGS, ids=lambda bug: bug.id)
def test_a_mistake_is_named(bug: Variant, warm: Zygote) -> None:
    seen = grade(bug, 1, "distilbert", warm)
    assert seen.named == bug.mistake
    assert seen.as_declared, seen.lost
    for result in seen.results:
        if result.diagnosis is not None:
            assert result.hint == MISTAKES[bug.mistake].hint
            assert result.diagnosis.evidence


@pytest.mark.parametrize("style", SOME_STYLES, ids=lambda style: style.id)
def test_a_right_style_loses_nothing_and_hears_of_no_mistake(style: Style, warm: Zygote) -> None:
    seen = grade(style, 1, "distilbert", warm)
    assert (seen.lost, seen.named) == ([], "")


def test_every_variant_can_be_made_and_both_halves_are_large() -> None:
    for variant in (*BUGS, *STYLES):
        compile(variant.source, variant.id, "exec")
    assert {bug.mistake for bug in BUGS} == set(MISTAKES)
    for half in (True, False):
        assert sum(in_tuning_half(bug) is half for bug in BUGS) >= 35
        assert sum(in_tuning_half(style) is half for style in STYLES) >= 20


def test_the_page_has_every_mistake_and_the_numbers_of_variants() -> None:
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    for mistake in MISTAKES.values():
        assert f"| `{mistake.id}` | {mistake.title} |" in page
    assert f"makes {len(BUGS)} training loops with one mistake each and {len(STYLES)} right ones" in page


FORGED = """
import sys

{loop}


def finetune(*args, **kwargs):
    history = honest(*args, **kwargs)
    harness = sys.modules["harness"]
    harness.training_watched = lambda: {told}
    return history
"""


@pytest.mark.parametrize("told", ['"nothing"', '{"forwards": [1, 2, 3], "rows": None}'])
def test_a_forged_record_changes_no_mark(told: str, tmp_path: Path, warm: Zygote) -> None:
    """The record names mistakes; what it says, or that it says nothing, neither gives nor takes a point."""
    loop = next(style for style in STYLES if style.id == "manual-as-it-is").source
    source = FORGED.format(loop=loop.replace("def finetune(", "def honest("), told=told)
    results = judged(source, tmp_path, warm, [c for c in CHECKS if c.part == "3b"])
    assert {r.status for r in results.values()} == {Status.PASSED}


def test_a_training_loop_that_hangs_is_run_once(tmp_path: Path, warm: Zygote) -> None:
    endless = "def finetune(model, tokenizer, train, test, **settings):\n    while True:\n        pass\n"
    results = judged(endless, tmp_path, warm, list(CHECKS), timeout_s=3)
    assert results["3b.trains"].status is Status.TIMEOUT
    assert results["3d.trains"].status is Status.TIMEOUT
    assert "not run again" in results["3d.trains"].message
    assert results["3b.claims"].status is Status.BLOCKED
    assert results["3c.predict"].status is Status.MISSING

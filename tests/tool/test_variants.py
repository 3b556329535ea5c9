"""Right code is never marked wrong, wrong code loses points in the right check: whole modules through the real worker.

tests/transformer/variants/attention holds implementations that a fragile grader fails; tests/tool/variants/wrong one
mistake each, with the check that has to catch it. All of them were met in students' public work, or are one step from
it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.assignment import load_assignment, select
from grader.checking.session import run_checks
from grader.intake import read_submission
from grader.model import CheckResult, Status
from grader.worker import Zygote

ASSIGNMENT = load_assignment()
RIGHT = sorted((ASSIGNMENT.root / "variants" / "attention").glob("*.py"))
WRONG_FOLDER = Path(__file__).parent / "variants" / "wrong"
WRONG = sorted(WRONG_FOLDER.glob("*.py"))
CODE_CHECKS = [c for c in select(ASSIGNMENT, parts=["2c", "2d"]) if not c.id.endswith(".reported")]
SEED = 20


def judged(source: Path, folder: Path, zygote: Zygote, seed: int = SEED) -> dict[str, CheckResult]:
    (folder / "layers.py").write_bytes(source.read_bytes())
    submission = read_submission(folder)
    files = [(file.path, file.content) for file in submission.files]
    results, internal = run_checks(
        ASSIGNMENT,
        submission,
        CODE_CHECKS,
        seed=seed,
        open_worker=lambda: zygote.worker(files, name="variant"),
    )
    assert internal == {}
    return {result.id: result for result in results}


@pytest.mark.parametrize("source", RIGHT, ids=lambda path: path.stem)
def test_a_right_variant_gets_full_points(source: Path, tmp_path: Path, zygote: Zygote) -> None:
    results = judged(source, tmp_path, zygote)
    lost = {
        r.id: (r.status.value, r.message, r.evidence.obtained)
        for r in results.values()
        if r.status != "passed"
    }
    assert lost == {}
    assert advice_in(results) == set(re.findall(r"advice: (\S+) (\S+)", source.read_text(encoding="utf-8")))


def advice_in(results: dict[str, CheckResult]) -> set[tuple[str, str]]:
    """(check, kind of advice) for each note that is one."""
    words = {"runs once more": "loops", "stays on the CPU": "left_behind", "prints in every": "prints"}
    return {
        (check, kind)
        for check in ("2c.properties", "2d.lengths")
        for note in results[check].evidence.notes
        for phrase, kind in words.items()
        if phrase in note
    }


@pytest.mark.parametrize("source", WRONG, ids=lambda path: path.stem)
def test_a_wrong_variant_loses_points_where_it_is_wrong(source: Path, tmp_path: Path, zygote: Zygote) -> None:
    caught_by = re.search(r"caught by: (\S+)", source.read_text(encoding="utf-8"))
    assert caught_by is not None
    results = judged(source, tmp_path, zygote)
    result = results[caught_by[1]]
    assert result.status in {Status.FAILED, Status.PARTIAL, Status.MISSING}, result.message
    assert result.points.earned < result.points.possible
    assert result.hint
    other_part = {"2c": "2d", "2d": "2c"}[result.part]
    if source.stem != "merge_conflict":  # a file that is not Python holds neither class
        assert {r.status for r in results.values() if r.part == other_part} == {Status.PASSED}


NAMED = {
    "scale_by_head_size": ("2c.self", "divided by d_k"),
    "scale_by_embed_dim": ("2c.self", "root of embed_dim"),
    "softmax_over_queries": ("2c.self", "over the queries"),
    "heads_by_view": ("2c.self", "without a transpose"),
    "transpose_thrown_away": ("2c.self", "without transposing back"),
    "no_output_projection": ("2c.self", "output layer"),
    "mask_ignored": ("2c.masked", "mask has no effect"),
    "masked_fill_thrown_away": ("2c.masked", "mask has no effect"),
    "mask_inverted": ("2c.masked", "keeps what it should remove"),
    "value_from_key": ("2c.cross", "projected from the key"),
    "merge_conflict": ("2c.self", "merge"),
    "undefined_name": ("2c.self", "d_k"),
    "template": ("2c.self", "template"),
    "dropout_in_eval": ("2c.dropout", "eval mode"),
    "dropout_twice": ("2c.dropout", "0.51"),
    "dropout_same_for_heads": ("2c.dropout", "over all the heads"),
    "detach_inputs": ("2c.gradients", "through to the query"),
    "pe_one_column": ("2d.values", "one odd feature"),
    "pe_half_exponent": ("2d.values", "i / E"),
    "pe_swapped": ("2d.values", "changed places"),
    "pe_in_place": ("2d.input", "in place"),
    "pe_trainable": ("2d.buffer", "is a parameter"),
    "pe_dropout_half": ("2d.dropout", "probability of 0.5"),
}


@pytest.mark.parametrize("name", NAMED)
def test_the_mistake_is_named(name: str, tmp_path: Path, zygote: Zygote) -> None:
    check, words = NAMED[name]
    result = judged(WRONG_FOLDER / f"{name}.py", tmp_path, zygote, seed=SEED + 1)[check]
    assert words in f"{result.message} {result.diagnosis.title if result.diagnosis else ''}"


def test_marks_do_not_depend_on_the_seed(tmp_path: Path, zygote: Zygote) -> None:
    for seed in range(30, 45):
        results = judged(
            ASSIGNMENT.root / "variants" / "attention" / "weights_by_hand.py", tmp_path, zygote, seed=seed
        )
        assert {r.status for r in results.values()} == {Status.PASSED}, seed

"""scripts/mutate in small: ten mutants of attention; neither a kill nor a survivor comes from the tool itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.mutate import CODE, judged, table
from scripts.mutate_forks import Kill, in_forks
from scripts.mutate_grading import Judge
from scripts.mutate_sources import REFERENCE, Equivalent, Mutant, Mutants, equivalents, mutants_of, unused

EVERY = 32
"""Of the 320 changes of attention.py."""
QUICK = ("tests/tool/reference/test_positional_encoding.py",)
UNCHANGED = Mutant(
    "attention", "none", "", 1, "", "", (REFERENCE / "attention.py").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(CODE.parts, CODE.right[:1], CODE.wrong, QUICK)


def test_the_checks_notice_ten_mutants_of_attention(judge: Judge) -> None:
    found = mutants_of("attention", every=EVERY)
    known = [entry for entry in equivalents() if any(entry.covers(m) for m in found.distinct)]
    known = [replace(e, after=tuple(m.after for m in found.distinct if e.covers(m))) for e in known]
    outcome = judged(found, judge, known, jobs=2)
    assert len(outcome.verdicts) >= 6
    assert found.annotations > 0  # left out: no annotation is ever evaluated
    assert {v.kill for v in outcome.verdicts} <= {Kill.MARKS, Kill.WORDS}, table([outcome])
    assert all(v.by for v in outcome.verdicts)


def test_nothing_notices_a_change_that_is_none(judge: Judge) -> None:
    [verdict] = judge.verdicts([UNCHANGED], jobs=1)
    assert (verdict.kill, verdict.by) == (Kill.NOTHING, "")


def test_the_judge_is_left_as_it_was(judge: Judge) -> None:
    """Its own memory of the reference is not touched by what its forks import."""
    import reference.transformer.attention as before

    broken = replace(UNCHANGED, source="raise RuntimeError")
    [verdict] = judge.verdicts([broken], jobs=1)
    import reference.transformer.attention as after

    assert verdict.kill is Kill.MARKS
    assert "grader_error" in verdict.by or "earned=Decimal('0')" in verdict.by
    assert after is before


def test_a_judge_that_does_not_end_has_noticed() -> None:
    def spin(mutant: Mutant) -> tuple[int, str]:
        while True:
            pass

    [verdict] = in_forks([UNCHANGED], spin, jobs=1, cpu_s=1)
    assert (verdict.kill, verdict.by) == (Kill.MARKS, "the judge does not end")


@pytest.mark.parametrize("fault", [lambda mutant: 1 // 0, lambda mutant: os._exit(3)], ids=["raises", "dies"])
def test_a_fault_of_the_tool_is_no_kill(fault: Callable[[Mutant], tuple[int, str]]) -> None:
    with pytest.raises(RuntimeError, match="the fork for"):
        list(in_forks([UNCHANGED], fault, jobs=1, cpu_s=5))


def test_every_mutant_has_a_verdict() -> None:
    """More mutants than forks at a time, ending in another order than they began."""

    def look(mutant: Mutant) -> tuple[int, str]:
        until = time.process_time() + 0.02 * (mutant.line % 3)
        while time.process_time() < until:
            pass
        return Kill.WORDS, str(mutant.line)

    verdicts = list(in_forks([replace(UNCHANGED, line=n) for n in range(7)], look, jobs=3, cpu_s=5))
    assert sorted((v.mutant.line, v.by) for v in verdicts) == [(n, str(n)) for n in range(7)]


# ---------------------------------------------------------------- sources


def test_mutants_are_distinct_valid_and_described() -> None:
    found = mutants_of("quantity")
    assert len({m.source for m in found.distinct}) == len(found.distinct) > 8
    for mutant in found.distinct:
        compile(mutant.source, "mutant", "exec")
        assert mutant.before != mutant.after
    [flag] = [m for m in found.distinct if m.after == "keeps_marks: bool = True"]
    assert (flag.scope, flag.before, flag.tool) == ("Slip", "keeps_marks: bool = False", "cosmic-ray")
    assert str(flag).startswith(f"quantity.py:{flag.line} in Slip\n")


def test_every_equivalent_mutant_has_its_line_and_a_reason() -> None:
    entries = equivalents()
    assert entries
    for entry in entries:
        lines = (REFERENCE / f"{entry.module}.py").read_text(encoding="utf-8").splitlines()
        assert entry.before in {" ".join(line.split()) for line in lines}, entry
        assert entry.after
        assert len(entry.why) > 20
        assert entry.why.endswith(".")


def test_an_entry_that_is_no_mutant_is_an_error(judge: Judge) -> None:
    stale = Equivalent("quantity", "Slip", "keeps_marks: bool = False", ("keeps_marks: bool = 7",), "Gone.")
    found = Mutants("quantity", (), 0, 0)
    assert unused([stale], found) == ["quantity, Slip: keeps_marks: bool = 7"]
    with pytest.raises(ValueError, match="keeps_marks: bool = 7"):
        judged(found, judge, [stale], jobs=1)


def test_a_right_hand_in_that_loses_points_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "answers.toml").write_text('[4c]\nelements = "7"\n', encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"does not give what is due: .*4c\.elements"):
        Judge(("4c",), (tmp_path,), (), QUICK)

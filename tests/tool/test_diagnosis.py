"""When a mistake may be named, and when not: one that explains everything, or two together; and it changes no mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest

from grader.bank import Misconception
from grader.checking.outcomes import Failed, Partial
from grader.diagnosis import Match, explain, finding
from grader.model import CheckResult, Diagnosis, Status
from grader.paths import data_root
from reference.transformer.inquiry import Inquiry
from reference.transformer.misconceptions import BANK

GradeFiles = Callable[..., dict[str, CheckResult]]
SOLUTION = data_root() / "reference" / "transformer" / "solution"


def entry(name: str) -> Misconception:
    return Misconception(
        id=name, title=f"Title of {name}", belief="b.", hint=f"Hint of {name}?", checks=("1.x",)
    )


A, B, C = map(entry, "abc")


def match(*who: Misconception, telling: int = 2) -> Match[Misconception]:
    return Match(who, 3e-7, probes=6, telling=telling)


# ---------------------------------------------------------------- the rule


def test_one_match_is_named_with_its_evidence() -> None:
    found = finding([match(A, telling=4)])
    evidence = "equal to 3e-7 on 6 probes, 4 of which tell it from the right result"
    assert found.diagnosis == Diagnosis("a", "Title of a", evidence, "Hint of a?")
    assert found.remark == ""


def test_a_pair_is_named_as_two_mistakes() -> None:
    found = finding([match(A, B)]).diagnosis
    assert found is not None
    assert (found.id, found.hint) == ("a+b", "Hint of a? Hint of b?")
    assert found.title == "Two mistakes at once. Title of a · Title of b"


def test_no_match_and_several_are_said_to_be_so() -> None:
    none, several = finding([]), finding([match(A), match(B, C)])
    assert none.diagnosis is several.diagnosis is None
    assert "No known mistake" in none.remark
    assert "Title of a; or: Title of b and Title of c" in several.remark
    assert "one of 2 others" in finding([match(m) for m in (A, B, C, A, B)]).remark


@pytest.mark.parametrize(
    ("probes", "telling", "largest", "words"),
    [
        (1, 1, 0.0, "equal to the last digit on the one probe"),
        (3, 3, 1e-6, "equal to 1e-6 on 3 probes, each of which tells it from the right result"),
        (3, 1, 2e-5, "equal to 2e-5 on 3 probes, 1 of which tells it from the right result"),
        (12, 5, 4e-12, "equal to 4e-12 on 12 probes, 5 of which tell it from the right result"),
    ],
)
def test_evidence_reads_as_a_clause(probes: int, telling: int, largest: float, words: str) -> None:
    found = finding([Match((A,), largest, probes, telling)]).diagnosis
    assert found is not None
    assert found.evidence == words


def test_pairs_are_tried_only_where_no_single_one_explains_it() -> None:
    tried: list[tuple[Misconception, ...]] = []

    def agrees(who: tuple[Misconception, ...]) -> Match[Misconception] | None:
        tried.append(who)
        return match(*who) if who in wanted else None

    def pairs() -> Iterator[tuple[Misconception, Misconception]]:
        yield A, B
        yield A, C

    wanted: set[tuple[Misconception, ...]] = {(B,)}
    assert [m.who for m in explain([A, B, C], pairs, agrees)] == [(B,)]
    assert tried == [(A,), (B,), (C,)]
    wanted = {(A, C)}
    assert [m.who for m in explain([A, B, C], pairs, agrees)] == [(A, C)]
    assert tried[3:] == [(A,), (B,), (C,), (A, B), (A, C)]


def test_what_differs_from_the_right_result_nowhere_explains_nothing() -> None:
    assert explain([A], lambda: [(A, B)], lambda who: match(*who, telling=0)) == []


# ---------------------------------------------------------------- outcomes


def test_an_outcome_takes_the_hint_of_its_diagnosis() -> None:
    known = Diagnosis("a", "t", "e", "of the diagnosis")
    assert Failed("m", diagnosis=known).hint == "of the diagnosis"
    assert Failed("m", "own", diagnosis=known).hint == "own"
    explained = Partial("m", "own", fraction=Fraction(1, 2)).because(known)
    assert (explained.hint, explained.diagnosis, explained.fraction) == (
        "of the diagnosis",
        known,
        Fraction(1, 2),
    )
    assert Failed("m", "own").because(None).hint == "own"


# ---------------------------------------------------------------- hand-ins, through the worker


def edited(*ids: str) -> dict[str, str]:
    """The model solution's attention.py and answers, by a student who believes all of `ids`."""
    files = {name: (SOLUTION / name).read_text(encoding="utf-8") for name in ("attention.py", "answers.toml")}
    for edit in (e for id in ids for m in BANK if m.id == id for e in m.edits):
        assert files[edit.file].count(edit.old) == 1
        files[edit.file] = files[edit.file].replace(edit.old, edit.new)
    return files


@pytest.mark.parametrize(
    ("id", "check"),
    [
        ("scale-by-head-size", "2c.self"),
        ("star-for-scores", "2c.self"),  # raises, except where a length is the head size
        ("softmax-missing", "2c.masked"),  # NaN and infinities
        ("mask-not-on-floats", "2c.masked"),  # right in part
        ("output-of-key-length", "2c.cross"),  # raises wherever it shows
        ("new-output-layer", "2c.cross"),  # draws
        ("mask-after-softmax", "2c.independence"),
        ("dropout-in-eval", "2c.dropout"),
        ("dropout-on-values", "2c.dropout"),
        ("pe-frequency-inverted", "2d.values"),
        ("pe-dropout-on-table", "2d.dropout"),
        ("pe-by-sequence", "2d.input"),
        ("pe-in-place", "2d.input"),
        ("pe-trainable", "2d.buffer"),
    ],
)
def test_a_student_reads_which_mistake_it_is(id: str, check: str, grade_files: GradeFiles) -> None:
    result = grade_files(edited(id), [check])[check]
    assert result.status in {Status.FAILED, Status.PARTIAL}
    assert result.diagnosis is not None, result.evidence.notes
    assert result.diagnosis.id == id
    assert result.hint == result.diagnosis.hint
    assert result.points.earned < result.points.possible


def test_two_mistakes_in_one_module_are_each_named_where_they_show(grade_files: GradeFiles) -> None:
    results = grade_files(edited("no-scale", "mask-inverted"), ["2c.self", "2c.masked"])
    named = {id: r.diagnosis.id if r.diagnosis else None for id, r in results.items()}
    assert named == {"2c.self": "no-scale", "2c.masked": "no-scale+mask-inverted"}


def test_an_error_of_the_search_costs_and_saves_nothing(
    grade_files: GradeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Inquiry, shared: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Inquiry, "finding", broken)
    result = grade_files(edited("scale-by-head-size"), ["2c.self"])["2c.self"]
    assert (result.status, result.points.earned, result.diagnosis) == (Status.FAILED, 0, None)
    assert "broke off (ZeroDivisionError)" in result.evidence.notes[-1]


def test_a_module_that_ends_its_process_on_a_probe_keeps_its_own_failure(grade_files: GradeFiles) -> None:
    files = edited("scale-by-head-size")
    ends = "if query.size(-1) == 18: __import__('os')._exit(1)\n        q = self.split"
    files["attention.py"] = files["attention.py"].replace("q = self.split", ends, 1)
    checks = ["2c.self", "2c.cross", "2d.values"]
    results = grade_files(files, checks, seed=2)
    assert results["2d.values"].status is Status.PASSED
    assert {results[id].status for id in checks[:2]} <= {Status.FAILED, Status.CRASHED}
    assert {results[id].diagnosis for id in checks[:2]} == {None}


def test_the_solution_earns_every_automatic_point_of_its_code_and_numbers(grade_files: GradeFiles) -> None:
    checks = [c for m in BANK for c in m.checks if c.startswith(("2", "4"))]
    results = grade_files(edited(), sorted(set(checks)))
    assert {r.status for r in results.values()} == {Status.PASSED}
    assert {r.diagnosis for r in results.values()} == {None}
    assert not [r.id for r in results.values() if any("mistake" in note for note in r.evidence.notes)]


def test_a_slip_in_a_number_is_named_and_what_follows_costs_nothing(grade_files: GradeFiles) -> None:
    results = grade_files(edited("4d.first.no_bias"), ["4d.first", "4d.second", "4d.block", "4d.total"])
    first = results.pop("4d.first")
    assert first.diagnosis is not None
    assert first.diagnosis.id == "4d.first.no_bias"
    assert first.diagnosis.evidence == "150,994,944 is what it comes to"
    assert {(r.status, r.diagnosis) for r in results.values()} == {(Status.PASSED, None)}


def test_a_number_that_no_slip_gives_is_said_to_be_so(grade_files: GradeFiles) -> None:
    result = grade_files({"answers.toml": '[4c]\ntotal = "7 GB"\n'}, ["4c.total"])["4c.total"]
    assert (result.status, result.diagnosis) == (Status.FAILED, None)
    assert "No known slip gives this number." in result.evidence.notes


@pytest.mark.parametrize(
    ("check", "written", "id"),
    [
        ("2a.shape", "[1, 3, 2, 4]", "2a.shape.not_transposed"),
        ("2b.shape", "[1, 3, 3]", "2b.shape.one_head"),
        ("2b.shape", "[1, 3, 3, 2]", None),
        ("2b.shape", "[5, 5]", None),
    ],
)
def test_a_shape_is_named_where_it_is_a_known_one(
    check: str, written: str, id: str | None, grade_files: GradeFiles
) -> None:
    part, key = check.split(".")
    result = grade_files({"answers.toml": f"[{part}]\n{key} = {written}\n"}, [check])[check]
    assert result.status is Status.FAILED
    assert (result.diagnosis.id if result.diagnosis else None) == id

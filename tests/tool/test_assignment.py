"""assignment.toml is read strictly, its mistakes are told to its author, and checks are selected by part or id."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from grader.assignment import find_assignment, load_assignment, read_assignment, select
from grader.errors import AssignmentError, UnknownName, UsageError
from grader.model import Assignment, Visibility

HEAD = 'id = "t"\nversion = "1"\ntitle = "T"\n'
PARTS = '[[part]]\nid = "2a"\ntitle = "A"\nasks = "a"\n[[part]]\nid = "2b"\ntitle = "B"\nasks = "b"\n'
CHECK = '[[check]]\nid = "2a.x"\ntitle = "X"\npoints = "1.5"\n'
Read = Callable[[str], Assignment]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """read(text): the assignment of this assignment.toml."""

    def from_text(text: str) -> Assignment:
        (tmp_path / "assignment.toml").write_text(text, encoding="utf-8")
        return read_assignment(tmp_path)

    return from_text


def check(id: str, rest: str = "") -> str:
    return f'[[check]]\nid = "{id}"\ntitle = "X"\npoints = "1"\n{rest}\n'


# ---------------------------------------------------------------- reading


def test_the_least_that_an_assignment_needs(read: Read) -> None:
    assignment = read(HEAD + PARTS + CHECK)
    (only,) = assignment.checks
    assert (only.id, only.part, only.points, only.visibility) == (
        "2a.x",
        "2a",
        Decimal("1.5"),
        Visibility.PUBLIC,
    )
    assert (only.tolerance, only.timeout_s, only.review, only.depends_on) == (None, 20.0, False, ())
    assert [part.worker for part in assignment.parts] == [(), ()]


def test_everything_that_a_check_may_declare(read: Read) -> None:
    text = check("2a.x") + check(
        "2b.y",
        'visibility = "hidden"\ndepends_on = ["2a.x"]\ntimeout_s = 5\nreview = true\n'
        'tolerance = { absolute = 1e-3, why = "because" }\nnumber = { answer = "2b.y" }',
    )
    declared = read(HEAD + PARTS + text).checks[1]
    assert declared.visibility is Visibility.HIDDEN
    assert (declared.depends_on, declared.timeout_s, declared.review) == (("2a.x",), 5.0, True)
    assert declared.tolerance is not None
    assert (declared.tolerance.absolute, declared.tolerance.relative, declared.tolerance.why) == (
        1e-3,
        0,
        "because",
    )
    assert declared.number == {"answer": "2b.y"}


@pytest.mark.parametrize(
    ("text", "message", "next_step"),
    [
        ("id = ", "cannot be read", "grade list"),
        (HEAD, r"declares no \[\[part\]\]", ""),
        (HEAD + PARTS, r"declares no \[\[check\]\]", ""),
        (HEAD.replace('"t"', "3") + PARTS + CHECK, "'id' must be a text", "Write id"),
        (HEAD + "colour = 1\n" + PARTS + CHECK, "no key 'colour'", "Known"),
        (HEAD + PARTS.replace("asks", "ask") + CHECK, "part '2a': There is no key 'ask'", "Did you mean 'asks'"),
        (HEAD + PARTS + CHECK.replace("points", "point"), "check '2a.x': There is no key 'point'", "'points'"),
        (HEAD + PARTS + CHECK.replace('"1.5"', "1.5"), "'points' must be a text", "points"),
        (HEAD + PARTS + CHECK.replace("1.5", "many"), "check '2a.x'", "decimal number in quotes"),
        (HEAD + PARTS + CHECK.replace("1.5", "0"), "must be a positive number", ""),
        (HEAD + PARTS + CHECK.replace("1.5", "-1"), "must be a positive number", ""),
        (HEAD + PARTS + CHECK.replace("1.5", "NaN"), "must be a positive number", ""),
        (HEAD + PARTS + CHECK.replace("1.5", "Infinity"), "must be a positive number", ""),
        (HEAD + PARTS + CHECK + 'visibility = "secret"', "check '2a.x'", '"public" or "hidden"'),
        (HEAD + PARTS + CHECK + 'depends_on = "2a.y"', "'depends_on' must be a list of texts", "Write depends_on"),
        (HEAD + PARTS + CHECK + "answers = [1]", "'answers' must be a list of texts", "Write answers"),
        (HEAD + PARTS + CHECK + 'timeout_s = "20"', "'timeout_s' must be a number", "without quotes"),
        (HEAD + PARTS + CHECK + "timeout_s = 0", "'timeout_s' must be above zero", ""),
        (HEAD + PARTS + CHECK + "number = 3", "'number' must be a table", "Write number"),
        (HEAD + PARTS + CHECK + "tolerance = 1e-3", "'tolerance' must be a table", "Write tolerance"),
        (HEAD + PARTS + CHECK + 'tolerance = { absolute = -1.0, why = "w" }', "must be above zero, not -1.0", ""),
        (HEAD + PARTS + CHECK + 'tolerance = { why = "w" }', "needs `relative` or `absolute`", ""),
        (HEAD + PARTS + CHECK + "tolerance = { absolute = 1.0 }", "'why' must be a text", ""),
        (HEAD + PARTS + CHECK + CHECK, "declares check '2a.x' twice", ""),
        (HEAD + PARTS + PARTS + CHECK, "declares part '2a' twice", ""),
        (HEAD + PARTS + check("9.x"), "belongs to no declared part", "Declare the part"),
        (HEAD + PARTS + check("2a.x", 'depends_on = ["2a.y"]'), "not declared before it", "in the order"),
        (
            HEAD + PARTS + check("2a.values") + check("2a.x", 'depends_on = ["2a.vales"]'),
            "not declared before it",
            "Did you mean '2a.values'",
        ),
        (HEAD + PARTS + check("2a.x", 'depends_on = ["2a.x"]'), "not declared before it", ""),
    ],
)  # fmt: skip
def test_a_mistake_of_the_author_is_named(text: str, message: str, next_step: str, read: Read) -> None:
    with pytest.raises(AssignmentError) as caught:
        read(text)
    assert re.search(message, caught.value.message), caught.value.message
    assert re.search(next_step, caught.value.next_step), caught.value.next_step


def test_a_file_that_is_not_there_is_the_authors_mistake(tmp_path: Path) -> None:
    with pytest.raises(AssignmentError, match="cannot be read"):
        read_assignment(tmp_path)


def test_an_unknown_assignment_names_those_there_are() -> None:
    with pytest.raises(UnknownName, match="no assignment 'transfomer'") as caught:
        load_assignment("transfomer")
    assert caught.value.next_step == "Did you mean 'transformer'?"


def test_an_id_comes_before_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hand-in called `transformer` cannot bring checks of its own."""
    (tmp_path / "transformer").mkdir()
    (tmp_path / "transformer" / "assignment.toml").write_text('id = "mine"\nversion = "1"\ntitle = "Mine"\n')
    monkeypatch.chdir(tmp_path)
    assert find_assignment("transformer").id == "transformer"
    with pytest.raises(AssignmentError, match="part"):
        find_assignment("./transformer")


# ---------------------------------------------------------------- the hash


def test_the_hash_is_of_every_file_and_of_nothing_else(tmp_path: Path) -> None:
    root, reference = tmp_path / "tests", tmp_path / "reference"
    root.mkdir()
    reference.mkdir()
    (root / "assignment.toml").write_text(HEAD + PARTS + CHECK)
    (reference / "a.py").write_text("x = 1")

    def now() -> str:
        return read_assignment(root, reference).sha256

    before = now()
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "a.pyc").write_bytes(b"1")
    assert now() == before
    (reference / "a.py").write_text("x = 2")
    changed = now()
    assert changed != before
    (reference / "a.py").rename(reference / "b.py")
    assert now() not in (before, changed)


# ---------------------------------------------------------------- selecting


@pytest.fixture(scope="module")
def bundled() -> Assignment:
    return load_assignment()


def ids(checks: tuple[object, ...]) -> list[str]:
    return [str(c.id) for c in checks]  # type: ignore[attr-defined]


def test_nothing_named_is_everything(bundled: Assignment) -> None:
    assert select(bundled) == bundled.checks


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (["2c"], {"2c"}),
        (["2"], {"2a", "2b", "2c", "2d"}),
        (["4e"], {"4e1", "4e2", "4e3"}),
        (["4e1"], {"4e1"}),
        (["3a", "2"], {"3a", "2a", "2b", "2c", "2d"}),
    ],
)
def test_a_part_is_chosen_by_its_id_or_its_beginning(
    parts: list[str], found: set[str], bundled: Assignment
) -> None:
    chosen = select(bundled, parts)
    assert {check.part for check in chosen} == found
    assert ids(chosen) == [c.id for c in bundled.checks if c.part in found]


def test_an_exact_part_wins_over_a_beginning(read: Read) -> None:
    parts = PARTS.replace('"2a"', '"2"').replace('"2b"', '"21"')
    assignment = read(HEAD + parts + check("2.x") + check("21.x"))
    assert ids(select(assignment, ["2"])) == ["2.x"]


def test_checks_and_parts_add_up_in_the_order_of_the_assignment(bundled: Assignment) -> None:
    chosen = select(bundled, ["2a"], ["4c.bytes", "2c.self"])
    assert ids(chosen) == [*(c.id for c in bundled.checks if c.part == "2a"), "2c.self", "4c.bytes"]


def test_a_public_run_has_no_hidden_check(bundled: Assignment) -> None:
    chosen = select(bundled, public_only=True)
    assert {check.visibility for check in chosen} == {Visibility.PUBLIC}
    assert set(chosen) == {c for c in bundled.checks if c.visibility is Visibility.PUBLIC}


@pytest.mark.parametrize(
    ("parts", "checks", "message"),
    [
        (["4c"], [], "Part 4c has no public check"),
        ([], ["2c.self", "2c.independence"], "2c.independence is a hidden"),
    ],
)
def test_a_public_run_of_nothing_is_refused_not_passed(
    parts: list[str], checks: list[str], message: str, bundled: Assignment
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        select(bundled, parts, checks, public_only=True)
    assert "grade list --public" in caught.value.next_step


@pytest.mark.parametrize(
    ("parts", "checks", "message", "next_step"),
    [
        (["2x"], [], "no part '2x'", "Known: 2a, 2b"),
        ([""], [], "no part ''", "Known"),
        (["2C"], [], "no part '2C'", "Did you mean '2c'"),
        ([], ["2c.maskd"], "no check '2c.maskd'", "Did you mean '2c.masked'"),
    ],
)
def test_an_unknown_name_is_answered_with_a_known_one(
    parts: list[str], checks: list[str], message: str, next_step: str, bundled: Assignment
) -> None:
    with pytest.raises(UnknownName, match=message) as caught:
        select(bundled, parts, checks)
    assert next_step in caught.value.next_step


def test_a_part_given_as_a_check_and_the_other_way_round(bundled: Assignment) -> None:
    with pytest.raises(UsageError, match="2c is a part") as caught:
        select(bundled, [], ["2c"])
    assert caught.value.next_step == "Write --part 2c."
    with pytest.raises(UsageError, match=r"2c\.self is a check") as caught:
        select(bundled, ["2c.self"])
    assert caught.value.next_step == "Write --check 2c.self."


# ---------------------------------------------------------------- the bundled coursework


def test_the_coursework_adds_up_to_a_hundred(bundled: Assignment) -> None:
    assert sum(check.points for check in bundled.checks) == 100
    assert len({check.id for check in bundled.checks}) == len(bundled.checks)


def test_every_part_of_the_handout_is_judged(bundled: Assignment) -> None:
    handout = ["2a", "2b", "2c", "2d", "3a", "3b", "3c", "3d", "4a", "4b", "4c", "4d", "4e1", "4e2", "4e3"]
    assert [part.id for part in bundled.parts] == handout
    assert {check.part for check in bundled.checks} == set(handout)


def test_every_tolerance_has_a_reason_that_says_something(bundled: Assignment) -> None:
    reasons = {check.id: check.tolerance.why for check in bundled.checks if check.tolerance}
    assert [id for id, why in reasons.items() if len(why.split()) < 6] == []

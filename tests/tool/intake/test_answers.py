"""answers.toml: what is found, where, and what a student is told where it is not."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake import Found, read_answers
from grader.intake.toml_lines import key_lines
from grader.model import ArtifactKind, Submission, SubmittedFile

HandIn = Callable[[dict[str, Any]], Submission]

GOOD = '''# my answers
[2a]
shape = [1, 2,
         3, 4]
norm = 2.7050   # four decimals

[4a]
objective = """
x = 5
[4b]
"""
loss = "0.2877 nats"

[4c]
bytes = 536_870_912
total = ""
'''


def test_values_keep_their_digits_and_their_lines(hand_in: HandIn) -> None:
    answers = read_answers(hand_in({"answers.toml": GOOD}))
    norm = answers.get("2a.norm")
    assert (norm.status, str(norm.value), norm.location) == (Found.FOUND, "2.7050", "answers.toml, line 5")
    assert answers.get("2a.shape").value == [1, 2, 3, 4]
    assert answers.get("2a.shape").location == "answers.toml, line 3"
    assert answers.get("4a.loss").location == "answers.toml, line 12"
    assert answers.get("4c.bytes").value == 536870912
    assert answers.get("4c.bytes").location == "answers.toml, line 15"


def test_prose_is_text(hand_in: HandIn) -> None:
    answers = read_answers(hand_in({"answers.toml": GOOD}))
    assert answers.text("4a.objective").value == "x = 5\n[4b]\n"
    wrong = answers.text("4c.bytes")
    assert wrong.status is Found.MALFORMED
    assert str(wrong.problem).startswith("4c.bytes is the number 536870912, and a text is due.")


def test_a_list_of_lines_is_prose_too(hand_in: HandIn) -> None:
    answers = read_answers(hand_in({"answers.toml": '[3d]\ncomparison = ["one", "two"]'}))
    assert answers.text("3d.comparison").value == "one\ntwo"


@pytest.mark.parametrize("value", ['""', '"  "', "[]", '"TODO"', '"?"', '"..."', '"<your answer>"', "{}"])
def test_placeholders_are_missing(hand_in: HandIn, value: str) -> None:
    answer = read_answers(hand_in({"answers.toml": f"[4c]\nbytes = {value}"})).get("4c.bytes")
    assert answer.status is Found.MISSING
    assert "is not answered yet" in str(answer.problem)
    assert answer.location == "answers.toml, line 2"


def test_no_file_is_missing_and_says_how_to_get_one(hand_in: HandIn) -> None:
    answer = read_answers(hand_in({})).get("4c.bytes")
    assert answer.status is Found.MISSING
    assert "`grade init DIR`" in str(answer.problem)


@pytest.mark.parametrize("path", ["Answers.TOML", "part4/answers.toml"])
def test_another_case_or_place_is_found_with_a_note(hand_in: HandIn, path: str) -> None:
    answers = read_answers(hand_in({path: "[4c]\nbytes = 1"}))
    assert answers.get("4c.bytes").value == 1
    assert answers.notes == (f"answers.toml was read from {path}.",)


def test_two_files_of_the_name_are_ambiguous(hand_in: HandIn) -> None:
    answer = read_answers(hand_in({"a/answers.toml": "x = 1", "b/answers.toml": "x = 2"})).get("4c.bytes")
    assert answer.status is Found.MALFORMED
    assert "a/answers.toml and b/answers.toml" in str(answer.problem)


@pytest.mark.parametrize(
    "text",
    [
        "[4C]\nBytes = 7",
        "4c.bytes = 7",
        '"4c.bytes" = 7',
        "[4.c]\nbytes = 7",
        '["4c"]\nbytes = 7',
        "[4c]\nbytes = 7\r\n",
        "\ufeff[4c]\nbytes = 7",
    ],
)
def test_other_ways_to_write_a_key_are_understood(hand_in: HandIn, text: str) -> None:
    assert read_answers(hand_in({"answers.toml": text})).get("4c.bytes").value == 7


def test_a_key_that_differs_gets_a_note(hand_in: HandIn) -> None:
    answer = read_answers(hand_in({"answers.toml": "[2A]\nnorm = 1.5"})).get("2a.norm")
    assert answer.notes == ("The key is written '2A.norm'; it was read as '2a.norm'.",)


def test_a_key_outside_its_section_is_pointed_at(hand_in: HandIn) -> None:
    answer = read_answers(hand_in({"answers.toml": "bytes = 7\n[4c]\ntotal = 1"})).get("4c.bytes")
    assert answer.status is Found.MISSING
    assert "line 1 has 'bytes' outside of any section: move it below [4c]" in str(answer.problem)


def test_a_misspelt_key_is_pointed_at(hand_in: HandIn) -> None:
    submission = hand_in({"answers.toml": "[4c]\nbytez = 7"})
    answers = read_answers(submission, known=["4c.bytes", "4c.total"])
    assert "line 2 has '4c.bytez': is '4c.bytes' meant?" in str(answers.get("4c.bytes").problem)
    assert answers.notes == ("answers.toml, line 2: no question asks for '4c.bytez'; is '4c.bytes' meant?",)


def test_a_section_in_the_place_of_a_value(hand_in: HandIn) -> None:
    answer = read_answers(hand_in({"answers.toml": "[4c.bytes]\nvalue = 7"})).get("4c.bytes")
    assert answer.status is Found.MALFORMED
    assert "is a section with entries (value), and one value is due" in str(answer.problem)


@pytest.mark.parametrize(
    ("line", "place", "step"),
    [
        ("bytes = 75 %", "Line 3, column 12", 'bytes = "75 %"'),
        ("bytes = 268,435,456", "Line 3, column 12", 'bytes = "268,435,456"'),
        ("bytes = 25.77 GB # all", "Line 3", 'bytes = "25.77 GB"'),
        ("bytes = (1, 2)", "Line 3", "[5, 6, 7, 8]"),
        ("bytes =", "Line 3", 'bytes = ""'),
        ('bytes = "12', "Line 3", "quotes"),
        ("total = 2", "Line 3", "stands twice"),
    ],
)
def test_one_bad_entry_costs_one_answer(hand_in: HandIn, line: str, place: str, step: str) -> None:
    answers = read_answers(hand_in({"answers.toml": f"[4c]\ntotal = 1\n{line}\n[4d]\nfirst = 5\n"}))
    bad = answers.get(f"4c.{line.split()[0]}")
    assert bad.status is Found.MALFORMED
    assert bad.problem is not None
    assert place in bad.problem.message
    assert step in bad.problem.next_step
    assert bad.location == "answers.toml, line 3"
    assert (answers.get("4d.first").value, answers.get("4d.first").location) == (5, "answers.toml, line 5")
    assert answers.notes == (
        "answers.toml is not valid TOML in line 3; the other entries were read all the same.",
    )


@pytest.mark.parametrize(
    ("text", "place", "step"),
    [
        ("[4c]\nbytes = 1\n[4d\nfirst = 1", "Line 3", "[4c]"),
        ("[4c]\nthis is no entry", "Line 2", "[4c]"),
        ("[4c]\nbytes = 1\n[4c]", "Line 3", "stands twice"),
        ('[4c]\nbytes = 1\nnote = """never\nends', "Line 4, at its end", "quotes"),
        ("[2a]\nshape = [1, 2\n[4c]\nbytes = 1", "Line 3", "[4c]"),
        ("[4c]\n" + "bytes = 1 GB\n" * 50, "more than 40 errors", ""),
    ],
)
def test_where_an_error_could_move_other_answers_nothing_is_read(
    hand_in: HandIn, text: str, place: str, step: str
) -> None:
    answers = read_answers(hand_in({"answers.toml": text}))
    assert answers.status is Found.MALFORMED
    assert answers.problem is not None
    assert place in answers.problem.message
    assert step in answers.problem.next_step
    assert answers.get("4c.bytes").status is Found.MALFORMED


def test_latex_in_prose_is_read_as_it_stands(hand_in: HandIn) -> None:
    text = '[4a]\nobjective = """\nmaximise \\sum_t \\log P\nand \\underbrace{x}\n"""\nloss = 1'
    answers = read_answers(hand_in({"answers.toml": text}))
    assert answers.text("4a.objective").value == "maximise \\sum_t \\log P\nand \\underbrace{x}\n"
    assert answers.get("4a.loss").value == 1
    assert "line 3: a backslash was read as it stands" in answers.notes[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[4c]\nbytes = 1 # caf\xe9", "line 2 holds the byte 0xe9, in Windows' own encoding 'é'"),
        (b"[4c]\nbytes = 1\0", "zero bytes"),
        (b"\xff\xfea", "starts like UTF-16"),
        (b"#" * 1_000_001, "1.0 MB"),
        (b"x = " + b"[" * 5000, "nested too deeply"),
        (b"x = " + b"9" * 5000, "number that cannot be read"),
    ],
)
def test_content_that_cannot_be_read(hand_in: HandIn, content: bytes, said: str) -> None:
    answers = read_answers(hand_in({"answers.toml": content}))
    assert answers.status is Found.MALFORMED
    assert said in str(answers.problem)


def test_utf16_with_a_mark_is_read_with_a_note(hand_in: HandIn) -> None:
    answers = read_answers(hand_in({"answers.toml": "[4c]\nbytes = 7".encode("utf-16")}))
    assert answers.get("4c.bytes").value == 7
    assert "UTF-16" in answers.notes[0]


def test_a_file_that_intake_left_unread_says_so() -> None:
    file = SubmittedFile("answers.toml", b"", ArtifactKind.ANSWERS, "It is 30 MB.")
    answers = read_answers(Submission("a", Path("a"), "", (file,)))
    assert "answers.toml was not read. It is 30 MB." in str(answers.problem)


def test_special_numbers_stay_what_they_are(hand_in: HandIn) -> None:
    answers = read_answers(hand_in({"answers.toml": "[a]\nx = nan\ny = -inf\nz = 1e5"}))
    assert answers.get("a.x").value.is_nan()
    assert answers.get("a.z").value == Decimal("1e5")


@pytest.mark.parametrize(
    "value",
    [
        '"""one\ntwo"""',
        '"""a "word", \\""" and\n""" # "',
        "'''it's\n\\'''",
        '"""\n\\\\"""',
        "'''\nends with one'''",
    ],
)
def test_a_long_text_ends_where_toml_ends_it(value: str) -> None:
    lines = key_lines(f"[a]\nb = {value}\nc = 1\n")
    assert lines == {"a": 1, "a.b": 2, "a.c": 3 + value.count("\n")}


@given(st.text(max_size=300) | st.binary(max_size=300))
def test_no_content_makes_reading_fail(content: str | bytes) -> None:
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    file = SubmittedFile("answers.toml", data, ArtifactKind.ANSWERS)
    answers = read_answers(Submission("a", Path("a"), "", (file,)), known=["4c.bytes"])
    assert answers.get("4c.bytes").status in Found
    assert answers.text("4c.bytes").status in Found


@given(st.text(alphabet="ab[]{}\"'=#,.\\\n 1", max_size=120))
def test_lines_are_found_for_any_text(text: str) -> None:
    assert all(1 <= line <= text.count("\n") + 1 for line in key_lines(text).values())

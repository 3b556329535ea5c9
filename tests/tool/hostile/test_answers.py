"""Hostile answers: numbers that are none, that take for ever, or that are right whatever is asked."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from grader.assignment import load_assignment
from grader.checking.session import run_checks
from grader.intake import read_submission
from grader.model import Status

ASSIGNMENT = load_assignment()
CHECKS = [c for c in ASSIGNMENT.checks if c.number or (c.answers and not c.id.endswith("reported"))]
KEYS = sorted({k for c in CHECKS for k in c.answers} | {str(c.number["answer"]) for c in CHECKS if c.number})

ANSWERS = {
    "power of ten": '"1e999999999"',
    "small power of ten": '"1e-999999999"',
    "largest float": "1e308",
    "smallest float": "1e-320",
    "nan": "nan",
    "infinity": "inf",
    "minus infinity": "-inf",
    "zero": "0",
    "minus zero": "-0.0",
    "thousands of digits": "9" * 4000,
    "a megabyte of digits": '"' + "9" * 100_000 + '"',
    "division by zero": '"1/0"',
    "tower of powers": '"9**9**9**9"',
    "tower with carets": '"9^9^9^9"',
    "power of a unit": '"1 byte**99999999"',
    "units without an end": '"1e9 ' + "kilo" * 400 + 'byte"',
    "product of units": '"5 GB GB GB/GB^1000000"',
    "brackets": '"' + "(" * 5000 + "1" + ")" * 5000 + ' GB"',
    "written with times": '"1 × 10^999999999"',
    "superscripts": '"10⁹⁹⁹⁹⁹⁹⁹⁹⁹"',
    "words": '"1 million million million million billion billion"',
    "full-width digits": '"１２３"',
    "a NUL": '"1\\u0000"',
    "code": "\"__import__('os').system('id')\"",
    "markup": '"<script>alert(1)</script>=1+1"',
    "escapes": '"\\u001b[2J\\u202e1"',
    "true": "true",
    "a date": "1979-05-27",
    "nested lists": "[" * 300 + "]" * 300,
    "a section": "{a = {b = {c = 1}}}",
    "a shape": "[99999999999999999999999999, 2, 3, -1]",
}


def no_worker() -> NoReturn:
    raise AssertionError("no student code is run for an answer")


@pytest.mark.parametrize("name", ANSWERS)
def test_it_earns_nothing_and_breaks_nothing(name: str, tmp_path: Path) -> None:
    """The same answer is given to every question."""
    sections: dict[str, list[str]] = {}
    for key in KEYS:
        section, _, entry = key.partition(".")
        sections.setdefault(section, []).append(f"{entry} = {ANSWERS[name]}")
    text = "\n".join(f'["{section}"]\n' + "\n".join(lines) for section, lines in sections.items())
    (tmp_path / "answers.toml").write_text(text, encoding="utf-8")
    results, internal = run_checks(
        ASSIGNMENT, read_submission(tmp_path), CHECKS, seed=1, open_worker=no_worker
    )
    assert internal == {}
    assert [r.id for r in results if r.points.earned] == []
    assert {r.status for r in results} == {Status.FAILED}

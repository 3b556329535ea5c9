"""The evidence of a check is what it knew last, with the student's own line where their code raised."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from grader.checking.evidence import Running
from grader.model import Check, Plot
from grader.worker.calls import Frame, Raised, Returned


@pytest.fixture
def running() -> Running:
    return Running(Check("2c.self", "2c", "t", Decimal(1)), seed=5)


def test_an_untouched_check_has_empty_evidence(running: Running) -> None:
    evidence = running.evidence()
    assert (evidence.asked, evidence.expected, evidence.output, evidence.notes) == ("", None, None, ())


def test_the_innermost_frame_and_the_exception_are_kept(running: Running) -> None:
    frames = (Frame("a.py", 3, "forward", "g(x)"), Frame("b.py", 9, "g", "    raise ValueError(x)"))
    running.obtained = "what it was before"
    running.saw(Raised("exception", "ValueError", "no", frames, output="printed"))
    evidence = running.evidence()
    assert evidence.where == "b.py, line 9, in g: raise ValueError(x)"
    assert evidence.obtained == "ValueError: no"
    assert evidence.output == "printed"


def test_what_was_raised_outside_of_their_files_names_no_line(running: Running) -> None:
    running.saw(Raised("missing", "", "No file defines it."))
    assert running.evidence().where is None


def test_prints_of_several_calls_follow_one_another_and_keep_their_end(running: Running) -> None:
    running.saw(Returned(None, "one"))
    running.saw(Returned(None, "  \n"))
    running.saw(Returned(None, "two"))
    assert running.evidence().output == "one\ntwo"
    running.saw(Returned(None, "x" * 5000 + "end"))
    output = running.evidence().output
    assert output is not None
    assert len(output) == 4000
    assert output.endswith("end")


@pytest.mark.parametrize(
    ("given", "kept"), [(None, None), (2, 2.0), (math.nan, math.inf), (math.inf, math.inf)]
)
def test_a_difference_is_a_plain_number(given: float | None, kept: float | None, running: Running) -> None:
    running.largest_difference = given
    assert running.evidence().largest_difference == kept


def test_what_is_asked_beside_the_check_is_no_evidence(running: Running) -> None:
    with running.aside():
        running.saw(Raised("exception", "ValueError", "no", (Frame("a.py", 3, "f", "x"),), output="printed"))
    assert (running.evidence().where, running.evidence().output) == (None, None)
    running.saw(Returned(None, "one"))
    assert running.evidence().output == "one"


def test_evidence_is_a_copy(running: Running) -> None:
    running.note("one")
    before = running.evidence()
    running.note("two")
    running.plot(Plot("curves", "t"))
    assert before.notes == ("one",)
    assert before.plots == ()
    assert running.evidence().notes == ("one", "two")

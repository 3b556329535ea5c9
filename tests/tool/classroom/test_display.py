"""What is seen while a class is graded: the bar says where it stands, and is not drawn for every event."""

from __future__ import annotations

import io

from rich.console import Console

from grader.classroom.display import shown
from grader.classroom.hand_in import HandIn
from grader.model import GradeReport
from tests.tool import reports
from tests.tool.classroom.conftest import Word


def test_the_bar_is_drawn_twice_a_second_however_much_happens() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    now = 0.0
    told: list[str] = []

    def deliver(hand_in: HandIn, report: GradeReport) -> None:
        told.append(hand_in.student)

    def drawn() -> list[str]:
        text = out.getvalue()
        out.seek(0)
        out.truncate()
        return [part for part in text.split("Grading") if "/100" in part]

    with shown(console, 100, deliver, clock=lambda: now) as watcher:
        drawn()
        for number in range(50):
            hand_in = Word(f"s{number}", "word")
            watcher.on_start(hand_in)
            watcher.on_graded(hand_in, reports.full_marks())
            watcher.on_tick()
        assert drawn() == []
        now = 0.5
        watcher.on_start(Word("ada", "word"))
        (only,) = drawn()
        assert "50/100" in only
        assert "Ada" in only
        watcher.on_tick()
        assert drawn() == []
    assert told == [f"s{number}" for number in range(50)]

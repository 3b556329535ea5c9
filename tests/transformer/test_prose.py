"""The prose answers: a person marks them; the grader collects what they mention."""

from __future__ import annotations

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Missing, NeedsReview
from grader.intake import Answers, Found
from grader.model import Check
from reference.transformer import prose


def test_prose(prose_check: Check, check: Running, answers: Answers) -> None:
    """The grader collects what a marker looks for and leaves the mark to a person."""
    answer = answers.text(prose_check.id)
    check.location = answer.location
    for note in answer.notes:
        check.note(note)
    if answer.status is not Found.FOUND:
        assert answer.problem is not None
        kind = Missing if answer.status is Found.MISSING else Failed
        raise kind(answer.problem.message, answer.problem.next_step)
    check.obtained = answer.value
    question = prose.PROSE[prose_check.id]
    check.asked = question.question
    found = [concept.name for concept, passage in question.look(answer.value) if passage]
    absent = [concept.name for concept, passage in question.look(answer.value) if not passage]
    check.note(
        f"{len(answer.value.split())} words. Mentioned: {', '.join(found) or 'none of the expected concepts'}."
    )
    if absent:
        check.note(f"Not found by the grader, which knows only some wordings: {', '.join(absent)}.")
    raise NeedsReview("A person marks this answer; the grader has collected what it mentions.")

"""The gradebook: every attempt, report and mark of a class, and every mark that a person gave."""

from grader.gradebook.opening import opened_for
from grader.gradebook.records import Entry, Graded, Mark, Override, Result, Run
from grader.gradebook.standing import CheckStanding, Standing, standing_of, standings
from grader.gradebook.store import Gradebook

__all__ = [
    "CheckStanding",
    "Entry",
    "Gradebook",
    "Graded",
    "Mark",
    "Override",
    "Result",
    "Run",
    "Standing",
    "opened_for",
    "standing_of",
    "standings",
]

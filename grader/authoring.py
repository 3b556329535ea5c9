"""All that the author of a check imports, in one place; docs/authoring.md is the page about it.

    from grader.authoring import Compare, Expected, Failed, Running, Student

Checks that use nothing of this import nothing of it: it brings torch.
"""

from grader.bank import Edit, Misconception
from grader.checking.asserted import Asserted
from grader.checking.comparing import Compare
from grader.checking.evidence import Running
from grader.checking.expected import Expected
from grader.checking.numeric import Numbers
from grader.checking.outcomes import Blocked, Failed, Missing, NeedsReview, Partial
from grader.checking.student import Student
from grader.intake import Answers
from grader.model import Assignment, Check, Submission
from grader.numbers import Figure, KnownSlip, table
from grader.worker.calls import Call, Raised, Ref, Returned

__all__ = [
    "Answers",
    "Asserted",
    "Assignment",
    "Blocked",
    "Call",
    "Check",
    "Compare",
    "Edit",
    "Expected",
    "Failed",
    "Figure",
    "KnownSlip",
    "Misconception",
    "Missing",
    "NeedsReview",
    "Numbers",
    "Partial",
    "Raised",
    "Ref",
    "Returned",
    "Running",
    "Student",
    "Submission",
    "table",
]

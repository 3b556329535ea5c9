"""Which student each file of a download belongs to: the names that learning platforms give, read back."""

from grader.intake.lms.draft import Draft, Layout
from grader.intake.lms.recognise import recognise

__all__ = ["Draft", "Layout", "recognise"]

"""Grades Transformer coursework: the judge asks, a sealed worker answers, the report says why.

The flow of one submission is on one page in :mod:`grader.pipeline`; start there.
"""

__version__ = "0.1.0"

"""Proves an assignment by running it on hand-ins whose marks are known: what `grade verify` does.

    settings  the table [verify] of assignment.toml      ->  Settings
    plan      model solution, starter, misconceptions, variants: hand-ins and runs  ->  Plan
    judges    the runs, on several cores                 ->  Runs
    claims, telling, tolerances   what the results show  ->  Proof
    table, document   for a person, for a program

docs/verify.md says what each claim means. Nothing here knows any assignment.
"""

from grader.verify.proof import Claim, Margin, Problem, Proof
from grader.verify.verify import Progress, verify

__all__ = ["Claim", "Margin", "Problem", "Progress", "Proof", "verify"]

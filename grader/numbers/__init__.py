"""Numbers on paper: read what a student wrote, compare it exactly, and judge it fairly.

    parse_number("12.3 GB", "byte")        ParsedNumber: exact value in base units, printed digits, unit
                                            or ParseProblem: message and next step
    compare_number(parsed, expected, tol)   Comparison: exact, rounded, early_rounded or wrong
    judge_number(check, answers, quantities, checks)      Verdict: share of the points, message, hint, evidence

Values are exact (`fractions.Fraction`) from the student's text to the verdict. `quantities` are the
reference's, seen through :class:`Quantity`; this package imports neither the reference nor torch.

What counts as right:

- the expected value to the digits printed: rounded (two significant digits at least) or cut off (three);
- within the tolerance that the check declares: full points, and a note "rounded early";
- what follows so from the student's own earlier number where that was right but rounded;
- a number without a unit in thousands, millions, billions, kB, MB, GB, where that is right: with a note.

What follows from an earlier wrong number gets the follow-through points that the check declares. A known slip is
named where exactly one leads to the number; it costs points in the first check where it shows, not again.
"""

from grader.numbers.book import Number, Quantity, Slip, evaluate
from grader.numbers.compare import Comparison, Outcome, compare_number, show_number, to_fraction
from grader.numbers.figures import Figure, KnownSlip, table
from grader.numbers.judge import Verdict, judge_number
from grader.numbers.parse import ParsedNumber, ParseProblem, parse_number, parse_shape
from grader.numbers.units import Unit, UnitError, unit_named

__all__ = [
    "Comparison",
    "Figure",
    "KnownSlip",
    "Number",
    "Outcome",
    "ParseProblem",
    "ParsedNumber",
    "Quantity",
    "Slip",
    "Unit",
    "UnitError",
    "Verdict",
    "compare_number",
    "evaluate",
    "judge_number",
    "parse_number",
    "parse_shape",
    "show_number",
    "table",
    "to_fraction",
    "unit_named",
]

"""The claim on tolerances: ten times the noise of right answers, and a tenth of the nearest wrong one.

Of a check on code both are measured: `largest_difference` over every run of right code (seeds, variants, threads), and
over the misconceptions that name the check. Of a number on paper both are known exactly: what right ways that round
early are off by, and where the slips lead. A rounding is no sample, so it has to lie inside, without a factor.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from grader.model import Check
from grader.numbers import Quantity, to_fraction
from grader.numbers.question import Question, read_question
from grader.verify.case import Case
from grader.verify.proof import Claim, Margin, Measured, Problem

FACTOR = 10.0
"""On either side."""
_STATEMENT = "Each tolerance is 10 times the noise or more, and a tenth of the nearest wrong answer or less"


def margins(case: Case, quantities: Mapping[str, Quantity]) -> tuple[Margin, ...]:
    """One for each check that declares a tolerance. Raises AssignmentError for a number that the reference lacks."""
    return tuple(
        _margin_of_number(check, quantities) if check.number else _margin_of_code(case, check)
        for check in case.checks
        if check.tolerance
    )


def tolerances(case: Case, found: Iterable[Margin]) -> Claim:
    """Hold every margin against the factor."""
    found = list(found)
    declared = {check.id: check for check in case.checks}
    problems = [
        problem
        for margin in found
        for problem in (_relative(declared[margin.check]) or [*_below(margin), *_above(margin)])
    ]
    measured = [m for m in found if not m.exact]
    below = [m.above_noise for m in measured if m.above_noise is not None]
    above = [m.below_nearest for m in found if m.below_nearest is not None]
    figures = f"{len(measured)} measured, {len(found) - len(measured)} exact"
    if below:
        figures += f"; the least above noise is {times(min(below))}"
    if above:
        figures += f"; the least below a wrong answer is {times(min(above))}"
    return Claim("tolerances", _STATEMENT, figures, tuple(problems))


def times(factor: float) -> str:
    """A factor as the table shows it: "3.2 ×", "13 ×", "4,504 ×", "4e+11 ×"."""
    if factor >= 1e6:
        return f"{factor:.0e} ×"
    return f"{factor:,.0f} ×" if factor >= 100 else f"{factor:.2g} ×"


# ---------------------------------------------------------------- measured on code


def _margin_of_code(case: Case, check: Check) -> Margin:
    assert check.tolerance is not None
    limit = check.tolerance.absolute
    right = [
        Measured(seen.difference, f"{name}, seed {seed}")
        for name, seed, seen in case.right_code()
        if seen.check == check.id and seen.full and seen.difference is not None
    ]
    wrong = [
        Measured(seen.difference, f"{name}, seed {seed}")
        for name, misconception in case.handed_in()
        if check.id in misconception.checks
        for seed, seen in case.runs.at(name, check.id)
        if seen.lost and seen.difference is not None and limit < seen.difference < math.inf
    ]
    return Margin(
        check=check.id,
        unit="",
        tolerance=limit,
        noise=max(right, key=lambda m: m.value, default=None),
        nearest=min(wrong, key=lambda m: m.value, default=None),
        exact=False,
    )


def _relative(check: Check) -> list[Problem]:
    """A relative tolerance cannot be held against the largest absolute difference."""
    assert check.tolerance is not None
    if check.number or not check.tolerance.relative:
        return []
    sentence = f"{check.id} has a relative tolerance, and its largest_difference is absolute: they cannot be compared."
    return [Problem(check.id, sentence, "Declare `absolute`.")]


def _below(margin: Margin) -> list[Problem]:
    """The side of the noise."""
    if margin.exact:
        return []
    if margin.noise is None:
        return [
            Problem(
                margin.check,
                f"{margin.check} declares a tolerance, and no run of right code told by how much it was off.",
                "Let the check set check.largest_difference before it judges.",
            )
        ]
    above = margin.above_noise
    if above is None or above >= FACTOR:
        return []
    return [
        Problem(
            margin.check,
            f"The tolerance of {margin.check} is {margin.tolerance:.2g}, only {times(above)} what right code is off by "
            f"({margin.noise.value:.2g}, {margin.noise.where}); {FACTOR:.0f} × are due.",
            _advice(margin),
        )
    ]


# ---------------------------------------------------------------- known of numbers


def _margin_of_number(check: Check, quantities: Mapping[str, Quantity]) -> Margin:
    question = read_question(check, quantities)
    limit = _limit(question)
    right: list[Measured] = []
    wrong: list[Measured] = []
    for slip in question.quantity.slips:
        off = abs(to_fraction(slip.value) * question.native.factor - question.expected) / question.due.factor
        measured = Measured(float(off), f"slip {slip.id}")
        (right if getattr(slip, "keeps_marks", False) else wrong).append(measured)
    return Margin(
        check=check.id,
        unit=question.due.name,
        tolerance=limit,
        noise=max((m for m in right if m.value <= limit), key=lambda m: m.value, default=None),
        nearest=min(wrong, key=lambda m: m.value, default=None),
        exact=True,
    )


def _limit(question: Question) -> float:
    """The tolerance in the unit of the answer, as the numbers engine applies it."""
    tolerance = question.tolerance
    assert tolerance is not None
    relative = to_fraction(tolerance.relative) * abs(question.expected) / question.due.factor
    return float(max(relative, to_fraction(tolerance.absolute)))


# ---------------------------------------------------------------- both


def _above(margin: Margin) -> list[Problem]:
    """The side of the nearest wrong answer."""
    if margin.nearest is None:
        what = "slip" if margin.exact else "misconception that names it"
        sentence = f"{margin.check} declares a tolerance, and no {what} is outside it: it may be too wide."
        return [
            Problem(
                margin.check,
                sentence,
                f"Add one whose result is near the right one, or narrow the tolerance of {margin.tolerance:.2g}.",
            )
        ]
    if margin.nearest.value >= FACTOR * margin.tolerance:
        return []
    off = margin.nearest.value / margin.tolerance
    return [
        Problem(
            margin.check,
            f"The tolerance of {margin.check} is {margin.tolerance:.2g}: the nearest wrong answer is off by "
            f"{margin.nearest.value:.2g} ({margin.nearest.where}), only {times(off)} as much; {FACTOR:.0f} × are due.",
            _advice(margin),
        )
    ]


def _advice(margin: Margin) -> str:
    """The tolerances that would do, if there are any."""
    least = FACTOR * margin.noise.value if margin.noise and not margin.exact else 0.0
    if margin.nearest is None:
        return f"Declare {least:.2g} or more."
    most = margin.nearest.value / FACTOR
    if least > most:
        return "No tolerance separates the two: let the check ask something on which they differ more."
    return f"Declare between {least:.2g} and {most:.2g}." if least else f"Declare {most:.2g} or less."

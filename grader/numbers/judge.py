"""The verdict on one number of a hand-in: right, carried forward, a known slip, or wrong.

The order is the marking rule: a right number is right however it came about; a number that follows from an
earlier wrong one is not punished again; only then is a slip looked for; and a slip that has cost points once
costs none the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from grader.intake import Answer, Answers, Found
from grader.model import Check, Status, Visibility
from grader.numbers.book import Quantity, Slip
from grader.numbers.compare import Outcome, compare_number, show_number, to_fraction
from grader.numbers.follow import Carried, carried_values
from grader.numbers.parse import ParsedNumber, ParseProblem, parse_number
from grader.numbers.question import Question, Sheet, readings
from grader.numbers.units import DATA, NUMBER

FULL = Fraction(1)
NOTHING = Fraction(0)
_FACTORS = (
    (Fraction(-1), "the negative of", "Where did the sign go?"),
    (Fraction(8), "8 times", "Bits or bytes?"),  # message
    (Fraction(1, 8), "an eighth of", "Bits or bytes?"),
    (Fraction(2), "twice", "Is something counted twice?"),  # message
    (Fraction(1, 2), "half of", "Is something left out?"),
    (Fraction(100), "100 times", "Percent or a plain share?"),  # message
    (Fraction(1, 100), "a hundredth of", "Percent or a plain share?"),
    *(
        (Fraction(1000) ** k, f"1000^{k} times" if k > 1 else "1,000 times", "Look at the unit.")  # message
        for k in (1, 2, 3)
    ),
    *(
        (
            Fraction(1, 1000**k),
            f"1/1000^{k} of" if k > 1 else "a thousandth of",
            "Look at the unit.",
        )  # message
        for k in (1, 2, 3)
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge of numbers says; the check turns it into points."""

    status: Status
    """passed, partial, failed, missing or needs_review. A number that is wrong but costs nothing (carried forward at
    full points) is passed, and the message says so."""
    fraction: Fraction
    """Share of the check's points, 0 to 1."""
    message: str
    """One sentence: why."""
    hint: str
    """What to try next; empty for full points."""
    asked: str = ""
    """Key and title of the number, and its unit."""
    expected: str | None = None
    """The right value as text; None for a hidden check."""
    obtained: str | None = None
    """What was written, with the unit it was read in."""
    location: str | None = None
    """Where it stands, for example "answers.toml, line 12"."""
    largest_difference: float | None = None
    """Distance from the right value in the unit due; None for a hidden check."""
    notes: tuple[str, ...] = ()
    """Remarks that change no mark."""
    slip: Slip | None = None
    """The one known slip that explains a wrong number."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One question put to one hand-in."""

    question: Question
    answer: Answer

    def verdict(
        self,
        fraction: Fraction,
        message: str,
        hint: str = "",
        *,
        parsed: ParsedNumber | None = None,
        notes: tuple[str, ...] = (),
        slip: Slip | None = None,
    ) -> Verdict:
        """Put the evidence together; the status follows from the fraction."""
        due = f", in {self.question.due.name}" if self.question.due.name else ""
        found = self.answer.status is Found.FOUND
        return Verdict(
            status={FULL: Status.PASSED, NOTHING: Status.FAILED}.get(fraction, Status.PARTIAL),
            fraction=fraction,
            message=message,
            hint=hint if fraction < FULL else "",
            asked=f"{self.question.key}: {self.question.quantity.title}{due}",
            expected=self.expected(),
            obtained=_obtained(self.answer, parsed) if found else None,
            location=self.answer.location,
            largest_difference=self._difference(parsed),
            notes=tuple(n for n in (*self.answer.notes, *(parsed.notes if parsed else ()), *notes) if n),
            slip=slip,
        )

    def expected(self) -> str | None:
        """The right value as text; None for a hidden check."""
        if self.question.check.visibility is Visibility.HIDDEN:
            return None
        return show_number(self.question.expected, self.question.due)

    def _difference(self, parsed: ParsedNumber | None) -> float | None:
        if parsed is None or self.question.check.visibility is Visibility.HIDDEN:
            return None
        return float(abs(parsed.value - self.question.expected) / self.question.due.factor)


def judge_number(
    check: Check, answers: Answers, quantities: Mapping[str, Quantity], checks: Iterable[Check] = ()
) -> Verdict:
    """Judge the answer that `check.number` declares.

    quantities: the reference's numbers by id, in the order of the handout.
    checks: all checks of the assignment in their order: which answer holds which quantity, and in which unit.
    Without them, the answer to a quantity is looked for under the quantity's own id.
    Raises AssignmentError where a declaration is wrong; nothing that a student writes raises.
    """
    sheet = Sheet(check, answers, quantities, checks)
    verdict = _judge_alone(sheet.asked, sheet)
    return _punished_before(verdict, sheet) or verdict


def _judge_alone(question: Question, sheet: Sheet) -> Verdict:
    """The verdict without regard to what the same slip has cost elsewhere."""
    case = _Case(question, sheet.answers.get(question.key))
    problem = case.answer.problem
    if case.answer.status is not Found.FOUND:
        message, step = (
            (problem.message, problem.next_step) if problem else (f"{question.key} is missing.", "")
        )
        verdict = case.verdict(NOTHING, message, step)
        if case.answer.status is Found.UNCLEAR:
            return replace(verdict, status=Status.NEEDS_REVIEW, obtained="; or ".join(case.answer.candidates))
        return replace(verdict, status=Status.MISSING) if case.answer.status is Found.MISSING else verdict
    parsed = parse_number(case.answer.value, question.due)
    if isinstance(parsed, ParseProblem):
        said = parsed.message
        message = f"{question.key} {said[3:]}" if said.startswith("It is ") else f"{question.key}: {said}"
        return case.verdict(NOTHING, message, parsed.next_step)

    @cache
    def carried() -> list[Carried]:
        return carried_values(question, sheet)

    if right := _right(case, parsed, carried):  # as most are; all that follows takes longer
        return right
    rules: tuple[Callable[[ParsedNumber], Verdict | None], ...] = (
        lambda reading: _right(case, reading, carried),
        lambda reading: _another_right_way(case, reading),
        lambda reading: _carried_forward(case, reading, carried, loosely=False),
        lambda reading: _bits_written(case, reading),
        lambda reading: _carried_forward(case, reading, carried, loosely=True),
        lambda reading: _known_slip(case, reading),
    )
    ways = tuple(readings(parsed, question))
    found = (rule(reading) for rule in rules for reading in ways)
    return next((verdict for verdict in found if verdict), None) or _wrong(case, parsed)


def _right(case: _Case, parsed: ParsedNumber, carried: Callable[[], Iterable[Carried]]) -> Verdict | None:
    question = case.question
    comparison = compare_number(parsed, question.expected, question.tolerance, unit=question.due)
    if comparison.outcome is Outcome.WRONG:
        return None
    messages = {
        Outcome.EXACT: "Right.",
        Outcome.ROUNDED: "Right to the digits that you print.",
        Outcome.EARLY_ROUNDED: "Right within the tolerance.",
    }
    note = comparison.note
    if comparison.outcome is Outcome.EARLY_ROUNDED:
        ways = (way for way in carried() if compare_number(parsed, way.value).outcome is not Outcome.WRONG)
        if way := next(ways, None):
            note = f"It follows from your own {way.shown}, and the difference is within the tolerance."
    return case.verdict(FULL, messages[comparison.outcome], parsed=parsed, notes=(note,))


def _carried_forward(
    case: _Case, parsed: ParsedNumber, carried: Callable[[], Iterable[Carried]], *, loosely: bool
) -> Verdict | None:
    """The number follows from the student's own earlier ones; loosely: as far as their printed digits tell."""
    question = case.question
    for way in carried():
        if loosely:
            follows = way.explains_loosely(parsed)
        else:
            comparison = compare_number(parsed, way.value, question.tolerance, unit=question.due)
            follows = comparison.outcome is not Outcome.WRONG
        if not follows:
            continue
        if way.sound:
            note = f"It follows from your {way.shown}, which you had rounded: round the last result only."
            return case.verdict(FULL, "Right, though rounded early.", parsed=parsed, notes=(note,))
        fraction = question.follow_through or NOTHING
        if fraction:
            share = "full points" if fraction == FULL else f"{fraction} of the points"
            message = (
                f"Not the right number, but it follows correctly from your own {way.shown}. "
                f"The error is carried forward: {share}."
            )
            hint = f"Correct {way.keys} first; this number follows."
            return case.verdict(
                fraction, message, hint, parsed=parsed, notes=(hint,) if fraction == FULL else ()
            )
    return None


def _bits_written(case: _Case, parsed: ParsedNumber) -> Verdict | None:
    """A number of bytes with a unit of bits behind it, "12.3 Gb": not to be taken for a slip of the calculation."""
    unit = parsed.unit
    if parsed.bare or unit.dimension != DATA or not unit.name.endswith(("b", "bit", "bits")):
        return None
    in_bytes = replace(parsed, value=parsed.value * 8, last_place=parsed.last_place * 8)
    question = case.question
    if (
        compare_number(in_bytes, question.expected, question.tolerance, unit=question.due).outcome
        is Outcome.WRONG
    ):
        return None
    message = f"{parsed.text} is an amount of bits, and an eighth of what is due."
    return case.verdict(NOTHING, message, "A small b stands for bits, a capital B for bytes.", parsed=parsed)


def _slips(case: _Case, parsed: ParsedNumber) -> list[Slip]:
    """The slips that lead to this number; the nearest, and all of them where several are equally near."""
    question = case.question
    ranked: list[tuple[Outcome, Slip]] = []
    for slip in question.quantity.slips:
        value = to_fraction(slip.value) * question.native.factor
        outcome = compare_number(parsed, value, question.tolerance, unit=question.due).outcome
        if outcome is not Outcome.WRONG:
            ranked.append((outcome, slip))
    best = max((outcome for outcome, _ in ranked), default=Outcome.WRONG)
    return [slip for outcome, slip in ranked if outcome is best]


def _another_right_way(case: _Case, parsed: ParsedNumber) -> Verdict | None:
    """A way to another number that keeps the marks, where no other slip is as near."""
    kept = next((slip for slip in _slips(case, parsed) if getattr(slip, "keeps_marks", False)), None)
    if kept is None:
        return None
    return case.verdict(FULL, f"Right, with a remark: {kept.title}.", parsed=parsed, notes=(kept.hint,))


def _known_slip(case: _Case, parsed: ParsedNumber) -> Verdict | None:
    """The slip that leads to this number, or all of them where it cannot be told which."""
    slips = _slips(case, parsed)
    if not slips:
        return None
    shown = _obtained(case.answer, parsed)
    if len(slips) == 1:
        message = f"{shown} is what comes out of a known slip: {slips[0].title}."
        return case.verdict(NOTHING, message, slips[0].hint, parsed=parsed, slip=slips[0])
    titles = "; or ".join(slip.title for slip in slips)
    hint = " ".join(dict.fromkeys(slip.hint for slip in slips))
    message = f"{shown} comes out of more than one known slip, and it cannot be told which: {titles}."
    return case.verdict(NOTHING, message, hint, parsed=parsed)


def _punished_before(verdict: Verdict, sheet: Sheet) -> Verdict | None:
    """The verdict at the follow-through's points, where the same slip has cost points in an earlier question."""
    slip, question = verdict.slip, sheet.asked
    share = FULL if question.follow_through is None else question.follow_through
    if slip is None or not share:
        return None
    for earlier in sheet.before(question):
        if not any(_same(slip, other) for other in earlier.quantity.slips):
            continue
        before = _judge_alone(earlier, sheet)
        if before.slip and _same(before.slip, slip):
            points = "full points" if share == FULL else f"{share} of the points"
            return replace(
                verdict,
                status=Status.PASSED if share == FULL else Status.PARTIAL,
                fraction=share,
                message=f"The same slip as in {earlier.key} ({slip.title}). It has cost points there: {points} here.",
                hint="" if share == FULL else slip.hint,
                notes=(*verdict.notes, slip.hint),
                slip=None,
            )
    return None


def _same(slip: Slip, other: Slip) -> bool:
    return (slip.id, slip.title) == (other.id, other.title)


def _wrong(case: _Case, parsed: ParsedNumber) -> Verdict:
    question = case.question
    expected = case.expected()
    shown = _obtained(case.answer, parsed)
    hint = "Write down the formula, put in the numbers with their units, and compute it again."
    if expected is None:
        return case.verdict(NOTHING, f"{question.key} = {shown} is not right.", hint, parsed=parsed)
    message = f"{question.key} = {shown} is not right: {expected} is expected."
    for factor, words, question_back in _FACTORS:
        outcome = compare_number(
            parsed, question.expected * factor, question.tolerance, unit=question.due
        ).outcome
        if question.expected and outcome is not Outcome.WRONG:
            hint = f"Your number is {words} the right one. {question_back}"
            break
    return case.verdict(NOTHING, message, hint, parsed=parsed)


def _obtained(answer: Answer, parsed: ParsedNumber | None) -> str:
    """What was written, with the unit it was read in where none was."""
    text = parsed.text if parsed else str(answer.value)
    implied = parsed.unit.name if parsed and parsed.bare and parsed.unit.dimension in (NUMBER, DATA) else ""
    return f"{text} {implied}".strip()

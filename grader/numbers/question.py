"""One declared number of the assignment, ready to be judged: key, unit due, right value, tolerance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from grader.errors import AssignmentError, UnknownName
from grader.intake import Answers
from grader.model import Check, Tolerance
from grader.numbers.book import Quantity, evaluate
from grader.numbers.compare import to_fraction
from grader.numbers.parse import ParsedNumber
from grader.numbers.units import DATA, ENTROPY, NUMBER, Unit, UnitError, unit_named

_MULTIPLES = {
    NUMBER: {0: "", 3: "thousand", 6: "million", 9: "billion", 12: "trillion"},
    DATA: {0: "bytes", 3: "kB", 6: "MB", 9: "GB", 12: "TB"},
}
_KEYS = ("answer", "quantity", "unit", "follow_through")
_PLAIN_BELOW = 1_000  # nobody leaves out "million" behind a number this small


@dataclass(frozen=True, slots=True)
class Question:
    """A check's number declaration together with what the reference knows of it."""

    check: Check
    key: str
    """Key of the answer, for example "5a.size"."""
    quantity: Quantity
    due: Unit
    """Unit of an answer that names none."""
    native: Unit
    """Unit of the reference's values."""
    expected: Fraction
    """The right value, in base units."""
    follow_through: Fraction | None
    """Share of the points for a number that follows from the student's own wrong one; None: not declared."""

    @property
    def tolerance(self) -> Tolerance | None:
        return self.check.tolerance


class Sheet:
    """All declared numbers of an assignment, and what one student wrote under them."""

    def __init__(
        self, check: Check, answers: Answers, quantities: Mapping[str, Quantity], checks: Iterable[Check] = ()
    ) -> None:
        """Without `checks`, every quantity counts as asked for under its own id and in its own unit."""
        self.answers = answers
        self.quantities = quantities
        numeric = {str(c.number["quantity"]): c for c in checks if c.number and "quantity" in c.number}
        self._checks = {id: c for id, c in numeric.items() if id in quantities} or {
            id: replace(check, id=id, number={"answer": id, "quantity": id, "unit": q.unit})
            for id, q in quantities.items()
        }
        self.asked = read_question(check, quantities)
        self._checks[self.asked.quantity.id] = check

    def question(self, id: str) -> Question | None:
        """The question that asks for this quantity; None where no check does."""
        return read_question(self._checks[id], self.quantities) if id in self._checks else None

    def before(self, question: Question) -> Iterator[Question]:
        """The questions asked before this one, in their order."""
        for id in self._checks:
            if id == question.quantity.id:
                return
            yield read_question(self._checks[id], self.quantities)


_read: dict[tuple[int, int], tuple[Check, Mapping[str, Quantity], Question]] = {}
"""What was read of declarations, by the identity of both arguments, which stay alive with it."""
_MOST_READ = 256


def read_question(check: Check, quantities: Mapping[str, Quantity]) -> Question:
    """Raises AssignmentError where the declaration does not fit the reference. Read once: neither argument changes."""
    place = id(check), id(quantities)
    if place not in _read:
        if len(_read) >= _MOST_READ:
            _read.clear()
        _read[place] = check, quantities, _read_question(check, quantities)
    return _read[place][2]


def _read_question(check: Check, quantities: Mapping[str, Quantity]) -> Question:
    declared = dict(check.number or {})
    for name in declared:
        if name not in _KEYS:
            unknown = UnknownName("key", name, _KEYS)
            raise AssignmentError(f"check {check.id!r}, number: {unknown.message}", unknown.next_step)
    try:
        key, quantity = str(declared["answer"]), quantities[str(declared["quantity"])]
        due, native = unit_named(str(declared.get("unit", ""))), unit_named(quantity.unit)
        follow = Fraction(str(declared["follow_through"])) if "follow_through" in declared else None
    except (KeyError, ValueError, ZeroDivisionError) as error:
        reason = error.message if isinstance(error, UnitError) else f"{type(error).__name__}: {error}"
        raise AssignmentError(
            f"check {check.id!r}: its number declaration cannot be used ({reason}).",
            "It needs answer, quantity (of the reference), unit, and follow_through as a fraction in quotes.",
        ) from error
    if follow is not None and not 0 <= follow <= 1:
        raise AssignmentError(f"check {check.id!r}: follow_through must lie between 0 and 1.")
    if due.dimension != native.dimension and {due.dimension, native.dimension} != {NUMBER, ENTROPY}:
        raise AssignmentError(
            f"check {check.id!r}: its unit {due.name!r} is no unit of {quantity.id}, which is in {native.name!r}.",
            "Declare a unit of the quantity's own kind.",
        )
    expected = to_fraction(evaluate(quantities, quantity.id)) * native.factor
    return Question(check, key, quantity, due, native, expected, follow)


def readings(parsed: ParsedNumber, question: Question) -> Iterator[ParsedNumber]:
    """The ways to read what was written, the plainest first.

    Besides the number as it stands: a comma as decimal comma, and a number without a unit in one of the usual
    multiples (1.234 where billions are meant), except for small numbers and shares, which have none.
    """
    yield parsed
    if parsed.other_reading:
        yield parsed.other_reading
    if not parsed.bare or question.due.dimension not in (NUMBER, DATA):
        return
    if question.due.dimension == NUMBER and (
        question.due.factor < 1 or abs(question.expected) < _PLAIN_BELOW
    ):
        return
    base = unit_named("byte") if question.due.dimension == DATA else question.due
    count = parsed.value / question.due.factor
    for exponent in _MULTIPLES[base.dimension]:
        factor = Fraction(10) ** exponent * base.factor
        if factor == question.due.factor:
            continue
        unit = Unit(_MULTIPLES[base.dimension][exponent], base.dimension, factor)
        note = f"No unit is written; {parsed.text} was read as {parsed.text} {unit.name}. Write the unit."
        yield replace(
            parsed,
            value=count * factor,
            last_place=parsed.last_place * factor / question.due.factor,
            unit=unit,
            notes=(*parsed.notes, note),
            other_reading=None,
        )

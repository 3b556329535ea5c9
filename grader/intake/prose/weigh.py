"""How much speaks for a claim being the answer to a question: where it stands, its unit, the words around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.intake.prose.claims import Claim
from grader.intake.prose.outline import Path, path_of
from grader.intake.prose.questions import AnswerWords, Questions
from grader.intake.prose.reading import Read, read_form
from grader.intake.prose.words import contains, spaced, stands_in

WEAK = 1.5
"""From here on a claim is worth showing to a person, where nothing better is found."""
_UNCLEAR = 2.5
"""A claim of at most this weight is never taken without a person."""
_LISTED = 5.0
_DOUBT = 1.0
"""So much less weighs a number whose digits or unit can be read in more than one way."""
_MOST = 60
"""Claims that are kept for one question."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim that may be the answer to one question."""

    claim: Claim
    reads: tuple[Read, ...]
    """Its forms that are of the kind due."""
    weight: float

    @property
    def best(self) -> Read:
        """The form to go on with: one with a unit where that matters, then the one with most digits."""
        return max(
            self.reads, key=lambda read: (read.sure, read.explicit, read.number.digits if read.number else 0)
        )


@dataclass(frozen=True, slots=True)
class _Words:
    """The words around a claim, as `spaced` gives them."""

    close: str
    wide: str
    around: str
    titles: str
    """How the assignment calls the question or the section that the claim stands under."""

    @classmethod
    def of(cls, claim: Claim, titles: Sequence[str]) -> _Words:
        around = spaced(" ; ".join(claim.around))
        return cls(spaced(claim.near), spaced(claim.wide), around, spaced(" ; ".join(titles)))


def weigh(questions: Questions, claims: Sequence[Claim]) -> dict[str, list[Candidate]]:
    """The candidates for every number and shape that is declared, by key."""
    asked = [answer for answer in questions.answers if answer.kind != "text"]
    found: dict[str, list[Candidate]] = {answer.key: [] for answer in asked}
    given = {answer.key: given_numbers(answer, questions) for answer in asked}
    for claim in claims:
        if claim.list_of:
            for answer, listed in _from_list(claim, asked):
                found[answer.key].append(listed)
            continue
        words = _Words.of(claim, questions.titles.get("".join(claim.path), ()))
        for answer in asked:
            candidate = _weighed(answer, claim, words, given[answer.key])
            if candidate is not None:
                found[answer.key].append(candidate)
    return {key: sorted(own, key=lambda c: -c.weight)[:_MOST] for key, own in found.items()}


def given_numbers(answer: AnswerWords, questions: Questions) -> frozenset[Fraction]:
    """The numbers of the question itself."""
    given = (numbers for part, numbers in questions.given.items() if answer.part.startswith(part))
    return frozenset().union(*given)


def _weighed(
    answer: AnswerWords, claim: Claim, words: _Words, given: frozenset[Fraction]
) -> Candidate | None:
    if claim.shape != (answer.kind == "shape"):
        return None
    placed = _placed(path_of(answer.part), claim.path)
    if placed is None:
        return None
    said = _said(answer, words, placed)
    if said is None:
        return None
    reads = tuple(read for form in claim.forms if (read := read_form(form, claim, answer)) is not None)
    if not reads or all(_is_given(read, given) for read in reads):
        return None
    explicit = 1.0 if any(read.explicit for read in reads) and answer.unit.name else 0.0
    result = 0.5 if any(form.result for form in claim.forms) else 0.0
    doubt = 0.0 if any(read.sure for read in reads) else _DOUBT
    weight = placed + said + explicit + result - doubt
    if not answer.needs and not stands_in(words.close, answer.words) and stands_in(words.wide, answer.never):
        weight = min(weight, _UNCLEAR)  # "each matrix gets two, so 5": perhaps that of each matrix still
    return Candidate(claim, reads, weight) if weight >= WEAK else None


def _placed(part: Path, path: Path) -> float | None:
    """How well the place of a claim fits a question; None where it stands under another one."""
    if path[: len(part)] == part:
        return 3.0
    if not path:
        return 0.0
    if part[: len(path)] != path:
        return None
    return 2.0 if len(path) > 1 else 1.0


def _said(answer: AnswerWords, words: _Words, placed: float) -> float | None:
    """What the words around a claim weigh; None where they rule it out, or where what has to be said is not."""
    if stands_in(words.close, answer.never):
        return None
    weight = 0.0
    if answer.needs:
        if stands_in(words.close, answer.needs):
            weight += 3.0
        elif stands_in(words.around, answer.needs) and not stands_in(words.around, answer.never):
            weight += 2.0
        elif stands_in(words.wide, answer.needs) and not stands_in(words.wide, answer.never):
            weight += 1.0
        else:
            return None
    everything = f"{words.close}{words.wide}{words.around}".replace("  ", " ; ")
    named = f"{everything}{words.titles if placed >= 2.0 else ''}"
    if placed < 3.0 and answer.about and not stands_in(named, answer.about):
        return None
    hits = sum(stands_in(words.close, (phrase,)) for phrase in answer.words)
    wide = sum(stands_in(everything, (phrase,)) for phrase in answer.words)
    if hits and not answer.needs:
        weight += 2.0
    only_words = placed < 2.0 and not answer.needs  # no heading: the sentence has to say it all
    wider = min(max(wide - hits, 0), 3) * 0.75 if only_words else min(max(wide - hits, 0), 2) * 0.25
    return weight + min(hits, 3) * 0.75 + wider


def _is_given(read: Read, given: frozenset[Fraction]) -> bool:
    figure = read.form.figure
    return figure is not None and figure.plain in given and figure.unit in ("", "B", "byte", "bit", "%")


# ---------------------------------------------------------------- lists


def _from_list(claim: Claim, asked: Sequence[AnswerWords]) -> Iterator[tuple[AnswerWords, Candidate]]:
    """Numbers in a row whose names stand in a row too: "3.8e-4, 1.5e-4 and 3.5e-4 for self, masked and cross".

    Told once, for the first of them.
    """
    if claim.listed or claim.shape:
        return
    named = _named_in_order(claim, asked)
    if len(named) != len(claim.list_of):
        return
    for answer, mine in zip(named, claim.list_of, strict=True):
        read = read_form(mine.forms[0], mine, answer)
        if read is not None:
            yield answer, Candidate(mine, (read,), _LISTED)


def _named_in_order(claim: Claim, asked: Sequence[AnswerWords]) -> list[AnswerWords]:
    """The questions whose needed words stand in the sentence of a list, in the order of these words."""
    sentence = claim.forms[0].sentence
    named: list[AnswerWords] = []
    for clause in _clauses(sentence):
        fitting = [
            answer
            for answer in asked
            if answer.needs
            and answer.kind == "number"
            and _placed(path_of(answer.part), claim.path) is not None
            and contains(clause, answer.needs)
            and not contains(clause, answer.never)
            and (len(claim.path) > 1 or contains(sentence, answer.about or answer.words))
        ]
        if len(fitting) == 1 and fitting[0] not in named:
            named.append(fitting[0])
    return named


def _clauses(sentence: str) -> list[str]:
    out = [""]
    for word in sentence.replace(";", ",").replace("/", ",").split():
        if word in ("and", "und"):
            out.append("")
            continue
        out[-1] += f" {word}"
        if word.endswith(","):
            out.append("")
    return [clause for clause in out if clause.strip()]

"""The claims on what is told: misconceptions apart, diagnoses right, and the same result for the same seed."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from grader.bank import Misconception
from grader.verify.case import Case, at_seeds
from grader.verify.proof import Claim, Problem
from grader.verify.runs import Seen

_DIGITS = 3
"""Of differences, for two hand-ins to count as giving different ones."""


def pairs(case: Case) -> Claim:
    """Any two misconceptions give different results: in the diagnosis, in the marks, or in what the evidence says."""
    usual = case.first(case.plan.solution.name)
    found = [(m, usual | case.first(name)) for name, m in case.handed_in() if _all_judged(case, m)]
    told: Counter[str] = Counter()
    problems = []
    for (one, of_one), (other, of_other) in combinations(found, 2):
        way = _told_apart_by(of_one, of_other)
        told[way] += 1
        if not way:
            problems.append(
                Problem(
                    one.id,
                    f"{one.id} and {other.id} give the same result in every check: they cannot be told apart.",
                    "Take one of them out, or let a check ask something on which they differ.",
                )
            )
    count = len(found) * (len(found) - 1) // 2
    figures = (
        f"{count - told['']:,} of {count:,} pairs: {told['diagnosis']:,} by the diagnosis, {told['marks']:,} by the "
        f"marks, {told['values']:,} by the values alone"
    )
    if not count:
        figures = "there are no two"
    return Claim("pairs", "Any two misconceptions are told apart", figures, tuple(problems))


def _told_apart_by(one: dict[str, Seen], other: dict[str, Seen]) -> str:
    """The first of diagnosis, marks and values that differs; empty where none does."""
    ways = {
        "diagnosis": lambda seen: seen.diagnosis,
        "marks": lambda seen: (seen.status, seen.earned),
        "values": _values,
    }
    return next(
        (way for way, look in ways.items() if any(look(one[id]) != look(other[id]) for id in one)), ""
    )


def _values(seen: Seen) -> tuple[object, ...]:
    difference = None if seen.difference is None else f"{seen.difference:.{_DIGITS}g}"
    return seen.message, seen.obtained, difference


def diagnoses(case: Case) -> Claim:
    """Each diagnosis is right on its own misconception, and right code gets none."""
    problems: list[Problem] = []
    due = named = 0
    for name, misconception in case.handed_in():
        if misconception.diagnosed and _all_judged(case, misconception):
            missing = _undiagnosed(case, name, misconception)
            due, named = due + 1, named + (not missing)
            problems += missing
        problems += _wrong(case, name, misconception)
    silent: dict[tuple[str, str], Problem] = {}
    results = 0
    for name, seed, seen in case.right_code():
        results += 1
        if seen.diagnosis:
            sentence = (
                f"{seen.check} diagnoses {seen.diagnosis} in the {name} at seed {seed}, which is right code."
            )
            step = "A diagnosis needs a probe on which right code differs from the misconception."
            silent.setdefault((name, seen.check), Problem(seen.check, sentence, step))
    figures = f"{named} of {due} named for what they are; {len(silent)} diagnoses in {results:,} results of right code"
    return Claim(
        "diagnoses",
        "Each diagnosis is right, and right code gets none",
        figures,
        (*problems, *silent.values()),
    )


def _all_judged(case: Case, misconception: Misconception) -> bool:
    """Whether every check that it names was run and did not break: only then can it be told to be unlike another."""
    return set(misconception.checks) <= case.ids


def _undiagnosed(case: Case, name: str, misconception: Misconception) -> list[Problem]:
    """A problem where at some seed no check that takes points has it as its diagnosis."""
    by_seed: dict[int, bool] = {}
    for seed, seen in case.runs.of(name):
        if seen.check in misconception.checks or seen.check in misconception.may_cost:
            by_seed[seed] = by_seed.get(seed, False) or (seen.lost and seen.diagnosis == misconception.id)
    without = sorted(seed for seed, is_named in by_seed.items() if not is_named)
    if not without:
        return []
    sentence = f"{misconception.id} is not diagnosed {at_seeds(without, len(by_seed))}."
    step = "Let a check that catches it name it, or set diagnosed=False where the report cannot tell."
    return [Problem(misconception.id, sentence, step)]


def _wrong(case: Case, name: str, misconception: Misconception) -> list[Problem]:
    """One problem for each other diagnosis that it was given."""
    others: dict[str, Problem] = {}
    for seed, seen in case.runs.of(name):
        if seen.diagnosis and seen.diagnosis != misconception.id:
            handed_in = f"{misconception.id} was handed in, first at seed {seed}"
            sentence = f"{seen.check} diagnoses {seen.diagnosis} where {handed_in}."
            step = "Ask a probe on which the two differ, or give no diagnosis there."
            others.setdefault(seen.diagnosis, Problem(misconception.id, sentence, step))
    return list(others.values())


def determinism(case: Case) -> Claim:
    """The same hand-in and seed give the same result in workers of another warm process, evidence and all."""
    once = case.first(case.plan.solution.name)
    again = case.first(case.plan.solution.name, again=True)
    differing = [id for id in once if id in again and once[id].fingerprint != again[id].fingerprint]
    problems = tuple(
        Problem(
            id,
            f"{id} gives two results for the model solution at seed 0: {_contrast(once[id], again[id])}.",
            "Draw everything from check.seed, in the check, the harness and the solution.",
        )
        for id in differing
    )
    figures = f"{len(again) - len(differing)} of {len(again)} results at seed 0 come out the same again"
    return Claim("determinism", "The same seed gives the same result", figures, problems)


def _contrast(one: Seen, other: Seen) -> str:
    """The first thing in which two results differ, as a person sees it."""
    if one.status is not other.status:
        return f"{one.status.value} and {other.status.value}"
    if one.difference != other.difference:
        return f"the largest difference is {_short(one.difference)} and {_short(other.difference)}"
    for first, second in ((one.message, other.message), (one.obtained, other.obtained)):
        if first != second:
            return f"{_short(first)!r} and {_short(second)!r}"
    return "something in the evidence differs"


def _short(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def reach(case: Case) -> Claim:
    """What a group does not read has no influence on it: a misconception elsewhere need not run its checks."""
    usual = case.first(case.plan.solution.name)
    problems = []
    results = 0
    for name, group in case.plan.alone.items():
        for id, seen in case.first(name).items():
            results += 1
            if seen.fingerprint != usual[id].fingerprint:
                problems.append(
                    Problem(
                        id,
                        f"{id} changes when the files outside {', '.join(group.reads or ())} hold garbage: "
                        f"{_contrast(usual[id], seen)}.",
                        "Add to `reads` of its group what it reads.",
                    )
                )
    if results:
        figures = f"{results - len(problems)} of {results} results stand with garbage in all other files"
    else:
        figures = "none is declared: every check counts as reading all files"
    return Claim("reach", "Checks read no files but those declared", figures, tuple(problems))

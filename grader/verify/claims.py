"""The claims on marks: right code gets its points, the starter none, and each misconception loses what it says."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from grader.bank import Misconception
from grader.errors import did_you_mean
from grader.model import Status
from grader.serialise import rounded
from grader.verify.case import Case, at_seeds
from grader.verify.proof import CheckRow, Claim, MisconceptionRow, Problem


def reference(case: Case) -> Claim:
    """The model solution earns every automatic point at every seed."""
    problems = []
    for check in case.checks:
        found = case.runs.at(case.plan.solution.name, check.id)
        lost = [(seed, seen) for seed, seen in found if seen.lost]
        if lost:
            where = at_seeds([seed for seed, _ in lost], len(found))
            problems.append(
                Problem(
                    check.id,
                    f"{check.id} takes points from the model solution {where}: {lost[0][1].message}",
                    "One of the two is wrong: grade the solution with that seed and look at the evidence.",
                )
            )
    by_seeds = Counter(len(case.runs.at(case.plan.solution.name, check.id)) for check in case.checks)
    figures = ", ".join(
        f"{count} check{'s' if count > 1 else ''} × {seeds} seed{'s' if seeds > 1 else ''}"
        for seeds, count in sorted(by_seeds.items(), reverse=True)
    )
    return Claim("reference", "The model solution gets full points", figures, tuple(problems))


def starter(case: Case) -> Claim:
    """The starter, not filled in, earns nothing."""
    if case.plan.starter is None:
        return Claim("starter", "The empty starter gets none", "no starter is declared")
    found = case.first(case.plan.starter.name)
    given = [seen for seen in found.values() if seen.earned]
    problems = tuple(
        Problem(
            seen.check,
            f"{seen.check} gives the empty starter {seen.earned} of {seen.possible} points: {seen.message}",
            "Let it ask for something that the starter leaves to the student.",
        )
        for seen in given
    )
    points = sum((seen.possible for seen in found.values()), Decimal(0))
    earned = sum((seen.earned for seen in given), Decimal(0))
    figures = (
        f"{rounded(earned)} of {rounded(points)} points in {len(found)} check{'s' if len(found) != 1 else ''}"
    )
    return Claim("starter", "The empty starter gets none", figures, problems)


def misconceptions(case: Case) -> Claim:
    """Each misconception loses points in the checks it names, and in no unrelated one."""
    problems = [
        Problem(m.id, f"{m.id} could not be handed in: {error.message}.", error.next_step)
        for m, error in case.plan.broken
    ]
    named = met = 0
    for name, misconception in case.handed_in():
        problems += _undeclared(case, misconception)
        for check in case.checks:
            if check.id in misconception.checks:
                named += 1
                met += case.loses(name, check.id)
                problems += _missed(case, name, misconception, check.id)
            elif check.id not in misconception.may_cost:
                problems += _unrelated(case, name, misconception, check.id)
    figures = f"{len(case.plan.misconceptions)} handed in, {met} of {named} losses that they name"
    return Claim(
        "misconceptions",
        "Each misconception costs points where it says, and nowhere else",
        figures,
        tuple(problems),
    )


def checks(case: Case) -> Claim:
    """Each check catches a misconception."""
    rows = check_rows(case)
    problems = []
    for row in rows:
        if row.caught:
            continue
        naming = [m.id for _, m in case.handed_in() if row.id in m.checks]
        verbs = "name it and lose nothing" if len(naming) > 1 else "names it and loses nothing"
        why = (
            f"{', '.join(naming[:3])}{' …' if len(naming) > 3 else ''} {verbs}" if naming else "none names it"
        )
        problems.append(
            Problem(
                row.id,
                f"{row.id} catches no misconception ({why}): nothing shows that it can fail.",
                "Mend the check." if naming else "Add the misconception that it is there for.",
            )
        )
    fewest = min(rows, key=lambda row: len(row.caught))
    figures = f"{len(rows) - len(problems)} of {len(rows)}; the fewest is {len(fewest.caught)} ({fewest.id})"
    return Claim("checks", "Each check catches a misconception", figures, tuple(problems))


def variants(case: Case) -> Claim:
    """Each legitimate variant earns every point of the checks that it is asked."""
    statement = "Each legitimate variant gets full points"
    if not case.plan.variants:
        return Claim("variants", statement, "no variant is declared")
    problems: dict[tuple[str, str], Problem] = {}
    results = 0
    for name, seed, seen in case.right_code():
        if name == case.plan.solution.name:
            continue
        results += 1
        if seen.lost:
            problem = Problem(
                name,
                f"{seen.check} takes points from the {name}, first at seed {seed}: {seen.message}",
                "If the variant is right, the check is too narrow; else take it out of the variants.",
            )
            problems.setdefault((name, seen.check), problem)
    ran = sum(any(True for _ in case.runs.of(variant.name)) for variant in case.plan.variants)
    figures = f"{ran} variants, {results:,} results"
    return Claim("variants", statement, figures, tuple(problems.values()))


def own_errors(case: Case) -> Claim:
    """No check fails by an error of its own, whatever is handed in."""
    first: dict[str, Problem] = {}
    counts: dict[str, int] = {}
    results = 0
    for name, seed, seen in case.runs.all():
        results += 1
        if seen.status is not Status.GRADER_ERROR:
            continue
        trace = seen.error or ""
        last = (trace.strip().splitlines() or ["it says nothing"])[-1]
        counts[seen.check] = counts.get(seen.check, 0) + 1
        problem = Problem(
            seen.check,
            f"{seen.check} fails by its own error on the {name}, first at seed {seed}: {last}",
            "--debug shows the traceback; a check that is declared needs a test that is marked with its id.",
            trace,
        )
        first.setdefault(seen.check, problem)
    figures = f"{sum(counts.values())} of {results:,} results"
    return Claim("own_errors", "No check fails by an error of its own", figures, tuple(first.values()))


def check_rows(case: Case) -> tuple[CheckRow, ...]:
    """One row a check."""
    rows = []
    for check in case.checks:
        runs = case.runs.at(case.plan.solution.name, check.id)
        empty = case.first(case.plan.starter.name).get(check.id) if case.plan.starter else None
        caught = tuple(
            m.id for name, m in case.handed_in() if check.id in m.checks and case.loses(name, check.id)
        )
        full = sum(seen.full for _, seen in runs)
        rows.append(
            CheckRow(check.id, check.points, len(runs), full, empty.earned if empty else None, caught)
        )
    return tuple(rows)


def misconception_rows(case: Case) -> tuple[MisconceptionRow, ...]:
    """One row a misconception that was handed in."""
    rows = []
    for name, misconception in case.handed_in():
        found = list(case.runs.of(name))
        cost = {seen.check for _, seen in found if seen.lost}
        named = {seen.diagnosis for _, seen in found if seen.diagnosis}
        rows.append(
            MisconceptionRow(
                misconception.id,
                misconception.title,
                len({seed for seed, _ in found}),
                tuple(check.id for check in case.checks if check.id in cost),
                tuple(sorted(named)),
            )
        )
    return tuple(rows)


def _undeclared(case: Case, misconception: Misconception) -> list[Problem]:
    """Checks that it names and that there are not, or that a person marks."""
    known = {check.id: check for check in case.assignment.checks}
    problems = []
    if not misconception.checks:
        problems.append(
            Problem(misconception.id, f"{misconception.id} names no check.", "Name those that must catch it.")
        )
    for id in (*misconception.checks, *misconception.may_cost):
        if id not in known:
            near = did_you_mean(id, known)
            step = (
                f"Did you mean {near}?" if near else "Declare the check, or take it out of the misconception."
            )
            sentence = f"{misconception.id} names the check {id}, which assignment.toml does not declare."
            problems.append(Problem(misconception.id, sentence, step))
        elif known[id].review:
            sentence = f"{misconception.id} names the check {id}, which a person marks."
            problems.append(Problem(misconception.id, sentence, "Name checks that a machine marks."))
    return problems


def _missed(case: Case, name: str, misconception: Misconception, check: str) -> list[Problem]:
    found = case.runs.at(name, check)
    if not found:
        sentence = f"{check} has to catch {misconception.id}, whose edits are in files that it does not read."
        return [Problem(check, sentence, "Mend `reads` of its group, or `checks` of the misconception.")]
    kept = [(seed, seen) for seed, seen in found if not seen.lost and seen.status is not Status.GRADER_ERROR]
    if not kept:
        return []
    where, off = at_seeds([seed for seed, _ in kept], len(found)), kept[0][1].difference
    by = f" (it is off by {off:.2g})" if off else ""
    return [
        Problem(
            check,
            f"{check} does not catch {misconception.id}{by}: it gives full points {where}.",
            "Mend the check, or its tolerance; or take it out of the misconception's `checks`.",
        )
    ]


def _unrelated(case: Case, name: str, misconception: Misconception, check: str) -> list[Problem]:
    found = case.runs.at(name, check)
    lost = [(seed, seen) for seed, seen in found if seen.lost]
    if not lost:
        return []
    where = at_seeds([seed for seed, _ in lost], len(found))
    return [
        Problem(
            check,
            f"{check} takes points for {misconception.id}, which does not name it, {where}: {lost[0][1].message}",
            "Name it in `checks` or `may_cost` if it is related; else the check punishes what it does not judge.",
        )
    ]

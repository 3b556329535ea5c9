"""Naming the mistake behind a wrong result: one misconception that explains all of it, or two together; never a guess.

A domain says how well a hypothesis (one misconception, or a pair) explains what a student's code or answers gave;
whether that is enough to name it is decided here, for all domains alike. Nothing here changes a mark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from grader.bank import Misconception
from grader.model import Diagnosis

M = TypeVar("M", bound=Misconception)


@dataclass(frozen=True, slots=True)
class Match(Generic[M]):
    """A hypothesis that agrees with the student's result on every probe."""

    who: tuple[M, ...]
    """One misconception, or two."""
    largest: float
    """Largest absolute difference over all probes."""
    probes: int
    """On which it was compared."""
    telling: int
    """Of these: on how many it differs from the right result. Without one, agreement shows nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What comes of the search: a diagnosis, or a sentence that says why there is none."""

    diagnosis: Diagnosis | None
    remark: str = ""


def explain(
    singles: Iterable[M],
    pairs: Callable[[], Iterable[tuple[M, M]]],
    agrees: Callable[[tuple[M, ...]], Match[M] | None],
) -> list[Match[M]]:
    """Every misconception that agrees; where there is none, every pair that does.

    pairs: called only then, for there are many more of them.
    """
    found = [match for one in singles if (match := agrees((one,))) and match.telling]
    return found or [match for two in pairs() if (match := agrees(two)) and match.telling]


def finding(matches: Sequence[Match[M]]) -> Finding:
    """One match is named; none and several are said as such."""
    if len(matches) == 1:
        return Finding(diagnosis(matches[0]))
    if not matches:
        return Finding(None, "No known mistake explains this result, nor do two of them together.")
    titles = "; or: ".join(" and ".join(m.title for m in match.who) for match in matches[:3])
    more = f"; or one of {len(matches) - 3} others" if len(matches) > 3 else ""
    return Finding(None, f"More than one known mistake gives this result, so none is named: {titles}{more}.")


def diagnosis(match: Match[M]) -> Diagnosis:
    """A match, as the report tells it."""
    who = match.who
    title = who[0].title if len(who) == 1 else f"Two mistakes at once. {' · '.join(m.title for m in who)}"
    return Diagnosis(
        id="+".join(m.id for m in who),
        title=title,
        evidence=evidence(match),
        hint=" ".join(dict.fromkeys(m.hint for m in who)),
    )


def evidence(match: Match[M]) -> str:
    """For example "equal to 3e-7 on 6 probes, 4 of which tell it from the right result"."""
    size = f"{match.largest:.0e}".replace("e-0", "e-") if match.largest else "the last digit"
    if match.probes == 1:
        return f"equal to {size} on the one probe"
    if match.telling == match.probes:
        return f"equal to {size} on {match.probes} probes, each of which tells it from the right result"
    one = match.telling == 1
    tells = "tells" if one else "tell"
    return (
        f"equal to {size} on {match.probes} probes, {match.telling} of which {tells} it from the right result"
    )

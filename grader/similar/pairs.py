"""Pairs of hand-ins that share code, by winnowing: fingerprints of code with names and spacing taken out.

Schleimer, Wilkerson, Aiken, "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003, in the package
copydetect. Nothing of a hand-in is executed. What the starter kit has is left out, and what a large part of the class
has too: the handout asks everybody for it.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from copydetect import CodeFingerprint, compare_files

NOISE, GUARANTEED = 25, 30
"""Matches shorter than the first number of characters of filtered code are never found, from the second on always."""
COMMON = 0.3
"""Share of the class from which on a passage is taken for what the handout asks for."""
FEWEST = 5
"""Hand-ins below which nothing is taken for common."""
FEWEST_SHARED = 200
"""Characters in common below which a pair is no evidence: little is left of a file in which all is asked for."""
LARGEST = 200_000
"""Characters of one hand-in that are read."""


@dataclass(frozen=True, slots=True)
class Code:
    """The code of one hand-in, in one text."""

    student: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two hand-ins and what they share."""

    one: Code
    other: Code
    shares: tuple[float, float]
    """Of each one's own code (without what is common), how much is in the other: 0 to 1."""
    spans: tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]
    """Where in each text, as pairs of start and end."""

    @property
    def share(self) -> float:
        """The larger of the two: a copy in a longer file is a copy."""
        return max(self.shares)


def find_pairs(codes: Sequence[Code], starter: Sequence[str], *, least: float) -> list[Pair]:
    """Every pair that shares at least `least` of the code of one of them, the most similar first."""
    plain = {code.student: _fingerprint(code.text) for code in codes}
    common = _common(plain, [_fingerprint(text) for text in starter])
    prints = {code.student: _fingerprint(code.text, common) for code in codes}
    hashes = {student: set(map(int, found.hashes)) for student, found in prints.items()}
    pairs = []
    for one, other in combinations(codes, 2):
        mine, theirs = hashes[one.student], hashes[other.student]
        smaller = min(len(mine), len(theirs))
        # Cheap, and never below what the comparison itself would say by much: most pairs end here.
        if not smaller or len(mine & theirs) < least * smaller / 2:
            continue
        _, shares, spans = compare_files(prints[one.student], prints[other.student])
        pair = Pair(one, other, (float(shares[0]), float(shares[1])), (_spans(spans[0]), _spans(spans[1])))
        if pair.share >= least and _shared(pair) >= FEWEST_SHARED:
            pairs.append(pair)
    return sorted(pairs, key=lambda pair: (-pair.share, pair.one.student, pair.other.student))


def _fingerprint(text: str, boilerplate: Sequence[int] = ()) -> CodeFingerprint:
    return CodeFingerprint(
        "code.py",
        NOISE,
        GUARANTEED - NOISE + 1,
        boilerplate=np.array(boilerplate, dtype=np.int64),
        language="python",
        fp=io.StringIO(text[:LARGEST]),
    )


def _common(prints: Mapping[str, CodeFingerprint], starter: Sequence[CodeFingerprint]) -> list[int]:
    """Hashes of the starter kit, and of passages that a large part of the class has."""
    found = {int(value) for one in starter for value in one.hashes}
    if len(prints) >= FEWEST:
        count = Counter(value for one in prints.values() for value in set(map(int, one.hashes)))
        limit = max(COMMON * len(prints), FEWEST - 1)
        found |= {value for value, students in count.items() if students > limit}
    return sorted(found)


def _shared(pair: Pair) -> int:
    return min(sum(end - start for start, end in spans) for spans in pair.spans)


def _spans(slices: object) -> tuple[tuple[int, int], ...]:
    starts, ends = np.asarray(slices).reshape(2, -1)
    return tuple((int(start), int(end)) for start, end in zip(starts, ends, strict=True))

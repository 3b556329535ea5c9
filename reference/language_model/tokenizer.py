"""Byte-pair encoding on bytes.

Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword Units", algorithm 1, with the
bytes of the text as the first symbols (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners",
section 2.2) and words cut before every space. Of equally frequent pairs the smallest is merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, pairwise

Pair = tuple[int, int]

BYTES = 256
"""Ids below it are bytes; merge k makes token BYTES + k."""


def words(text: str) -> list[str]:
    """The text cut before every space: a word is a space with what follows it, the first one may have none."""
    first, *others = text.split(" ")
    return ([first] if first else []) + [" " + other for other in others]


def joined(ids: Sequence[int], pair: Pair, new: int) -> list[int]:
    """`ids` with `new` in place of every `pair`, from left to right."""
    result: list[int] = []
    for i in ids:
        if result and (result[-1], i) == pair:
            result[-1] = new  # `new` is no part of the pair, so nothing is used twice
        else:
            result.append(i)
    return result


def train(text: str, num_merges: int) -> list[Pair]:
    """The merges in the order in which they are learned; fewer where no pair occurs twice."""
    merges: list[Pair] = []
    for counts in counts_before(text, merges):  # grows with what is appended
        most = max(counts.values(), default=0)
        if most < 2 or len(merges) == num_merges:
            break
        merges.append(min(pair for pair, count in counts.items() if count == most))
    return merges


def counts_before(text: str, merges: Sequence[Pair]) -> Iterator[Counter[Pair]]:
    """How often each pair stands side by side before each of `merges`, and at last after all of them."""
    times = Counter(words(text))
    tokens = {word: list(word.encode()) for word in times}
    for k in count():
        counts: Counter[Pair] = Counter()
        for word, ids in tokens.items():
            for pair in pairwise(ids):
                counts[pair] += times[word]
        yield counts
        if k == len(merges):
            return
        tokens = {word: joined(ids, merges[k], BYTES + k) for word, ids in tokens.items()}


def may_be_learned(text: str, num_merges: int, merges: Sequence[Pair]) -> bool:
    """Whether these are the merges of the text, whichever of equally frequent pairs is taken."""
    *before, after = counts_before(text, merges)
    most = [max(counts.values(), default=0) for counts in before]
    if any(counts[pair] != n or n < 2 for counts, pair, n in zip(before, merges, most, strict=True)):
        return False
    return len(merges) == num_merges or (len(merges) < num_merges and max(after.values(), default=0) < 2)


def encoded(text: str, merges: Sequence[Pair]) -> list[int]:
    """The ids of a text: every merge in the order learned, everywhere in each word."""
    result: list[int] = []
    for word in words(text):
        ids = list(word.encode())
        for k, pair in enumerate(merges):
            ids = joined(ids, pair, BYTES + k)
        result += ids
    return result


def decoded(ids: Sequence[int], merges: Sequence[Pair]) -> str:
    """The text of some ids; bytes that are no UTF-8 become U+FFFD."""
    return b"".join(spelled(i, merges) for i in ids).decode("utf-8", errors="replace")


def spelled(token: int, merges: Sequence[Pair]) -> bytes:
    """The bytes of one token."""
    if token < BYTES:
        return bytes([token])
    left, right = merges[token - BYTES]
    return spelled(left, merges) + spelled(right, merges)

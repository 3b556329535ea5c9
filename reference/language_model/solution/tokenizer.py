"""Part 1: byte-pair encoding, from bytes up."""

import re
from collections import Counter
from itertools import pairwise


def words(text):
    """Cut before every space: "a bc  d" becomes "a", " bc", " ", " d"."""
    return re.findall(r" [^ ]*|[^ ]+", text)


def merge(ids, pair, new):
    """Put `new` in place of every `pair`, from left to right."""
    merged = []
    i = 0
    while i < len(ids):
        if tuple(ids[i : i + 2]) == pair:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


def train_bpe(text, num_merges):
    counts = Counter(words(text))
    tokens = {word: list(word.encode("utf-8")) for word in counts}
    merges = []
    while len(merges) < num_merges:
        pairs = Counter()
        for word, ids in tokens.items():
            for pair in pairwise(ids):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < 2:
            break
        new = 256 + len(merges)
        tokens = {word: merge(ids, best, new) for word, ids in tokens.items()}
        merges.append(best)
    return merges


def encode(text, merges):
    rank = {pair: i for i, pair in enumerate(merges)}
    ids = []
    for word in words(text):
        part = list(word.encode("utf-8"))
        while True:
            known = [pair for pair in pairwise(part) if pair in rank]
            if not known:
                break
            first = min(known, key=rank.get)
            part = merge(part, first, 256 + rank[first])
        ids += part
    return ids


def decode(ids, merges):
    vocabulary = [bytes([i]) for i in range(256)]
    for left, right in merges:
        vocabulary.append(vocabulary[left] + vocabulary[right])
    return b"".join(vocabulary[i] for i in ids).decode("utf-8", errors="replace")

# Counts are kept and only changed where a merge changes a word; a word is a list that shrinks in place.
import re
from collections import Counter


class _Trainer:
    def __init__(self, text):
        self.words = Counter(re.split(r"(?= )", text))
        self.words.pop("", None)
        self.ids = {w: list(bytes(w, "utf8")) for w in self.words}
        self.counts = Counter()
        for w in self.words:
            self.add(w, +1)

    def add(self, w, sign):
        ids = self.ids[w]
        for pair in zip(ids[:-1], ids[1:]):
            self.counts[pair] += sign * self.words[w]

    def merge(self, pair, new):
        for w, ids in self.ids.items():
            if pair[0] not in ids:
                continue
            self.add(w, -1)
            i = 0
            while i < len(ids) - 1:
                if (ids[i], ids[i + 1]) == pair:
                    ids[i : i + 2] = [new]
                i += 1
            self.add(w, +1)


def train_bpe(text, num_merges):
    trainer, merges = _Trainer(text), []
    for _ in range(num_merges):
        best = None
        for pair, n in trainer.counts.items():
            if n >= 2 and (best is None or (n, -pair[0], -pair[1]) > (trainer.counts[best], -best[0], -best[1])):
                best = pair
        if best is None:
            break
        trainer.merge(best, 256 + len(merges))
        merges.append(list(best))
    return merges


def encode(text, merges):
    where = {tuple(p): k for k, p in enumerate(merges)}
    out = []
    for w in re.split(r"(?= )", text):
        ids = list(w.encode("utf-8"))
        while len(ids) >= 2:
            ranks = [where.get((a, b), float("inf")) for a, b in zip(ids, ids[1:])]
            low = min(ranks)
            if low == float("inf"):
                break
            i = ranks.index(low)  # one place at a time, from the left
            ids[i : i + 2] = [256 + low]
        out += ids
    return out


def decode(ids, merges):
    def spell(i):
        return bytes([i]) if i < 256 else b"".join(map(spell, merges[i - 256]))

    return str(b"".join(map(spell, ids)), "utf-8", "replace")

"""Write the bundled news corpus, check that the committed files are what this script writes, or measure it.

    python -m scripts.make_corpus            write the files
    python -m scripts.make_corpus --check    write nothing; exit code 1 if a committed file differs

Texts come from the hand-written grammar and whole texts in scripts/corpus/; docs/datasheet.md describes them
and scripts/measure_corpus.py measures them.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "scripts" / "corpus"
ASSETS = ROOT / "tests" / "transformer" / "assets" / "news"
HIDDEN = ROOT / "tests" / "transformer" / "hidden"

LABELS = ("World", "Sports", "Business", "Sci/Tech")
TOPIC_FILES = ("world.txt", "sports.txt", "business.txt", "scitech.txt")
SEED = 20_240_917

# Rows a topic; of these, hand-written whole texts. Test and held-out first: they are drawn before the rest.
ROWS = {"test": 32, "heldout": 24, "train": 256}
WRITTEN = {"test": 4, "heldout": 4, "train": 16}

# Shares of the generated texts.
CROSSING = 0.3
DATELINE = 0.15
TOPIC_CLOSING = 0.55
NEUTRAL_CLOSING = 0.35

# The largest share of a text's 5-grams that may stand in any one other text.
OVERLAP_PUBLISHED = 0.3
OVERLAP_PRETRAINING = 0.5

# These are drawn anew at every mention; all other slots keep their value through a text.
FRESH = frozenset({"small", "ordinal", "many", "percent", "money", "when", "day", "month"})

# A closing sentence must not bring up another one of these.
ACTORS = frozenset({"club", "company", "techfirm", "country", "surname"})

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(?:n:(\d+)-(\d+)|([a-z]+)(2?))\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiouAEIOU](?!ni|uro|ne-))")


@dataclass(frozen=True, slots=True)
class Row:
    """One text and its topic, 0..3 in the order of LABELS."""

    text: str
    label: int


@dataclass(frozen=True, slots=True)
class Grammar:
    """The frames of one topic."""

    lead: tuple[str, ...]
    crossing: tuple[str, ...]
    follow: tuple[str, ...]
    written: tuple[str, ...]


# ---------------------------------------------------------------- the grammar


def _lines(name: str) -> list[str]:
    lines = (SOURCE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _sections(name: str) -> dict[str, tuple[str, ...]]:
    sections: dict[str, list[str]] = {}
    for line in _lines(name):
        if line.startswith("== "):
            sections[line[3:]] = []
        else:
            sections[list(sections)[-1]].append(line)
    return {title: tuple(lines) for title, lines in sections.items()}


@cache
def words() -> Mapping[str, tuple[str, ...]]:
    """The word lists by name."""
    split = (line.split(":", 1) for line in _lines("words.txt"))
    return {name: tuple(word.strip() for word in values.split("|")) for name, values in split}


@cache
def grammar(label: int) -> Grammar:
    """The frames of one topic, as written in scripts/corpus/."""
    return Grammar(**_sections(TOPIC_FILES[label]))


@cache
def neutral() -> tuple[str, ...]:
    """Closing sentences that every topic shares."""
    return tuple(_lines("neutral.txt"))


class Draw:
    """Random choices of one text. A name keeps its value, so that a text speaks of one club, one country."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._bound: dict[str, str] = {}

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._rng.random() < probability

    def one_of(self, options: Sequence[str]) -> str:
        """One option; by `random()` alone, whose stream Python keeps the same across versions."""
        return options[int(self._rng.random() * len(options))]

    def sentence(self, frame: str) -> str:
        """Fill in a frame: choose in [a|b], innermost first, then fill the {slots}."""
        while _CHOICE.search(frame):
            frame = _CHOICE.sub(lambda m: self.one_of(m[1].split("|")), frame, count=1)
        text = _ARTICLE.sub(r"\1n ", _SLOT.sub(self._slot, frame))
        return text[:1].upper() + text[1:]

    def fits(self, frame: str) -> bool:
        """Whether a closing sentence speaks only of actors that the text has already named."""
        actors = {name + second for _, _, name, second in _SLOT.findall(frame) if name in ACTORS}
        # A full name introduces a person.
        return actors - ({"surname"} if "{first}" in frame else set()) <= self._bound.keys()

    def _slot(self, match: re.Match[str]) -> str:
        low, high, name, second = match.groups()
        if low:
            return str(int(low) + int(self._rng.random() * (int(high) - int(low) + 1)))
        if name in FRESH:
            return self.one_of(words()[name])
        key = name + second
        if key not in self._bound:
            taken = {self._bound.get(name), self._bound.get(name + "2")}
            self._bound[key] = self.one_of([word for word in words()[name] if word not in taken])
        return self._bound[key]


def compose(label: int, rng: random.Random) -> str:
    """One generated text: a dateline at times, a leading sentence, and up to two closing ones."""
    frames, draw = grammar(label), Draw(rng)
    dateline = draw.sentence("{city}").upper() + " - " if draw.chance(DATELINE) else ""
    crossing = draw.chance(CROSSING)
    sentences = [draw.sentence(draw.one_of(frames.crossing if crossing else frames.lead))]
    if not crossing and draw.chance(TOPIC_CLOSING):
        sentences.append(draw.sentence(draw.one_of([frame for frame in frames.follow if draw.fits(frame)])))
    if draw.chance(NEUTRAL_CLOSING):
        sentences.append(draw.sentence(draw.one_of([frame for frame in neutral() if draw.fits(frame)])))
    return dateline + " ".join(sentences)


# ---------------------------------------------------------------- near-duplicates


def five_grams(text: str) -> frozenset[tuple[str, ...]]:
    """The 5-grams of lower-case words; a shorter text counts as one gram."""
    tokens = re.findall(r"[a-z0-9']+", text.lower())
    return frozenset(tuple(tokens[i : i + 5]) for i in range(max(1, len(tokens) - 4)))


@dataclass
class Index:
    """Texts taken so far, findable by their 5-grams."""

    _by_gram: dict[tuple[str, ...], list[int]] = field(default_factory=dict)
    _size: list[int] = field(default_factory=list)

    def nearest(self, text: str) -> float:
        """The largest share of 5-grams, of the shorter of two texts, that `text` shares with one taken."""
        grams = five_grams(text)
        shared = Counter(i for gram in grams for i in self._by_gram.get(gram, ()))
        return max((n / min(len(grams), self._size[i]) for i, n in shared.items()), default=0.0)

    def add(self, text: str) -> None:
        """Take a text."""
        grams = five_grams(text)
        for gram in grams:
            self._by_gram.setdefault(gram, []).append(len(self._size))
        self._size.append(len(grams))


def _shuffled(rows: Iterable[Row], rng: random.Random) -> list[Row]:
    return [row for _, row in sorted(((rng.random(), row) for row in rows), key=lambda pair: pair[0])]


def _generate(label: int, count: int, limit: float, index: Index, rng: random.Random) -> list[Row]:
    rows: list[Row] = []
    while len(rows) < count:
        text = compose(label, rng)
        if index.nearest(text) <= limit:
            index.add(text)
            rows.append(Row(text, label))
    return rows


@cache
def corpus() -> Mapping[str, tuple[Row, ...]]:
    """All splits: "test", "heldout", "train", each balanced over the topics and shuffled."""
    rng, index = random.Random(SEED), Index()
    written = [
        iter(_shuffled((Row(text, label) for text in grammar(label).written), rng)) for label in range(4)
    ]
    splits: dict[str, tuple[Row, ...]] = {}
    for split, size in ROWS.items():
        rows: list[Row] = []
        for label in range(len(LABELS)):
            own = [next(written[label]) for _ in range(WRITTEN[split])]
            for row in own:
                index.add(row.text)
            rows += own + _generate(label, size - len(own), OVERLAP_PUBLISHED, index, rng)
        splits[split] = tuple(_shuffled(rows, rng))
    return splits


def pretraining_rows(per_topic: int) -> list[Row]:
    """Other texts of the same grammar, for the tiny bodies: none is near a text of the corpus."""
    rng, index = random.Random(SEED + 1), Index()
    for row in (row for rows in corpus().values() for row in rows):
        index.add(row.text)
    published = index
    rows: list[Row] = []
    seen: set[str] = set()
    while len(rows) < per_topic * len(LABELS):
        label = len(rows) % len(LABELS)
        text = compose(label, rng)
        if text not in seen and published.nearest(text) <= OVERLAP_PRETRAINING:
            seen.add(text)
            rows.append(Row(text, label))
    return rows


def four_texts(section: str) -> list[Row]:
    """The hand-written texts for 3c: "public" or "hidden"."""
    pairs = (line.split("\t", 1) for line in _sections("four.txt")[section])
    return [Row(text, LABELS.index(label)) for label, text in pairs]


# ---------------------------------------------------------------- files


def _jsonl(rows: Iterable[Mapping[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def files() -> dict[Path, str]:
    """Every file that this script writes, with its content."""
    splits = {name: [{"text": r.text, "label": r.label} for r in rows] for name, rows in corpus().items()}
    public, hidden = four_texts("public"), four_texts("hidden")
    return {
        ASSETS / "train.jsonl": _jsonl(splits["train"]),
        ASSETS / "test.jsonl": _jsonl(splits["test"]),
        ASSETS / "four_texts.jsonl": _jsonl({"text": row.text} for row in public),
        HIDDEN / "heldout.jsonl": _jsonl(splits["heldout"]),
        HIDDEN / "four_labels.json": json.dumps([LABELS[row.label] for row in public]) + "\n",
        HIDDEN / "four_more.jsonl": _jsonl({"text": row.text, "label": row.label} for row in hidden),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a command; the exit code is 0 unless --check finds a difference."""
    parser = argparse.ArgumentParser(description="Write the bundled news corpus.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args(arguments).check
    wanted = files()
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    for path in stale:
        print(f"{'differs' if check else 'wrote'}: {path.relative_to(ROOT)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

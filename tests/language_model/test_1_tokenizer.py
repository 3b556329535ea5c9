"""Part 1: byte-pair encoding. What is due is one list of ids: it is compared exactly."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from grader.checking.evidence import Running
from grader.checking.student import Student
from grader.worker.calls import Call
from reference.language_model import tokenizer
from reference.language_model.inquiry import Inquiry, asking
from reference.language_model.judging import items, same
from reference.language_model.texts import (
    Merges,
    clear_text,
    overlapping_text,
    repeating_text,
    short_texts,
    spaced_text,
    tied_texts,
    unusual_texts,
)

_TRAIN = (
    "Print the three most frequent pairs and their counts before each merge, and do the first two by hand."
)
_ENCODE = "Encode one word on paper: of the pairs that are there, which was learned first?"


def judge_training(
    check: Running, inquiry: Inquiry, wanted: list[tuple[str, int]], hint: str, *, any_tie: bool = False
) -> None:
    """Fail unless train_bpe learns the merges of every text; with `any_tie`, whichever of equally frequent pairs it
    takes, which 1a.ties judges."""
    results = inquiry.ask(*(Call("student:train_bpe", (text, number)) for text, number in wanted))
    for (text, number), learned in zip(wanted, results, strict=True):
        due = [list(pair) for pair in tokenizer.train(text, number)]
        check.asked = f"train_bpe({text[:60]!r}{'…' if len(text) > 60 else ''}, {number})"
        if not (any_tie and _may_be_learned(text, number, learned)):
            same(check, learned, due, "The list of merges", hint)


def _may_be_learned(text: str, number: int, learned: Any) -> bool:
    if not isinstance(learned, list) or len(learned) > number:
        return False
    merges = [tuple(pair) for pair in learned if isinstance(pair, list) and len(pair) == 2]
    whole = len(merges) == len(learned) and all(type(id) is int for pair in merges for id in pair)
    return whole and tokenizer.may_be_learned(text, number, merges)


@pytest.mark.check("1a.merges")
def test_merges(check: Running, student: Student) -> None:
    """No two pairs are equally frequent at any merge that is asked for."""
    draw = random.Random(check.seed)
    wanted = [(clear_text(draw, 8), 8), (overlapping_text(draw), 1), (repeating_text(draw), 2)]
    with asking(check, student) as inquiry:
        judge_training(check, inquiry, wanted, _TRAIN)


@pytest.mark.check("1a.ties")
def test_ties(check: Running, student: Student) -> None:
    draw = random.Random(check.seed)
    with asking(check, student) as inquiry:
        judge_training(
            check,
            inquiry,
            [(text, 5) for text in tied_texts(draw)],
            "Print all pairs that share the highest count: which of them does your code take, and why?",
        )


@pytest.mark.check("1a.words")
def test_words(check: Running, student: Student) -> None:
    draw = random.Random(check.seed)
    with asking(check, student) as inquiry:
        judge_training(
            check,
            inquiry,
            [(spaced_text(draw), 12)],
            "Print the words that your code cuts ' a  bc d ' into, and the bytes of a word with an accent in it.",
            any_tie=True,
        )


@pytest.mark.check("1a.stops")
def test_stops(check: Running, student: Student) -> None:
    draw = random.Random(check.seed)
    with asking(check, student) as inquiry:
        judge_training(
            check,
            inquiry,
            [(text, 50) for text in short_texts(draw)],
            "Which pair is there still to merge when every pair that is left occurs once?",
            any_tie=True,
        )


def crossed_merges(draw: random.Random) -> Merges:
    """Merges under which it matters which comes first: in "abc" the pair "bc" does, then "ab" has nothing left."""
    a, b, c, d = draw.sample(range(ord("a"), ord("z") + 1), 4)
    return [(b, c), (a, b), (257, 256), (c, d), (a, a)]


@pytest.mark.check("1b.encode")
def test_encode(check: Running, student: Student) -> None:
    """The model's own merges, those of a trained tokenizer, and none at all."""
    draw = random.Random(check.seed)
    crossed = crossed_merges(draw)
    (b, c), (a, _), _, (_, d), _ = crossed
    letters = "".join(map(chr, (a, b, c, d)))
    made = [a, b, c], [a, b, b, c], [b, c, d], [a, a, a, b, c, d, a, a]
    words = [bytes(each).decode() for each in made]
    words += ["".join(draw.choices(letters, k=12)) for _ in range(4)]
    trained = clear_text(draw, 8)
    tables: list[tuple[Merges, list[str]]] = [
        (crossed, words),
        (tokenizer.train(trained, 8), [trained[:60], trained[20:50] + "  " + trained[:9]]),
        ([], unusual_texts(draw)),
    ]
    judge_texts(check, student, tables, _ENCODE)


def judge_texts(check: Running, student: Student, tables: list[tuple[Merges, list[str]]], hint: str) -> None:
    """Fail unless encode gives the ids of every text under its merges."""
    with asking(check, student) as inquiry:
        results = inquiry.ask(*(Call("harness:encode", (texts, merges)) for merges, texts in tables))
        for (merges, texts), found in zip(tables, results, strict=True):
            for text, ids in zip(texts, items(found, len(texts), "the ids"), strict=True):
                check.asked = (
                    f"encode({text[:60]!r}, {merges if len(merges) < 6 else f'{len(merges)} merges'})"
                )
                same(check, ids, tokenizer.encoded(text, merges), "The list of ids", hint)


def judge_ids(
    check: Running,
    student: Student,
    many: list[list[int]],
    merges: Merges,
    hint: str,
    due: Callable[[list[int], Merges], str] = tokenizer.decoded,
) -> None:
    """Fail unless decode gives the text of every list of ids."""
    with asking(check, student) as inquiry:
        (found,) = inquiry.ask(Call("harness:decode", (many, merges)))
        for ids, text in zip(many, items(found, len(many), "the texts"), strict=True):
            check.asked = f"decode({ids[:20]}{' …' if len(ids) > 20 else ''}, {len(merges)} merges)"
            same(check, text, due(ids, merges), "The text", hint)


@pytest.mark.check("1b.decode")
def test_decode(check: Running, student: Student) -> None:
    """Merges of merges, and characters whose bytes belong to several tokens."""
    draw = random.Random(check.seed)
    text = clear_text(draw, 8)
    merges = tokenizer.train(text, 8)
    many = [list(range(256, 264)), tokenizer.encoded(text[:50], merges), []]
    many += [tokenizer.encoded(text, merges) for text in unusual_texts(draw)]
    judge_ids(
        check,
        student,
        many,
        merges,
        "Which bytes does token 256 stand for, and 257? Join bytes, then read them.",
    )


@pytest.mark.check("1b.broken")
def test_broken(check: Running, student: Student) -> None:
    draw = random.Random(check.seed)
    text = unusual_texts(draw)[0]
    first = next(i for i, c in enumerate(text) if ord(c) > 127)
    cut = list(text[: first + 1].encode())[:-1]
    many = [cut, [*cut, 33], [draw.randrange(0x80, 0xC0), 65]]
    judge_ids(
        check,
        student,
        many,
        [],
        "What does bytes.decode do with bytes that are no UTF-8, and what else can it do?",
    )

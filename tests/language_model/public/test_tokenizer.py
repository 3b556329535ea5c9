"""Part 1: what holds for every right tokenizer, and the example of the handout."""

import pytest

from grader.checking.outcomes import Failed

TEXT = " ".join(["banana", "bandana", "ananas", "band", "nana"] * 4) + "  né  → "


def learned(student, text, number):
    """The merges, as tuples."""
    merges = student.train_bpe(text, number)
    try:
        pairs = [(int(left), int(right)) for left, right in merges]
    except (TypeError, ValueError):
        raise Failed("The merges are no list of pairs of ids.", "Return [(left, right), …].") from None
    for k, pair in enumerate(pairs):
        if not all(0 <= i < 256 + k for i in pair):
            raise Failed(
                f"Merge {k} joins {pair}, and there is no such token yet.", "Merge k makes token 256 + k."
            )
    return pairs


@pytest.mark.check("1a.merges")
def test_example(student):
    """The handout's example comes out, and asking for fewer merges gives the first of them"""
    if learned(student, "ab ab abab", 2) != [(97, 98), (32, 256)]:
        raise Failed(
            "The example in the docstring of train_bpe comes out otherwise.",
            "Do its two merges on paper first.",
        )
    many = learned(student, TEXT, 9)
    if learned(student, TEXT, 4) != many[:4]:
        raise Failed(
            "The first four of nine merges are not the four that are learned alone.", "Nothing may be drawn."
        )


@pytest.mark.check("1b.encode")
def test_encode(student):
    """More merges never make a text longer, and without merges a text is its bytes"""
    if list(student.encode(TEXT, [])) != list(TEXT.encode("utf-8")):
        raise Failed(
            "Without merges the ids are not the bytes of the text.", "Begin with text.encode('utf-8')."
        )
    merges = learned(student, TEXT, 9)
    lengths = [len(student.encode(TEXT, merges[:n])) for n in range(len(merges) + 1)]
    if lengths != sorted(lengths, reverse=True) or lengths[-1] >= lengths[0]:
        raise Failed(
            f"With more and more merges the text has {lengths} ids.", "Every merge joins two ids into one."
        )


@pytest.mark.check("1b.decode")
def test_round_trip(student):
    """A text comes back from its ids"""
    merges = learned(student, TEXT, 9)
    for text in (TEXT, "", "  ", "🙂 and\nmore"):
        if student.decode(student.encode(text, merges), merges) != text:
            raise Failed(f"{text[:20]!r} does not come back.", "Compare the bytes of both, one by one.")

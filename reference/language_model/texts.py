"""Texts for the checks of the tokenizer, drawn so that each shows what it is drawn for, and nothing hangs on chance."""

from __future__ import annotations

import random
import string

from reference.language_model.tokenizer import Pair, counts_before

Merges = list[Pair]

_UNUSUAL = ("é", "ñ", "ß", "Ж", "ц", "語", "木", "€", "→", "🙂", "🌍")
"""Of two, three and four bytes."""


def _word(draw: random.Random, letters: str) -> str:
    return "".join(draw.choices(letters, k=draw.randint(2, 5)))


def clear_text(draw: random.Random, num_merges: int) -> str:
    """A text of about 300 words in which every merge has one pair that is the most frequent, and occurs twice or more.

    Of four letters, so that words have pairs in common: pairs that stand in one word alone are equally frequent.
    """
    while True:
        letters = "".join(draw.sample(string.ascii_lowercase, 4))
        text = [word for _ in range(20) for word in [_word(draw, letters)] * draw.randint(1, 30)]
        draw.shuffle(text)
        if is_clear(" ".join(text), num_merges):
            return " ".join(text)


def is_clear(text: str, num_merges: int) -> bool:
    """Whether no two pairs are equally frequent at any of so many merges."""
    merges: Merges = []
    for counts in counts_before(text, merges):  # grows with what is appended
        if len(merges) == num_merges:
            return True
        two = counts.most_common(2)
        if len(two) < 2 or two[0][1] == two[1][1] or two[0][1] < 2:
            return False
        merges.append(two[0][0])
    return False


def overlapping_text(draw: random.Random) -> str:
    """One in which a pair is the most frequent only where its overlapping places are counted."""
    x, y, z = draw.sample(string.ascii_lowercase, 3)
    n = draw.randint(4, 8)
    return "\n".join(
        [x * 3] * n + [y + z] * (n + 2)
    )  # n < n + 2 < 2 n, and no space that would make pairs of its own


def repeating_text(draw: random.Random) -> str:
    """One whose only word has a pair twice: merged at both places, the new token stands beside itself."""
    x, y = draw.sample(string.ascii_lowercase, 2)
    return "\n".join([(x + y) * 2] * draw.randint(4, 8))


def tied_texts(draw: random.Random) -> list[str]:
    """Texts in which pairs of all orders are equally frequent: the largest first, the smallest in the middle."""
    found = []
    for _ in range(3):
        letters = sorted(draw.sample(string.ascii_lowercase, 8))
        w, *others, x = ["".join(letters[i : i + 2]) for i in (6, 0, 2, 4)]
        found.append(".".join([w, x, *others] * draw.randint(2, 4)))
    return found


def spaced_text(draw: random.Random) -> str:
    """Neighbouring words are the same over and over, so that a pair across them would be the most frequent; spaces come
    at the start, at the end and two at a time; letters have several bytes."""
    a, b, c = draw.sample(string.ascii_lowercase, 3)
    strange = draw.sample(_UNUSUAL, 3)
    phrase = f"{a} {b} {c}{strange[0]} {strange[0]}{strange[1]}  {b}{strange[2]}\n{c}"
    return f" {' '.join([phrase] * draw.randint(5, 8))} "


def short_texts(draw: random.Random) -> list[str]:
    """Nothing, one letter, pairs that all occur once, and a word twice: merges until it is one token."""
    letters = draw.sample(string.ascii_lowercase, 9)
    word = "".join(letters[:5])
    return ["", letters[0], "".join(letters), f"{word}\n{word}", f"{word} {word} {letters[7]}{letters[8]}"]


def unusual_texts(draw: random.Random) -> list[str]:
    """Texts with characters of several bytes, with line ends, and none."""
    strange = draw.sample(_UNUSUAL, 6)
    return [
        f"{strange[0]}a{strange[1]} {strange[2]}",
        "".join(strange[3:]) + "\t\n ",
        "",
        f" {string.ascii_letters[draw.randrange(26)]}  {strange[4]}.",
    ]

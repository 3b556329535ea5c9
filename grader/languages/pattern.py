"""A message with placeholders: finding its values in a finished sentence, and filling a translation with them.

`{name}` stands for a value. In a translation `{name!t}` stands for the value's own translation, where the catalogue has
one, and `{name!-}` leaves it out: a plural s, an article, what the other language does not say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter

TRANSLATED, LEFT_OUT = "t", "-"
MOST_SEARCHES = 12


@dataclass(frozen=True, slots=True)
class Pattern:
    """Literal texts with a value between each two of them."""

    literals: tuple[str, ...]
    """One more than there are values; the first and the last may be empty."""
    names: tuple[str, ...]
    conversions: tuple[str, ...]
    """Of each value: "" for as it is, TRANSLATED or LEFT_OUT."""

    @property
    def said(self) -> int:
        """Letters outside of values: a pattern without any says nothing and fits everything."""
        return sum(map(str.isalpha, "".join(self.literals)))

    @property
    def longest(self) -> str:
        """The literal that is least likely to stand in another sentence."""
        return max(self.literals, key=len)

    def match(self, text: str) -> dict[str, str] | None:
        """The values in a text that the whole pattern fits, each as short as it can be from the left; else None.

        A value keeps its brackets together, where that costs few searches: "(1, 2)" is one. What was found is never
        tried again, so the cost is that of a few searches for each literal, whatever the text holds.
        """
        first, *between = self.literals
        if not between:
            return {} if text == first else None
        last = between.pop()
        end = len(text) - len(last)
        if not (text.startswith(first) and text.endswith(last) and len(first) <= end):
            return None
        at, values = len(first), []
        for literal in between:
            found = _next(literal, text, at, end)
            if found < 0:
                return None
            values.append(text[at:found])
            at = found + len(literal)
        values.append(text[at:end])
        return dict(zip(self.names, values, strict=True))

    def filled(self, values: Mapping[str, object], phrase: Callable[[str], str]) -> str:
        """The text with its values; `phrase` translates those that are TRANSLATED."""
        out = [self.literals[0]]
        for name, how, literal in zip(self.names, self.conversions, self.literals[1:], strict=True):
            value = str(values[name])
            out.append("" if how == LEFT_OUT else phrase(value) if how == TRANSLATED else value)
            out.append(literal)
        return "".join(out)


def _next(literal: str, text: str, at: int, end: int) -> int:
    """Where the literal stands next outside of brackets; where it never does, its first place; -1 for none."""
    first = found = text.find(literal, at, end)
    for _ in range(MOST_SEARCHES):
        if found < 0:
            break
        value = text[at:found]
        if balanced(value):
            return found
        found = text.find(literal, found + 1, end)
    return first


def balanced(text: str) -> bool:
    """True where as many brackets are closed as are opened."""
    return all(text.count(opening) == text.count(closing) for opening, closing in ("()", "[]"))


@lru_cache(maxsize=1024)  # a page is made of the same few hundred messages
def pattern(message: str) -> Pattern:
    """A message taken apart; ValueError where its braces are not as they should be."""
    literals, names, conversions = [""], [], []
    for literal, name, spec, how in Formatter().parse(message):
        literals[-1] += literal
        if name is not None:
            if not name.isidentifier() or spec or how not in (None, TRANSLATED, LEFT_OUT):
                raise ValueError(f"{message!r}: {name!r} is no placeholder")
            literals.append("")
            names.append(name)
            conversions.append(how or "")
    return Pattern(tuple(literals), tuple(names), tuple(conversions))

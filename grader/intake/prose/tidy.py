"""Characters of a report as few of them as possible: what looks like a digit or a sign of arithmetic is one."""

from __future__ import annotations

import re
import unicodedata

THIN = "\u2009"
"""Stands for every narrow or unbreakable space, which students put between thousands."""
_ONE = {
    **dict.fromkeys(map(ord, "\u00a0\u2007\u2008\u2009\u200a\u202f\u2005\u2006"), THIN),
    **dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe00\ufe01\ufe0e\ufe0f"), None),
    **dict.fromkeys(map(ord, "−‒﹣－˗"), "-"),
    **dict.fromkeys(map(ord, "·⋅∙•∗✕✖╳⨯⨉"), "×"),
    **dict.fromkeys(map(ord, "≃≅≐≒∼～˜"), "≈"),
    **dict.fromkeys(map(ord, "→⟶➔➜⟹⇒⇨∴➡"), "⇒"),
    **dict.fromkeys(map(ord, "÷∕⁄"), "/"),
    **dict.fromkeys(map(ord, "’‘ʼ′"), "'"),
    **dict.fromkeys(map(ord, "“”„«»"), '"'),
    ord("٬"): ",", ord("٫"): ".", ord("Σ"): "∑", ord("％"): "%",
}  # fmt: skip
_HIGH, _LOW = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "₀₁₂₃₄₅₆₇₈₉₊₋"
_PLAIN = "0123456789+-"
_RAISED = re.compile(f"[{_HIGH}]+(?:[·⋅˙.][{_HIGH}]+)*")
_LOWERED = re.compile(f"[{_LOW}]+")
_CALL = re.compile(f"(?<=[^\\W\\d_]){THIN}(?=\\()")
"""A narrow space between a name and its argument: "P (mat)"."""
_TO_PLAIN = str.maketrans(_HIGH + _LOW + "·⋅˙", _PLAIN + _PLAIN + "...")


def tidy(text: str) -> str:
    """One line with few kinds of spaces and signs; "10⁻⁴" becomes "10^{-4}", "𝑃" becomes "P"."""
    if text.isascii():
        return text
    text = _RAISED.sub(lambda m: "^{" + m[0].translate(_TO_PLAIN) + "}", text)
    text = _LOWERED.sub(lambda m: "_" + m[0].translate(_TO_PLAIN), text)
    text = _CALL.sub("", text.translate(_ONE))
    return text if text.isascii() else "".join(map(_plain, text))


def _plain(char: str) -> str:
    """Letters and digits of other alphabets of the same look: 𝟐, ﬁ, ｘ; any other character as it is."""
    code = ord(char)
    if char == THIN or code < 0x250:
        return char
    if 0x1D400 <= code <= 0x1D7FF or 0xFB00 <= code <= 0xFB06 or 0xFF00 <= code <= 0xFF5E:
        return unicodedata.normalize("NFKC", char)
    if 0x2100 <= code <= 0x214F:  # letterlike: ℒ, ℓ
        return unicodedata.normalize("NFKC", char)
    if unicodedata.category(char) == "Nd":
        return str(unicodedata.digit(char))
    return char

"""Markdown, as editors, notebooks and chats write it -> lines."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from grader.intake.prose.lines import Line, Shape, row
from grader.intake.prose.outline import named_in
from grader.intake.prose.tex import plain
from grader.intake.prose.tidy import tidy

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_RAISED = re.compile(r"<sup>([^<>]{1,40})</sup>", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()]{0,300}\)")
_BULLET = re.compile(r"\s{0,12}(?:[-*+•◦▪‣–]|·(?!\s*[0-9])|\[[ xX]\])\s+")
_BOLD_LINE = re.compile(r"(\*\*|__)(?=\S)(.{1,120}?)(?<=\S)\1:?$")
_ITALIC_LINE = re.compile(r"([*_])(?=[^\s*_])([^*]{1,200}?)(?<=[^\s*_])\1")
_BOLD = re.compile(r"(?<!\w)(\*\*|__)(?=\S)([^*\n]{1,400}?)(?<=\S)\1(?!\w)")
_BOLD_NUMBER = re.compile(r"(\*\*|__)((?:[A-Za-z]{1,10} )?[0-9a-z().\s-]{1,12})\1[:.)]?\s*(?=\S)")
_ALIGNED = re.compile(r"&+(?=\s*(?:[=≈<>+×≤≥⇒-]|$))|(?<=\s)&&+|&(?=&)")
"""What aligns the lines of a formula: "n &= 5"."""
_RULE = re.compile(r"\|?[\s:|-]{3,}\|?$")


def markdown_lines(source: Iterable[tuple[str, str]]) -> list[Line]:
    """`source`: (line, place)."""
    out: list[Line] = []
    fenced = ""
    for raw, place in source:
        text = raw.rstrip()
        fence = text.lstrip()[:3]
        if fence in ("```", "~~~"):
            fenced = "" if fenced == fence else fenced or fence
            out.append(Line(Shape.GAP, "", place))
        elif fenced:
            out.append(_printed(text, place))
        else:
            _add(out, text, place)
    return out


def _printed(text: str, place: str) -> Line:
    shown = tidy(text.expandtabs(4)).strip()
    return Line(Shape.TEXT if shown else Shape.GAP, shown, place, fresh=True, printed=True)


def _add(out: list[Line], text: str, place: str) -> None:
    stripped = text.strip()
    if stripped.startswith(">"):
        stripped = stripped.lstrip("> ")
    if re.fullmatch(r"=+|-{3,}|\*{3,}|_{3,}", stripped):
        underlined = bool(out) and out[-1].shape is Shape.TEXT and stripped[0] in "=-"
        if underlined:
            out[-1] = Line(Shape.HEADING, out[-1].text, out[-1].place, firm=True)
        else:
            out.append(Line(Shape.GAP, "", place))
    elif not stripped or stripped in ("$$", r"\[", r"\]"):
        out.append(Line(Shape.GAP if not stripped else Shape.TEXT, "", place))
    elif heading := re.match(r"#{1,6}\s+(.*?)\s*#*$", stripped):
        out.append(Line(Shape.HEADING, inline(heading[1]), place, firm=True))
    elif stripped.startswith("|") or (
        stripped.count("|") > 1 and not re.search(r"\$[^$]*\|[^$]*\$", stripped)
    ):
        if not (_RULE.fullmatch(stripped) and "-" in stripped):
            inside = stripped.removeprefix("|").removesuffix("|")
            out.append(row([inline(cell) for cell in re.split(r"(?<!\\)\|", inside)], place))
    elif (bold := _BOLD_LINE.fullmatch(stripped)) or (
        (bold := _ITALIC_LINE.fullmatch(stripped)) and named_in(bold[2])
    ):
        out.append(Line(Shape.HEADING, inline(bold[2]), place))
    else:
        bullet = _BULLET.match(text)
        body = text[bullet.end() :] if bullet else stripped
        if number := _BOLD_NUMBER.match(body):  # "**2.4** 0.001": set off from what follows by being bold
            body = f"{number[2].rstrip('.: ')}: {body[number.end() :]}"
        shown = inline(body)
        shape = Shape.TEXT if shown else Shape.GAP
        out.append(Line(shape, shown, place, fresh=bool(bullet), width=len(text)))


def inline(text: str) -> str:
    """One piece of text without links, tags, emphasis and TeX."""
    text = _RAISED.sub(r"^{\1}", text)
    text = html.unescape(_TAG.sub(" ", _LINK.sub(r"\1", text)))
    text = plain(text.replace("`", ""), keep_brackets=True).replace("\n", " ; ")
    return tidy(_ALIGNED.sub("", _without_stars(text))).strip()


def _without_stars(text: str) -> str:
    """Stars and double underscores of emphasis go; stars between numbers are signs of multiplication and stay."""
    if "*" not in text and "__" not in text:
        return text
    text = _BOLD.sub(r"\2", text)
    text = re.sub(r"(?<=[\d)])\*\*(?=[\d({-])", "^", text)
    text = re.sub(r"\*\*+|__+", "", text)
    out: list[str] = []
    for i, char in enumerate(text):
        if char != "*":
            out.append(char)
            continue
        left, right = text[i - 1 : i] if i else "", text[i + 1 : i + 2]
        spaced = left.isspace() and right.isspace()
        close = bool(re.match(r"[\w)\]}]", left)) and bool(re.match(r"[\w(]", right))
        out.append("*" if spaced or close else "")
    return "".join(out)

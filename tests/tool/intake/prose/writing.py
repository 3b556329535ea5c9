"""Reports of any numbers, written as students write: notations, units, headings and layouts, drawn by hypothesis."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

BYTES = {
    "bytes": 1, "B": 1, "byte": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
    "megabytes": 10**6, "gigabytes": 10**9, "million bytes": 10**6, "billion bytes": 10**9,
}  # fmt: skip
GIVEN = {Fraction(n) for n in (123, 231, 8, 2, 4, 3, "0.001", "0.1", "0.5", "0.2", 1, 5, 48, 16, 32, 96)}
MULTIPLES = {"": 1, "thousand": 10**3, "million": 10**6, "billion": 10**9}


@dataclass(frozen=True)
class Amount:
    """A number as it is written, and what it is."""

    written: str
    exact: Fraction
    unit: str = ""

    @property
    def shown(self) -> str:
        return f"{self.written} {self.unit}".strip()

    def is_given(self) -> bool:
        """Whether it may be a number of a question itself, such as the 48 heads, which is no answer to one."""
        digits = self.written.rstrip("percnt%\u202f ")
        return re.fullmatch(r"[0-9.]+", digits) is not None and Fraction(digits) in GIVEN


def _grouped(digits: str, mark: str) -> str:
    head = len(digits) % 3 or 3
    return mark.join([digits[:head], *(digits[i : i + 3] for i in range(head, len(digits), 3))])


def wholes(markup: str) -> st.SearchStrategy[Amount]:
    """Whole numbers of a million and more, with and without marks between the thousands."""
    marks = ["", ",", "'", "\u202f", "\u2009", "\u00a0"]
    marks += {"tex": ["{,}", "\\,"], "md": ["{,}", "\\,"]}.get(markup, [])
    numbers = st.integers(10**6, 10**14)
    return st.builds(lambda n, mark: _whole(n, mark), numbers, st.sampled_from(marks))


def _whole(number: int, mark: str) -> Amount:
    text = _grouped(str(number), mark) if mark else str(number)
    return Amount(f"${text}$" if mark in ("{,}", "\\,") else text, Fraction(number))


def decimals(low: int = 1, high: int = 10**6) -> st.SearchStrategy[Amount]:
    """Numbers with one to nine decimals, between low and high."""

    def build(number: int, places: int) -> Amount:
        value = Fraction(number, 10**places)
        digits = str(number).rjust(places + 1, "0")
        return Amount(f"{digits[:-places]}.{digits[-places:]}", value)

    return st.integers(1, 9).flatmap(
        lambda places: st.builds(build, st.integers(low * 10**places, high * 10**places), st.just(places))
    )


def powers(markup: str, low: int = -9, high: int = 12) -> st.SearchStrategy[Amount]:
    """Scientific notation, in every way it is typed."""
    forms = [
        "{m}e{p}",
        "{m}E{p}",
        "{m} × 10^{p}",
        "{m} x 10^{p}",
        "{m} × 10^{{{p}}}",
        "{m}·10{raised}",
        "{m} × 10^({p})",
    ]
    if markup in ("tex", "md"):
        forms += ["${m} \\times 10^{{{p}}}$", "${m} \\cdot 10^{{{p}}}$", "${m}\\mathrm{{e}}{{{p}}}$"]

    def build(mantissa: int, places: int, power: int, form: str) -> Amount:
        digits = str(mantissa)
        m = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
        raised = str(power).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
        exact = Fraction(mantissa, 10 ** (len(digits) - 1)) * Fraction(10) ** power
        return Amount(form.format(m=m, p=power, raised=raised), exact)

    return st.builds(
        build,
        st.integers(11, 99_999).filter(lambda n: n % 10),
        st.just(0),
        st.integers(low, high),
        st.sampled_from(forms),
    )


def counts(markup: str) -> st.SearchStrategy[Amount]:
    """Whole numbers of parameters or elements."""

    def multiplied(amount: Amount, word: str) -> Amount:
        return Amount(amount.written, amount.exact * MULTIPLES[word], word)

    scaled = st.builds(multiplied, decimals(1, 1000), st.sampled_from(["million", "billion"]))
    return wholes(markup) | scaled.filter(lambda a: a.exact.denominator == 1) | powers(markup, 9, 12)


def amounts_of_data(markup: str) -> st.SearchStrategy[Amount]:
    """Amounts of memory, always with a unit."""

    def with_unit(amount: Amount, unit: str) -> Amount:
        return Amount(amount.written, amount.exact * BYTES[unit], unit)

    return st.builds(
        with_unit, wholes(markup) | decimals() | powers(markup, 2, 10), st.sampled_from(list(BYTES))
    )


def errors(markup: str) -> st.SearchStrategy[Amount]:
    """Small numbers."""
    return powers(markup, -9, -1) | decimals(0, 1).filter(lambda a: 0 < a.exact < 1)


def shares() -> st.SearchStrategy[Amount]:
    """Shares in percent."""

    def percent(amount: Amount, sign: str) -> Amount:
        return Amount(amount.written + sign, amount.exact / 100)

    return st.builds(
        percent,
        decimals(0, 99).filter(lambda a: a.exact > 0),
        st.sampled_from(["%", " %", " percent", "\u202f%"]),
    )


def norms() -> st.SearchStrategy[Amount]:
    """Norms and losses."""
    return decimals(0, 30).filter(lambda a: a.exact > 0 and a.exact.denominator > 2)


KINDS = {
    "2a.norm": "norm", "2b.norm": "norm", "2b.masked_norm": "norm",
    "2c.self_error": "error", "2c.masked_error": "error", "2c.cross_error": "error", "2d.error": "error",
    "4a.probability": "share", "4a.loss": "norm",
    "4c.elements": "count", "4c.bytes": "data", "4c.total": "data",
    "4d.first": "count", "4d.second": "count", "4d.block": "count", "4d.total": "count",
    "4e1.trainable": "count", "4e2.lora_state": "data", "4e3.ffn_state": "data", "4e3.share": "share",
}  # fmt: skip
LABELS = {
    "2a.norm": ["L2 norm of the projected query", "norm of the query"],
    "2b.norm": ["L2 norm of the attention weights", "norm of the weights"],
    "2b.masked_norm": ["L2 norm of the masked output", "norm of the output with the mask"],
    "2c.self_error": ["relative error of self-attention", "self_attn_output error"],
    "2c.masked_error": ["relative error of masked self-attention", "masked_self_attn_output error"],
    "2c.cross_error": ["relative error of cross-attention", "error for cross attention"],
    "2d.error": ["relative error of the positional encoding", "pe_output error"],
    "4a.probability": ["probability of mat", "P(mat)"],
    "4a.loss": ["cross-entropy loss", "loss"],
    "4c.elements": ["elements of one score matrix", "entries of the matrix"],
    "4c.bytes": ["memory of one head", "bytes of one matrix"],
    "4c.total": ["memory of all 48 heads", "all heads together"],
    "4d.first": ["parameters of the first layer", "layer 1"],
    "4d.second": ["parameters of the second layer", "layer 2"],
    "4d.block": ["parameters of one block", "both layers together"],
    "4d.total": ["parameters of all 48 blocks", "total over 48 layers"],
    "4e1.trainable": ["trainable parameters of LoRA", "LoRA parameters"],
    "4e2.lora_state": ["optimizer state of LoRA", "Adam state for LoRA"],
    "4e3.ffn_state": ["optimizer state of the FFN", "Adam state of the feed-forward layers"],
    "4e3.share": ["LoRA's share", "ratio of LoRA to that"],
}
HEADINGS = [
    "{s}{l}{n}",
    "{s}.{l}{n}",
    "({s}{l}{n})",
    "Question {s}{l}{n}",
    "Part {s} ({l}){n}",
    "Q{s}({l}){r}",
    "{s} {l}){n}",
    "Task {s}{l}{n}:",
]


def part_of(key: str) -> str:
    return key.partition(".")[0]


def _heading(style: str, part: str) -> str:
    number = part[2:]
    roman = {"": "", "1": "(i)", "2": "(ii)", "3": "(iii)"}[number]
    return style.format(s=part[0], l=part[1], n=f"({number})" if number else "", r=roman)


@st.composite
def reports(draw: st.DrawFn) -> tuple[str, str, Mapping[str, Amount]]:
    """(path, text, what it states by key)."""
    markup = draw(st.sampled_from(["md", "txt", "tex", "html"]))
    kinds = {
        "count": counts(markup),
        "data": amounts_of_data(markup),
        "error": errors(markup),
        "share": shares(),
        "norm": norms(),
    }
    keys = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=8, unique=True))
    stated = {key: draw(kinds[KINDS[key]].filter(lambda a: not a.is_given())) for key in sorted(keys)}
    labels = {key: draw(st.sampled_from(LABELS[key])) for key in stated}
    style = draw(st.sampled_from(HEADINGS))
    form = draw(st.sampled_from(["line", "sentence", "equation", "item", "table"]))
    write = {"md": _markdown, "txt": _plain, "tex": _latex, "html": _web}[markup]
    parts: dict[str, list[tuple[str, str]]] = {}
    for key, amount in stated.items():
        parts.setdefault(_heading(style, part_of(key)), []).append((labels[key], amount.shown))
    return f"report.{markup}", write(parts, form), stated


def _said(label: str, value: str, form: str) -> str:
    if form == "sentence":
        return f"The {label} is {value}."
    return f"{label} = {value}" if form == "equation" else f"{label}: {value}"


def _markdown(parts: Mapping[str, list[tuple[str, str]]], form: str) -> str:
    out = []
    for heading, answers in parts.items():
        out += [f"## {heading}", ""]
        if form == "table":
            out += [
                "| what | value |",
                "|---|---|",
                *(f"| {label} | {value} |" for label, value in answers),
                "",
            ]
        else:
            mark = "- " if form == "item" else ""
            out += [line for label, value in answers for line in (mark + _said(label, value, form), "")]
    return "\n".join(out)


def _plain(parts: Mapping[str, list[tuple[str, str]]], form: str) -> str:
    out = []
    for heading, answers in parts.items():
        out += [heading]
        if form == "table":
            out += [f"{label:50s}{value}" for label, value in answers]
        else:
            mark = "  * " if form == "item" else ""
            out += [mark + _said(label, value, form) for label, value in answers]
        out += [""]
    return "\n".join(out)


def _latex(parts: Mapping[str, list[tuple[str, str]]], form: str) -> str:
    out = ["\\documentclass{article}", "\\begin{document}"]
    for heading, answers in parts.items():
        out += [f"\\section*{{{heading}}}"]
        rows = [(_tex(label), _tex(value)) for label, value in answers]
        if form == "table":
            out += [
                "\\begin{tabular}{lr}",
                *(f"{label} & {value} \\\\" for label, value in rows),
                "\\end{tabular}",
            ]
        elif form == "item":
            said = (f"\\item {_said(label, value, form)}" for label, value in rows)
            out += ["\\begin{itemize}", *said, "\\end{itemize}"]
        else:
            out += [line for label, value in rows for line in (_said(label, value, form), "")]
    return "\n".join([*out, "\\end{document}"])


def _tex(text: str) -> str:
    return text.replace("%", "\\%").replace("_", "\\_") if "$" not in text else text.replace("%", "\\%")


def _web(parts: Mapping[str, list[tuple[str, str]]], form: str) -> str:
    out = ["<html><body>"]
    for heading, answers in parts.items():
        out += [f"<h3>{heading}</h3>"]
        if form == "table":
            rows = (f"<tr><td>{label}</td><td>{value}</td></tr>" for label, value in answers)
            out += ["<table>", *rows, "</table>"]
        else:
            tag = "li" if form == "item" else "p"
            out += [f"<{tag}>{_said(label, value, form)}</{tag}>" for label, value in answers]
    return "\n".join([*out, "</body></html>"])

"""TeX as students write it -> plain text: "\\frac{a}{b} \\approx 5{,}000\\,\\text{GB}" -> "(a)/(b) ≈ 5,000 GB".

One pass from left to right with a stack of open groups; nothing is executed and no macro of the report's own is
expanded. Groups nested deeper than a bound are left as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from grader.intake.prose.tidy import THIN

_DEEPEST = 40
_TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|[{}]|\^|_|~|\$+|&|[^\\{}^_~$&]+", re.DOTALL)
_SIGNS = {
    "times": "×", "cdot": "×", "ast": "×", "cdots": "…", "ldots": "…", "dots": "…", "div": "/", "pm": "±",
    "approx": "≈", "simeq": "≈", "cong": "≈", "sim": "≈", "doteq": "=", "equiv": "=", "eq": "=",
    "to": "⇒", "rightarrow": "⇒", "Rightarrow": "⇒", "implies": "⇒", "Longrightarrow": "⇒", "longrightarrow": "⇒",
    "therefore": "⇒", "leadsto": "⇒", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ll": "≪", "gg": "≫",
    "lt": "<", "gt": ">", "sum": "∑", "Vert": "‖", "lVert": "‖", "rVert": "‖", "|": "‖",
    "quad": "  ", "qquad": "  ", "colon": ":", "textbackslash": " ", "newline": "\n", "par": "\n",
    "textasciitilde": "≈", "textapprox": "≈", "texttimes": "×", "lbrack": "[", "rbrack": "]", "lbrace": "{",
    "rbrace": "}", "slash": "/", "percent": "%", "hline": "", "toprule": "", "midrule": "", "bottomrule": "",
}  # fmt: skip
_ESCAPED = {
    ",": THIN, ";": " ", ":": " ", "!": "", " ": " ", ">": " ", "\n": " ", "/": "", "@": "", "-": "",
    "\\": "\n", "%": "%", "$": "", "&": "&", "#": "#", "_": "_", "{": "{", "}": "}", "|": "‖",
    "(": "", ")": "", "[": "", "]": "",
}  # fmt: skip
_UNITS = {
    "kilo": "k", "mega": "M", "giga": "G", "tera": "T", "kibi": "Ki", "mebi": "Mi", "gibi": "Gi", "tebi": "Ti",
    "byte": "B", "bit": "bit", "second": "s", "minute": "min", "hour": "h", "percent": "%", "per": "/",
}  # fmt: skip
_DROPPED = {
    "label": 1, "ref": 1, "eqref": 1, "cite": 1, "vspace": 1, "hspace": 1, "tag": 1, "includegraphics": 1,
    "textcolor": 1, "color": 1, "setlength": 2, "cmidrule": 1, "cline": 1, "rule": 2, "fontsize": 2, "url": 1,
    "addtocounter": 2, "setcounter": 2, "hypersetup": 1, "begin": 1, "end": 1,
    "usepackage": 1, "documentclass": 1, "bibliography": 1,
}  # fmt: skip
_WITH_TEXT = {
    "text", "mathrm", "textbf", "mathbf", "textit", "emph", "texttt", "mathit", "mathsf", "textsf", "textrm", "boxed",
    "fbox", "mbox", "underline", "operatorname", "mathcal", "mathbb", "boldsymbol", "bm", "num", "ensuremath",
    "textsc", "hbox", "colorbox", "highlight", "hl", "uline", "makecell", "caption", "footnote", "centerline",
}  # fmt: skip
_FUNCTIONS = {"exp", "ln", "log", "sqrt", "max", "min", "lg"}


@dataclass(slots=True)
class _Group:
    """An open group and what has been read in it."""

    macro: str = ""
    """Whose argument it is; empty for a group of its own."""
    done: list[str] = field(default_factory=list)
    """Arguments of the macro before this one."""
    out: list[str] = field(default_factory=list)


def plain(text: str, *, keep_brackets: bool = False) -> str:
    r"""TeX without its macros. keep_brackets: "\[" and "\(" are escaped brackets, as in Markdown, no formulas."""
    if "\\" not in text and "$" not in text and "{" not in text and "~" not in text:
        return text
    stack = [_Group()]
    pending: list[tuple[str, list[str]]] = []
    for token in _TOKEN.findall(text):
        opened = False
        while pending and token and not token.isspace() and not opened:
            macro, done = pending.pop()
            opened = token == "{" and len(stack) < _DEEPEST
            if opened:
                stack.append(_Group(macro, done))
            else:
                token = _bare_argument(macro, done, token, stack, pending)
        if opened or not token:
            continue
        if token == "{":
            if len(stack) < _DEEPEST:
                stack.append(_Group())
        elif token == "}":
            if len(stack) > 1:
                _close(stack, pending)
        elif token in "^_" and token:
            pending.append((token, []))
        elif token == "~":
            stack[-1].out.append(THIN)
        elif token.startswith("$"):
            continue
        elif token == "&":
            stack[-1].out.append("&")
        elif token.startswith("\\"):
            _macro(token[1:].rstrip("*") or " ", stack, pending, keep_brackets)
        else:
            stack[-1].out.append(token)
    while len(stack) > 1:
        _close(stack, [])
    return "".join(stack[0].out)


def _macro(name: str, stack: list[_Group], pending: list[tuple[str, list[str]]], keep: bool) -> None:
    out = stack[-1].out
    if not name[0].isalpha():
        out.append(name if keep and name in "()[]-./" else _ESCAPED.get(name, name))
    elif name in _SIGNS:
        out.append(_SIGNS[name])
    elif name in _UNITS:
        out.append(_UNITS[name])
    elif name in _FUNCTIONS:
        out.append(name)
        if name == "sqrt":
            pending.append((name, []))
    elif (
        name
        in (
            "frac",
            "dfrac",
            "tfrac",
            "cfrac",
            "SI",
            "qty",
            "textsuperscript",
            "textsubscript",
            "unit",
            "si",
        )
        or name in _WITH_TEXT
        or name in _DROPPED
    ):
        pending.append((name, []))
    elif name in ("left", "right", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "displaystyle", "limits"):
        return
    elif out and out[-1][-1:].isalnum():
        out.append(" ")


def _bare_argument(
    macro: str, done: list[str], token: str, stack: list[_Group], pending: list[tuple[str, list[str]]]
) -> str:
    """An argument without braces is the first character: "^2", "\\frac12". Returns what is left of the token."""
    if macro in _DROPPED or macro in _WITH_TEXT or macro in ("SI", "qty", "si", "unit"):
        if token.startswith("[") and macro not in _WITH_TEXT:  # options: \includegraphics[…], \qty[…]
            after = token.partition("]")[2]
            pending.append((macro, done))
            return after
        return token
    if token.startswith("\\") or token in "{}&":
        stack[-1].out.append(macro if macro in "^_" else "")
        return token
    token = token.lstrip()
    if macro == "^" and (power := re.match(r"\([+-]?[0-9]{1,5}\)", token)):
        head = power[0]
    elif macro == "^" and (number := re.match(r"[+-]?[0-9]+", token)):
        head = number[0] if number.end() == len(token) or not token[number.end()].isdigit() else token[0]
        if len(head) > 1 and head[0].isdigit():
            head = head[0]
    else:
        head = token[0]
    stack.append(_Group(macro, done, [head]))
    _close(stack, pending)
    return token[len(head) :]


def _close(stack: list[_Group], pending: list[tuple[str, list[str]]]) -> None:
    """The group ends: it is the argument of its macro, or text of the group around it."""
    group = stack.pop()
    text, out = "".join(group.out), stack[-1].out
    macro = group.macro
    if macro in ("frac", "dfrac", "tfrac", "cfrac", "SI", "qty") and not group.done:
        pending.append((macro, [text]))
        if macro in ("SI", "qty"):
            out.append(text)
    elif macro in ("frac", "dfrac", "tfrac", "cfrac"):
        out.append(f"{_in_brackets(group.done[0])} / {_in_brackets(text)}")
    elif macro in ("SI", "qty", "si", "unit"):
        unit = text.strip()
        out.append(f"{THIN}{unit}" if unit else "")
    elif macro in ("^", "textsuperscript"):
        out.append("^{" + text.strip() + "}")
    elif macro in ("_", "textsubscript"):
        out.append("_" + text.strip().replace(" ", ""))
    elif macro == "sqrt":
        out.append(f"({text})")
    elif macro in _DROPPED:
        if _DROPPED[macro] > len(group.done) + 1:
            pending.append((macro, [*group.done, text]))
    else:
        out.append(text)


def _in_brackets(text: str) -> str:
    text = text.strip()
    return f"({text})" if re.search(r"[-+×*/ ]", text) else text

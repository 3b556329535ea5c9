"""The corpus as data: every attack with what it tries and what has to become of it.

An attack is a function. Those in `corpus/` are student code: read here as text, never imported. Those in `folders.py`
lay out a folder. The docstring says, after its first line, which is what the attack tries:

    status:   what its checks may end with (default: failed)
    stopped:  a pattern that the report's evidence must show, so that it failed for the reason that was meant
    checks:   ids of the checks that are run (default: 2c.self, and 2d.values for folders)
    timeout:  seconds that a check waits, where the attack is to take longer
    answers:  what answers.toml claims for the numbers of 2c and 2d
    category: of an attack on the folder (default: the name of its file)
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
CATEGORIES = {
    "reading": "Reading the judge's things",
    "writing": "Writing where nothing may be written",
    "network": "Network",
    "signals": "Signals, tracing, limits of others",
    "processes": "Processes and threads",
    "resources": "Memory, disk, CPU, output",
    "protocol": "The protocol between judge and worker",
    "values": "Values that are not what they seem",
    "marks": "Marks without an answer",
    "tricks": "Files that Python and pytest obey",
    "forged": "Forged results",
    "links": "Links and special files in the hand-in",
    "names": "Names and numbers of files",
}

_HEADER = "import torch\nfrom torch import nn\n"
_ATTACK = """

class MultiHeadAttention(nn.Module):
    def __init__(self, *args, **kwargs):
        super().__init__()
        got = repr({name}())
        raise AssertionError("GOT " + "THROUGH: " + got[:1500])


PositionalEncoding = MultiHeadAttention
"""
_LAYERS = """

class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.key, self.query, self.value, self.proj = (nn.Linear(embed_dim, embed_dim) for _ in range(4))

    def forward(self, query, key, value, attn_mask=None):
        return {output}


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()

    def forward(self, x):
        return x
"""
_TAILS = {
    "values": lambda name: _LAYERS.format(output=f"{name}(query)"),
    "marks": lambda name: _LAYERS.format(output="torch.zeros_like(query)") + f"\n\n{name}()\n",
}


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack and what is expected of it."""

    name: str
    category: str
    tries: str
    stopped: re.Pattern[str]
    status: frozenset[str] = frozenset({"failed"})
    checks: tuple[str, ...] = ("2c.self",)
    timeout_s: float | None = None
    answers: str | None = None
    source: str | None = None
    """Student code with @NAME@ for what the scene fills in; None for an attack on the folder."""

    @property
    def id(self) -> str:
        """Its name in tests and in the table."""
        return f"{self.category}/{self.name}"

    def code(self, words: dict[str, str]) -> str:
        """attention.py."""
        assert self.source is not None
        text = self.source
        for name, value in words.items():
            text = text.replace(f"@{name}@", value)
        return text


@dataclass(slots=True)
class _Docstring:
    tries: str
    fields: dict[str, str] = field(default_factory=dict)


def corpus() -> list[Attack]:
    """Every attack, by category."""
    found = []
    for path in (*CORPUS.glob("*.py"), Path(__file__).parent / "folders.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and "stopped:" in (ast.get_docstring(node) or ""):
                found.append(_attack(node, path, text))
    order = list(CATEGORIES)
    return sorted(found, key=lambda attack: order.index(attack.category))


def _attack(node: ast.FunctionDef, path: Path, text: str) -> Attack:
    described = _read(ast.get_docstring(node) or "")
    fields = described.fields
    on_folder = path.name == "folders.py"
    category = fields.get("category", path.stem)
    tail = _TAILS.get(category, lambda name: _ATTACK.format(name=name))
    default = "2c.self 2d.values" if on_folder else "2c.self"
    return Attack(
        name=node.name,
        category=category,
        tries=described.tries,
        stopped=re.compile(fields["stopped"]),
        status=frozenset(fields.get("status", "failed").replace(",", " ").split()),
        checks=tuple(fields.get("checks", default).split()),
        timeout_s=float(fields["timeout"]) if "timeout" in fields else None,
        answers=fields.get("answers"),
        source=None if on_folder else f"{text}\n{_HEADER}{tail(node.name)}",
    )


def _read(docstring: str) -> _Docstring:
    first, *rest = docstring.splitlines()
    found = _Docstring(first)
    for line in rest:
        name, colon, value = line.partition(": ")
        if colon and name.strip() in ("status", "stopped", "checks", "timeout", "answers", "category"):
            found.fields[name.strip()] = value.strip()
    return found

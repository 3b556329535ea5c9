"""Cells as Python: what the notebook alone understands is neutralised, line for line, and nothing else is touched."""

from __future__ import annotations

import ast
import warnings

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from grader.worker.inside.magics import neutralise, written_file


@pytest.mark.parametrize(
    ("source", "due"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("!pip install transformers\nx = 1", "pass\nx = 1"),
        ("!pip install \\\n  transformers\nx = 1", "pass\n\nx = 1"),
        ("pip install transformers", "pass"),
        ("if missing:\n    !pip install x\n    y = 1", "if missing:\n    pass\n    y = 1"),
        ("%time model = train()", "model = train()"),
        ("%time", "pass"),
        ("%timeit f()", "pass"),
        ("%%time\nx = 1", "\nx = 1"),
        ("\n%%capture out\nx = 1", "\n\nx = 1"),
        ("%%bash\nls\necho (", "\n\n"),
        ("%%html\n<b>", "\n"),
        ("%%own_magic -x\nx = 1", "\nx = 1"),
        ("%%own_magic\nSELECT x FROM", "\n"),
        ("files = !ls", "files = []"),
        ("here = %pwd", "here = None"),
        ("attn?", "pass"),
        ("?attn", "pass"),
        ("attn.forward??", "pass"),
        ("%run helpers.py", "from helpers import *"),
        ("%run ./helpers.py", "from helpers import *"),
        ("x = 1\r\n%magic\r\n", "x = 1\npass\n"),
        ("x = (7\n% 3)", "x = (7\n% 3)"),
        ("x = 7 \\\n% 3", "x = 7 \\\n% 3"),
        ('text = """\n%matplotlib\n!ls\n"""\n%pwd', 'text = """\n%matplotlib\n!ls\n"""\npass'),
        ("quote = 'it\\'s (' # )(\n!ls", "quote = 'it\\'s (' # )(\npass"),
        ("a != b", "a != b"),
        ("x = y % z", "x = y % z"),
        ("print('done?')", "print('done?')"),
        ("ok = 'why?'", "ok = 'why?'"),
        ("conda = 1", "conda = 1"),
        ("    x = 1\n    if x:\n        y = 2", "x = 1\nif x:\n    y = 2"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_only_a_notebook_understands_is_neutralised(source: str, due: str) -> None:
    assert neutralise(source) == due


_LINES = (
    "x = 1", "y = [1,", "2]", "%matplotlib inline", "!ls -l", "s = '''", "'''", "% 3", "if x:", "    !pip install z",
    "    z = 2", "w = !ls", "v = %pwd", "x?", "# it's a comment (", "t = 'a # b'", "def f():", "    return 1", "u = (1",
    "+ 2)", "", "q = 7 \\",
)  # fmt: skip


@given(st.lists(st.sampled_from(_LINES), max_size=9))
def test_ipython_agrees_on_what_is_python(lines: list[str]) -> None:
    """Where IPython makes Python of a cell, so do we, with the same names bound."""
    # An open bracket before a "?" is no Python, and IPython throws the bracket away.
    assume("x?" not in lines or not {"y = [1,", "u = (1"} & set(lines))
    source = "\n".join(lines)
    ours = neutralise(source)
    assert ours.count("\n") == source.count("\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = ast.parse(TransformerManager().transform_cell(source))
        except SyntaxError:
            assume(False)
        assert bound(ast.parse(ours)) == bound(theirs)


def bound(tree: ast.Module) -> list[str]:
    return [
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


@given(st.text(max_size=200))
def test_any_text_keeps_its_lines(source: str) -> None:
    assert len(neutralise(source).split("\n")) == len(
        source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )


def test_a_cell_that_writes_a_file_is_that_file() -> None:
    assert written_file("%%writefile net.py\nx = 1\n") == ("net.py", "x = 1\n", False)
    assert written_file("\n%%writefile -a net.py\ny = 2") == ("net.py", "y = 2\n", True)
    assert written_file("x = 1") is None

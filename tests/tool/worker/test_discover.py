"""Where a name is defined: found by reading, in every file, with a reason for every file that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.worker.inside.discover import Index, index, plain_file

REPOSITORY = Path(__file__).resolve().parents[3]


def of(**files: str | bytes) -> Index:
    return index({f"{k}.py": v.encode() if isinstance(v, str) else v for k, v in files.items()})


def places(found: Index, name: str) -> list[str]:
    return [f"{p.file}:{p.line}" for p in found.places.get(name, [])]


@pytest.mark.parametrize(
    "source",
    [
        "class A: pass",
        "def A(): pass",
        "async def A(): pass",
        "A = 1",
        "A: int = 1",
        "B, (A, C) = 1, (2, 3)",
        "if True:\n    class A: pass",
        "try:\n    import x\nexcept ImportError:\n    def A(): pass",
        "with open('x') as f:\n    A = f",
        "for A in []: pass\nelse:\n    A = 1",
        "try:\n    pass\nfinally:\n    A = 1",
    ],
)
def test_top_level_names_are_found(source: str) -> None:
    assert len(places(of(a=source), "A")) == 1


@pytest.mark.parametrize(
    "source", ["def f():\n    class A: pass", "class B:\n    def A(self): pass", "from x import A"]
)
def test_inner_names_and_imports_are_no_definitions(source: str) -> None:
    assert places(of(a=source), "A") == []


def test_two_files_and_two_places_are_both_listed() -> None:
    assert places(of(a="class A: pass", b="\nclass A: pass"), "A") == ["a.py:1", "b.py:2"]
    assert places(of(a="class A: pass\nclass A: pass"), "A") == ["a.py:1", "a.py:2"]


def test_alternatives_are_one_definition_and_rebinding_is_none() -> None:
    assert places(of(a="if x:\n  class A: pass\nelse:\n  class A: pass"), "A") == ["a.py:2"]
    assert places(of(a="class A: pass\nA = wrap(A)"), "A") == ["a.py:1"]
    assert places(of(a="A = 1\nA = 2"), "A") == ["a.py:2"]


def test_hidden_folders_and_caches_are_left_out() -> None:
    files = dict.fromkeys(
        ("a.py", ".venv/a.py", "x/__pycache__/a.py", "x/.git/a.py", "a.txt"), b"class A: pass"
    )
    assert places(index(files), "A") == ["a.py:1"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"class A:\n    def f(:\n", "a.py, line 2, column 11: SyntaxError: invalid syntax"),
        (b"class A:\n\tx = 1\n        y = 2\n", "line 3, column"),
        (b"# Caf\xe9 A\nclass A: pass\n", "line 1 is not UTF-8 text (byte 0xe9)"),
        (b"class A: pass\n\0", "line 2 holds a NUL byte"),
        ("class A: pass\n".encode("utf-16"), "it looks like UTF-16"),
        (
            b"class A:\n<<<<<<< HEAD\n  x = 1\n=======\n  x = 2\n>>>>>>> main\n",
            "line 2 holds a merge-conflict marker",
        ),
        (b"A = " + b"(" * 5000 + b")" * 5000, "a.py"),
        (b"# coding: klingon\nA = 1\n", "a.py, line 1"),
    ],
    ids=["syntax", "tabs", "latin-1", "nul", "utf-16", "merge", "nested", "coding"],
)
def test_an_unreadable_file_has_its_own_sentence(content: bytes, words: str) -> None:
    found = of(a=content, b="class B: pass")
    problem = found.problem_hiding("A")
    assert problem is not None
    assert words in problem.sentence
    assert places(found, "B") == ["b.py:1"]
    assert found.problem_hiding("Zebra") is None


def test_a_declared_encoding_is_honoured() -> None:
    assert places(of(a=b"# coding: latin-1\nclass A: 'caf\xe9'\n"), "A") == ["a.py:2"]


# ---------------------------------------------------------------- without a parser


def plain(**files: str | bytes) -> str | None:
    return plain_file({f"{k}.py": v.encode() if isinstance(v, str) else v for k, v in files.items()}, "A")


@pytest.mark.parametrize(
    "source",
    [
        "class A: pass",
        "import x\r\n\r\nclass A(x.B):\r\n    def f(self): super(A, self).f()\r\n",
        "# 50 × the size\ndef A(): pass\nassert A() is None\nA = wrap(A)",
        "# positional encoding\nclass  \\\n  A: pass",
    ],
)
def test_a_sole_definition_is_found_without_a_parser(source: str) -> None:
    assert plain(a=source, b="x = 1", c=b"\tif") == "a.py"
    assert places(of(a=source), "A")[0].startswith("a.py:")


@pytest.mark.parametrize(
    "files",
    [
        {"a": "A = 1"},
        {"a": "from x import A"},
        {"a": "if x:\n    class A: pass"},
        {"a": "x = 1; \\\nclass B: pass"},
        {"a": "class A: pass\nclass A: pass"},
        {"a": "class A: pass\nif x:\n\tdef \\\n A(): pass"},
        {"a": "class A: pass\n\x0cclass A: pass"},
        {"a": "class A: pass\rclass A: pass"},
        {"a": "class A: pass\n# class A"},
        {"a": "class A: pass", "b": "class A: pass"},
        {"a": "class A: pass", "b": "A = 1"},
        {"a": "class A: pass", "b": "class \N{MATHEMATICAL BOLD CAPITAL A}: pass"},
        {"a": "class A: pass", "b": b"# coding: utf-7\nclass +AEE-: pass"},
        {"a": "class A: pass", "b": b"#\n# vim: fileencoding=latin-1 :\nx = '\xe9'"},
        {"a": "class A: pass", "b": b"x = '\xe9'"},
        {"a": "class A: pass", "b": "class A: pass".encode("utf-16")},
        {"a": "\ufeffclass A: pass"},
        {"a": "from . import b\nclass A: pass"},
        {"a": "# %%\nclass A: pass"},
        {"a": "# In[1]:\nclass A: pass"},
        {"a": "class A: pass", "b": "# In[1]:\nget_ipython().run_cell_magic('writefile', 'c.py', '')"},
    ],
)
def test_what_needs_a_closer_look_gets_it(files: dict[str, str | bytes]) -> None:
    assert plain(**files) is None


def test_a_notebook_needs_a_closer_look_and_hidden_files_none() -> None:
    files = {"a.py": b"class A: pass", ".b/a.py": b"class A: pass", "b.txt": b"class A: pass"}
    assert plain_file(files, "A") == "a.py"
    assert plain_file({**files, "b.ipynb": b"{}"}, "A") is None


def test_both_ways_lead_to_the_same_file() -> None:
    sources = [
        *REPOSITORY.glob("tests/transformer/variants/attention/*.py"),
        *REPOSITORY.glob("submissions/*/*.py"),
    ]
    found = 0
    for path in sources:
        files = {"z.py": path.read_bytes(), "y.py": b"import z"}
        for name in ("MultiHeadAttention", "PositionalEncoding", "finetune"):
            file = plain_file(files, name)
            if file is not None:
                assert [p.file for p in index(files).places[name]] == [file]
                found += 1
    assert found > len(sources)

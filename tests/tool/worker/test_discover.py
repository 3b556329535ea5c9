"""Where a name is defined: found by reading, in every file, with a reason for every file that cannot be read."""

from __future__ import annotations

import pytest

from grader.worker.inside.discover import Index, index


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

"""Notebooks as the judge reads them: claims with their places, and a sentence for each file that is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4

from grader.intake import Notebook, altered_cells, notebook_claims, read_notebook
from grader.intake.altered import Original
from grader.intake.assemble import kind_of
from grader.model import ArtifactKind, Submission, SubmittedFile
from grader.worker.inside.discover import index
from tests.tool.depth import tries
from tests.tool.notebooks import notebook, printed, raw, run_cell

HandIn = Callable[..., Submission]


def read(content: bytes) -> Notebook:
    return read_notebook(SubmittedFile("a3.ipynb", content, ArtifactKind.NOTEBOOK))


def claims(*cells: Any) -> list[tuple[str, str, bool]]:
    return [(claim.text, claim.place, claim.printed) for claim in read(notebook(*cells)).claims()]


def test_texts_and_outputs_are_claims_with_their_cells() -> None:
    assert claims(
        "md:# 4.3\n25.77 GB",
        "x = 1",
        run_cell(
            "attn(...)",
            printed("error: 0.0003\n"),
            v4.new_output("execute_result", data={"text/plain": "(1, 2)"}),
        ),
    ) == [
        ("# 4.3\n25.77 GB", "a3.ipynb, cell 1", False),
        ("error: 0.0003\n(1, 2)", "a3.ipynb, output of cell 3", True),
    ]


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (printed("\x1b[32mok\x1b[0m 0.9\n"), "ok 0.9"),
        (printed("10%|#  |\r50%|## |\r100%|###|\ndone\n"), "100%|###|\ndone"),
        (printed("0.5\r\n"), "0.5"),
        (printed("warn", name="stderr"), "warn"),
        (v4.new_output("error", ename="ValueError", evalue="no", traceback=["long"]), "ValueError: no"),
        (v4.new_output("display_data", data={"image/png": "iVBO", "text/plain": "<Figure>"}), "<Figure>"),
        (v4.new_output("display_data", data={"text/html": "<b>1</b>"}), ""),
    ],
)
def test_outputs_are_read_as_a_person_sees_them(output: Any, text: str) -> None:
    assert [claim[0] for claim in claims(run_cell("x", output))] == ([text] if text else [])


def test_floods_of_output_keep_their_ends() -> None:
    ((text, _, _),) = claims(run_cell("x", printed("first\n" + "step\n" * 100_000 + "last\n")))
    assert text.startswith("first\n")
    assert text.endswith("last")
    assert len(text) < 210_000


def test_lists_of_lines_old_formats_and_odd_values_are_read() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# a\n", "b"]},
        {"cell_type": "code", "source": "x", "outputs": [{"output_type": "stream", "text": ["1\n", "2\n"]}, 7, None]},
        {"cell_type": "code", "source": None, "outputs": "no"},
        7,
    ]  # fmt: skip
    found = read(raw(cells, metadata={"kernelspec": {"language": "R"}}))
    assert [claim.text for claim in found.claims()] == ["# a\nb", "1\n2"]
    assert found.language == "r"
    old = {"nbformat": 3, "worksheets": [{"cells": [
        {"cell_type": "code", "input": "x", "outputs": [{"output_type": "pyout", "text": ["0.5"]}]}]}]}  # fmt: skip
    assert [claim.text for claim in read(json.dumps(old).encode()).claims()] == ["0.5"]


def test_numbers_that_json_has_not_do_no_harm() -> None:
    content = notebook("x = 1").replace(
        b'"metadata": {}', b'"metadata": {"a": NaN, "b": -Infinity, "c": 1e99999}', 1
    )
    assert [cell.source for cell in read(content).code] == ["x = 1"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>", "is a web page, not a notebook"),
        (notebook("x = 1")[:-40], "is not valid JSON"),
        (b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n", "merge-conflict markers"),
        (b"PK\x03\x04\0\0", "zero bytes"),
        (b'{"a": 1}', 'no list "cells"'),
        (b"[1]", "outermost brackets"),
        (b"[" * 500 + b"]" * 500, "nested more than 200 deep"),
        (b"\xff\xfe\xff", "UTF-16"),
        (b'"caf\xe9"', "not UTF-8"),
    ],
    ids=range(10),
)
def test_what_is_no_notebook_says_why(content: bytes, words: str) -> None:
    problem = read(content).problem
    assert problem is not None
    assert words in problem.message
    assert problem.message.startswith("a3.ipynb ")
    assert problem.next_step


def test_a_picture_of_megabytes_is_no_trouble() -> None:
    picture = v4.new_output("display_data", data={"image/png": "A" * 15_000_000, "text/plain": "<Figure>"})
    assert [claim[0] for claim in claims(run_cell("x", picture))] == ["<Figure>"]


def test_claims_of_a_hand_in_come_from_all_its_notebooks(hand_in: HandIn) -> None:
    submission = hand_in({"b.ipynb": notebook("md:two"), "a.ipynb": notebook("md:one"), "c.py": "x"})
    files = tuple(replace(file, kind=kind_of(file.path)) for file in submission.files)
    assert [claim.place for claim in notebook_claims(replace(submission, files=files))] == [
        "a.ipynb, cell 1",
        "b.ipynb, cell 1",
    ]


# ---------------------------------------------------------------- whatever the bytes

_LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_JSON = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
_SOURCE = st.text(max_size=40) | st.sampled_from(
    (
        "def f(: pass",
        "%%time\nx = 1",
        "!ls",
        "class A:\n  pass",
        "(" * 300,
        "\0",
        "x = '''",
        "%%writefile ../a.py\nx",
    )
)
_CELL = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(("code", "markdown", "raw", "x")) | _LEAF},
    optional={
        "source": _SOURCE | st.lists(_SOURCE, max_size=3) | _JSON,
        "outputs": st.lists(
            st.fixed_dictionaries({"output_type": st.sampled_from(("stream", "error", "display_data"))},
                                  optional={"text": _JSON, "data": _JSON, "ename": _JSON, "evalue": _JSON}), max_size=2)
        | _JSON,
        "metadata": _JSON,
    },
)  # fmt: skip
_ORIGINALS = (Original("a test", "torch.manual_seed(231)\nx = f([1.5, 2.5])\n"),)


@given(
    st.lists(_CELL | _JSON, max_size=4).map(raw)
    | _JSON.map(lambda v: json.dumps(v).encode())
    | st.binary(max_size=99)
)
@tries(120)
def test_whatever_the_notebook_it_is_read_or_refused_with_a_sentence(content: bytes) -> None:
    file = SubmittedFile("a3.ipynb", content, ArtifactKind.NOTEBOOK)
    found = read_notebook(file)
    assert found.problem is None or found.problem.message
    assert all(claim.text.strip() for claim in found.claims())
    submission = Submission("x", Path(), "", (file,))
    assert all(note.startswith("For the instructor") for note in altered_cells(submission, _ORIGINALS))
    listed = index({"a3.ipynb": content})
    assert (len(listed.books) == 1) == (not any(problem.file == "a3.ipynb" for problem, _ in listed.problems))

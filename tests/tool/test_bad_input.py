"""Every bad hand-in that a student is likely to make: a status, a sentence that names the place, and a next step.

Each goes through intake, the sealed worker and the checks. What is not broken is still graded: the broken part is
asked for beside one that is right.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from grader.assignment import select
from grader.checking.session import run_checks
from grader.errors import SubmissionNotFound
from grader.intake import read_submission
from grader.model import Assignment, GradeReport, Isolation, Status
from grader.render import terminal_summary, write_reports
from grader.scoring import score
from grader.worker import Zygote
from tests.tool.conftest import ALICE, Files, GradeFiles

BROKEN, RIGHT = "2c.self", "2d.values"
FORWARD = "    def forward(self, query, key, value, attn_mask=None):\n"
RESULT = "return self.proj(out.flatten(-2))"
NOBODY = 65534

Edit = Callable[[str], "str | bytes"]


@dataclass(frozen=True, slots=True)
class Bad:
    """One way to break attention.py, and what the student has to be told."""

    name: str
    edit: Edit
    status: Status
    message: str
    """A regular expression that the message matches."""
    hint: str
    """One that the hint matches."""
    whole_file: bool = False
    """True where PositionalEncoding cannot work either."""
    more: Files | None = None


def put(old: str, new: str) -> Edit:
    """Replace `old`, which must be there."""

    def edit(source: str) -> str:
        assert old in source
        return source.replace(old, new)

    return edit


def first(line: str) -> Edit:
    """`line` becomes the first of the file."""
    return lambda source: f"{line}\n{source}"


def in_forward(*lines: str) -> Edit:
    """These lines come first in the body of MultiHeadAttention.forward."""
    return put(FORWARD, FORWARD + "".join(f"        {line}\n" for line in lines))


def returning(result: str) -> Edit:
    return put(RESULT, f"return {result}")


FAILED, MISSING, CRASHED = Status.FAILED, Status.MISSING, Status.CRASHED
MULTIHEAD = r"The handout has MultiHeadAttention\(embed_dim, num_heads, dropout=0\.1\)\."
FORWARD_DUE = r"The handout has MultiHeadAttention\.forward\(query, key, value, attn_mask=None\)\."

CASES = [
    # ---------------------------------------------------------- the file is not Python
    Bad("syntax error", put("def forward(self, query", "def forward(self query"), FAILED,
        r"^attention\.py, line \d+, column 22: SyntaxError: invalid syntax",
        r"The line is `def forward\(self query, .*`; `python attention\.py` shows the same error\.", whole_file=True),
    Bad("not UTF-8", lambda source: f"# caf\xe9\n{source}".encode("latin-1"), FAILED,
        r"attention\.py, line 1 is not UTF-8", "attention.py", whole_file=True),
    Bad("merge conflict", first("<<<<<<< HEAD\n=======\n>>>>>>> main"), FAILED,
        r"attention\.py, line 1 holds a merge-conflict marker", "attention.py", whole_file=True),
    Bad("NUL bytes", lambda source: source.encode("utf-16"), FAILED, "UTF-8", "", whole_file=True),
    # ---------------------------------------------------------- the file does not import
    Bad("package not allowed", first("import tensorflow"), FAILED,
        r"imports tensorflow \(attention\.py, line 1\): .*no package that may be used",
        r"May be used: torch, numpy, .*, the standard library\.", whole_file=True),
    Bad("module of an allowed package", first("import torch.fft.foo"), FAILED,
        r"imports torch\.fft\.foo \(attention\.py, line 1\), which is not there",
        "torch may be used, but has no torch.fft.foo here", whole_file=True),
    Bad("own file left at home", first("from my_helpers import softmax"), FAILED,
        r"imports my_helpers \(attention\.py, line 1\): no file of the hand-in", "May be used", whole_file=True),
    Bad("name not in the package", first("from torch import nnn"), FAILED,
        r"^attention\.py could not be imported: ImportError: cannot import name 'nnn' from 'torch' \(att",
        "Check the spelling", whole_file=True),
    Bad("syntax error in a helper", first("import helper"), FAILED,
        r"attention\.py could not be imported: SyntaxError: .*helper\.py, line 2", r"`def f\(:`; `python helper\.py`",
        whole_file=True, more={"helper.py": "# one line\ndef f(:\n"}),
    Bad("exception at the top level", first("None.foo()"), FAILED,
        r"attention\.py could not be imported: AttributeError: .*'foo' \(attention\.py, line \d+\)",
        "keep only definitions there", whole_file=True),
    Bad("sys.exit at the top level", first("raise SystemExit('bye')"), CRASHED,
        r"ended the program \(attention\.py, line 1\): SystemExit: bye\.$", r"sys\.exit", whole_file=True),
    # ---------------------------------------------------------- the definition
    Bad("another name", put("MultiHeadAttention", "MultiheadAttention"), MISSING,
        r"No file of the hand-in defines MultiHeadAttention\. Did you mean MultiheadAttention \(attention\.py:\d+\)\?",
        "Rename it"),
    Bad("no such class", put("MultiHeadAttention", "Whatever"), MISSING,
        "No file of the hand-in defines MultiHeadAttention", "grade init DIR"),
    Bad("two definitions", first(""), FAILED,
        r"MultiHeadAttention is defined more than once: attention\.py:\d+ and old/attention_old\.py:\d+",
        "take old versions out", more={"old/attention_old.py": "class MultiHeadAttention: pass\n"}),
    Bad("no module", put("class MultiHeadAttention(nn.Module)", "class MultiHeadAttention(dict)"), FAILED,
        r"^MultiHeadAttention is no torch\.nn\.Module\.$", r"^Write `class MultiHeadAttention\(nn\.Module\):`\.$"),
    Bad("constructor without embed_dim", put("embed_dim, num_heads, dropout=0.1", "num_heads"), FAILED,
        r"^MultiHeadAttention\(num_heads\) cannot be called with 2 positional arguments", MULTIHEAD),
    Bad("forward(query)", put("query, key, value, attn_mask=None", "query"), FAILED,
        r"^MultiHeadAttention\.forward\(query\) cannot be called with 3 arguments: too many", FORWARD_DUE),
    Bad("forward with one argument more", put("attn_mask=None):", "attn_mask, extra):"), FAILED,
        r"forward\(query, key, value, attn_mask, extra\) cannot be called with 3 arguments: missing", FORWARD_DUE),
    Bad("still the template", in_forward("raise NotImplementedError"), MISSING,
        r"still the template \(attention\.py, line \d+\)", "Write the body"),
    # ---------------------------------------------------------- exceptions: their line, not ours
    Bad("exception", in_forward("raise ValueError('not \\x1b[31m <b> today')"), FAILED,
        r"^Your code raised ValueError: not .* today \(attention\.py, line 26\)\.$", r"The line is `raise ValueError"),
    Bad("shapes do not fit", in_forward("torch.ones(2, 3) @ torch.ones(2, 3)"), FAILED,
        r"RuntimeError: mat1 and mat2 .* \(attention\.py, line 26\)", r"`torch\.ones.*Print the shapes"),
    Bad("undefined name", in_forward("querry + 1"), FAILED, r"NameError: name 'querry'", "Check the spelling"),
    Bad("TypeError of their own call", in_forward("self.proj(query, key)"), FAILED,
        r"^Your code raised TypeError: .*\(attention\.py, line 26\)", r"`self\.proj\(query, key\)`"),
    Bad("super().__init__ left out", put("super().__init__()", "pass"), FAILED,
        "before Module.__init__", r"Call super\(\)\.__init__\(\) first", whole_file=True),
    # with every argument: Python 3.13.0 to 3.13.12 may crash where a default is taken
    Bad("endless recursion", in_forward("return self.forward(query, key, value, attn_mask)"), FAILED,
        "RecursionError", "calls itself"),
    Bad("GPU", in_forward("query.cuda()"), FAILED, "CUDA|NVIDIA", "There is no GPU here"),
    Bad("network", in_forward("import urllib.request", "urllib.request.urlopen('http://example.org')"), FAILED,
        r"attention\.py, line 27", "There is no network"),
    Bad("keyboard", in_forward("input('> ')"), FAILED, "EOFError", "There is no keyboard"),
    Bad("package not allowed, imported late", in_forward("import tensorflow"), FAILED,
        r"imports tensorflow \(attention\.py, line 26\)", "May be used: torch"),
    Bad("sys.exit", in_forward("import sys", "sys.exit(3)"), CRASHED,
        r"ended the program \(attention\.py, line 27\): SystemExit: 3\.$", r"sys\.exit"),
    Bad("KeyboardInterrupt", in_forward("raise KeyboardInterrupt"), CRASHED,
        r"ended the program \(attention\.py, line 26\): KeyboardInterrupt\.$", "a function returns"),
    # ---------------------------------------------------------- what comes back
    Bad("None", put(RESULT, "self.proj(out.flatten(-2))"), FAILED,
        r"It returned None \(is a `return` missing\?\); a tensor of shape \(2, 5, \d+\) is due", "query"),
    Bad("pair", returning("self.proj(out.flatten(-2)), weights"), FAILED, "list or tuple of 2", "output alone"),
    Bad("text", returning("'done'"), FAILED, "It returned a str; a tensor", ""),
    Bad("the module itself", returning("self"), FAILED, "The result is a module", ""),
    Bad("whole numbers", returning("self.proj(out.flatten(-2)).long()"), FAILED, "dtype int64", "Keep the dtype"),
    Bad("half precision", returning("self.proj(out.flatten(-2)).half()"), FAILED, "dtype float16", "Keep the dtype"),
    Bad("sparse", returning("self.proj(out.flatten(-2)).to_sparse()"), FAILED, r"sparse tensor; return a dense", ""),
    Bad("one row", returning("self.proj(out.flatten(-2))[:, :1]"), FAILED,
        r"shape \(2, 1, \d+\); \(2, 5, \d+\) is due", "shape of the query"),
    Bad("NaN", returning("self.proj(out.flatten(-2)) * float('nan')"), FAILED,
        r"\d+ of its \d+ values are NaN", "divide"),
    Bad("infinite", returning("self.proj(out.flatten(-2)) / 0"), FAILED, r"values are infinite", "divide by no 0"),
    # ---------------------------------------------------------- the process
    Bad("os._exit", in_forward("import os", "os._exit(0)"), CRASHED,
        "ended itself with exit status 0", "end the process"),
    Bad("segmentation fault", in_forward("import ctypes", "ctypes.string_at(0)"), CRASHED, "SIGSEGV", "Native code"),
    Bad("400 GB", in_forward("torch.empty(10**11)"), Status.OUT_OF_MEMORY,
        r"ran out of memory \(attention\.py, line 26\): it asked for 400\.0 GB at once", r"`torch\.empty\(10\*\*11\)`"),
    Bad("MemoryError", in_forward("bytes(10**13)"), Status.OUT_OF_MEMORY,
        r"ran out of memory \(attention\.py, line 26\)\.$", r"`bytes\(10\*\*13\)`"),
]  # fmt: skip


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_bad_code_gets_a_status_a_sentence_and_a_next_step(
    bad: Bad, attention: str, grade_files: GradeFiles
) -> None:
    results = grade_files({"attention.py": bad.edit(attention), **(bad.more or {})}, [BROKEN, RIGHT])
    told = results[BROKEN]
    assert told.status is bad.status, told
    assert told.points.earned == 0
    assert re.search(bad.message, told.message), told.message
    assert re.search(bad.hint, told.hint), told.hint
    assert "/tests/" not in told.message + told.hint
    assert "harness" not in told.message + told.hint
    assert (results[RIGHT].status is Status.PASSED) is not bad.whole_file, results[RIGHT]


def test_a_hang_is_stopped_and_the_rest_is_graded_with_less_patience(
    attention: str, grade_files: GradeFiles
) -> None:
    files = {"attention.py": in_forward("while True: pass")(attention)}
    results = grade_files(files, ["2c.self", "2c.cross", "2d.values"], timeout_s=4)
    assert [r.status for r in results.values()] == [Status.TIMEOUT, Status.TIMEOUT, Status.PASSED]
    assert "within 4 seconds" in results["2c.self"].message
    assert "within 1 second " in results["2c.cross"].message
    assert "never ends" in results["2c.self"].hint


def test_a_flood_of_prints_costs_nothing_and_its_end_is_kept(attention: str, grade_files: GradeFiles) -> None:
    files = {"attention.py": in_forward("print('x' * 10**6)", "print('the', 'end')")(attention)}
    told = grade_files(files, [BROKEN])[BROKEN]
    assert told.status is Status.PASSED
    assert told.evidence.output is not None
    assert told.evidence.output.rstrip().endswith("the end")
    assert len(told.evidence.output) <= 4_000


def test_the_evidence_of_an_exception_is_the_students_own_line(
    attention: str, grade_files: GradeFiles
) -> None:
    files = {"attention.py": in_forward("print('before')", "raise ValueError('no')")(attention)}
    evidence = grade_files(files, [BROKEN])[BROKEN].evidence
    assert evidence.where == "attention.py, line 27, in forward: raise ValueError('no')"
    assert evidence.obtained == "ValueError: no"
    assert evidence.output is not None
    assert evidence.output.startswith("before")
    assert "MultiHeadAttention(" in evidence.asked


# ---------------------------------------------------------------- files that cannot be read


def test_a_file_of_a_gigabyte_is_named_and_not_read(grade_files: GradeFiles) -> None:
    def gigabyte(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(10**9)

    results = grade_files({"attention.py": gigabyte, "answers.toml": gigabyte}, [BROKEN, "4c.bytes"])
    assert results[BROKEN].status is MISSING
    assert "attention.py was not read" in results[BROKEN].message
    assert "1,000 MB" in results[BROKEN].hint
    assert "answers.toml was not read. It is 1,000 MB" in results["4c.bytes"].message


def test_a_link_is_not_followed_and_the_student_is_told(grade_files: GradeFiles) -> None:
    told = grade_files({"attention.py": lambda path: path.symlink_to("/etc/hostname")}, [BROKEN])[BROKEN]
    assert told.status is MISSING
    assert "attention.py was not read" in told.message
    assert "links are not followed" in told.hint


def test_a_notebook_that_cannot_be_read_is_not_taken_for_nothing(grade_files: GradeFiles) -> None:
    told = grade_files({"attention.ipynb": "{}"}, [BROKEN])[BROKEN]
    assert told.status is MISSING
    assert "attention.ipynb was not read" in told.message
    assert 'no list "cells"' in told.hint
    assert "Hand in the .ipynb file" in told.hint


@contextmanager
def as_an_ordinary_user(folder: Path) -> Iterator[None]:
    """Root may read everything: give that right up, with the way to `folder` open."""
    if os.geteuid() != 0:
        yield
        return
    for parent in folder.parents:
        if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o777 == 0o700:
            parent.chmod(0o711)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_without_read_permission_is_named(folder: Callable[[Files], Path]) -> None:
    root = folder({"attention.py": lambda path: path.touch(mode=0), "answers.toml": ""})
    with as_an_ordinary_user(root):
        submission = read_submission(root)
    assert [f.path for f in submission.files if f.problem] == ["attention.py"]
    assert "attention.py: It cannot be opened (Permission denied)" in submission.notes[0]


def test_a_folder_without_read_permission_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with as_an_ordinary_user(closed), pytest.raises(SubmissionNotFound, match="Permission denied") as refused:
        read_submission(closed)
    assert "ls -ld" in refused.value.next_step


# ---------------------------------------------------------------- names and files that must change nothing


@pytest.mark.parametrize(
    "name", ["my code (1)/größe über.py", "2nd attempt.py", "torch.py", "a\nb.py", "-rf.py"]
)
def test_an_odd_file_name_is_no_fault(name: str, attention: str, grade_files: GradeFiles) -> None:
    results = grade_files({name: attention}, [BROKEN, RIGHT])
    assert [r.status for r in results.values()] == [Status.PASSED, Status.PASSED]


def test_files_that_would_steer_pytest_or_python_have_no_effect(
    attention: str, grade_files: GradeFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only -k nothing")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    steering = {
        "conftest.py": "raise SystemExit('conftest')",
        "pytest.ini": "[pytest]\naddopts = --no-such-option",
        "setup.cfg": "[tool:pytest]\naddopts = --no-such-option",
        "sitecustomize.py": "raise SystemExit('site')",
        "usercustomize.py": "raise SystemExit('user')",
        "evil.pth": "import os; os._exit(1)",
        "test_2_attention.py": "def test_self_attention(): pass",
        "harness.py": "raise SystemExit('harness')",
    }
    wrong = attention.replace("math.sqrt(self.head_dim)", "self.head_dim")
    results = grade_files({"attention.py": wrong, **steering}, [BROKEN, RIGHT])
    assert results[BROKEN].status is FAILED
    assert results[RIGHT].status is Status.PASSED
    assert os.environ["PYTEST_ADDOPTS"] == "--collect-only -k nothing"


# ---------------------------------------------------------------- answers and figures


ANSWERS = (ALICE / "answers.toml").read_text(encoding="utf-8")
FIGURES = (ALICE / "results" / "distilbert.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (ANSWERS.replace("norm = 2.7053", "norm = 2,7053"), r"Line 5, column 9, 'norm = 2,7053'", "quotes"),
        (ANSWERS.replace("norm = 2.7053", 'norm = "about two"'), "about two", "."),
        (ANSWERS.encode() + b"# \xe9\n", r"not UTF-8: line \d+ holds the byte 0xe9", "Save the file as UTF-8"),
        (ANSWERS.encode("utf-32"), "UTF", "Save the file as UTF-8"),
    ],
    ids=["comma", "text", "latin-1", "utf-32"],
)  # fmt: skip
def test_malformed_answers_are_placed(
    text: str | bytes, message: str, hint: str, grade_files: GradeFiles
) -> None:
    told = grade_files({"answers.toml": text}, ["2a.norm"])["2a.norm"]
    assert told.status is FAILED
    assert re.search(message, told.message), told.message
    assert re.search(hint, told.hint), told.hint


def test_a_bad_line_of_answers_costs_only_its_own_answer(grade_files: GradeFiles) -> None:
    text = ANSWERS.replace("norm = 2.7053", "norm = 2,7053")
    results = grade_files({"answers.toml": text}, ["2a.shape", "2a.norm", "2b.norm"])
    assert [r.status for r in results.values()] == [Status.PASSED, FAILED, Status.PASSED]


@pytest.mark.parametrize(
    ("text", "status", "message", "hint"),
    [
        (FIGURES.replace('"n_train": 1024,', '"n_train": 1024'), FAILED, "Line 4, column 3", "comma is missing"),
        (FIGURES.rstrip()[:-1] + ",}", FAILED, r"not valid JSON. Line \d+, column \d+", "Remove the comma"),
        (FIGURES.replace("1024", '"a thousand"'), FAILED, "n_train is the text 'a thousand', a whole number", "."),
        ("[1, 2]", FAILED, r"is a list, and an object \{…\} is due", "grade init DIR"),
        ("", MISSING, "is empty", "figures of your run"),
        (FIGURES.encode() + b"\xe9", FAILED, "not UTF-8", "Save the file as UTF-8"),
    ],
    ids=["missing comma", "trailing comma", "text for a number", "list", "empty", "latin-1"],
)  # fmt: skip
def test_malformed_figures_are_placed(
    text: str | bytes, status: Status, message: str, hint: str, grade_files: GradeFiles
) -> None:
    told = grade_files({"results/distilbert.json": text}, ["3b.reported"])["3b.reported"]
    assert told.status is status
    assert re.search(message, told.message), told.message
    assert re.search(hint, told.hint), told.hint


# ---------------------------------------------------------------- the report


def test_one_fault_is_told_once_a_part_and_the_report_is_whole(
    assignment: Assignment, attention: str, folder: Callable[[Files], Path], zygote: Zygote, tmp_path: Path
) -> None:
    submission = read_submission(folder({"attention.py": f"import tensorflow\n{attention}"}))
    checks = select(assignment, ("2",))
    files = [(file.path, file.content) for file in submission.files]
    results, _ = run_checks(
        assignment, submission, checks, seed=1, open_worker=lambda: zygote.worker(files, "test")
    )
    report = GradeReport(
        submission.name, submission.sha256, assignment.id, assignment.title, assignment.version, assignment.sha256,
        tuple(p for p in assignment.parts if p.id[0] == "2"), tuple(results), score(results), {},
        Isolation("strict", ()), 1, public_only=False, complete=False,
    )  # fmt: skip
    written = write_reports(report, tmp_path / "out")
    out = io.StringIO()
    terminal_summary(report, Console(file=out, width=100), written)
    table = out.getvalue()
    assert table.count("tensorflow") == 1
    assert table.count("There is no answers.toml") == 1
    assert "2c.self +7" in table
    assert "The same: masked, cross, dropout, gradients, independence, properties, handout" in " ".join(
        table.split()
    )
    assert "As for 2c.self, above." in table
    page = written["html"].read_text(encoding="utf-8")
    for check in checks:
        assert f'id="check-{check.id}"' in page
    assert page.count("tensorflow") >= len([c for c in checks if c.part in ("2c", "2d")]) - 2

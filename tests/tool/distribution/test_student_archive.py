"""What students get: nothing in it that they must not know, and it works by itself."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.bank import Misconception
from grader.distribution.archive import members
from grader.distribution.command import dist
from grader.distribution.secrets import Secrets, secrets_of
from grader.distribution.student import student_archive, student_files
from grader.errors import AssignmentError
from grader.model import Assignment, Visibility
from reference.transformer import analysis, handout
from reference.transformer.misconceptions import BANK

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def archive(assignment: Assignment) -> bytes:
    return student_archive(assignment)


@pytest.fixture(scope="module")
def unpacked(archive: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        opened.extractall(folder)
    return folder / "transformer"


@pytest.fixture(scope="module")
def texts(archive: bytes) -> Mapping[str, str]:
    """Every file, those in the wheel included, with its blanks made one."""
    found = {
        path: " ".join(data.decode("utf-8", "replace").split()) for path, data in members({"a": archive})
    }
    assert any(path.endswith(".whl/grader/selfcheck/plugin.py") for path in found)
    return found


IDIOMS = {
    'if name.startswith("__"): raise AttributeError(name)',
    "super().__init__(message) self.message = message",
    "self.message = message self.next_step = next_step",
}
"""Pairs of lines that the tool and the assignment have in common, as any two programs may."""


def hits(texts: Mapping[str, str], secret: str) -> list[str]:
    return [path for path, text in texts.items() if secret in text]


# ---------------------------------------------------------------- a search that shares nothing with the product's own


def test_no_line_of_the_secret_files(texts: Mapping[str, str]) -> None:
    """Function by function: no body of the reference, of a hidden check or of the model solution."""
    secret = [
        *(ROOT / "reference" / "transformer").rglob("*.py"),
        *(ROOT / "tests" / "transformer").glob("*.py"),
    ]
    public = [
        *(ROOT / "templates" / "starter").rglob("*.*"),
        *(ROOT / "tests/transformer/handout_cells").iterdir(),
    ]
    said = " ".join(" ".join(file.read_text(encoding="utf-8").split()) for file in public)
    given = {"dropout_stream.py"}
    found = {}
    for file in secret:
        lines = [" ".join(line.split()) for line in file.read_text(encoding="utf-8").splitlines()]
        for one, two in pairwise(lines):
            pair = f"{one} {two}"
            code = len(one) > 12 and len(two) > 12 and not re.match("from|import|@|#", one)
            if file.name not in given and code and pair not in said and (where := hits(texts, pair)):
                found[pair] = (file.name, where)
    assert {pair: place for pair, place in found.items() if pair not in IDIOMS} == {}


def test_no_id_of_a_hidden_check_and_no_misconception(
    texts: Mapping[str, str], assignment: Assignment
) -> None:
    hidden = [check for check in assignment.checks if check.visibility is Visibility.HIDDEN]
    assert len(hidden) > 15
    for check in hidden:
        assert not any(re.search(rf"(?<![\w.]){re.escape(check.id)}(?![\w.])", t) for t in texts.values()), (
            check.id
        )
        assert hits(texts, check.title) == []
    bank: tuple[Misconception, ...] = BANK
    assert len(bank) > 200
    for mistake in bank:
        for said in (mistake.title, mistake.belief, mistake.hint):
            assert hits(texts, " ".join(said.split())) == [], mistake.id


def test_no_expected_value_in_any_notation(texts: Mapping[str, str]) -> None:
    written: dict[str, str] = {}
    for table in (analysis.QUANTITIES, handout.QUANTITIES):
        for id in table:
            value = float((analysis.value if id in analysis.QUANTITIES else handout.value)(id))
            for scale in (1, 1e2, 1e-3, 1e-6, 1e-9, 1 / 1024**2, 1 / 1024**3, 8):
                scaled = value * scale
                shown = {f"{scaled:.{n}f}" for n in (3, 4, 6)} | {
                    f"{scaled:,.0f}",
                    f"{scaled:.0f}",
                    repr(scaled),
                }
                shown |= {f"{scaled:.{n}e}" for n in (3, 5)}
                written |= {text: id for text in shown if len(re.sub("[^1-9]", "", text)) >= 4}
    assert len(written) > 300
    found = {
        text: (id, where)
        for text, id in written.items()
        if (
            where := [
                p for p in hits(texts, text) if re.search(rf"(?<![\d.,]){re.escape(text)}(?!\d)", texts[p])
            ]
        )
    }
    assert {text: id for text, (id, _) in found.items()} == {}
    for shape in ("[1, 2, 3, 4]", "[1,2,3,4]", "(1, 2, 3, 4)", "[1, 2, 3, 3]", "[1,2,3,3]", "(1, 2, 3, 3)"):
        assert hits(texts, shape) == []


def test_what_is_there_is_what_is_meant_to_be(texts: Mapping[str, str]) -> None:
    paths = {path.removeprefix("a/transformer/") for path in texts}
    outside = {path for path in paths if ".whl/" not in path}
    assert {path.split("/")[0] for path in outside} == {
        ".github",
        "README.md",
        "pyproject.toml",
        "checks",
        "work",
    }
    tool = {path.partition(".whl/")[2] for path in paths if ".whl/" in path}
    assert not {
        path for path in tool if path.startswith(("grader/_bundled", "grader/verify", "grader/render"))
    }
    assert not {path for path in tool if not path.startswith(("grader/", "transformer_grader_student-"))}
    assert {
        path for path in tool if not path.endswith((".py", "METADATA", "WHEEL", "RECORD", "entry_points.txt"))
    } == {"grader/languages/zh.po"}  # what the tool itself says, in Chinese


# ---------------------------------------------------------------- the product's own search


@pytest.fixture(scope="module")
def secrets(assignment: Assignment) -> Secrets:
    return secrets_of(assignment)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("        weights = scores.softmax(dim=-1)  # (N, H, S, T)\n", "a line"),
        ("# 2c.independence comes later", "the id"),
        ("what about scale-by-embed-dim?", "the id"),
        ("it is 25.7698 GB", "the answer"),
        ("1.4497e10 parameters", "the answer"),
        ("2.70535", "the answer"),
        ("14'496'989'184", "the answer"),
    ],
)
def test_a_planted_secret_is_found_wherever_it_is(text: str, kind: str, secrets: Secrets) -> None:
    if kind == "a line":
        text = next(line for line in sorted(secrets.lines) if "softmax" in line)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as nested:
        nested.writestr("deep/notes.txt", text)
    for files in ({"a.py": text.encode()}, {"x.zip": inner.getvalue()}, {"u.txt": text.encode("utf-16")}):
        leaks = secrets.leaks(files)
        assert leaks, files
        assert leaks[0].kind.startswith(kind)
    assert secrets.leaks({"x.zip": inner.getvalue()})[0].member == "x.zip/deep/notes.txt"
    assert secrets.leaks({"a.py": b"def right():\n    return 42\n"}) == []


def test_a_leak_is_refused(assignment: Assignment, tmp_path: Path) -> None:
    for name in ("tests/transformer", "reference/transformer", "templates/starter"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "assets", "variants")
        )
    (tmp_path / "tests" / "transformer" / "variants").mkdir()
    shutil.copy(ROOT / "reference" / "__init__.py", tmp_path / "reference")
    own = dataclasses.replace(assignment, root=tmp_path / "tests" / "transformer")
    starter = tmp_path / "templates" / "starter" / "README.md"
    hint = BANK[20].hint
    public = own.root / "public" / "test_attention.py"
    public.write_text(public.read_text(encoding="utf-8") + f"# {hint}\n", encoding="utf-8")
    with pytest.raises(AssignmentError, match="Nothing was written"):
        student_files(own)
    assert starter.is_file()


# ---------------------------------------------------------------- it works


def test_it_is_the_same_to_the_byte_each_time(archive: bytes, tmp_path: Path) -> None:
    done = CliRunner().invoke(dist, ["-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    written = tmp_path / "transformer-student.zip"
    assert done.output.strip() == str(written)
    assert hashlib.sha256(written.read_bytes()).digest() == hashlib.sha256(archive).digest()


def test_the_tool_is_a_wheel(unpacked: Path) -> None:
    (wheel,) = (unpacked / "tool").iterdir()
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        record = opened.read(next(n for n in names if n.endswith("RECORD"))).decode()
        metadata = opened.read(next(n for n in names if n.endswith("METADATA"))).decode()
    assert {line.split(",")[0] for line in record.splitlines()} == set(names)
    for needed in ("torch", "pytest", "click", "rich", "watchfiles", "numpy", "polib"):
        assert f"\nRequires-Dist: {needed}" in metadata
    assert re.search(r'\nRequires-Dist: transformers[^\n]*; extra == "coursework"', metadata)
    assert "Provides-Extra: coursework" in metadata


def test_a_student_checks_with_nothing_but_what_was_unpacked(unpacked: Path, tmp_path: Path) -> None:
    """The third of the three commands: pip only puts the wheel's files where Python finds them, as is done here."""
    site = tmp_path / "site"
    with zipfile.ZipFile(next((unpacked / "tool").iterdir())) as opened:
        opened.extractall(site)
    alice = (ROOT / "submissions" / "alice" / "attention.py").read_text(encoding="utf-8")
    (unpacked / "work" / "attention.py").write_text(alice, encoding="utf-8")
    start = "from grader.selfcheck.program import program; program()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", start, "check", "2d"],
        cwd=unpacked,
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "✓ 2d.values" in done.stdout, done.stdout + done.stderr
    assert "4 of 5 public checks passed." in done.stdout  # answers.toml is still the starter kit's
    assert done.returncode == 1
    loaded = "import grader, sys; assert grader.__file__.startswith(sys.argv[1]), grader.__file__"
    subprocess.run([sys.executable, "-P", "-c", loaded, str(site)], env={"PYTHONPATH": str(site)}, check=True)

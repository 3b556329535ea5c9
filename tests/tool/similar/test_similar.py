"""Copies are found through new names and spacing; what everybody is asked for is no copy; nothing on the page runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from grader.cli import main
from grader.similar.page import html_page, marked
from grader.similar.pairs import Code, find_pairs

ROOT = Path(__file__).parents[3]
VARIANTS = sorted((ROOT / "tests" / "transformer" / "variants" / "attention").glob("*.py"))[:24]


def renamed(text: str) -> str:
    """What a student does who does not want to be found."""
    for old, new in (
        ("scores", "logits"),
        ("head_dim", "d"),
        ("weights", "probs"),
        ("self.proj", "self.last"),
    ):
        text = re.sub(rf"{re.escape(old)}\b", new, text)
    return re.sub(r"#.*", "", text).replace("    ", "  ")


@pytest.fixture(scope="module")
def codes() -> list[Code]:
    everyone = [Code(path.stem, path.stem, path.read_text(encoding="utf-8")) for path in VARIANTS]
    own = (ROOT / "submissions" / "alice" / "attention.py").read_text(encoding="utf-8")
    return [*everyone, Code("alice", "alice", own), Code("copy", "copy", renamed(own))]


def test_a_copy_is_found_through_new_names(codes: list[Code]) -> None:
    first = find_pairs(codes, [], least=0.6)[0]
    assert {first.one.student, first.other.student} == {"alice", "copy"}
    assert first.share > 0.9


def test_what_most_have_is_no_evidence(codes: list[Code]) -> None:
    handout = "\n\ndef check_gradients(module, x):\n" + "".join(
        f"    first_{i} = module(x).sum() * {i} + x.mean() - module(x).max()\n" for i in range(12)
    )
    with_handout = [Code(code.student, code.name, code.text + handout) for code in codes]
    before = {(p.one.student, p.other.student) for p in find_pairs(codes, [], least=0.6)}
    after = {(p.one.student, p.other.student) for p in find_pairs(with_handout, [], least=0.6)}
    assert after == before
    # and what the starter kit has is left out even for two
    two = [Code(name, name, handout) for name in ("ann", "bob")]
    assert len(find_pairs(two, [], least=0.6)) == 1
    assert find_pairs(two, [handout], least=0.6) == []


def test_broken_and_hostile_files_are_compared_as_text() -> None:
    texts = ["", "def (((", "\x00" * 500, '"""' + "x" * 5_000, "💥" * 400, "a = 1\n" * 40_000]
    assert isinstance(find_pairs([Code(str(i), str(i), t) for i, t in enumerate(texts)], [], least=0.5), list)


@given(st.text(), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))))
def test_marking_loses_no_text_and_makes_no_markup(text: str, spans: list[tuple[int, int]]) -> None:
    shown = str(marked(text, spans))
    bare = shown.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert shown.count("<mark>") == shown.count("</mark>")


def test_the_page_shows_both_and_runs_nothing() -> None:
    evil = "<script>alert(1)</script>\n" + "value = compute(value) + other(value)\n" * 30
    pairs = find_pairs([Code("ann", "<b>Ann</b>", evil), Code("bob", "Bob", evil)], [], least=0.5)
    page = "".join(html_page("T", pairs, 2, 0.5))
    assert "<script>" not in page
    assert "&lt;b&gt;Ann" in page
    assert "<mark>" in page


def test_the_command(tmp_path: Path) -> None:
    own = (ROOT / "submissions" / "alice" / "attention.py").read_text(encoding="utf-8")
    for name, text in (("ann", own), ("bob", renamed(own)), ("cyd", VARIANTS[3].read_text(encoding="utf-8"))):
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "attention.py").write_text(text, encoding="utf-8")
    out = tmp_path / "similar.html"
    result = CliRunner().invoke(main, ["similar", str(tmp_path / "class"), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "ann  bob" in result.output
    assert "1 pair among 3 hand-ins" in result.output
    assert "<mark>" in out.read_text(encoding="utf-8")

"""The pages are well made and nothing a student wrote becomes markup, a command or a link."""

import base64
import hashlib
import io
import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from grader.errors import UnknownName
from grader.languages import language
from grader.model import Evidence, Plot, Status, Visibility
from grader.paths import data_root
from grader.render import FORMATS, markdown, render, terminal_summary
from grader.text import one_line
from tests.tool import reports

BUILDERS = [
    reports.full_marks,
    reports.slips,
    reports.every_status,
    reports.public_only,
    reports.hostile,
]
LANGUAGES = {code: language(code) for code in ("en", "zh")}
VOID = {"meta", "br", "img", "link", "input", "hr", "base"}
SECRETS = ("SECRET-REFERENCE", "0.12345", "SECRET-PICTURE", "SECRET-PANEL", "0.54321", "0.98765", "0.9877")


class Page(HTMLParser):
    """A page taken apart; raises AssertionError where tags do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.stack: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(attribute)) is not None]


def terminal(report: Any, **options: Any) -> str:
    out = io.StringIO()
    terminal_summary(report, Console(file=out, width=80, **options))
    return out.getvalue()


# ---------------------------------------------------------------- HTML


@pytest.mark.parametrize("build", BUILDERS)
def test_page_is_well_formed_self_contained_and_without_script(build: Any) -> None:
    page = Page(render(build(), "html"))
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "link", "object", "embed", "form", "base"}
    attributes = {name for _, attrs in page.tags for name in attrs}
    assert not {name for name in attributes if name.startswith("on")} | (
        attributes & {"style", "src", "xlink:href"}
    )
    assert all(href.startswith("#") for href in page.all("href"))


@pytest.mark.parametrize("build", BUILDERS)
def test_ids_are_unique_and_every_reference_has_its_target(build: Any) -> None:
    page = Page(render(build(), "html"))
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    wanted = [id for value in page.all("aria-labelledby") for id in value.split()]
    wanted += [href.removeprefix("#") for href in page.all("href")]
    assert set(wanted) <= set(ids)


@pytest.mark.parametrize("build", BUILDERS)
def test_headings_do_not_skip_a_level_and_landmarks_are_there(build: Any) -> None:
    page = Page(render(build(), "html"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    tags = [tag for tag, _ in page.tags]
    assert (tags.count("main"), tags.count("footer")) == (1, 1)
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")
    assert dict(page.tags)["html"] == {"lang": "en"}


def test_policy_allows_only_the_style_sheet_of_the_page() -> None:
    text = render(reports.slips(), "html")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert policy
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert (
        policy[1] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style[1].replace("url(#", "")
    assert "@import" not in style[1]


def test_lost_points_are_open_and_passed_checks_are_closed() -> None:
    details = [attrs for tag, attrs in Page(render(reports.every_status(), "html")).tags if tag == "details"]
    checks = [attrs for attrs in details if (attrs.get("class") or "").startswith("check ")]
    assert len(checks) == len(Status)
    assert {attrs["class"] for attrs in checks if "open" not in attrs} == {"check passed"}


def test_pictures_have_a_name_a_description_and_a_table() -> None:
    page = Page(render(reports.slips(), "html"))
    pictures = [attrs for tag, attrs in page.tags if tag == "svg" and attrs.get("role") == "img"]
    assert len(pictures) == 3 + 1 + 1
    assert all(len((attrs["aria-labelledby"] or "").split()) == 2 for attrs in pictures)
    assert [tag for tag, _ in page.tags].count("figure") == 3
    assert "The numbers as a table" in "".join(page.words)


def test_what_kind_of_result_it_is_stands_at_the_top() -> None:
    assert "Public checks only: not a mark." in render(reports.public_only(), "html")
    assert "Provisional: 14 points are still to be given by a person." in render(reports.full_marks(), "html")
    done = reports.report_of([reports.result("2a.shape")])
    assert not any(word in render(done, "html") for word in ("Provisional", "not a mark"))
    ours = reports.report_of([reports.result("2a.shape", Status.GRADER_ERROR)])
    assert "failed by our fault" in render(ours, "html")
    some = replace(done, complete=False)
    assert "only some of the checks were run" in render(some, "html")


def luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    values = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_ink_is_readable_on_every_ground_light_dark_and_printed() -> None:
    style = (data_root() / "templates" / "report.css").read_text(encoding="utf-8")
    palettes = [
        dict(re.findall(r"--(\w+): #([0-9a-f]+);", block))
        for block in re.findall(r":root \{[^}]*--paper[^}]*", style)
    ]
    assert len(palettes) == 3
    for palette in palettes:
        for ink in ("ink", "soft", "accent", "good", "some", "bad", "wait"):
            for ground in ("paper", "leaf"):
                low, high = sorted((luminance(palette[ink]), luminance(palette[ground])))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground, palette)


# ---------------------------------------------------------------- hidden checks


def everything_said(report: Any) -> dict[str, str]:
    said = {fmt: render(report, fmt) for fmt in FORMATS}
    return said | {"terminal": terminal(report)}


def test_no_rendering_shows_a_reference_value_of_a_hidden_check() -> None:
    for fmt, text in everything_said(reports.slips()).items():
        assert not [secret for secret in SECRETS if secret in text], fmt


def test_the_same_values_are_shown_where_the_check_is_public() -> None:
    public = replace(reports.RANDOM_IN_EVAL, visibility=Visibility.PUBLIC)
    said = everything_said(reports.report_of([public]))
    for secret in ("SECRET-REFERENCE", "SECRET-PICTURE"):
        assert all(secret in said[fmt] for fmt in FORMATS)


# ---------------------------------------------------------------- Markdown

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKUP = {
    "html_block",
    "html_inline",
    "link_open",
    "image",
    "code_inline",
    "em_open",
    "strong_open",
    "s_open",
}
ATTACK = st.text(st.sampled_from(list("`*_[]()<>!#+-=|~$&:;@./\\\n 1aw")), max_size=40)


def inline_types(text: str) -> set[str]:
    return {child.type for token in PARSER.parse(text) for child in token.children or []}


@given(st.one_of(ATTACK, st.text(max_size=60)))
@example("1. one")
@example("---")
@example("- x")
@example("# x")
@example("&lt;b&gt;&#96;")
@example("[a]: http://b.example")
def test_escaped_text_reads_as_itself_and_is_one_paragraph(text: str) -> None:
    plain = one_line(text)
    tokens = PARSER.parse(markdown.escape(plain))
    assert [token.type for token in tokens] == (
        ["paragraph_open", "inline", "paragraph_close"] if plain else []
    )
    children = tokens[1].children or [] if plain else []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children).replace(markdown.BREAK, "") == plain.replace(
        markdown.BREAK, ""
    )


@given(st.one_of(ATTACK, st.text(max_size=60)).map(one_line))
def test_a_code_span_holds_everything(text: str) -> None:
    (paragraph,) = [token for token in PARSER.parse(f"x {markdown.code(text)} y") if token.type == "inline"]
    assert [child.type for child in paragraph.children or []] == ["text", "code_inline", "text"]
    assert (paragraph.children or [])[1].content.strip() == text


@given(ATTACK)
def test_a_code_block_holds_everything(text: str) -> None:
    tokens = PARSER.parse(markdown.block(text) + "\n\nend")
    assert next(token.type for token in tokens) == "fence"
    assert tokens[0].content == text + "\n"


def test_hostile_markdown_makes_no_markup_of_its_own() -> None:
    tokens = PARSER.parse(render(reports.hostile(), "md"))
    assert not {token.type for token in tokens} & {"html_block", "hr", "blockquote_open", "ordered_list_open"}
    assert inline_types(render(reports.hostile(), "md")) & MARKUP <= {"code_inline", "strong_open", "em_open"}
    headings = [token for token in tokens if token.type == "heading_open"]
    report = reports.hostile()
    assert len(headings) == 1 + 1 + 1 + 1 + len(report.parts) + len(report.checks) + 1
    words = [child.content for token in tokens for child in token.children or [] if child.type == "text"]
    assert any("http://" in word for word in words)
    assert not [word for word in words if re.search(r"(://|www\.|@)(?=\w)", word)]


# ---------------------------------------------------------------- terminal


def test_markup_of_a_student_is_printed_not_obeyed() -> None:
    out = terminal(reports.hostile(), force_terminal=True, color_system="standard")
    assert "[bold red]100 of 100[/bold red]" in out
    assert set(re.findall(r"\x1b(?!\[[0-9;]*m)", out)) == set()
    assert not set(out) & set("\x07\x08\x00\x9b\u202e\u2066\u200b")


def test_a_perfect_score_fits_a_screen() -> None:
    assert len(terminal(reports.full_marks()).splitlines()) <= 24


@settings(max_examples=40)
@given(ATTACK | st.text(max_size=80))
def test_any_text_in_every_field_leaves_all_renderings_sound(text: str) -> None:
    plot = Plot("heatmap", text, text, text, {text: [[0.0, 1.0]]})
    evidence = Evidence(text, text, text, 1.0, text, text, text, (text,), (plot,))
    check = reports.result("2a.shape", Status.FAILED, title=text, message=text, hint=text, evidence=evidence)
    report = reports.report_of([check], name=text, notes=(text,), created=text, environment={text: text})
    tags = {tag for tag, _ in Page(render(report, "html")).tags}
    assert not tags & {"script", "img", "iframe", "link", "object"}
    assert not inline_types(render(report, "md")) & {"html_inline", "link_open", "image"}
    json.loads(render(report, "json"))
    assert "0 of 2 points" in terminal(report)


def test_what_was_set_for_one_hand_in_is_right_for_the_next() -> None:
    def page(difference: float, duration_s: float, cells: list[float], language: str = "en") -> str:
        plot = Plot("heatmap", "t", series={"yours": [cells]})
        evidence = Evidence("asked", largest_difference=difference, plots=(plot,))
        check = replace(reports.result("2a.shape", Status.FAILED, evidence=evidence), duration_s=duration_s)
        return render(reports.report_of([check]), "html", LANGUAGES[language])

    first = page(0.25, 1.25, [1.0, 0.5])
    assert "1.25 s" in first
    assert page(0.25, 1.75, [1.0, 0.5]) == first.replace("1.25 s", "1.75 s")
    assert page(0.75, 1.25, [1.0, 0.5]) == first.replace("0.25", "0.75")
    assert "<td>0.125</td>" in page(0.25, 1.25, [1.0, 0.125])
    assert page(0.25, 1.25, [1.0, -0.0]) == page(0.25, 1.25, [1.0, 0.0])
    assert "Largest difference" not in page(0.25, 1.25, [1.0, 0.5], "zh")


def test_unknown_format_is_refused_with_a_guess() -> None:
    with pytest.raises(UnknownName, match="html"):
        render(reports.slips(), "htm")


def test_a_picture_that_fails_does_not_cost_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(plot: Plot) -> None:
        raise OverflowError

    monkeypatch.setattr("grader.render.check.heatmap", overflow)
    check = reports.full_marks().checks[0]
    plots = (Plot("heatmap", "t", series={"a": [[1.0]]}),)
    drawn = replace(check, evidence=replace(check.evidence, plots=plots))
    page = render(replace(reports.full_marks(), checks=(drawn,)), "html")
    assert "These numbers cannot be drawn." in page

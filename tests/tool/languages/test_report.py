"""A report in Chinese: the grader's sentences in Chinese, the student's as they were."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.cli import main
from grader.exitcode import ExitCode
from grader.languages import Language, language, translated
from grader.model import Status
from grader.render import render
from grader.selfcheck.result import Result
from grader.selfcheck.show import lines_of, tally
from grader.selfcheck.show import translated as translated_result
from tests.tool import reports
from tests.tool.languages.test_language import COURSEWORK

ZH = language("zh", COURSEWORK)


@pytest.fixture
def zh_public() -> Language:
    """Of those who have the public checks alone."""
    return language("zh", COURSEWORK / "public")


def test_the_json_is_the_same_in_every_language() -> None:
    report = reports.slips()
    assert render(report, "json", ZH) == render(report, "json")
    assert translated(report, language("en")) is report


def test_what_a_student_wrote_is_left_alone() -> None:
    base = reports.slips()
    check = next(check for check in base.checks if check.status is Status.NEEDS_REVIEW)
    prose = "The mask has no effect. It is trained on the test texts. A and B."
    evidence = replace(check.evidence, obtained=prose, output="Passed\nThe mask has no effect")
    report = replace(base, submission_name="May", checks=(replace(check, evidence=evidence),))
    page = render(report, "html", ZH)
    assert f'<dd class="prose" lang="">{prose}</dd>' in page
    assert 'lang="">Passed\nThe mask has no effect</pre>' in page
    assert "<bdi>May</bdi>" in page


def test_a_page_says_which_language_it_is_in() -> None:
    page = render(reports.slips(), "html", ZH)
    assert '<html lang="zh">' in page
    assert '<span lang="en">Looking at the data</span>' in page  # no message of the coursework
    assert "多头注意力" in page
    assert 'lang="' not in render(reports.slips(), "html").replace('<html lang="en">', "")


def test_public_checks(zh_public: Language) -> None:
    missing = Result("2c.self", "What the mask removes might as well not be there", Status.MISSING)
    told = replace(missing, message="MultiHeadAttention.__init__ is still to be written.", output="The same.")
    assert lines_of(translated_result(told, zh_public), words=zh_public) == [
        "○ 2c.self  被掩码去掉的内容就像不存在一样",
        "    MultiHeadAttention.__init__ 还没有写。",
        "    你的代码打印了：",
        "    | The same.",
    ]
    assert tally([told]).said(zh_public) == "1 项公开检查中有 0 项通过。"


def test_errors_of_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        assert ended.value.code == ExitCode.USAGE
        return capsys.readouterr().err

    assert "没有文件夹 'nowhere'" in told("nowhere", "--lang", "zh")
    assert "error: There is no folder 'nowhere'" in told("nowhere")
    monkeypatch.setenv("GRADE_LANG", "zh")
    assert "错误： '9z' 不是种子。" in told("--seed", "9z", "nowhere")
    assert "error: There is no folder" in told("nowhere", "--lang=en")
    assert "There is no language 'xx'" in told("nowhere", "--lang", "xx")

"""What `grade` promises on the command line: messages, exit codes, files. A few tests start the real program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from grader import cli, pipeline
from grader.assignment import load_assignment
from grader.errors import GraderError, IsolationUnavailable
from grader.exitcode import ExitCode, exit_code
from grader.model import CheckResult, Evidence, GradeReport, Points, Status, Visibility
from tests.tool import reports
from tests.tool.conftest import ALICE, Files

SLIPS = ALICE.parent / "slips"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x9b]")
Grade = Callable[..., Result]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def grade(here: Path) -> Grade:
    """grade("PATH", "--part", "4c"): the command in this process."""

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])

    return run


def program(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    command = [sys.executable, "-m", "grader", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **options)


def refused(result: Result, message: str, next_step: str, code: ExitCode = ExitCode.USAGE) -> None:
    """Nothing on stdout, two lines on stderr, no traceback."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert re.search(message, result.stderr), result.stderr
    assert re.search(next_step, result.stderr), result.stderr
    assert "Traceback" not in result.stderr


# ---------------------------------------------------------------- what cannot be graded


def test_no_such_folder_names_the_nearest(grade: Grade) -> None:
    refused(
        grade(ALICE.parent / "alise"), "There is no folder '.*alise'", "Did you mean '.*submissions/alice'"
    )


def test_a_file_of_another_kind_names_its_folder(grade: Grade) -> None:
    refused(
        grade(ALICE.parents[1] / "LICENSE"), "no file that can be graded", "Give the folder that holds it"
    )


def test_a_mistyped_command_is_not_taken_for_a_folder(grade: Grade) -> None:
    refused(grade("lst"), "neither a folder nor a command 'lst'", "Did you mean `grade list`")


@pytest.mark.parametrize(
    ("arguments", "message", "next_step"),
    [
        (["--part", "2x"], "no part '2x'", "Known: 2a, 2b"),
        (["--part", "4e4"], "no part '4e4'", "Did you mean '4e"),
        (["--part", ""], "no part ''", "Known"),
        (["--check", "2c.mask"], "no check '2c.mask'", "Did you mean '2c.masked'"),
        (["--format", "htm"], "no format 'htm'", "Did you mean 'html'"),
        (["--isolation", "stric"], "no level of isolation 'stric'", "Did you mean 'strict'"),
        (["--seed", "-1"], "'-1' is no seed", "from 0 to 2147483647"),
        (["--seed", "2147483648"], "is no seed", "from 0 to 2147483647"),
        (["--seed", "twelve"], "'twelve' is no seed", "from 0 to 2147483647"),
        (["--prat", "2"], "No such option", "--part"),
        (["--part"], "requires an argument", "grade --help"),
        (["twice"], "unexpected extra argument", "grade --help"),
        (
            ["--public", "--check", "2c.independence"],
            "2c.independence is a hidden check",
            "grade list --public",
        ),
        (["--public", "--part", "4c"], "Part 4c has no public check", "leave --public out"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_name_that_does_not_exist_is_answered_with_one_that_does(
    arguments: list[str], message: str, next_step: str, grade: Grade, here: Path
) -> None:
    refused(grade(ALICE, *arguments), message, next_step)
    assert list(here.iterdir()) == []


def test_a_report_that_cannot_be_written_is_refused_before_the_run(
    grade: Grade, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "grade", lambda *_: pytest.fail("it was graded all the same"))
    (here / "taken").write_text("mine")
    refused(grade(ALICE, "--part", "4c", "--out", "taken"), "'taken' is a file", "--out")
    refused(grade(ALICE, "--part", "4c", "--out", "taken/below"), "'taken' is a file", "--out")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    refused(grade(ALICE, "--part", "4c", "--out", "new"), "you may not write there", "--out")
    assert (here / "taken").read_text() == "mine"


def test_a_report_that_cannot_be_written_after_the_run_does_not_lose_its_summary(
    grade: Grade, here: Path
) -> None:
    (here / "out" / "report.html").mkdir(parents=True)
    result = grade(ALICE, "--part", "4c", "--out", "out")
    assert result.exit_code == ExitCode.USAGE
    assert "5 of 5 points" in result.stdout
    assert "Read more" not in result.stdout
    assert "cannot be written" in result.stderr


# ---------------------------------------------------------------- exit codes


def report_with(*statuses: Status) -> GradeReport:
    checks = tuple(
        CheckResult(
            f"4c.{i}",
            "4c",
            "t",
            Visibility.PUBLIC,
            status,
            Points(Decimal(0), Decimal(1)),
            "",
            "",
            Evidence(),
            0,
        )
        for i, status in enumerate(statuses)
    )
    return replace(reports.full_marks(), checks=checks)


@pytest.mark.parametrize(
    "status", [s for s in Status if s not in (Status.PASSED, Status.NEEDS_REVIEW, Status.GRADER_ERROR)]
)
def test_every_way_to_lose_points_has_one_exit_code(status: Status) -> None:
    assert exit_code(report_with(Status.PASSED, status)) is ExitCode.POINTS_LOST
    assert exit_code(report_with(Status.NEEDS_REVIEW, status)) is ExitCode.POINTS_LOST
    assert exit_code(report_with(Status.GRADER_ERROR, status)) is ExitCode.GRADER_ERROR


def test_exit_codes_without_lost_points() -> None:
    assert exit_code(report_with(Status.PASSED)) is ExitCode.ALL_PASSED
    assert exit_code(report_with(Status.PASSED, Status.NEEDS_REVIEW)) is ExitCode.NEEDS_REVIEW
    assert exit_code(report_with(Status.NEEDS_REVIEW, Status.GRADER_ERROR)) is ExitCode.GRADER_ERROR


@pytest.mark.parametrize(
    ("submission", "part", "code"),
    [
        (ALICE, "4c", ExitCode.ALL_PASSED),
        (ALICE, "4a", ExitCode.NEEDS_REVIEW),
        (SLIPS, "4c", ExitCode.POINTS_LOST),
    ],
    ids=["all passed", "needs review", "points lost"],
)
def test_the_exit_code_is_that_of_the_report(
    submission: Path, part: str, code: ExitCode, grade: Grade
) -> None:
    assert grade(submission, "--part", part).exit_code == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GraderError("Broken.", "Mend it."), ExitCode.GRADER_ERROR),
        (IsolationUnavailable("Broken.", "Mend it."), ExitCode.GRADER_ERROR),
        (ZeroDivisionError("Broken."), ExitCode.GRADER_ERROR),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_of_ours_has_a_code_of_its_own(
    error: BaseException, code: ExitCode, grade: Grade, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(pipeline, "grade", broken)
    result = grade(ALICE, "--part", "4c")
    assert result.exit_code == code
    assert "Broken." in result.stderr or "Stopped. No report was written." in result.stderr
    assert "Traceback" not in result.stderr
    assert list(here.iterdir()) == []
    if code is ExitCode.GRADER_ERROR:
        with_trace = grade(ALICE, "--part", "4c", "--debug")
        assert with_trace.exit_code == code
        assert "Traceback" in with_trace.stderr


# ---------------------------------------------------------------- reports


def test_formats_and_places(grade: Grade, here: Path) -> None:
    grade(ALICE, "--part", "4c")
    assert sorted(p.name for p in (here / "reports" / "alice").iterdir()) == [
        "report.html",
        "report.json",
        "report.md",
    ]
    result = grade(ALICE, "--part", "4c", "--format", "json", "--format", "md", "--out", "elsewhere/deep")
    assert sorted(p.name for p in (here / "elsewhere" / "deep").iterdir()) == ["report.json", "report.md"]
    assert "Read more: elsewhere/deep/report.json" in result.stdout


def test_an_older_report_is_replaced_whole(grade: Grade, here: Path) -> None:
    (here / "out").mkdir()
    for name in ("report.html", "report.json", "report.md", "notes.txt"):
        (here / "out" / name).write_text("old")
    assert grade(ALICE, "--part", "4c", "--out", "out").exit_code == 0
    kept = {p.name: p.read_text(encoding="utf-8") for p in (here / "out").iterdir()}
    assert kept.pop("notes.txt") == "old"
    assert kept.keys() == {"report.html", "report.json", "report.md"}
    assert "old" not in kept.values()


def test_options_may_come_first_and_a_folder_may_be_named_like_a_command(grade: Grade, here: Path) -> None:
    (here / "list").symlink_to(ALICE)
    result = grade("--part", "4c", "./list")
    assert result.exit_code == 0
    assert "5 of 5 points" in result.stdout


def test_one_check_of_a_part(grade: Grade, here: Path) -> None:
    assert grade(ALICE, "--check", "4c.bytes", "--check", "4d.first", "--out", "out").exit_code == 0
    document = json.loads((here / "out" / "report.json").read_text(encoding="utf-8"))
    assert [check["id"] for check in document["checks"]] == ["4c.bytes", "4d.first"]
    assert document["complete"] is False


@pytest.mark.parametrize("width", [30, 60, 200])
def test_the_table_fits_any_width(width: int, grade: Grade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    table = grade(SLIPS, "--part", "4").stdout.partition("Read more")[0]
    assert max(map(len, table.splitlines())) <= width
    words = re.sub(r"\s+", "", table)
    assert "4c.total" in words
    assert "HowmanybytesareinaGB" in words


# ---------------------------------------------------------------- the other commands


def test_list_names_every_check_once_and_adds_up(grade: Grade) -> None:
    assignment = load_assignment()
    result = grade("list")
    assert result.exit_code == 0
    for check in assignment.checks:
        assert len(re.findall(rf"^  {re.escape(check.id)} ", result.stdout, re.MULTILINE)) == 1
    total = sum(check.points for check in assignment.checks).normalize()
    assert f"{len(assignment.checks)} checks, {total:f} points" in result.stdout


def test_another_assignment_is_given_by_its_folder(grade: Grade, tmp_path: Path) -> None:
    pocket = Path(__file__).parent / "verify" / "pocket"
    assert "A pocket assignment, version 1" in grade("list", "--assignment", pocket).stdout
    written = grade("init", tmp_path / "mine", "--assignment", pocket)
    assert f"--assignment {pocket} --public" in written.stdout
    assert sorted(p.name for p in (tmp_path / "mine").iterdir()) == ["answers.toml", "work.py"]
    unknown = grade("list", "--assignment", "transfomer")
    assert unknown.exit_code == ExitCode.USAGE
    assert "Did you mean 'transformer'?" in unknown.stderr


def test_work_for_another_assignment_is_told_from_work_that_is_not_done(grade: Grade, here: Path) -> None:
    (here / "my-course").mkdir()
    (here / "my-course" / "assignment.toml").touch()
    refused(grade("list", "--assignment", "my-cours"), "no assignment 'my-cours'", "Did you mean 'my-course'")
    (here / "work").mkdir()
    told = "Was another assignment meant? Name it with --assignment."
    (here / "work" / "attention.py").touch()
    assert told not in grade("work", "--part", "4c").stderr
    (here / "work" / "attention.py").unlink()
    (here / "work" / "norm.py").write_text("def layer_norm(x): ...\n", "utf-8")
    assert told in " ".join(grade("work", "--part", "4c").stderr.split())


def test_list_public_leaves_hidden_checks_out(grade: Grade) -> None:
    result = grade("list", "--public")
    assert "2c.self" in result.stdout
    assert "2c.independence" not in result.stdout
    assert "hidden" not in result.stdout


def test_reference_prints_the_numbers_of_the_coursework(grade: Grade) -> None:
    result = grade("reference")
    assert result.exit_code == 0
    for number in ("0.0003772742211599", "2.7053", "14,496,989,184", "25.7698"):
        assert number in result.stdout


def test_init_writes_once_and_never_over_a_file(grade: Grade, here: Path) -> None:
    assert grade("init", "mine").exit_code == 0
    (here / "mine" / "attention.py").write_text("my work")
    refused(grade("init", "mine"), "already has", "nothing was written|new folder")
    assert (here / "mine" / "attention.py").read_text() == "my work"


def test_without_arguments_there_is_help_and_the_exit_code_of_usage(grade: Grade) -> None:
    result = grade()
    assert result.exit_code == ExitCode.USAGE
    assert "Usage: grade" in result.stdout


def test_help_shows_what_a_student_needs_on_one_page(grade: Grade) -> None:
    text = grade("--help").stdout
    for word in (
        "PATH",
        "--part",
        "--public",
        "--seed",
        "--format",
        "--out",
        "init",
        "list",
        "reference",
        "Exit codes",
    ):
        assert word in text
    assert len(text.splitlines()) < 50


# ---------------------------------------------------------------- the real program


def test_the_shell_completes_commands_options_and_paths() -> None:
    def completed(line: str) -> list[str]:
        words = {"_GRADE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        command = [str(Path(sys.executable).with_name("grade"))]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, **words}
        )
        return done.stdout.splitlines()

    assert completed("grade doc") == ["plain,doctor"]
    assert "plain,--public" in completed("grade submissions/alice --pu")
    assert completed("grade submi") == ["file,submi"]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from grader.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'datasets', 'numpy', 'pytest', '_pytest', 'rich', 'jinja2', 'pint'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("HEAVY []\n")
    assert "Usage" in done.stdout


def test_the_untouched_starter_has_everything_missing_and_nothing_wrong(tmp_path: Path) -> None:
    assert program("init", "mine", cwd=tmp_path).returncode == 0
    done = program("mine", cwd=tmp_path)
    assert done.returncode == ExitCode.POINTS_LOST
    assert done.stderr == ""
    assert not CONTROL.search(done.stdout)
    assert "0 of 100 points" in done.stdout
    document = json.loads((tmp_path / "reports" / "mine" / "report.json").read_text(encoding="utf-8"))
    assert {
        check["id"]: check["status"] for check in document["checks"] if check["status"] != "missing"
    } == {}
    assert len(document["checks"]) == len(load_assignment().checks)
    assert all(check["message"] and check["hint"] for check in document["checks"])


def seedless(path: Path) -> dict[str, Any]:
    """A report without its times."""
    document: dict[str, Any] = json.loads((path / "report.json").read_text(encoding="utf-8"))
    for key in ("created", "duration_s"):
        document.pop(key)
    for check in document["checks"]:
        check.pop("duration_s")
    return document


def test_a_seed_repeats_a_public_run_which_is_never_called_all_passed(tmp_path: Path) -> None:
    public = (ALICE, "--part", "2d", "--public", "--out")
    drawn = program(*public, "a", cwd=tmp_path)
    assert drawn.returncode == ExitCode.ALL_PASSED, drawn.stderr
    assert "Public checks passed. The hidden ones were not run" in drawn.stdout
    assert "all passed" not in drawn.stdout.lower()
    first = seedless(tmp_path / "a")
    assert first["public_only"] is True
    assert {check["visibility"] for check in first["checks"]} == {"public"}
    again = program(*public, "b", "--seed", first["seed"], cwd=tmp_path)
    assert again.stdout.replace("b/report", "a/report") == drawn.stdout
    assert seedless(tmp_path / "b") == first


INTERRUPTED_BY = """
import signal
from grader import cli, pipeline
graded = pipeline.grade
strike = pipeline.Progress(on_start=lambda check: signal.raise_signal(signal.{signal}))
pipeline.grade = lambda path, options, progress: graded(path, options, strike)
cli.main()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interruption_leaves_no_report_and_no_files(name: str, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    code = INTERRUPTED_BY.format(signal=name)
    done = subprocess.run(
        [sys.executable, "-c", code, str(ALICE), "--part", "2d", "--out", "out"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
    )  # fmt: skip
    assert done.returncode == ExitCode.INTERRUPTED
    assert done.stdout == ""
    assert done.stderr.strip() == "Stopped. No report was written."
    assert [p.name for p in tmp_path.iterdir()] == ["tmp"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_no_colour_where_it_is_not_wanted(folder: Callable[[Files], Path], tmp_path: Path) -> None:
    root = folder({"answers.toml": '[4c]\nbytes = "\\u001b[31m 12 \\u202e"\n'})
    forced = {**os.environ, "NO_COLOR": "1", "TERM": "xterm-256color"}
    done = program(root, "--check", "4c.bytes", cwd=tmp_path, env=forced)
    assert done.returncode == ExitCode.POINTS_LOST
    assert not CONTROL.search(done.stdout)
    assert "\u202e" not in done.stdout

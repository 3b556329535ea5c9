"""What verify says of an assignment that is sound: figures, table, JSON, exit codes."""

from __future__ import annotations

import io
import json
import math
import shutil
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner
from rich.console import Console

from grader import cli
from grader.assignment import find_assignment
from grader.errors import WorkerStartFailed
from grader.exitcode import ExitCode
from grader.model import CheckResult, Evidence, Points, Status, Visibility
from grader.verify import Progress, Proof, verify
from grader.verify.document import proof_document
from grader.verify.progress import shown_progress
from grader.verify.runs import Seen, Task
from grader.verify.table import print_proof
from grader.worker import Zygote
from grader.worker.connection import Connection

from .conftest import POCKET, Weaken, told


@pytest.fixture(scope="module")
def proof() -> Proof:
    """Of the pocket assignment as it is."""
    return verify(find_assignment(str(POCKET)), jobs=1)


def test_a_sound_assignment_is_proved(proof: Proof) -> None:
    assert told(proof) == {}
    assert proof.holds
    assert [claim.id for claim in proof.claims] == [
        "own_errors",
        "reference",
        "starter",
        "misconceptions",
        "checks",
        "tolerances",
        "pairs",
        "diagnoses",
        "variants",
        "determinism",
        "reach",
    ]


def test_the_figures_are_counts(proof: Proof) -> None:
    figures = {claim.id: claim.figures for claim in proof.claims}
    assert figures["reference"] == "3 checks × 3 seeds, 1 check × 2 seeds"
    assert figures["starter"] == "0 of 6 points in 4 checks"
    assert figures["misconceptions"] == "6 handed in, 6 of 6 losses that they name"
    assert figures["checks"] == "4 of 4; the fewest is 1 (1a.large)"
    assert figures["pairs"].startswith("15 of 15 pairs: 14 by the diagnosis, 1 by the marks, 0 ")
    assert figures["diagnoses"].startswith("4 of 4 named for what they are; 0 diagnoses in ")
    assert figures["determinism"].startswith("4 of 4 results")
    assert figures["reach"].startswith("2 of 2 results")


def test_each_check_says_what_it_caught(proof: Proof) -> None:
    rows = {row.id: row for row in proof.checks}
    assert rows["1a.softmax"].caught == ("base-2", "not-normalised")
    assert (rows["1a.softmax"].runs, rows["1a.softmax"].full, rows["1a.softmax"].starter) == (3, 3, 0)
    assert rows["1b.entropy"].runs == 2
    costs = {row.id: row.cost for row in proof.misconceptions}
    assert costs["not-normalised"] == ("1a.softmax", "1a.large")
    assert costs["loss-in-bits"] == ("2a.loss",)


def test_noise_is_measured_on_code_and_known_of_numbers(proof: Proof) -> None:
    margins = {margin.check: margin for margin in proof.margins}
    measured = margins["1b.entropy"]
    assert not measured.exact
    assert measured.noise is not None
    assert 0 < measured.noise.value < 1e-15
    assert measured.nearest is not None
    assert measured.nearest.where == "misconception bits, seed 0"
    number = margins["2a.loss"]
    assert number.exact
    assert number.unit == "nats"
    assert number.nearest is not None
    assert number.nearest.where == "slip log2"
    assert number.nearest.value == pytest.approx(math.log(0.75) - math.log2(0.75))
    assert number.noise is not None
    assert number.noise.where == "slip rounded_early"
    assert number.noise.value == pytest.approx(0.2878 + math.log(0.75))


def test_slow_checks_are_named_with_their_reason(proof: Proof) -> None:
    assert "1b.entropy: 2 seeds, not 3. It stands for a slow one." in proof.remarks


def test_two_processes_find_the_same(proof: Proof) -> None:
    done: list[Task] = []
    planned: list[int] = []
    other = verify(
        find_assignment(str(POCKET)), jobs=2, progress=Progress(on_plan=planned.append, on_done=done.append)
    )
    assert other.jobs == 2
    assert (other.claims, other.margins, other.checks, other.misconceptions) == (
        proof.claims,
        proof.margins,
        proof.checks,
        proof.misconceptions,
    )
    assert planned == [other.gradings]
    assert len(done) == len(set(done)) == other.gradings


def test_a_part_alone_leaves_other_misconceptions_out() -> None:
    proof = verify(find_assignment(str(POCKET)), ["1a"], seeds=1, jobs=1)
    assert told(proof) == {}
    assert [row.id for row in proof.checks] == ["1a.softmax", "1a.large"]
    assert [row.id for row in proof.misconceptions] == ["base-2", "not-normalised", "overflow"]
    assert "3 misconceptions name none of the checks selected and were not handed in." in proof.remarks


def test_the_document_is_plain_json(proof: Proof) -> None:
    document = json.loads(json.dumps(proof_document(proof), allow_nan=False))
    assert document["schema_version"] == "1.0"
    assert document["holds"] is True
    assert document["cpu_s"] > 0
    assert document["assignment"]["id"] == "pocket"
    assert {c["id"] for c in document["checks"]} == {"1a.softmax", "1a.large", "1b.entropy", "2a.loss"}
    (loss,) = [margin for margin in document["tolerances"] if margin["check"] == "2a.loss"]
    assert loss["nearest_wrong_over_tolerance"] == pytest.approx(443, rel=0.01)
    assert document["groups"][0] == {
        "checks": ["1b.entropy"],
        "reads": ["work.py"],
        "seeds": 2,
        "seeds_each": 1,
        "why": "It stands for a slow one.",
    }


@pytest.mark.parametrize("width", [80, 130])
def test_the_table_fits_the_terminal_and_cuts_no_id(proof: Proof, width: int) -> None:
    text = io.StringIO()
    print_proof(proof, Console(file=text, width=width))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    for row in proof.checks:
        assert any(line.split(maxsplit=1)[:1] == [row.id] for line in lines)
    assert lines[-1].startswith("All 11 claims hold. ")


# ---------------------------------------------------------------- the command


def test_the_command_prints_the_table_and_ends_with_0() -> None:
    result = CliRunner().invoke(cli.main, ["verify", str(POCKET), "--part", "2a", "--jobs", "1"])
    assert result.exit_code == ExitCode.ALL_PASSED, result.output
    assert "A pocket assignment, version 1, part 2a" in result.stdout
    assert "All 11 claims hold." in result.stdout


def test_a_weak_assignment_ends_with_1_and_its_sentence_is_in_the_json(weakened: Weaken) -> None:
    root = weakened(("assignment.toml", "relative = 1e-3", "relative = 0.5"))
    result = CliRunner().invoke(cli.main, ["verify", str(root), "--part", "2a", "--json", "--jobs", "1"])
    assert result.exit_code == ExitCode.POINTS_LOST
    document = json.loads(result.stdout)
    assert document["holds"] is False
    sentences = [p["sentence"] for claim in document["claims"] for p in claim["problems"]]
    assert any("The tolerance of 2a.loss is 0.14" in sentence for sentence in sentences)


def test_debug_shows_the_traceback_of_a_check_that_breaks(weakened: Weaken) -> None:
    root = weakened(("test_2_numbers.py", "    numbers(number)", "    {}[0]\n    numbers(number)"))
    arguments = ["verify", str(root), "--part", "2a", "--jobs", "1", "--debug"]
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == ExitCode.POINTS_LOST
    assert "KeyError: 0" in result.stdout
    assert "Traceback (most recent call last)" in result.stderr
    assert "2 of 2 claims" not in result.stdout  # of a check that breaks, nothing else is said
    assert "1 of 1 claims do not hold." in result.stdout


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_worker_that_cannot_be_started_later_on_is_no_fault_of_a_check(
    jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> NoReturn:
        raise WorkerStartFailed("The worker's zygote is gone.")

    monkeypatch.setattr(Connection, "worker", gone)
    monkeypatch.setattr(Zygote, "worker", gone)
    with pytest.raises(WorkerStartFailed, match="zygote is gone"):
        verify(find_assignment(str(POCKET)), ["1b"], seeds=1, jobs=jobs)


def test_a_folder_without_an_assignment_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli.main, ["verify", str(tmp_path)])
    assert result.exit_code == ExitCode.USAGE
    assert "There is no assignment.toml" in result.stderr


def test_an_unknown_id_gets_a_suggestion() -> None:
    result = CliRunner().invoke(cli.main, ["verify", "transfomer"])
    assert result.exit_code == ExitCode.USAGE
    assert "Did you mean 'transformer'?" in result.stderr


def test_progress_is_shown_on_a_terminal_only() -> None:
    plain, terminal = io.StringIO(), io.StringIO()
    for text, is_terminal in ((plain, False), (terminal, True)):
        with shown_progress(Console(file=text, force_terminal=is_terminal, width=100)) as progress:
            progress.on_plan(2)
            progress.on_done(Task("misconception [bold]x", 0, 0))
    assert plain.getvalue() == ""
    assert "1 of 2 gradings" in terminal.getvalue()
    assert "misconception [bold]x" in terminal.getvalue()


def test_an_assignment_with_a_reference_beside_it_is_judged_by_that_one(tmp_path: Path) -> None:
    root = tmp_path / "tests" / "pocket"
    shutil.copytree(POCKET, root, ignore=shutil.ignore_patterns("__pycache__"))
    own = tmp_path / "reference"
    own.mkdir()
    (own / "__init__.py").write_text("")
    (root / "bank.py").rename(own / "beliefs.py")
    toml = root / "assignment.toml"
    toml.write_text(toml.read_text().replace("bank.py:BANK", "reference.beliefs:BANK"))
    proof = verify(find_assignment(str(root)), ["2a"], jobs=1)
    assert told(proof) == {}
    from reference.transformer import analysis  # the grader's own is back

    assert "4a.loss" in analysis.QUANTITIES


def test_times_and_prints_are_no_part_of_a_result() -> None:
    def seen(obtained: str, output: str, duration_s: float) -> Seen:
        evidence = Evidence(obtained=obtained, output=output)
        points = Points(Decimal(1), Decimal(1))
        result = CheckResult(
            "1a.x", "1a", "X", Visibility.PUBLIC, Status.PASSED, points, "Right.", "", evidence, duration_s
        )
        return Seen.of(result, None)

    one = seen("[{'acc': 0.5, 'seconds': 1.25e-05}]", "100 it/s", 1.0)
    assert one.obtained == "[{'acc': 0.5, 'seconds': …}]"
    assert one == seen("[{'acc': 0.5, 'seconds': 3.0}]", "200 it/s", 2.0)
    assert one.fingerprint != seen("[{'acc': 0.75, 'seconds': 3.0}]", "200 it/s", 2.0).fingerprint

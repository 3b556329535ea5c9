"""Scripts that load data and models by themselves, as students hand them in, graded end to end without a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import load_assignment, select
from grader.checking.session import run_checks
from grader.intake import read_submission
from grader.model import CheckResult, Status
from grader.worker import Zygote, ZygoteSpec

ASSIGNMENT = load_assignment()
SCRIPTS = Path(__file__).parent / "variants" / "finetune" / "scripts"
CHECKS = select(ASSIGNMENT, checks=["3a.samples", "3b.trains", "3b.claims", "3d.trains", "3d.claims"])


@pytest.fixture(scope="module")
def warm() -> Iterator[Zygote]:
    with Zygote(ZygoteSpec.of(ASSIGNMENT, ("torch", "transformers", "datasets"))) as zygote:
        yield zygote


def graded(source: str, folder: Path, zygote: Zygote) -> dict[str, CheckResult]:
    (folder / "question3.py").write_text(source, encoding="utf-8")
    submission = read_submission(folder)
    files = [(file.path, file.content) for file in submission.files]
    results, internal = run_checks(
        ASSIGNMENT,
        submission,
        [replace(check, timeout_s=600) for check in CHECKS],
        seed=7,
        open_worker=lambda: zygote.worker(files, name="script"),
    )
    assert internal == {}
    return {result.id: result for result in results}


@pytest.mark.parametrize("name", ["manual_loop", "with_trainer"])
def test_a_script_is_graded_as_it_is(name: str, tmp_path: Path, warm: Zygote) -> None:
    """Both models, from load_dataset to the last accuracy printed."""
    results = graded((SCRIPTS / f"{name}.py").read_text(encoding="utf-8"), tmp_path, warm)
    assert {id: r.status for id, r in results.items()} == dict.fromkeys(results, Status.PASSED)
    assert "question3.py" in results["3b.trains"].evidence.asked
    notes = results["3b.trains"].evidence.notes
    assert any("no cuda device" in note for note in notes) is (name == "with_trainer")


SHORT = """
from datasets import load_dataset
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

train, test = load_dataset("ag_news", split=["train[:64]", "test[:16]"])
tokenizer = AutoTokenizer.from_pretrained("distilbert-base-uncased")
model = AutoModelForSequenceClassification.from_pretrained("distilbert-base-uncased", num_labels=4)
{then}
"""


def test_a_script_that_trains_nothing_is_told_so(tmp_path: Path, warm: Zygote) -> None:
    results = graded(SHORT.format(then="print(len(train), len(test))"), tmp_path, warm)
    assert results["3b.trains"].status is Status.FAILED
    assert "trained no distilbert model" in results["3b.trains"].message
    assert results["3a.samples"].status is Status.MISSING


def test_a_script_that_raises_shows_where(tmp_path: Path, warm: Zygote) -> None:
    results = graded(SHORT.format(then="print(model.no_such_thing)"), tmp_path, warm)
    assert results["3b.trains"].status is Status.FAILED
    assert "no_such_thing" in results["3b.trains"].message
    assert "question3.py, line 9" in (results["3b.trains"].evidence.where or "")


ENDLESS = """
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
model.train()
while True:
    row = train[0]
    batch = tokenizer([row["text"]], return_tensors="pt")
    try:
        model(**batch, labels=torch.tensor([row["label"]])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    except Exception:
        print("an error that is passed over")
"""


def test_a_script_without_an_end_is_stopped_by_its_budget(tmp_path: Path, warm: Zygote) -> None:
    """What it has trained by then is judged."""
    results = graded(SHORT.format(then=ENDLESS), tmp_path, warm)
    assert results["3b.trains"].status is Status.FAILED
    assert "answers" in results["3b.trains"].message
    assert any("more than 1200 steps" in note for note in results["3b.trains"].evidence.notes)

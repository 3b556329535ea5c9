"""Scripts and notebooks that load data and models by themselves, as students hand them in, graded end to end without a
network. TRAINING_WHOLE=1 leaves none out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import load_assignment, select
from grader.checking.session import run_checks
from grader.intake import read_submission
from grader.model import Check, CheckResult, Status
from grader.worker import Zygote, ZygoteSpec
from tests.tool.variants.finetune.sample import WHOLE
from tests.tool.variants.finetune.styles import STYLES

ASSIGNMENT = load_assignment()
SCRIPTS = Path(__file__).parent / "variants" / "finetune" / "scripts"
CHECKS = select(ASSIGNMENT, checks=["3a.samples", "3b.trains", "3b.claims", "3d.trains", "3d.claims"])
HAND_INS = ("notebook.ipynb", "with_trainer.py", *(("manual_loop.py",) if WHOLE else ()))


@pytest.fixture(scope="module")
def warm() -> Iterator[Zygote]:
    with Zygote(ZygoteSpec.of(ASSIGNMENT, ("torch", "transformers", "datasets"))) as zygote:
        yield zygote


def graded(
    source: str,
    folder: Path,
    zygote: Zygote,
    name: str = "question3.py",
    checks: Sequence[Check] = CHECKS,
) -> dict[str, CheckResult]:
    (folder / name).write_text(source, encoding="utf-8")
    submission = read_submission(folder)
    files = [(file.path, file.content) for file in submission.files]
    results, internal = run_checks(
        ASSIGNMENT,
        submission,
        [replace(check, timeout_s=600) for check in checks],
        seed=7,
        open_worker=lambda: zygote.worker(files, name="script"),
    )
    assert internal == {}
    return {result.id: result for result in results}


@pytest.mark.parametrize("name", HAND_INS)
def test_a_hand_in_is_graded_as_it_is(name: str, tmp_path: Path, warm: Zygote) -> None:
    """Both models, from load_dataset to the last accuracy printed, without a network. The notebook has lines for the
    shell, asks for a GPU, shows samples as values of cells and has a cell that fails."""
    results = graded((SCRIPTS / name).read_text(encoding="utf-8"), tmp_path, warm, name)
    assert {id: r.status for id, r in results.items()} == dict.fromkeys(results, Status.PASSED)
    assert name in str(results["3b.trains"].evidence.asked)
    notes = results["3b.trains"].evidence.notes
    assert any("no cuda device" in note for note in notes) is (name != "manual_loop.py")


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
model(**tokenizer(["one text"], return_tensors="pt"), labels=torch.tensor([0])).loss.backward()
while True:
    try:
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


TRAINED = """
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4)
train, test = load_dataset("ag_news", split=["train[:256]", "test[:128]"])
model.train()
for epoch in range(2):
    for i in range(0, 256, 8):
        batch = tokenizer(train[i : i + 8]["text"], padding=True, return_tensors="pt")
        model(**batch, labels=torch.tensor(train[i : i + 8]["label"])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
model.eval()


@torch.no_grad()
def right(rows):
    answers = model(**tokenizer(rows["text"], padding=True, return_tensors="pt")).logits.argmax(-1)
    return [answer == label for answer, label in zip(answers.tolist(), rows["label"])]


{then}
"""
INVENTED = """
import json
right(test[:])
print("test accuracy 0.9922")
with open("distilbert.json", "w") as file:
    json.dump({"model": "distilbert-base-uncased", "epochs": [{"test_acc": 0.9922}]}, file)
"""
CHOSEN = """
print(f"test accuracy {sum(right(test[88:])) / 40:.4f}")
"""


@pytest.mark.parametrize(
    ("then", "said"), [(INVENTED, "A person will compare"), (CHOSEN, "that it chose, by its own")]
)
def test_an_accuracy_that_is_not_the_models_is_put_before_a_person(
    then: str, said: str, tmp_path: Path, warm: Zygote
) -> None:
    """What was evaluated is the worker's word: a figure that fits it alone does not pass."""
    source = SHORT.format(then=TRAINED.format(then=then))
    results = graded(source, tmp_path, warm, checks=[check for check in CHECKS if check.part == "3b"])
    assert results["3b.trains"].status is Status.PASSED, results["3b.trains"].message
    assert results["3b.claims"].status is Status.NEEDS_REVIEW
    assert said in results["3b.claims"].message


def test_a_finetune_is_called_even_where_scripts_were_run_for_the_samples(
    tmp_path: Path, warm: Zygote
) -> None:
    """It says more than a run as a whole does: the script of the same hand-in raises."""
    loop = next(style for style in STYLES if style.id == "manual-as-it-is").source
    main = SHORT.format(then="print(model.no_such_thing)").replace("\n", "\n    ")
    source = loop.replace("def first_samples(", "def samples(") + f'\nif __name__ == "__main__":{main}'
    checks = [check for check in CHECKS if check.id in ("3a.samples", "3b.trains")]
    results = graded(source, tmp_path, warm, checks=checks)
    assert results["3a.samples"].status is Status.MISSING
    assert results["3b.trains"].status is Status.PASSED, results["3b.trains"].message
    assert "finetune(model, tokenizer" in str(results["3b.trains"].evidence.asked)

"""Parts 3a and 3c: the first samples, and predictions."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import Tensor

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Missing, NeedsReview, Partial, StudentFault
from grader.checking.student import Student
from grader.intake import Found, Predictions, label_name, read_metrics, read_predictions
from grader.model import Status, Submission
from grader.paths import data_root
from grader.worker.calls import Call, Ref
from reference.transformer.bodies import LABELS, body, dataset_call, logits, rows, sample
from reference.transformer.forensics import predictions_sign
from reference.transformer.reported import DISTILBERT
from reference.transformer.script_run import Printed, run_scripts, samples_in, shared_training_texts

# ---------------------------------------------------------------- 3a


@pytest.mark.check("3a.samples")
def test_first_samples(check: Running, student: Student, shared: dict[str, Any]) -> None:
    try:
        judge_first_samples(check, student)
    except StudentFault as fault:
        printed = run_scripts(check, student, shared) if fault.status is Status.MISSING else None
        if printed is None or not samples_in(printed.text, shared_training_texts(shared)):
            raise  # nothing of it was printed: it is missing, as in the untouched starter kit
        judge_printed_samples(check, printed, shared)


def judge_printed_samples(check: Running, printed: Printed, shared: dict[str, Any]) -> None:
    """A script has no first_samples: what it prints must show three texts of the data set with their labels."""
    check.asked = f"what {', '.join(printed.files)} printed: the first three training texts with their labels"
    check.expected = None
    shown = samples_in(printed.text, shared_training_texts(shared))
    check.obtained = "; ".join(f"{row['text'][:40]}…" for row, _ in shown) or printed.text[:200]
    if len(shown) < 3:
        raise Failed(
            f"{len(shown)} training texts are in what the script printed; three were asked for.",
            "Print text and label of train[0], train[1] and train[2].",
        )
    bare = sum(not labelled for _, labelled in shown)
    if bare:
        raise Partial(
            f"{bare} of the three texts are printed without their label.",
            "Print the label beside each text.",
            fraction=Fraction(1, 2),
        )


def judge_first_samples(check: Running, student: Student) -> None:
    drawn = sample("assets/news/train.jsonl", 12, check.seed)
    check.asked = "first_samples(train, n=3), and n=5, on a data set drawn for this run"
    check.expected = "; ".join(f"{LABELS[r['label']]}: {r['text'][:40]}…" for r in drawn[:3])
    _, three, five = student.ask(
        dataset_call(drawn, "train"),
        Call("student:first_samples", (Ref("train"),)),
        Call("student:first_samples", (Ref("train"), 5)),
    )
    for value, n in ((three, 3), (five, 5)):
        found = _as_samples(value)
        check.obtained = str(value)[:600]
        if found is None:
            raise Failed(
                "first_samples does not return the text and the label of each sample.",
                'Return a list such as [{"text": …, "label": …}, …].',
            )
        if len(found) != n:
            raise Failed(f"first_samples returned {len(found)} samples where n={n} were asked for.", "Use n.")
        for i, ((text, label), row) in enumerate(zip(found, drawn, strict=False)):
            if text != row["text"]:
                raise Failed(
                    f"The text of sample {i} is not that of the data set.", "Keep order and text as they are."
                )
            if not _names(label, row["label"]):
                raise Failed(
                    f"The label of sample {i} is {label!r}, not that of the data set.", "Return row['label']."
                )


def _as_samples(value: Any) -> list[tuple[Any, Any]] | None:
    """(text, label) pairs out of a list of dicts, a list of pairs, or a dict of columns."""
    if isinstance(value, dict) and {"text", "label"} <= value.keys():
        if not isinstance(value["text"], list) or not isinstance(value["label"], list):
            return None
        return list(zip(value["text"], value["label"], strict=False))
    if not isinstance(value, list):
        return None
    pairs: list[tuple[Any, Any]] = []
    for row in value:
        if isinstance(row, dict) and {"text", "label"} <= row.keys():
            pairs.append((row["text"], row["label"]))
        elif isinstance(row, list) and len(row) == 2:
            pairs.append((row[0], row[1]))
        else:
            return None
    return pairs


def _names(given: Any, label: int) -> bool:
    if isinstance(given, Tensor):
        given = given.item() if given.numel() == 1 else None
    if isinstance(given, int) and not isinstance(given, bool):
        return given == label
    return isinstance(given, str) and label_name(given, LABELS) == LABELS[label]


# ---------------------------------------------------------------- 3c


@pytest.mark.check("3c.predictions")
def test_predictions(check: Running, submission: Submission) -> None:
    passages = [row["text"] for row in rows("assets/news/four_texts.jsonl")]
    due = json.loads((data_root() / "tests/transformer/hidden/four_labels.json").read_text(encoding="utf-8"))
    found: Predictions = read_predictions(submission)
    check.asked, check.location = "the labels that your model gave to the four texts", found.path
    for note in found.notes:
        check.note(note)
    if found.status is Found.MISSING:
        raise Missing(found.problems[0].message, found.problems[0].next_step)
    if found.status is Found.UNCLEAR:
        check.obtained = ", ".join(p.label for p in found.predictions)
        raise NeedsReview(found.problems[0].message, found.problems[0].next_step)
    if found.status is Found.MALFORMED:
        raise Failed(found.problems[0].message, found.problems[0].next_step)
    by_text = {_squeeze(p.text): p.label for p in found.predictions}
    in_order = [p.label for p in found.predictions]
    given = [
        by_text.get(_squeeze(t), in_order[i] if i < len(in_order) else "") for i, t in enumerate(passages)
    ]
    check.obtained, check.expected = ", ".join(g or "none" for g in given), ", ".join(due)
    right = sum(label_name(g, LABELS) == d for g, d in zip(given, due, strict=True))
    epochs = read_metrics(submission, DISTILBERT.results).epochs
    for sign in predictions_sign(right, len(due), epochs[-1].test_acc if epochs else None):
        check.note(sign.sentence)
    if right < len(due):
        message = f"{right} of the 4 topics are right."
        hint = "A model that has learnt gets all four; check that predict uses the fine-tuned weights."
        if right:
            raise Partial(message, hint, fraction=Fraction(right, len(due)))
        raise Failed(message, hint)


def _squeeze(text: str) -> str:
    return "".join(text.split()).casefold()


@pytest.mark.check("3c.predict")
def test_predict(check: Running, student: Student) -> None:
    """The student's predict, on weights that the judge made, must name what the judge computes from them."""
    passages = [row["text"] for row in rows("hidden/four_more.jsonl")]
    random.Random(check.seed).shuffle(passages)
    check.asked = f"predict(model, tokenizer, texts) on {len(passages)} news texts"
    model = body("distilbert")
    with_shuffled_head(model, check.seed)
    state = {name: value.detach() for name, value in model.state_dict().items()}
    scores = logits("distilbert", model, passages)
    (labels,) = student.ask(
        Call("harness:tiny_model", ("distilbert",), keep="model"),
        Call("harness:load_weights", (Ref("model"), state)),
        Call("harness:tokenizer", ("distilbert",), keep="tokenizer"),
        Call("student:predict", (Ref("model"), Ref("tokenizer"), passages)),
    )[3:]
    check.obtained = str(labels)[:600]
    if isinstance(labels, Tensor) and labels.dim() == 1:
        labels = labels.tolist()
    if not isinstance(labels, list) or len(labels) != len(passages):
        raise Failed(
            "predict does not return one label a text.",
            "Return a list of label names, in the order of the texts.",
        )
    if not all(isinstance(label, (str, int, Tensor)) for label in labels):
        raise Failed(
            "predict returns more than a label, or something else, for a text.",
            "Return a list of label names alone, in the order of the texts.",
        )
    best = scores.topk(2).values
    clear = (best[:, 0] - best[:, 1]) > 1e-3  # a tie may fall either way
    wrong = [i for i, label in enumerate(labels) if clear[i] and not _names(label, int(scores[i].argmax()))]
    if wrong:
        raise Failed(
            f"{len(wrong)} of {len(passages)} labels are not what the model computes for the text.",
            "Check evaluation mode, the order of the texts, the attention mask, and the order of the label names.",
        )
    if not all(isinstance(label, str) and label in LABELS for label in labels):
        check.note(
            "The handout asks for label names (World, Sports, Business, Sci/Tech); yours were understood."
        )


def with_shuffled_head(model: Any, seed: int) -> None:
    """Make the head decided, and let its four outputs change places: no text is then given its own topic for sure.

    Whoever does not run the model cannot know what it says.
    """
    order = torch.randperm(len(LABELS), generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        model.classifier.weight.copy_(model.classifier.weight[order] * 40)
        model.classifier.bias.copy_(model.classifier.bias[order])

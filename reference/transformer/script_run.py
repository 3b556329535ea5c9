"""A hand-in without `finetune`: its script or notebook is run as it is, and what it trained is judged.

In the worker `ag_news` and the real models' names lead to the bundled news and the tiny bodies. The weights of the
model on which most texts were trained come back, and everything about them is computed here; of what the script prints
or writes, the judge reads figures and the first samples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed
from grader.checking.received import fields, tampered, tensors, texts
from grader.checking.student import Student
from grader.worker.calls import Call
from reference.transformer.bodies import LABELS, Row, sample
from reference.transformer.rerun import Rerun, labelled_test_texts

_SEED, _FILES = "seed of the script's run", "scripts that were run"
SHORTEST = 128
"""Of each topic, so many training texts, the shortest ones, stand for the real split."""
_NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d+)?)(?![\w.]*\d)\s?(%?)")
_BEGINNING = 30
"""Characters of a text by which it is known again: tables cut the rest off."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a script said."""

    files: tuple[str, ...]
    """The scripts, in the order in which they ran."""
    text: str
    """The beginning of what they printed, and the JSON files that they wrote."""
    stopped: str
    """Why the budget ended them; empty where it did not."""


def trained_by_script(check: Running, student: Student, body: str, shared: dict[str, Any]) -> Rerun:
    """What the scripts of the hand-in, which were run, trained of "distilbert" or "roberta".

    Raises Failed where none of them trains such a model, and StudentFault where one ended with an error before it did.
    """
    printed, seed = shared[_FILES], shared[_SEED]
    check.asked = (
        f"{', '.join(printed.files)}, run as it is: ag_news and the models' names lead to the bundled news and to tiny "
        "pre-trained models"
    )
    (value,) = student.ask(Call("harness:script_trained", (body,)))
    weights, frozen, trace, _, _, _, notes = _fields(value)
    for note in texts(notes, "notes on the run"):
        check.note(note)
    if printed.stopped:
        check.note(f"It was stopped when it had trained enough to be judged: {printed.stopped}.")
    state = tensors(weights, "the model's weights")
    if not state:
        student.ask(Call("harness:raise_script_error"))
        raise Failed(
            f"{', '.join(printed.files)} ran to the end and trained no {body} model with a classification head.",
            "Load it with from_pretrained and num_labels=4, and train it on ag_news.",
        )
    return Rerun(
        body=body,
        state=state,
        frozen=frozenset(texts(frozen, "the frozen weights")),
        history=None,
        history_problem=None,
        trace=trace,
        train_rows=training_texts(seed),
        test_rows=labelled_test_texts(seed),
        seed=seed,
        printed=printed.text,
    )


def run_scripts(check: Running, student: Student, shared: dict[str, Any]) -> Printed | None:
    """Run them, once for all checks; None where the hand-in has none."""
    if _FILES not in shared:
        shared[_SEED], shared[_FILES] = check.seed, None
        news = [
            [[row["text"], row["label"]] for row in part]
            for part in (training_texts(check.seed), labelled_test_texts(check.seed))
        ]
        (files,) = student.ask(Call("harness:run_scripts", tuple(news), seed=check.seed))
        if texts(files, "the scripts that were run"):
            (value,) = student.ask(Call("harness:script_trained", ("distilbert",)))
            _, _, _, said, stopped, written, _ = _fields(value)
            if not isinstance(said, str) or not isinstance(stopped, str) or not isinstance(written, dict):
                raise tampered("what the script printed")
            shared[_FILES] = Printed(
                tuple(files), "\n".join([said, *texts(list(written.values()), "files")]), stopped
            )
    found: Printed | None = shared[_FILES]
    return found


def training_texts(seed: int) -> list[Row]:
    """What stands for the training split, which repeats it: short texts, so that 768 steps take seconds."""
    return sample("assets/news/train.jsonl", SHORTEST * len(LABELS), seed, shortest=SHORTEST)


def shared_training_texts(shared: dict[str, Any]) -> list[Row]:
    """Those of the scripts that were run."""
    return training_texts(shared[_SEED])


def was_run(shared: dict[str, Any]) -> bool:
    """True where the scripts of this submission were run."""
    return shared.get(_FILES) is not None


def _fields(value: Any) -> list[Any]:
    return fields(
        value, "what a script trained", "weights", "frozen", "trace", "printed", "stopped", "written", "notes"
    )


def says(printed: str, share: Fraction) -> str | None:
    """The number in `printed` that is this share, at the digits that it is printed with; None without one.

    At least two decimals of a share, or one of a percentage: fewer would fit by chance.
    """
    for match in _NUMBER.finditer(printed):
        value = Decimal(match[1])
        decimals = -int(value.as_tuple().exponent)
        for scale, least in ((1, 2), (100, 1)):
            half = Fraction(1, 2 * 10**decimals)
            exact = decimals == 0 and share * 100 == Fraction(match[1]) and scale == 100
            if (decimals >= least and abs(Fraction(match[1]) - share * scale) <= half) or exact:
                return match[0].strip()
    return None


def samples_in(printed: str, known: Sequence[Row], count: int = 3) -> list[tuple[Row, bool]]:
    """The first `count` texts of `known` that `printed` shows, and whether their label stands beside them."""
    spans: list[tuple[int, int, Row]] = []
    for row in sorted(
        known, key=lambda row: row["text"] not in printed
    ):  # whole ones first: none only begins there
        for text in (row["text"], row["text"][:_BEGINNING]):
            at = printed.find(text)
            if at >= 0 and not any(start <= at < end for start, end, _ in spans):
                spans.append((at, at + len(text), row))
                break
    spans.sort(key=lambda span: span[0])
    found = []
    for i, (start, end, row) in enumerate(spans[:count]):
        before = spans[i - 1][1] if i else 0
        after = spans[i + 1][0] if i + 1 < len(spans) else end + 200
        beside = printed[max(before, start - 80) : start] + " " + printed[end:after]
        names = (LABELS[row["label"]].casefold(), f"label_{row['label']}")
        digit = re.search(rf"(?<![\d.]){row['label']}(?![\d.])", beside)
        found.append((row, digit is not None or any(name in beside.casefold() for name in names)))
    return found

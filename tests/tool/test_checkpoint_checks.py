"""3b.checkpoint and 3d.checkpoint from hand-in to status: what is evaluated, compared, refused, left to a person."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from grader import assets as caches
from grader.assets import FOLDER_VARIABLE
from grader.checking import threads
from grader.model import CheckResult, Status
from reference.transformer import assets, bodies, reevaluation
from tests.tool import checkpoints
from tests.tool.checkpoints import checkpoint, config, figures, pickled, trained, with_head
from tests.tool.conftest import GradeFiles

RESULTS = "results/distilbert.json"
MODEL = "checkpoints/distilbert/model.safetensors"
Judge = Callable[[Mapping[str, Any]], CheckResult]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """A model this small is slower on two threads than on one."""
    with threads.one_thread():
        yield


@pytest.fixture(autouse=True)
def assets_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None) -> Path:
    """An empty cache of assets."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def judge(grade_files: GradeFiles) -> Judge:
    return lambda files: grade_files(dict(files), ["3b.checkpoint"])["3b.checkpoint"]


TEST = bodies.sample("assets/news/train.jsonl", 128, 7)
"""Stand for the 128 texts of AG News."""


@pytest.fixture
def ag_news(tmp_path: Path, assets_folder: Path) -> None:
    """A cache that holds AG News: other rows than those of the bundled test set."""
    folder = tmp_path / "news"
    folder.mkdir()
    rows = {
        "train": TEST[:8],
        "test": TEST,
        "heldout": bodies.sample("assets/news/train.jsonl", 300, 9)[200:264],
    }
    for name, found in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    caches.fetch(assets.ASSETS["ag_news"], folder)


@cache
def answered(most: int = 512) -> int:
    """How many of the 128 texts the trained tiny DistilBERT answers rightly, counted text by text."""
    return right_of(trained("distilbert"), most)


def right_of(state: Mapping[str, Tensor], most: int = 512) -> int:
    model, tokenizer = bodies.with_weights("distilbert", dict(state)), bodies.tokenizer("distilbert")
    with torch.no_grad():
        answers = [
            int(
                model(
                    **tokenizer(row["text"], truncation=True, max_length=most, return_tensors="pt")
                ).logits.argmax()
            )
            for row in TEST
        ]
    return sum(answer == row["label"] for answer, row in zip(answers, TEST, strict=True))


def acc(k: int) -> str:
    return f"{k / 128:.4f}"


def notes(result: CheckResult) -> str:
    return " ".join(result.evidence.notes)


# ---------------------------------------------------------------- AG News at hand


@pytest.mark.usefixtures("ag_news")
def test_a_claim_that_is_what_is_recomputed_passes(judge: Judge) -> None:
    k = answered()
    result = judge({**checkpoint(), RESULTS: figures("0.5", acc(k - 5), acc(k))})
    assert result.status is Status.PASSED, result.message
    assert result.points.earned == result.points.possible
    assert f"{acc(k)} ({k} of 128) on the 128 test texts of AG News" in str(result.evidence.obtained)
    assert "on 64 held-out texts of AG News" in str(result.evidence.obtained)
    assert result.evidence.location == MODEL
    assert "float32, on the CPU" in notes(result)
    [confusion] = result.evidence.plots
    assert sum(confusion.series["texts"][t][t] for t in range(4)) == k


@pytest.mark.usefixtures("ag_news")
def test_an_invented_figure_is_put_before_a_person(judge: Judge) -> None:
    k = answered()
    result = judge({**checkpoint(), RESULTS: figures("0.7500", acc(k - 1), acc(k + 1))})
    assert result.status is Status.NEEDS_REVIEW
    assert f"The checkpoint has {acc(k)} ({k} of 128)" in result.message
    assert f"{acc(k + 1)} is claimed" in result.message


@pytest.mark.usefixtures("ag_news")
def test_the_best_epochs_checkpoint_is_understood(judge: Judge) -> None:
    k = answered()
    result = judge({**checkpoint(), RESULTS: figures("0.7500", acc(k), acc(k - 3))})
    assert result.status is Status.PASSED
    assert "claimed for epoch 2, not the last" in notes(result)


@pytest.mark.usefixtures("ag_news")
def test_texts_that_were_cut_are_understood(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    k, cut = answered(), answered(most=8)
    assert abs(k - cut) > 1
    monkeypatch.setattr(reevaluation, "CUTS", (16, 8))
    result = judge({**checkpoint(), RESULTS: figures(acc(cut))})
    assert result.status is Status.PASSED, result.message
    assert "where texts are cut to 8 tokens" in notes(result)


@pytest.mark.usefixtures("ag_news")
def test_a_claim_on_other_texts_cannot_be_compared(judge: Judge) -> None:
    result = judge({**checkpoint(), RESULTS: figures("0.9130", n_test=1000)})
    assert result.status is Status.PASSED
    assert "about 1000 texts and 128 are at hand" in notes(result)


@pytest.mark.usefixtures("ag_news")
@pytest.mark.parametrize(
    ("outputs", "order", "said"),
    [
        (5, [1, 2, 3, 4], "your labels are 1 to 4; World is 0"),
        (4, [1, 2, 3, 0], "your labels are shifted by one"),
        (4, [2, 0, 1, 3], "in another order: World is 2, Sports is 0"),
    ],
)
def test_another_order_of_the_labels_is_named(
    outputs: int, order: list[int], said: str, judge: Judge
) -> None:
    state = with_head("distilbert", outputs, order)
    files = checkpoint(state=state, settings=config("distilbert", id2label=None, label2id=None))
    result = judge({**files, RESULTS: figures(acc(answered()))})
    assert result.status is Status.PARTIAL, result.message
    assert said in result.message
    assert 0 < result.points.earned < result.points.possible


@pytest.mark.usefixtures("ag_news")
def test_an_order_that_its_own_config_names_is_right(judge: Judge) -> None:
    names = {"0": "Sports", "1": "Business", "2": "World", "3": "Sci/Tech"}
    files = checkpoint(
        state=with_head("distilbert", 4, [2, 0, 1, 3]), settings=config("distilbert", id2label=names)
    )
    assert judge({**files, RESULTS: figures(acc(answered()))}).status is Status.PASSED


@pytest.mark.usefixtures("ag_news")
def test_names_that_only_its_config_mixes_up_cost_nothing(judge: Judge) -> None:
    names = {"0": "Sports", "1": "Business", "2": "World", "3": "Sci/Tech"}
    files = checkpoint(settings=config("distilbert", id2label=names))
    assert judge({**files, RESULTS: figures(acc(answered()))}).status is Status.PASSED


@pytest.mark.usefixtures("ag_news")
def test_a_model_that_has_learnt_nothing_fails(judge: Judge) -> None:
    files = checkpoint(state=bodies.body("distilbert").state_dict())
    result = judge({**files, RESULTS: figures("0.8906")})
    assert result.status is Status.FAILED
    assert "has not learnt the task" in result.message


@pytest.mark.usefixtures("ag_news")
@pytest.mark.parametrize("others", [0, 1])
def test_predictions_of_another_model_are_noted(others: int, judge: Judge) -> None:
    texts = [row["text"] for row in bodies.rows("assets/news/four_texts.jsonl")]
    model = bodies.with_weights("distilbert", trained("distilbert"))
    own = bodies.logits("distilbert", model, texts).argmax(-1).tolist()
    labels = [bodies.LABELS[(label + (i < others)) % 4] for i, label in enumerate(own)]
    rows = [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)]
    reported = json.dumps({"model": "m", "predictions": rows}).encode()
    result = judge({**checkpoint(), RESULTS: figures(acc(answered())), "results/predictions.json": reported})
    assert result.status is Status.PASSED
    assert ("For a person: results/predictions.json is not what" in notes(result)) == bool(others)
    assert notes(result).count("is what it answers") == others


# ---------------------------------------------------------------- AG News not at hand


def test_without_ag_news_the_bundled_texts_tell_what_has_learnt(judge: Judge) -> None:
    result = judge({**checkpoint(), RESULTS: figures("0.8906")})
    assert result.status is Status.PASSED
    assert "the 128 test texts of the grader's own" in str(result.evidence.obtained)
    assert "could not be compared" in notes(result)
    assert "the corpus that comes with the grader" in notes(result)


def test_without_ag_news_what_has_learnt_nothing_fails(judge: Judge) -> None:
    result = judge({**checkpoint(state=bodies.body("distilbert").state_dict()), RESULTS: figures("0.8906")})
    assert result.status is Status.FAILED


# ---------------------------------------------------------------- nothing to evaluate


def test_without_a_checkpoint_the_figures_are_taken_at_their_word(judge: Judge) -> None:
    result = judge({RESULTS: figures("0.8750", "0.8906")})
    assert result.status is Status.PASSED
    assert result.points.earned == result.points.possible
    assert "taken at their word" in notes(result)


@pytest.mark.parametrize(
    ("files", "status", "said"),
    [
        ({RESULTS: figures("0.8750", "0.4375")}, Status.FAILED, "0.80 is the bar"),
        ({RESULTS: b"{"}, Status.FAILED, "not valid JSON"),
        ({}, Status.MISSING, "There is no results/distilbert.json"),
    ],
)
def test_without_a_checkpoint_figures_have_to_bear_it(
    files: dict[str, bytes], status: Status, said: str, judge: Judge
) -> None:
    result = judge(files)
    assert (result.status, said in result.message) == (status, True), result.message


def test_a_checkpoint_without_figures_is_evaluated_and_the_figures_are_missing(judge: Judge) -> None:
    result = judge(checkpoint())
    assert result.status is Status.MISSING
    assert "0." in str(result.evidence.obtained)


# ---------------------------------------------------------------- what cannot be evaluated


def of_ten_gigabytes(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10**10)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (lambda: checkpoint("roberta", folder="checkpoints/distilbert"), "is a RoBERTa; a DistilBERT is due"),
        (
            lambda: checkpoint(tokenizer=False),
            "There is no tokenizer beside checkpoints/distilbert/model.safetensors",
        ),
        (lambda: {MODEL: of_ten_gigabytes}, "It is 10,000 MB, and at most 1,000 MB"),
        (lambda: checkpoint(folder="a") | checkpoint(folder="b"), "2 checkpoints that could count"),
        (lambda: {MODEL: b"\0" * 8 + b"{}"}, "not JSON"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_fails_with_the_reason(
    files: Callable[[], dict[str, Any]], said: str, judge: Judge
) -> None:
    result = judge({**files(), RESULTS: figures("0.8906")})
    assert result.status is Status.FAILED
    assert said in result.message
    assert result.hint


def test_a_vocabulary_of_letters_is_refused_before_it_costs_minutes(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reevaluation, "MOST_TOKENS", 60)
    letters = {
        c: i for i, c in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(33, 127))])
    }
    letters |= {f"##{chr(c)}": len(letters) + c - 33 for c in range(33, 127)}
    vocabulary = "\n".join(sorted(letters, key=lambda token: letters[token])).encode()
    files = checkpoint(tokenizer=False) | {"checkpoints/distilbert/vocab.txt": vocabulary}
    result = judge({**files, RESULTS: figures("0.8906")})
    assert result.status is Status.FAILED
    assert "splits a text into" in result.message


# ---------------------------------------------------------------- pickles, adapters, stock tokenizers


@pytest.mark.usefixtures("ag_news")
@pytest.mark.parametrize("nested", [False, True], ids=["state_dict", "nested"])
def test_a_pickle_of_weights_is_opened_in_the_worker(nested: bool, judge: Judge) -> None:
    state = dict(trained("distilbert"))
    files = checkpoint()
    del files[MODEL]
    files["checkpoints/distilbert/pytorch_model.bin"] = pickled(
        {"epoch": 3, "model_state_dict": state} if nested else state
    )
    result = judge({**files, RESULTS: figures(acc(answered()))})
    assert result.status is Status.PASSED, result.message


class Hostile:
    """What a pickle runs when it is opened carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", ["hostile", "whole model", "a list", "garbage", "empty"])
def test_a_pickle_of_anything_else_is_refused_and_runs_nothing(
    kind: str, judge: Judge, tmp_path: Path
) -> None:
    marker = tmp_path / "it ran"
    things: dict[str, Any] = {
        "hostile": lambda: pickled({"weight": torch.ones(2), "x": Hostile(marker)}),
        "whole model": lambda: pickled(torch.nn.Linear(2, 2)),
        "a list": lambda: pickled([torch.ones(2)]),
        "garbage": lambda: b"garbage" * 100,
        "empty": lambda: b"",
    }
    files = checkpoint() | {"checkpoints/distilbert/pytorch_model.bin": things[kind]()}
    del files[MODEL]
    result = judge({**files, RESULTS: figures("0.8906")})
    assert result.status is Status.FAILED
    assert "cannot be opened as weights alone" in result.message
    assert not marker.exists()


def mirror_of(tmp_path: Path, body: str, name: str) -> Path:
    (tmp_path / "mirror").mkdir(exist_ok=True)
    (tmp_path / "mirror" / name).symlink_to(checkpoints.BODIES / body)
    return tmp_path / "mirror"


@pytest.mark.usefixtures("ag_news")
def test_the_fetched_models_tokenizer_stands_in_for_one_that_is_missing(judge: Judge, tmp_path: Path) -> None:
    caches.fetch(
        assets.ASSETS["distilbert-base-uncased"], mirror_of(tmp_path, "distilbert", "distilbert-base-uncased")
    )
    result = judge({**checkpoint(tokenizer=False), RESULTS: figures(acc(answered()))})
    assert result.status is Status.PASSED, result.message
    assert "that of distilbert-base-uncased was used" in notes(result)


def adapter(
    base: str = "distilbert-base-uncased", rank: int = 4, **changes: Any
) -> tuple[dict[str, bytes], dict[str, Tensor]]:
    """An adapter of peft's form, and the weights of the model that it stands for."""
    from safetensors.torch import save

    generator = torch.Generator().manual_seed(3)
    merged = {name: value.clone() for name, value in bodies.body("distilbert").state_dict().items()}
    stored = {}
    for layer in range(2):
        for which in ("q_lin", "v_lin"):
            name = f"distilbert.transformer.layer.{layer}.attention.{which}"
            a, b = (torch.randn(shape, generator=generator) * 0.1 for shape in ((rank, 64), (64, rank)))
            stored[f"base_model.model.{name}.lora_A.weight"] = a
            stored[f"base_model.model.{name}.lora_B.weight"] = b
            merged[f"{name}.weight"] = merged[f"{name}.weight"] + (8 / rank) * (b @ a)
    for name in ("pre_classifier.weight", "pre_classifier.bias", "classifier.weight", "classifier.bias"):
        merged[name] = trained("distilbert")[name].clone()
        stored[f"base_model.model.{name}"] = merged[name]
    settings = {
        "peft_type": "LORA",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": 8,
        "use_rslora": False,
    }
    place = "checkpoints/distilbert/"
    return {
        f"{place}adapter_model.safetensors": save(stored),
        f"{place}adapter_config.json": json.dumps(settings | changes).encode(),
    }, merged


@pytest.mark.usefixtures("ag_news")
def test_an_adapter_is_added_to_the_fetched_model(judge: Judge, tmp_path: Path) -> None:
    caches.fetch(
        assets.ASSETS["distilbert-base-uncased"], mirror_of(tmp_path, "distilbert", "distilbert-base-uncased")
    )
    files, merged = adapter()
    k = right_of(merged)
    result = judge({**files, RESULTS: figures(acc(k))})
    assert f"({k} of 128)" in str(result.evidence.obtained), result.message


def test_an_adapter_without_its_base_costs_nothing(judge: Judge) -> None:
    files, _ = adapter()
    result = judge({**files, RESULTS: figures("0.8906")})
    assert result.status is Status.PASSED
    assert "needs distilbert-base-uncased, which the grader has not fetched" in notes(result)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"peft_type": "IA3"}, "describes no LoRA"),
        ({"use_dora": True}, "asks for use_dora"),
        ({"alpha_pattern": {"q_lin": 2}}, "asks for alpha_pattern"),
        ({"r": 3}, "do not fit the base model"),
        ({"r": 0}, "r and lora_alpha are not two numbers"),
        ({"lora_alpha": "many"}, "r and lora_alpha are not two numbers"),
        ({"base_model_name_or_path": "gpt2"}, "names the base model 'gpt2'"),
        ({"base_model_name_or_path": "../../etc/ag_news"}, "names the base model"),
    ],
)
def test_an_adapter_of_another_kind_is_refused(
    changes: dict[str, Any], said: str, judge: Judge, tmp_path: Path
) -> None:
    caches.fetch(
        assets.ASSETS["distilbert-base-uncased"], mirror_of(tmp_path, "distilbert", "distilbert-base-uncased")
    )
    files, _ = adapter(**changes)
    result = judge({**files, RESULTS: figures("0.8906")})
    assert result.status is Status.FAILED
    assert said in result.message


# ---------------------------------------------------------------- 3d


@pytest.mark.usefixtures("ag_news")
def test_roberta_has_a_check_of_its_own(grade_files: GradeFiles) -> None:
    model = bodies.with_weights("roberta", trained("roberta"))
    answers = bodies.logits("roberta", model, [row["text"] for row in TEST]).argmax(-1).tolist()
    k = sum(a == row["label"] for a, row in zip(answers, TEST, strict=True))
    files = {**checkpoint("roberta"), "results/roberta.json": figures(acc(k), body="roberta")}
    result = grade_files(files, ["3d.checkpoint"])["3d.checkpoint"]
    assert result.status is Status.PASSED, result.message
    assert "The RoBERTa checkpoint" not in result.message
    assert result.evidence.location == "checkpoints/roberta/model.safetensors"

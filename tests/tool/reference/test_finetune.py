"""The fine-tuning loop trains, leaves evaluation alone, and says what it did; on a tiny model drawn at random."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from transformers import (
    BertTokenizer,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
)

from reference.transformer import finetune
from reference.transformer.finetune import LABELS, evaluate, first_samples, predict

TEXTS = {
    0: ["minister signs treaty", "envoy meets minister", "treaty talks with envoy"],
    1: ["striker scores goal", "goal wins match", "striker leaves match early today after a long injury"],
    2: ["shares fall", "profit lifts shares", "bank reports profit"],
    3: ["probe reaches orbit", "chip maker shows chip", "probe sends data with chip"],
}
WORDS = sorted({word for texts in TEXTS.values() for text in texts for word in text.split()})


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """A model this small is slower on two threads than on one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path: Path = tmp_path_factory.mktemp("tokenizer") / "vocab.txt"
    path.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    return BertTokenizer(vocab=str(path), model_input_names=["input_ids", "attention_mask"])


@pytest.fixture(scope="module")
def news() -> Any:
    rows = [{"text": text, "label": label} for label, texts in TEXTS.items() for text in texts]
    return datasets.Dataset.from_list(rows)


def tiny(kind: str = "distilbert", dropout: float = 0.1) -> Any:
    torch.manual_seed(0)
    if kind == "roberta":
        return RobertaForSequenceClassification(
            RobertaConfig(
                vocab_size=len(WORDS) + 5,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=32,
                max_position_embeddings=40,
                num_labels=4,
                initializer_range=0.1,
                pad_token_id=0,
            )
        ).eval()
    return DistilBertForSequenceClassification(
        DistilBertConfig(
            vocab_size=len(WORDS) + 5,
            dim=16,
            n_layers=1,
            n_heads=2,
            hidden_dim=32,
            max_position_embeddings=40,
            num_labels=4,
            initializer_range=0.1,
            dropout=dropout,
            seq_classif_dropout=dropout,
            attention_dropout=dropout,
        )
    ).eval()


@pytest.mark.parametrize("kind", ["distilbert", "roberta"])
def test_it_trains(kind: str, tokenizer: Any, news: Any) -> None:
    model = tiny(kind)
    history = finetune.finetune(model, tokenizer, news, news, epochs=30, batch_size=4, learning_rate=5e-3)
    assert [set(epoch) for epoch in history] == [{"train_loss", "train_acc", "test_acc", "seconds"}] * 30
    assert all(type(x) is float for epoch in history for x in epoch.values())
    assert history[0]["train_loss"] == pytest.approx(1.386, abs=0.4)
    assert history[-1]["train_loss"] < 0.5
    assert history[-1]["test_acc"] > 0.9
    assert not model.training


def test_claims_are_what_the_model_it_leaves_does(tokenizer: Any, news: Any) -> None:
    model = tiny()
    history = finetune.finetune(model, tokenizer, news, news, epochs=2, batch_size=5, learning_rate=5e-3)
    assert history[-1]["test_acc"] == evaluate(model, tokenizer, news)
    for epoch in history:
        assert epoch["train_acc"] * len(news) == pytest.approx(round(epoch["train_acc"] * len(news)))
        assert epoch["seconds"] > 0


def test_loss_is_a_mean_over_texts_also_with_a_smaller_last_batch(tokenizer: Any, news: Any) -> None:
    """At learning rate 0 and without dropout, the epoch's loss is that of the model over all texts."""
    model = tiny(dropout=0.0)
    [epoch] = finetune.finetune(model, tokenizer, news, news, epochs=1, batch_size=5, learning_rate=0.0)
    batch = finetune.collate(tokenizer)(list(news))
    with torch.no_grad():
        expected = model(**batch).loss.item()
    assert epoch["train_loss"] == pytest.approx(expected, rel=1e-5)
    assert epoch["train_acc"] == epoch["test_acc"]


def test_same_seed_same_run_other_seed_other_run(tokenizer: Any, news: Any) -> None:
    losses = []
    for seed in (0, 0, 1):
        [epoch] = finetune.finetune(tiny(), tokenizer, news, news, epochs=1, learning_rate=1e-3, seed=seed)
        losses.append(epoch["train_loss"])
    assert losses[0] == losses[1] != losses[2]


def test_defaults_are_those_of_the_coursework() -> None:
    defaults = finetune.finetune.__kwdefaults__
    assert defaults == {"epochs": 3, "batch_size": 8, "learning_rate": 5e-5, "seed": 0}


def test_test_texts_are_not_trained_on(tokenizer: Any, news: Any) -> None:
    """Whatever the test set is, the weights come out the same."""
    weights = []
    for test in (news, news.select([0])):
        model = tiny()
        finetune.finetune(model, tokenizer, news, test, epochs=2, learning_rate=1e-3)
        weights.append(model.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_first_samples(news: Any) -> None:
    assert first_samples(news) == [{"text": text, "label": 0} for text in TEXTS[0]]
    assert len(first_samples(news, 5)) == 5
    assert len(first_samples(news, 100)) == len(news)
    assert first_samples(news, 0) == []


def test_padding_changes_no_answer(tokenizer: Any) -> None:
    batch = finetune.encode(tokenizer, ["shares fall", TEXTS[1][2]])
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (2, 11)
    assert batch["attention_mask"].sum(1).tolist() == [4, 11]
    model = tiny()
    with torch.no_grad():
        alone = model(**finetune.encode(tokenizer, ["shares fall"])).logits
        assert torch.allclose(model(**batch).logits[:1], alone, rtol=0, atol=1e-6)


def test_long_texts_are_cut(tokenizer: Any) -> None:
    assert finetune.encode(tokenizer, ["goal " * 2000])["input_ids"].shape == (1, finetune.MAX_TOKENS)


def test_predict_gives_names_in_order(tokenizer: Any, news: Any) -> None:
    model = tiny()
    finetune.finetune(model, tokenizer, news, news, epochs=30, batch_size=4, learning_rate=5e-3)
    texts = [TEXTS[label][0] for label in (1, 2, 0, 3)]
    assert predict(model, tokenizer, texts) == ["Sports", "Business", "World", "Sci/Tech"]
    assert predict(model, tokenizer, []) == []
    assert predict(model, tokenizer, texts * 20) == ["Sports", "Business", "World", "Sci/Tech"] * 20


def test_predict_ignores_the_mode_the_model_is_in(tokenizer: Any) -> None:
    model = tiny(dropout=0.5).train()
    texts = [text for texts in TEXTS.values() for text in texts]
    torch.manual_seed(1)
    assert predict(model, tokenizer, texts) == predict(model, tokenizer, texts)
    assert not model.training


def test_result_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenizer: Any, news: Any) -> None:
    monkeypatch.setattr("reference.transformer.news.load_news", lambda source: (news, news))
    monkeypatch.setattr(finetune, "load_pretrained", lambda kind: (tiny(kind), tokenizer))
    finetune.main(tmp_path / "results", ["striker scores", "shares fall"])
    import json

    documents = {p.name: json.loads(p.read_text()) for p in (tmp_path / "results").iterdir()}
    assert set(documents) == {"distilbert.json", "roberta.json", "predictions.json"}
    run = documents["distilbert.json"]
    epochs = run.pop("epochs")
    assert run == {
        "model": "distilbert-base-uncased",
        "n_train": 12,
        "n_test": 12,
        "batch_size": 8,
        "learning_rate": 5e-05,
    }
    assert [set(epoch) for epoch in epochs] == [{"train_loss", "train_acc", "test_acc", "seconds"}] * 3
    assert documents["roberta.json"]["model"] == "roberta-base"
    answers = documents["predictions.json"]
    assert answers["model"] == "distilbert-base-uncased"
    assert [a["text"] for a in answers["predictions"]] == ["striker scores", "shares fall"]
    assert {a["label"] for a in answers["predictions"]} <= set(LABELS)


def test_a_tokenizer_without_vocabulary_is_refused(monkeypatch: pytest.MonkeyPatch, tokenizer: Any) -> None:
    """transformers gives a five-token vocabulary where it finds none, and says nothing."""
    import transformers

    for name, thing in (("DistilBertForSequenceClassification", tiny()), ("DistilBertTokenizer", tokenizer)):

        class Found:
            @staticmethod
            def from_pretrained(*_: Any, thing: Any = thing, **__: Any) -> Any:
                return thing

        monkeypatch.setattr(transformers, name, Found)
    with pytest.raises(OSError, match="vocabulary of distilbert-base-uncased was not found"):
        finetune.load_pretrained("distilbert")

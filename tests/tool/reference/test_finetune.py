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

from grader.checking import threads
from reference.transformer import finetune
from reference.transformer.evaluation import encode, pad
from reference.transformer.finetune import evaluate, first_samples, predict

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
    with threads.one_thread():
        yield


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
    history = finetune.finetune(model, tokenizer, news, news, epochs=50, batch_size=4, learning_rate=5e-3)
    assert [set(epoch) for epoch in history] == [{"train_loss", "train_acc", "test_acc", "seconds"}] * 50
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
    batch = pad(encode(tokenizer, news["text"]), tokenizer.pad_token_id)
    with torch.no_grad():
        expected = model(**batch, labels=torch.tensor(news["label"])).loss.item()
    assert epoch["train_loss"] == pytest.approx(expected, rel=1e-5)
    assert epoch["train_acc"] == epoch["test_acc"]


def test_the_learning_rate_falls_to_nothing(
    tokenizer: Any, news: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """12 texts in batches of 5, twice: six steps, each at a sixth less than the one before."""
    rates: list[float] = []

    class Watched(torch.optim.AdamW):
        def step(self, *arguments: Any, **named: Any) -> Any:
            rates.append(self.param_groups[0]["lr"])
            return super().step(*arguments, **named)

    monkeypatch.setattr(torch.optim, "AdamW", Watched)
    finetune.finetune(tiny(), tokenizer, news, news, epochs=2, batch_size=5, learning_rate=6e-3)
    assert rates == pytest.approx([6e-3, 5e-3, 4e-3, 3e-3, 2e-3, 1e-3])


def test_same_seed_same_run_other_seed_other_run(tokenizer: Any, news: Any) -> None:
    losses = []
    for seed in (0, 0, 1):
        [epoch] = finetune.finetune(tiny(), tokenizer, news, news, epochs=1, learning_rate=1e-3, seed=seed)
        losses.append(epoch["train_loss"])
    assert losses[0] == losses[1] != losses[2]


def test_defaults_are_those_of_the_coursework() -> None:
    defaults = finetune.finetune.__kwdefaults__
    given = {name: defaults[name] for name in ("epochs", "batch_size", "learning_rate", "seed")}
    assert given == {"epochs": 3, "batch_size": 8, "learning_rate": 5e-5, "seed": 0}
    assert set(defaults) - set(given) == {"on_epoch"}


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


def test_each_epoch_is_told_as_soon_as_it_is_there(tokenizer: Any, news: Any) -> None:
    told: list[Any] = []
    history = finetune.finetune(tiny(), tokenizer, news, news, epochs=2, on_epoch=told.append)
    assert told == history


@pytest.mark.parametrize(("n", "size"), [(0, 8), (1, 8), (7, 8), (100, 8), (1024, 8), (600, 1)])
def test_batches_hold_every_text_once(n: int, size: int) -> None:
    lengths = [(i * 37) % 101 + 1 for i in range(n)]
    batches = finetune.batches_of_similar_length(lengths, size, torch.Generator().manual_seed(1))
    assert sorted(i for batch in batches for i in batch) == list(range(n))
    assert len(batches) == -(-n // size)
    assert all(len(batch) <= size for batch in batches)


def test_batches_are_shuffled_and_hardly_padded() -> None:
    lengths = torch.randint(20, 120, (1024,), generator=torch.Generator().manual_seed(2)).tolist()
    generator = torch.Generator().manual_seed(3)
    first, second = (finetune.batches_of_similar_length(lengths, 8, generator) for _ in range(2))
    assert {frozenset(b) for b in first} != {frozenset(b) for b in second}
    padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in first)
    assert padded < 1.06 * sum(lengths)
    longest = [max(lengths[i] for i in batch) for batch in first]
    assert longest not in (sorted(longest), sorted(longest, reverse=True))


def test_neither_texts_nor_labels_change_places(tokenizer: Any, news: Any) -> None:
    """Without dropout and at learning rate 0, each text is answered in training as it is alone."""
    model = tiny(dropout=0.0)
    seen: dict[tuple[int, ...], int] = {}

    class Spy(torch.nn.Module):
        device = torch.device("cpu")
        config = model.config

        def __init__(self) -> None:
            super().__init__()
            self.inside = model

        def forward(self, **batch: Any) -> Any:
            for ids, mask, label in zip(
                batch["input_ids"], batch["attention_mask"], batch.get("labels", []), strict=False
            ):
                seen[tuple(ids[: int(mask.sum())].tolist())] = int(label)
            return self.inside(**batch)

    finetune.finetune(Spy(), tokenizer, news, news, epochs=1, learning_rate=0.0)
    due = zip(encode(tokenizer, news["text"]), news["label"], strict=True)
    assert seen == {tuple(ids): label for ids, label in due}


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

"""Part 3: the functions on a tiny untrained model, and the figures of the real run."""

import random

import pytest
import torch

from grader.checking.outcomes import Failed, Missing
from grader.intake import Found, explain_impossible, possible_accuracy, read_metrics

NEWS = {
    "World": "vote border treaty",
    "Sports": "match goal coach",
    "Business": "shares profit bank",
    "Sci/Tech": "chip probe gene",
}
"""Made-up news: each label has words of its own, so that a tiny model can learn it within seconds."""
ASKED_FOR = {"n_train": 1024, "n_test": 128, "batch_size": 8, "epochs": 3}


def texts(n, seed):
    """n rows {"text", "label"} as a datasets.Dataset, the labels in turn."""
    from datasets import Dataset

    draw = random.Random(seed)
    rows = [(" ".join(draw.choices(list(NEWS.values())[i % 4].split(), k=6)), i % 4) for i in range(n)]
    draw.shuffle(rows)
    return Dataset.from_dict({"text": [text for text, _ in rows], "label": [label for _, label in rows]})


def tiny(folder, family):
    """(model, tokenizer): untrained, of two layers, with the words of the made-up news alone."""
    import transformers

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *" ".join(NEWS.values()).split()]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = transformers.DistilBertTokenizer(str(folder / "vocab.txt"), model_max_length=512)
    torch.manual_seed(3)
    if family == "roberta":
        config = transformers.RobertaConfig(
            vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=64, max_position_embeddings=514, type_vocab_size=1, pad_token_id=0, num_labels=4,
        )  # fmt: skip
        return transformers.RobertaForSequenceClassification(config), tokenizer
    config = transformers.DistilBertConfig(
        vocab_size=len(words),
        dim=32,
        n_layers=2,
        n_heads=2,
        hidden_dim=64,
        max_position_embeddings=512,
        num_labels=4,
    )
    return transformers.DistilBertForSequenceClassification(config), tokenizer


def needed(*packages):
    for name in packages:
        try:
            __import__(name)
        except ImportError:
            raise Missing(f"The package {name} is not installed.", f"pip install {name}") from None


@pytest.mark.check("3a.samples")
def test_samples(student):
    """first_samples returns text and label of the first samples, in their order"""
    needed("datasets")
    train = texts(9, seed=1)
    for n in (3, 5):
        samples = student.first_samples(train) if n == 3 else student.first_samples(train, n)
        if not isinstance(samples, list) or len(samples) != n:
            raise Failed(f"It did not return a list of {n} samples.", "Use the argument n.")
        for i, sample in enumerate(samples):
            if not isinstance(sample, dict) or not {"text", "label"} <= sample.keys():
                raise Failed(f"Sample {i} is {sample!r}.", 'Each is {"text": …, "label": …}.')
            if sample["text"] != train[i]["text"] or sample["label"] not in (
                train[i]["label"],
                list(NEWS)[train[i]["label"]],
            ):
                raise Failed(
                    f"Sample {i} is not that of the data set.", "Keep order, text and label as they are."
                )


def trained(student, folder, family, note):
    """finetune on a tiny model: it changes the weights, and returns what the starter kit says."""
    needed("transformers", "datasets")
    model, tokenizer = tiny(folder, family)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    train, test = texts(96, seed=2), texts(32, seed=5)
    history = student.finetune(
        model, tokenizer, train, test, epochs=2, batch_size=8, learning_rate=5e-3, seed=0
    )
    same = [name for name, p in model.named_parameters() if torch.equal(p, before[name])]
    if len(same) == len(before):
        raise Failed(
            "The model is as it was: nothing was trained.", "It is the argument `model` that has to change."
        )
    if sum("classifier" not in name for name in same) == sum("classifier" not in name for name in before):
        raise Failed("Only the new head was trained.", "Which parameters does your optimizer know?")
    if not all(p.isfinite().all() for p in model.parameters()):
        raise Failed("Weights are NaN or infinite after training.", "Look at the loss of each step.")
    read_history(history, epochs=2)
    note("test_acc by epoch on a tiny model: " + ", ".join(f"{epoch['test_acc']:.3f}" for epoch in history))
    return model, tokenizer, test, history


def read_history(history, epochs):
    if not isinstance(history, list) or len(history) != epochs:
        found = len(history) if isinstance(history, list) else type(history).__name__
        raise Failed(
            f"It returned {found}, and a list of {epochs} epochs is due.", "Use the argument `epochs`."
        )
    for i, epoch in enumerate(history, 1):
        for key in ("train_loss", "train_acc", "test_acc", "seconds"):
            value = epoch.get(key) if isinstance(epoch, dict) else None
            if not isinstance(value, (int, float)):
                raise Failed(
                    f"Epoch {i} has no number {key!r}.", "Return plain Python numbers; .item() makes one."
                )
            if key.endswith("acc") and not 0 <= value <= 1:
                raise Failed(
                    f"{key} of epoch {i} is {value:.4g}, no share.", "Divide by the number of texts."
                )


@pytest.mark.check("3b.trains")
def test_distilbert(student, tmp_path, note):
    """finetune trains a DistilBERT in place and returns its figures"""
    trained(student, tmp_path, "distilbert", note)


@pytest.mark.check("3b.claims")
def test_claims(student, tmp_path, note):
    """The last test accuracy that finetune returns is that of the model it leaves"""
    model, tokenizer, test, history = trained(student, tmp_path, "distilbert", note)
    model.eval()
    with torch.no_grad():
        tokens = tokenizer(list(test["text"]), padding=True, return_tensors="pt")
        given = model(tokens["input_ids"], attention_mask=tokens["attention_mask"]).logits.argmax(-1)
    share = float((given == torch.tensor(list(test["label"]))).double().mean())
    if abs(share - history[-1]["test_acc"]) > 1.5 / len(test):
        raise Failed(
            f"finetune reports a test accuracy of {history[-1]['test_acc']:.4f}; the model has {share:.4f}.",
            "Measure at the end of the epoch: model.eval(), every test text, none of them twice.",
        )


@pytest.mark.check("3d.trains")
def test_roberta(student, tmp_path, note):
    """finetune trains a RoBERTa in place and returns its figures"""
    trained(student, tmp_path, "roberta", note)


@pytest.mark.check("3b.reported", "The figures in results/distilbert.json can be read, and can be true")
@pytest.mark.check("3d.reported", "The figures in results/roberta.json can be read, and can be true")
def test_figures(check_id, handed_in, note):
    path = "results/distilbert.json" if check_id.startswith("3b") else "results/roberta.json"
    figures = read_metrics(handed_in(path), path)
    for problem in figures.problems:
        kind = Missing if figures.status is Found.MISSING else Failed
        raise kind(problem.message, problem.next_step)
    for name, due in ASKED_FOR.items():
        found = len(figures.epochs) if name == "epochs" else getattr(figures, name)
        if found != due:
            raise Failed(
                f"{name}: {found}, and the handout asks for {due}.", "Run it once more with its settings."
            )
    for number, epoch in enumerate(figures.epochs, 1):
        for share, n in ((epoch.train_acc, 1024), (epoch.test_acc, 128)):
            if share is not None and not possible_accuracy(share, n):
                told = f"Epoch {number}: {explain_impossible(share, n)}"
                raise Failed(told, "Copy the figures of your run, digit by digit.")
    note("train/test by epoch: " + ", ".join(f"{e.train_acc}/{e.test_acc}" for e in figures.epochs))

"""Part 3: fine-tune a pre-trained encoder to tell the topic of a news text.

`train` and `test` are `datasets.Dataset` with the columns `text` (str) and `label` (int, see LABELS).

    python finetune.py distilbert      trains on your machine and writes results/distilbert.json
    python finetune.py roberta         the same for RoBERTa: results/roberta.json
"""

import json
import sys
from pathlib import Path

LABELS = ["World", "Sports", "Business", "Sci/Tech"]
"""Topic by label number."""


def first_samples(train, n=3):
    """3a. The first n training samples: a list of {"text": str, "label": int}, in their order."""
    return [{"text": row["text"], "label": row["label"]} for row in train.select(range(n))]


def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    """3b and 3d. Train `model` in place.

    Returns one dict for each epoch, in order:
        train_loss  mean cross-entropy over the training texts
        train_acc   share of the training texts that were classified correctly, 0 to 1
        test_acc    the same for the test texts, measured after the epoch
        seconds     wall-clock time of the epoch
    """
    raise NotImplementedError("finetune")


def predict(model, tokenizer, texts):
    """3c. The topic of each text: a list of names out of LABELS, in the order of `texts`."""
    raise NotImplementedError("predict")


# ---------------------------------------------------------------------------------------------------------
# What follows is given: it loads the data and writes the result files in the form that is asked for.


def write_results(path, model_name, train, test, history, batch_size=8, learning_rate=5e-5):
    """Write what `finetune` returned to results/distilbert.json or results/roberta.json."""
    document = {
        "model": model_name,
        "n_train": len(train),
        "n_test": len(test),
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "epochs": history,
    }
    Path(path).write_text(json.dumps(document, indent=2), encoding="utf-8")


def write_predictions(path, model_name, model, tokenizer):
    """3c. Fill in the labels of the texts that stand in results/predictions.json."""
    texts = [entry["text"] for entry in json.loads(Path(path).read_text(encoding="utf-8"))["predictions"]]
    labels = predict(model, tokenizer, texts)
    predictions = [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)]
    document = {"model": model_name, "predictions": predictions}
    Path(path).write_text(json.dumps(document, indent=2), encoding="utf-8")


def main(which):
    from datasets import load_dataset
    from transformers import (
        DistilBertForSequenceClassification,
        DistilBertTokenizer,
        RobertaForSequenceClassification,
        RobertaTokenizer,
    )

    news = load_dataset("fancyzhx/ag_news")
    train = news["train"].shuffle(seed=0).select(range(1024))
    test = news["test"].shuffle(seed=0).select(range(128))
    for sample in first_samples(train):
        print(LABELS[sample["label"]], sample["text"], sep="\t")

    if which == "roberta":
        name, kinds = "roberta-base", (RobertaTokenizer, RobertaForSequenceClassification)
    else:
        name, kinds = "distilbert-base-uncased", (DistilBertTokenizer, DistilBertForSequenceClassification)
    tokenizer = kinds[0].from_pretrained(name)
    model = kinds[1].from_pretrained(name, num_labels=len(LABELS))
    history = finetune(model, tokenizer, train, test)
    write_results(f"results/{which}.json", name, train, test, history)
    if which == "distilbert":
        write_predictions("results/predictions.json", name, model, tokenizer)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "distilbert")

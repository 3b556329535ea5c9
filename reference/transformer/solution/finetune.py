"""Part 3: fine-tune a pre-trained encoder to tell the topic of a news text."""

import json
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

LABELS = ["World", "Sports", "Business", "Sci/Tech"]


def first_samples(train, n=3):
    return [{"text": row["text"], "label": row["label"]} for row in train.select(range(n))]


def encode(tokenizer, texts):
    return tokenizer(list(texts), padding=True, truncation=True, max_length=256, return_tensors="pt")


def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    torch.manual_seed(seed)
    batches = DataLoader(train, batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)

    history = []
    for _ in range(epochs):
        start = time.time()
        model.train()  # accuracy() leaves it in eval mode
        loss_sum, right = 0.0, 0
        for batch in batches:
            inputs = encode(tokenizer, batch["text"]).to(model.device)
            labels = batch["label"].to(model.device)
            optimizer.zero_grad()
            logits = model(**inputs).logits
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(labels)
            right += (logits.argmax(dim=-1) == labels).sum().item()
        history.append(
            {
                "train_loss": loss_sum / len(train),
                "train_acc": right / len(train),
                "test_acc": accuracy(model, tokenizer, test),
                "seconds": time.time() - start,
            }
        )
    return history


def predict_numbers(model, tokenizer, texts):
    model.eval()
    numbers = []
    with torch.no_grad():
        for i in range(0, len(texts), 32):
            inputs = encode(tokenizer, texts[i : i + 32]).to(model.device)
            logits = model(**inputs).logits
            numbers += logits.argmax(dim=-1).tolist()
    return numbers


def accuracy(model, tokenizer, data):
    numbers = predict_numbers(model, tokenizer, list(data["text"]))
    right = sum(number == label for number, label in zip(numbers, data["label"], strict=True))
    return right / len(numbers)


def predict(model, tokenizer, texts):
    return [LABELS[number] for number in predict_numbers(model, tokenizer, texts)]


def write(path, **document):
    Path(path).write_text(json.dumps(document, indent=2), encoding="utf-8")


def main(which):
    from datasets import load_dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    news = load_dataset("fancyzhx/ag_news")
    train = news["train"].shuffle(seed=0).select(range(1024))
    test = news["test"].shuffle(seed=0).select(range(128))
    for sample in first_samples(train):
        print(LABELS[sample["label"]], sample["text"], sep="\t")

    name = {"distilbert": "distilbert-base-uncased", "roberta": "roberta-base"}[which]
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = AutoModelForSequenceClassification.from_pretrained(name, num_labels=len(LABELS))
    epochs = finetune(model, tokenizer, train, test)
    settings = {"n_train": len(train), "n_test": len(test), "batch_size": 8, "learning_rate": 5e-5}
    write(f"results/{which}.json", model=name, **settings, epochs=epochs)
    if which == "distilbert":
        texts = [p["text"] for p in json.loads(Path("results/predictions.json").read_text())["predictions"]]
        labels = predict(model, tokenizer, texts)
        predictions = [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)]
        write("results/predictions.json", model=name, predictions=predictions)


if __name__ == "__main__":
    main(sys.argv[1])

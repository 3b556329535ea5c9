# Alice, Transformer coursework, part 3
import json
import random
import time

import torch

LABELS = ["World", "Sports", "Business", "Sci/Tech"]


def first_samples(train, n=3):
    return [{"text": train[i]["text"], "label": train[i]["label"]} for i in range(n)]


def make_batch(tokenizer, texts):
    return tokenizer(texts, padding=True, truncation=True, max_length=128, return_tensors="pt")


@torch.no_grad()
def classify(model, tokenizer, texts, batch_size=32):
    """Label numbers, with dropout off."""
    model.eval()
    numbers = []
    for i in range(0, len(texts), batch_size):
        batch = make_batch(tokenizer, texts[i : i + batch_size]).to(model.device)
        numbers.extend(model(**batch).logits.argmax(dim=1).tolist())
    return numbers


def test_accuracy(model, tokenizer, data):
    guesses = classify(model, tokenizer, list(data["text"]))
    return sum(g == y for g, y in zip(guesses, data["label"])) / len(guesses)


def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    torch.manual_seed(seed)
    shuffler = random.Random(seed)
    texts, labels = list(train["text"]), list(train["label"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)

    history = []
    for _ in range(epochs):
        began = time.time()
        order = list(range(len(texts)))
        shuffler.shuffle(order)
        model.train()  # evaluation below switches dropout off, so this belongs inside the loop
        total_loss, hits = 0.0, 0
        for i in range(0, len(order), batch_size):
            rows = order[i : i + batch_size]
            batch = make_batch(tokenizer, [texts[r] for r in rows]).to(model.device)
            y = torch.tensor([labels[r] for r in rows], device=model.device)
            result = model(**batch, labels=y)
            optimizer.zero_grad()
            result.loss.backward()
            optimizer.step()
            total_loss += result.loss.item() * len(rows)
            hits += (result.logits.argmax(dim=1) == y).sum().item()
        history.append(
            {
                "train_loss": total_loss / len(texts),
                "train_acc": hits / len(texts),
                "test_acc": test_accuracy(model, tokenizer, test),
                "seconds": time.time() - began,
            }
        )
    return history


def predict(model, tokenizer, texts):
    return [LABELS[number] for number in classify(model, tokenizer, list(texts))]


def run(which):
    """My own run for the report: python finetune.py distilbert, then python finetune.py roberta."""
    from datasets import load_dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    name = {"distilbert": "distilbert-base-uncased", "roberta": "roberta-base"}[which]
    news = load_dataset("fancyzhx/ag_news")
    train = news["train"].shuffle(seed=0).select(range(1024))
    test = news["test"].shuffle(seed=0).select(range(128))
    tokenizer = AutoTokenizer.from_pretrained(name)
    model = AutoModelForSequenceClassification.from_pretrained(name, num_labels=4)
    epochs = finetune(model, tokenizer, train, test)
    with open(f"results/{which}.json", "w") as file:
        settings = {"n_train": 1024, "n_test": 128, "batch_size": 8, "learning_rate": 5e-5}
        json.dump({"model": name, **settings, "epochs": epochs}, file, indent=2)


if __name__ == "__main__":
    import sys

    run(sys.argv[1])

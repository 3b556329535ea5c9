"""Batches by hand out of two lists; the model computes its loss."""

import random
import time

import torch

LABELS = ["World", "Sports", "Business", "Sci/Tech"]


def first_samples(train, n=3):
    return [{"text": train[i]["text"], "label": train[i]["label"]} for i in range(n)]


def encode(tokenizer, texts):
    return tokenizer(texts, padding=True, truncation=True, max_length=128, return_tensors="pt")


def evaluate(model, tokenizer, data):
    model.eval()
    texts, labels = list(data["text"]), list(data["label"])
    correct = 0
    with torch.no_grad():
        for i in range(0, len(texts), 32):
            batch = encode(tokenizer, texts[i : i + 32])
            y = torch.tensor(labels[i : i + 32])
            guesses = model(**batch).logits.argmax(dim=1)
            correct += (guesses == y).sum().item()
    return correct / len(texts)


def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    torch.manual_seed(seed)
    shuffler = random.Random(seed)
    texts, labels = list(train["text"]), list(train["label"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    history = []
    for epoch in range(epochs):
        began = time.time()
        order = list(range(len(texts)))
        shuffler.shuffle(order)
        model.train()
        total, hits = 0.0, 0
        for i in range(0, len(order), batch_size):
            rows = order[i : i + batch_size]
            batch = encode(tokenizer, [texts[r] for r in rows])
            y = torch.tensor([labels[r] for r in rows])
            optimizer.zero_grad()
            out = model(**batch, labels=y)
            loss = out.loss
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
            hits += (out.logits.argmax(dim=1) == y).sum().item()
        test_acc = evaluate(model, tokenizer, test)
        history.append(
            {
                "train_loss": total / len(texts),
                "train_acc": hits / len(texts),
                "test_acc": test_acc,
                "seconds": time.time() - began,
            }
        )
    return history


def predict(model, tokenizer, texts):
    model.eval()
    with torch.no_grad():
        numbers = model(**encode(tokenizer, list(texts))).logits.argmax(dim=1).tolist()
    return [LABELS[number] for number in numbers]

"""Coursework part 3."""

import time

import torch
from torch.utils.data import DataLoader

NAMES = ["World", "Sports", "Business", "Sci/Tech"]


def first_samples(train, n=3):
    samples = train.select(range(n))
    return [{"text": text, "label": label} for text, label in zip(samples["text"], samples["label"])]


def evaluate(model, tokenizer, dataset):
    model.eval()
    correct = 0
    with torch.no_grad():
        for batch in DataLoader(dataset, batch_size=16):
            tokens = tokenizer(batch["text"], padding=True, truncation=True, return_tensors="pt", max_length=256)
            correct += (model(**tokens).logits.argmax(-1) == batch["label"]).sum().item()
    return correct / len(dataset)


def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    torch.manual_seed(seed)
    loader = DataLoader(train, batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    results = []
    for epoch in range(epochs):
        start = time.time()
        model.train()
        loss_sum, correct = 0.0, 0
        for batch in loader:
            tokens = tokenizer(batch["text"], padding=True, truncation=True, return_tensors="pt", max_length=256)
            output = model(**tokens, labels=batch["label"])
            output.loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            loss_sum += output.loss.item() * len(batch["label"])
            correct += (output.logits.argmax(-1) == batch["label"]).sum().item()
        results.append({
            "train_loss": loss_sum / len(train),
            "train_acc": correct / len(train),
            "test_acc": evaluate(model, tokenizer, test),
            "seconds": time.time() - start,
        })
    return results


def predict(model, tokenizer, texts):
    model.eval()
    tokens = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt", max_length=256)
    with torch.no_grad():
        labels = model(**tokens).logits.argmax(-1)
    return [NAMES[label] for label in labels.tolist()]

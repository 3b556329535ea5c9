"""Everything tokenised once, DataLoaders, a loss of its own, a linear schedule, gradients clipped."""

import time

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
from transformers import get_linear_schedule_with_warmup

NAMES = ["World", "Sports", "Business", "Sci/Tech"]


def first_samples(train, n=3):
    return [(row["text"], row["label"]) for row in train.select(range(n))]


def tensors(tokenizer, data):
    enc = tokenizer(list(data["text"]), padding="max_length", truncation=True, max_length=64, return_tensors="pt")
    return TensorDataset(enc["input_ids"], enc["attention_mask"], torch.tensor(list(data["label"])))


@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    right = total = 0
    for ids, mask, y in loader:
        logits = model(input_ids=ids, attention_mask=mask).logits
        right += (logits.argmax(-1) == y).sum().item()
        total += y.size(0)
    return right / total


def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    torch.manual_seed(seed)
    train_loader = DataLoader(tensors(tokenizer, train), batch_size=batch_size, shuffle=True)
    test_loader = DataLoader(tensors(tokenizer, test), batch_size=48)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
    total_steps = epochs * len(train_loader)
    scheduler = get_linear_schedule_with_warmup(optimizer, total_steps // 20, total_steps)
    log = {"train_loss": [], "train_acc": [], "test_acc": [], "seconds": []}
    for epoch in range(epochs):
        t0 = time.perf_counter()
        model.train()
        losses, right, total = [], 0, 0
        for ids, mask, y in train_loader:
            logits = model(input_ids=ids, attention_mask=mask).logits
            loss = criterion(logits, y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            right += (logits.argmax(-1) == y).sum().item()
            total += y.size(0)
        test_accuracy = accuracy(model, test_loader)
        log["train_loss"].append(sum(losses) / len(losses))
        log["train_acc"].append(right / total)
        log["test_acc"].append(test_accuracy)
        log["seconds"].append(time.perf_counter() - t0)
    return log


def predict(model, tokenizer, texts):
    model.eval()
    enc = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        return [NAMES[i] for i in model(**enc).logits.argmax(-1).tolist()]

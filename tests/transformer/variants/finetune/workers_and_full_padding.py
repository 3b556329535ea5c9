"""A DataLoader with workers, map in processes, texts padded to the tokenizer's full length."""

import time
import torch
from torch.utils.data import DataLoader

NAMES = ["World", "Sports", "Business", "Sci/Tech"]
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def first_samples(train, n=3):
    for i in range(n):
        print(f"Sample {i}: {train[i]['text']} -> {train[i]['label']}")
    return [train[i] for i in range(n)]


def predict(model, tokenizer, texts):
    model.eval()
    out = []
    for text in texts:
        enc = tokenizer(text, return_tensors="pt", truncation=True, padding=True)
        with torch.no_grad():
            out.append(NAMES[model(**enc).logits.argmax(-1).item()])
    return out


def evaluate(model, loader):
    model.eval()
    correct = total = 0
    with torch.no_grad():
        for batch in loader:
            batch = {k: v.to(device) for k, v in batch.items()}
            logits = model(**batch).logits
            correct += (logits.argmax(-1) == batch["labels"]).sum().item()
            total += batch["labels"].size(0)
    return correct / total


def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    torch.manual_seed(seed)
    model.to(device)

    def tok(batch):
        return tokenizer(batch["text"], padding="max_length", truncation=True)

    tr = train.map(tok, batched=True, num_proc=2).remove_columns(["text"]).rename_column("label", "labels")
    te = test.map(tok, batched=True, num_proc=2).remove_columns(["text"]).rename_column("label", "labels")
    tr.set_format("torch")
    te.set_format("torch")
    train_loader = DataLoader(tr, shuffle=True, batch_size=batch_size, num_workers=2, pin_memory=True)
    test_loader = DataLoader(te, batch_size=batch_size, num_workers=2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)

    history = []
    for epoch in range(epochs):
        t = time.time()
        model.train()
        running = 0.0
        for batch in train_loader:
            batch = {k: v.to(device) for k, v in batch.items()}
            outputs = model(**batch)
            loss = outputs.loss
            loss.backward()
            optimizer.step()

            optimizer.zero_grad()
            running += loss.item()
        history.append(
            {
                "train_loss": running / len(train_loader),
                "train_acc": evaluate(model, train_loader),
                "test_acc": evaluate(model, test_loader),
                "seconds": time.time() - t,
            }
        )
        print(history[-1])
    return history

"""A Dataset class of its own over whole columns."""

import time
import torch
from torch.utils.data import DataLoader

NAMES = ["World", "Sports", "Business", "Sci/Tech"]
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class NewsDataset(torch.utils.data.Dataset):
    def __init__(self, encodings, labels):
        self.encodings, self.labels = encodings, labels

    def __getitem__(self, idx):
        item = {k: torch.tensor(v[idx]) for k, v in self.encodings.items()}
        item["labels"] = torch.tensor(self.labels[idx])
        return item

    def __len__(self):
        return len(self.labels)


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
    tr = NewsDataset(tokenizer(train["text"], truncation=True, padding=True), train["label"])
    te = NewsDataset(tokenizer(test["text"], truncation=True, padding=True), test["label"])
    train_loader = DataLoader(tr, shuffle=True, batch_size=batch_size)
    test_loader = DataLoader(te, batch_size=batch_size)
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

# -*- coding: utf-8 -*-
"""Q3.ipynb - exported from Colab"""

import time
import torch
from torch.utils.data import DataLoader
from datasets import load_dataset
from transformers import DistilBertTokenizer, DistilBertForSequenceClassification
from transformers import RobertaTokenizer, RobertaForSequenceClassification
from torch.optim import AdamW
import matplotlib.pyplot as plt
from tqdm.auto import tqdm

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
print("device:", device)
torch.manual_seed(42)

# 3a
dataset = load_dataset("ag_news")
train_data = dataset["train"].shuffle(seed=42).select(range(1024))
test_data = dataset["test"].shuffle(seed=42).select(range(128))
label_names = dataset["train"].features["label"].names

for i in range(3):
    print(f"Sample {i + 1}")
    print("Text:", train_data[i]["text"])
    print("Label:", train_data[i]["label"], label_names[train_data[i]["label"]])
    print()


class NewsDataset(torch.utils.data.Dataset):
    def __init__(self, data, tokenizer):
        self.encodings = tokenizer(data["text"], truncation=True, padding=True, max_length=128)
        self.labels = data["label"]

    def __getitem__(self, idx):
        item = {key: torch.tensor(val[idx]) for key, val in self.encodings.items()}
        item["labels"] = torch.tensor(self.labels[idx])
        return item

    def __len__(self):
        return len(self.labels)


def compute_accuracy(model, loader):
    model.eval()
    correct, total = 0, 0
    with torch.no_grad():
        for batch in loader:
            input_ids = batch["input_ids"].to(device)
            attention_mask = batch["attention_mask"].to(device)
            labels = batch["labels"].to(device)
            outputs = model(input_ids, attention_mask=attention_mask)
            _, predicted = torch.max(outputs.logits, 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    return correct / total


def train_model(model, tokenizer, epochs=3):
    train_loader = DataLoader(NewsDataset(train_data, tokenizer), batch_size=8, shuffle=True, num_workers=2)
    test_loader = DataLoader(NewsDataset(test_data, tokenizer), batch_size=8)
    optimizer = AdamW(model.parameters(), lr=5e-5)
    model.to(device)
    accuracies = []
    start = time.time()
    for epoch in range(epochs):
        model.train()
        for batch in tqdm(train_loader):
            optimizer.zero_grad()
            input_ids = batch["input_ids"].to(device)
            attention_mask = batch["attention_mask"].to(device)
            labels = batch["labels"].to(device)
            outputs = model(input_ids, attention_mask=attention_mask, labels=labels)
            loss = outputs[0]
            loss.backward()
            optimizer.step()
        train_acc = compute_accuracy(model, train_loader)
        test_acc = compute_accuracy(model, test_loader)
        accuracies.append(test_acc)
        print(f"Epoch {epoch + 1}: train accuracy {train_acc:.4f}, test accuracy {test_acc:.4f}")
    print(f"Training took {time.time() - start:.1f} s")
    plt.plot(range(1, epochs + 1), accuracies)
    plt.xlabel("epoch")
    plt.show()
    return model


# 3b
tokenizer = DistilBertTokenizer.from_pretrained("distilbert-base-uncased")
model = DistilBertForSequenceClassification.from_pretrained("distilbert-base-uncased", num_labels=4)
model = train_model(model, tokenizer)

# 3c
texts = ["The Lakers beat the Nets in overtime.", "A new dinosaur was found in Uzbekistan."]
inputs = tokenizer(texts, return_tensors="pt", padding=True, truncation=True).to(device)
with torch.no_grad():
    logits = model(**inputs).logits
print([label_names[i] for i in logits.argmax(-1).tolist()])

# 3d
roberta_tokenizer = RobertaTokenizer.from_pretrained("roberta-base")
roberta = RobertaForSequenceClassification.from_pretrained("roberta-base", num_labels=4)
roberta = train_model(roberta, roberta_tokenizer)

"""transformers' Trainer, which needs a package that is not there.

caught by: 3b.trains
"""

import time
import torch
from torch.utils.data import DataLoader

NAMES = ["World", "Sports", "Business", "Sci/Tech"]
from transformers import Trainer, TrainingArguments


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


def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    def tok(b):
        return tokenizer(b["text"], truncation=True, padding="max_length", max_length=64)

    args = TrainingArguments(
        output_dir="out",
        num_train_epochs=epochs,
        per_device_train_batch_size=batch_size,
        learning_rate=learning_rate,
        report_to="none",
    )
    trainer = Trainer(
        model=model,
        args=args,
        train_dataset=train.map(tok, batched=True),
        eval_dataset=test.map(tok, batched=True),
    )
    trainer.train()
    return trainer.state.log_history

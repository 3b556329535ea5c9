"""transformers' Trainer."""

import numpy as np
import torch
from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

NAMES = ["World", "Sports", "Business", "Sci/Tech"]


def first_samples(train, n=3):
    return [train[i] for i in range(n)]


def metrics(eval_pred):
    logits, labels = eval_pred
    predictions = np.argmax(logits, axis=-1)
    return {"accuracy": float((predictions == labels).mean())}


def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    def tokenize(rows):
        return tokenizer(rows["text"], truncation=True)

    train_set = train.map(tokenize, batched=True)
    test_set = test.map(tokenize, batched=True)
    arguments = TrainingArguments(
        output_dir="out",
        num_train_epochs=epochs,
        per_device_train_batch_size=batch_size,
        per_device_eval_batch_size=32,
        learning_rate=learning_rate,
        eval_strategy="epoch",
        logging_strategy="epoch",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=seed,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=train_set,
        eval_dataset={"train": train_set, "test": test_set},
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=metrics,
    )
    trainer.train()
    logs = trainer.state.log_history
    seconds = logs[-1]["train_runtime"] / epochs
    losses = [entry["loss"] for entry in logs if "loss" in entry]
    on_train = [entry["eval_train_accuracy"] for entry in logs if "eval_train_accuracy" in entry]
    on_test = [entry["eval_test_accuracy"] for entry in logs if "eval_test_accuracy" in entry]
    return [
        {"train_loss": loss, "train_acc": a, "test_acc": b, "seconds": seconds}
        for loss, a, b in zip(losses, on_train, on_test)
    ]


def predict(model, tokenizer, texts):
    model.eval()
    enc = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        return [NAMES[i] for i in model(**enc).logits.argmax(-1).tolist()]

import json
import os

import numpy as np
from datasets import load_dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

MODELS = {"distilbert": "distilbert/distilbert-base-uncased", "roberta": "FacebookAI/roberta-base"}


def compute_metrics(eval_pred):
    logits, labels = eval_pred
    return {"accuracy": (np.argmax(logits, axis=-1) == labels).mean()}


def main():
    raw = load_dataset("fancyzhx/ag_news")
    for sample in raw["train"].select(range(3)):
        print(sample)

    for short, name in MODELS.items():
        tokenizer = AutoTokenizer.from_pretrained(name)

        def tokenize(batch):
            return tokenizer(batch["text"], truncation=True)

        tokenized = raw.map(tokenize, batched=True)
        train = tokenized["train"].shuffle(seed=1).select(range(1024))
        test = tokenized["test"].shuffle(seed=1).select(range(128))
        model = AutoModelForSequenceClassification.from_pretrained(name, num_labels=4).to("cuda")
        args = TrainingArguments(
            output_dir="checkpoints/" + short,
            per_device_train_batch_size=8,
            num_train_epochs=3,
            learning_rate=5e-5,
            eval_strategy="epoch",
            logging_strategy="epoch",
            save_strategy="no",
            report_to="none",
        )
        trainer = Trainer(
            model=model,
            args=args,
            train_dataset=train,
            eval_dataset=test,
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=compute_metrics,
        )
        trainer.train()
        result = trainer.evaluate()
        os.makedirs("results", exist_ok=True)
        with open(f"results/{short}_log.json", "w") as f:
            json.dump(trainer.state.log_history, f)
        print(short, result["eval_accuracy"])


if __name__ == "__main__":
    main()

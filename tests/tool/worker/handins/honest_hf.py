"""Honest use of transformers, datasets and tokenizers, offline and from a config. Data for a test, not a test."""

import torch
from datasets import Dataset
from torch.utils.data import DataLoader
from transformers import DistilBertConfig, DistilBertForSequenceClassification, PreTrainedTokenizerFast


def make_tokenizer():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(["the cat sat on the mat", "a dog ran home"], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def make_model():
    torch.manual_seed(0)
    config = DistilBertConfig(
        vocab_size=200, dim=32, n_layers=1, n_heads=2, hidden_dim=64, max_position_embeddings=64, num_labels=2
    )
    return DistilBertForSequenceClassification(config)


def make_data(n=32):
    texts = ["the cat sat on the mat", "a dog ran home"] * (n // 2)
    return Dataset.from_dict({"text": texts, "label": [0, 1] * (n // 2)})


def map_and_filter():
    data = make_data()
    tokenizer = make_tokenizer()
    mapped = data.map(lambda batch: tokenizer(batch["text"], truncation=True), batched=True)
    kept = mapped.filter(lambda row: row["label"] == 1).shuffle(seed=1).train_test_split(0.25, seed=1)
    return len(kept["train"]) == 12


def saved_data():
    make_data().save_to_disk("data")
    again = Dataset.load_from_disk("data")
    longer = again.map(lambda row: {"size": len(row["text"])})
    return longer["size"][0] == 22


def columns():
    return make_data(4)["text"]


def training():
    tokenizer, model = make_tokenizer(), make_model()
    data = make_data().map(lambda b: tokenizer(b["text"], padding="max_length", max_length=16), batched=True)
    data = data.remove_columns("text").with_format("torch")
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(3):
        for batch in DataLoader(data, batch_size=8, shuffle=True):
            out = model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], labels=batch["label"]
            )
            out.loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            losses.append(out.loss.item())
    return losses[-1] < losses[0]


def saved_model():
    model, tokenizer = make_model(), make_tokenizer()
    model.save_pretrained("model")
    tokenizer.save_pretrained("model")
    again = DistilBertForSequenceClassification.from_pretrained("model")
    PreTrainedTokenizerFast.from_pretrained("model")
    return torch.equal(model.classifier.weight, again.classifier.weight)


def model_output():
    model = make_model().eval()
    return model(input_ids=torch.ones(1, 4, dtype=torch.long))


def download():
    return DistilBertForSequenceClassification.from_pretrained("distilbert-base-uncased")


def trainer():
    from transformers import Trainer, TrainingArguments

    tokenizer = make_tokenizer()
    data = make_data().map(lambda b: tokenizer(b["text"], padding="max_length", max_length=16), batched=True)
    arguments = TrainingArguments("out", num_train_epochs=1, report_to=[], use_cpu=True, disable_tqdm=True)
    result = Trainer(model=make_model(), args=arguments, train_dataset=data).train()
    return result.training_loss > 0

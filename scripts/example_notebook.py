"""The example notebook, written by nbformat as Colab leaves one: submissions/notebook/a3.ipynb.

    python -m scripts.example_notebook

Its code is right and beside it is what notebooks have: installs, a drive that is not there, a plot, a cell left half
done. Its outputs are examples, not measurements: those that an Intel CPU prints for the handout's tests.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

REPOSITORY = Path(__file__).resolve().parent.parent
TARGET = REPOSITORY / "submissions" / "notebook" / "a3.ipynb"
_CELLS = REPOSITORY / "tests" / "transformer" / "handout_cells"

IMPORTS = """\
import math, time
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
import matplotlib.pyplot as plt
from torch.utils.data import DataLoader
from tqdm.notebook import tqdm"""

ATTENTION = """\
class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        assert embed_dim % num_heads == 0
        self.key = nn.Linear(embed_dim, embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim)
        self.value = nn.Linear(embed_dim, embed_dim)
        self.proj = nn.Linear(embed_dim, embed_dim)
        self.attn_drop = nn.Dropout(dropout)
        self.n_head = num_heads
        self.head_dim = embed_dim // num_heads

    def forward(self, query, key, value, attn_mask=None):
        N, S, E = query.shape
        N, T, E = value.shape
        Q = self.query(query).view(N, S, self.n_head, self.head_dim).transpose(1, 2)
        K = self.key(key).view(N, T, self.n_head, self.head_dim).transpose(1, 2)
        V = self.value(value).view(N, T, self.n_head, self.head_dim).transpose(1, 2)
        scores = Q @ K.transpose(-2, -1) / math.sqrt(self.head_dim)
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, -math.inf)
        weights = self.attn_drop(F.softmax(scores, dim=-1))
        return self.proj((weights @ V).transpose(1, 2).reshape(N, S, E))"""

ENCODING = """\
class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        pe = torch.zeros(1, max_len, embed_dim)
        i = torch.arange(max_len).unsqueeze(1)
        div = torch.pow(BASE, -torch.arange(0, embed_dim, 2) / embed_dim)
        pe[0, :, 0::2] = torch.sin(i * div)
        pe[0, :, 1::2] = torch.cos(i * div)
        self.register_buffer("pe", pe)

    def forward(self, x):
        N, S, D = x.shape
        return self.dropout(x + self.pe[:, :S])"""

TRAINING = """\
%%time
def collate(tokenizer):
    def make(rows):
        batch = tokenizer([r["text"] for r in rows], padding=True, truncation=True, return_tensors="pt")
        batch["labels"] = torch.tensor([r["label"] for r in rows])
        return batch
    return make

@torch.no_grad()
def accuracy(model, loader):
    model.eval()
    right = total = 0
    for batch in loader:
        batch = batch.to(model.device)
        right += (model(**batch).logits.argmax(-1) == batch["labels"]).sum().item()
        total += len(batch["labels"])
    return right / total

def finetune(model, tokenizer, train, test, *, epochs=3, batch_size=8, learning_rate=5e-5, seed=0):
    torch.manual_seed(seed)
    train_loader = DataLoader(train, batch_size=batch_size, shuffle=True, collate_fn=collate(tokenizer))
    test_loader = DataLoader(test, batch_size=32, collate_fn=collate(tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    history = []
    for epoch in range(epochs):
        start = time.time()
        model.train()
        losses, right = 0.0, 0
        for batch in tqdm(train_loader, desc=f"epoch {epoch + 1}"):
            batch = batch.to(model.device)
            optimizer.zero_grad()
            out = model(**batch)
            out.loss.backward()
            optimizer.step()
            losses += out.loss.item() * len(batch["labels"])
            right += (out.logits.argmax(-1) == batch["labels"]).sum().item()
        row = {"train_loss": losses / len(train), "train_acc": right / len(train),
               "test_acc": accuracy(model, test_loader), "seconds": time.time() - start}
        print("epoch {}: train {:.4f}  test {:.4f}".format(epoch + 1, row["train_acc"], row["test_acc"]))
        history.append(row)
    return history"""

PREDICTING = """\
LABELS = {}
for number, label in enumerate(["World", "Sports", "Business", "Sci/Tech"]):
    LABELS[number] = label

def first_samples(train, n=3):
    return [{"text": train[i]["text"], "label": train[i]["label"]} for i in range(n)]

@torch.no_grad()
def predict(model, tokenizer, texts):
    model.eval()
    batch = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt").to(model.device)
    return [LABELS[k] for k in model(**batch).logits.argmax(-1).tolist()]"""

PART_4 = """\
## 4.3 Attention memory

(i) One score matrix has $16{,}384^2 = 268{,}435{,}456$ elements.

(ii) With two bytes each that is $536{,}870{,}912$ bytes.

(iii) All 48 heads together need $25.77$ GB.

## 4.4 Feed-forward parameters

(i) First layer: 151,019,520 parameters. (ii) Second layer: 151,001,088 parameters.
(iii) One block: 302,020,608. (iv) All 48 blocks: 14,496,989,184, that is about 14.497 billion."""


def make(edit: Callable[[str], str] = str) -> Any:
    """The notebook, each code cell through `edit`; cell ids are fixed, so that it is the same whenever it is made."""
    cells = [
        v4.new_markdown_cell("# Transformer coursework\n\nNoor, in Colab"),
        _code("!pip install -q transformers datasets\n%matplotlib inline", 1),
        _code("from google.colab import drive\ndrive.mount('/content/drive')\n%cd /content/drive/MyDrive/nlp", 2,
              v4.new_output("stream", name="stdout", text="Mounted at /content/drive\n")),
        _code(IMPORTS, 3),
        v4.new_markdown_cell("## Part 2: attention"),
        _code(ATTENTION, 21),
        _code((_CELLS / "relative_error.txt").read_text(), 5),
        _code((_CELLS / "attention.txt").read_text(), 22, v4.new_output(
            "stream", name="stdout",
            text="self_attn_output error:  0.0003772742211599121\nmasked_self_attn_output error:  "
                 "0.0001526367643724865\nattn_output error:  0.00035224630317522767\n")),
        _code("BASE = 10000.0", 8),
        _code(ENCODING, 9),
        _code((_CELLS / "encoding.txt").read_text(), 10, v4.new_output(
            "stream", name="stdout", text="pe_output error:  0.00010421011374914356\n")),
        _code("plt.imshow(pos_encoder.pe[0, :40]); plt.show()", 11,
              v4.new_output("display_data", data={"text/plain": "<Figure size 640x480 with 1 Axes>"})),
        _code("# TODO try relative positions\nclass RelativePositions(nn.Module):\n    def forward(self, x", None),
        v4.new_markdown_cell("## Part 3: fine-tuning"),
        _code(TRAINING, 14),
        _code(PREDICTING, 15),
        _code("from transformers import DistilBertForSequenceClassification, DistilBertTokenizer\n"
              'tokenizer = DistilBertTokenizer.from_pretrained("distilbert-base-uncased")\n'
              'model = DistilBertForSequenceClassification.from_pretrained("distilbert-base-uncased", num_labels=4)\n'
              "history = finetune(model.cuda(), tokenizer, train, test)", 17,
              v4.new_output("stream", name="stdout", text="epoch 1: train 0.7217  test 0.8750\nepoch 2: train 0.9209  "
                            "test 0.8984\nepoch 3: train 0.9658  test 0.8906\n")),
        v4.new_markdown_cell(PART_4),
    ]  # fmt: skip
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
        cell["source"] = edit(cell["source"]) if cell["cell_type"] == "code" else cell["source"]
    metadata = {
        "colab": {"provenance": []},
        "kernelspec": {"display_name": "Python 3", "name": "python3"},
        "language_info": {"name": "python"},
    }
    made = v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(made)
    return made


def _code(source: str, count: int | None, *outputs: Any) -> Any:
    return v4.new_code_cell(source, execution_count=count, outputs=list(outputs))


def main() -> None:
    """Write it."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(nbformat.writes(make()) + "\n", encoding="utf-8")
    print(TARGET.relative_to(REPOSITORY))


if __name__ == "__main__":
    main()

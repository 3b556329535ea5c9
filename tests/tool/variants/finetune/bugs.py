"""Training loops with one mistake each, made by edits of the three right loops in loops/.

`cost`: the checks that take points for it ("3b.trains", "3b.claims"); nothing where it is only told. `may` marks a
mistake that changes a figure by chance, so that it may cost points or not.
The half on which the rules that name a mistake were tuned is `in_tuning_half`; it was fixed before there was a rule.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

LOOPS = Path(__file__).parent / "loops"
TRAINS, CLAIMS = "3b.trains", "3b.claims"


@dataclass(frozen=True)
class Variant:
    """One whole hand-in."""

    id: str
    loop: str
    edits: tuple[tuple[str, str], ...]
    mistake: str = ""
    """Id under which it must be named; empty for a right style."""
    cost: str = ""
    may: bool = False

    @property
    def source(self) -> str:
        """Its text; raises ValueError where an edit does not fit."""
        text = (LOOPS / f"{self.loop}.py").read_text(encoding="utf-8")
        for old, new in self.edits:
            if text.count(old) != 1:
                raise ValueError(f"{self.id}: {old!r} stands {text.count(old)} times in {self.loop}.py")
            text = text.replace(old, new)
        return text


def in_tuning_half(variant: Variant) -> bool:
    """By a hash of its id: nobody chose."""
    return hashlib.sha256(variant.id.encode()).digest()[0] % 2 == 0


def manual(id_: str, mistake: str, cost: str, *edits: tuple[str, str], may: bool = False) -> Variant:
    return Variant(f"manual-{id_}", "manual", edits, mistake, cost, may)


def loader(id_: str, mistake: str, cost: str, *edits: tuple[str, str], may: bool = False) -> Variant:
    return Variant(f"loader-{id_}", "loader", edits, mistake, cost, may)


def trainer(id_: str, mistake: str, cost: str, *edits: tuple[str, str], may: bool = False) -> Variant:
    return Variant(f"trainer-{id_}", "trainer", edits, mistake, cost, may)


# Lines of the loops that several edits replace.
M_ZERO = "            optimizer.zero_grad()\n"
M_OUT = "            out = model(**batch, labels=y)\n            loss = out.loss\n"
M_BACK = "            loss.backward()\n"
M_STEP = "            optimizer.step()\n"
M_Y = "            y = torch.tensor([labels[r] for r in rows])\n"
M_OPT = "optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)"
M_TEST = "        test_acc = evaluate(model, tokenizer, test)\n"
M_TRAIN_MODE = "        model.train()\n"
M_GUESS = "            guesses = model(**batch).logits.argmax(dim=1)\n"
M_COUNT = "            correct += (guesses == y).sum().item()\n"
M_LISTS = '    texts, labels = list(train["text"]), list(train["label"])\n'
L_LOGITS = "            logits = model(input_ids=ids, attention_mask=mask).logits\n            loss"
L_EVAL_LOGITS = "        logits = model(input_ids=ids, attention_mask=mask).logits\n        right"
L_LOSS = "            loss = criterion(logits, y)\n"
L_BACK = "            loss.backward()\n"
L_CLIP = "            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
L_STEP = "            optimizer.step()\n"
L_SCHEDULER_STEP = "            scheduler.step()\n"
L_ZERO = "            optimizer.zero_grad()\n"
L_OPT = "optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)"
L_SCHEDULER = "get_linear_schedule_with_warmup(optimizer, total_steps // 20, total_steps)"
L_MEASURE = "        test_accuracy = accuracy(model, test_loader)\n"
L_EVAL_COUNT = "        right += (logits.argmax(-1) == y).sum().item()\n        total += y.size(0)\n    return right / total\n"
L_EVAL_MODE = "    model.eval()\n    right"

BUGS: tuple[Variant, ...] = (
    # ---- gradients and steps
    manual("no-zero-grad", "no-zero-grad", "", (M_ZERO, "")),
    loader("no-zero-grad", "no-zero-grad", "", (L_ZERO, "")),
    manual("zero-before-step", "zero-grad-before-step", TRAINS, (M_ZERO, ""), (M_STEP, M_ZERO + M_STEP)),
    loader("zero-before-step", "zero-grad-before-step", TRAINS, (L_CLIP, L_CLIP + L_ZERO), (L_STEP + L_SCHEDULER_STEP + L_ZERO, L_STEP + L_SCHEDULER_STEP)),
    manual("no-backward", "no-backward", TRAINS, (M_BACK, "")),
    loader("no-backward", "no-backward", TRAINS, (L_BACK, "")),
    manual("no-step", "no-step", TRAINS, (M_STEP, "")),
    loader("no-step", "no-step", TRAINS, (L_STEP, "")),
    manual("detached", "loss-detached", TRAINS, ("loss = out.loss\n", "loss = out.loss.detach().requires_grad_()\n")),
    loader("detached", "loss-detached", TRAINS, (L_LOSS, "            loss = torch.tensor(criterion(logits, y).item(), requires_grad=True)\n")),
    manual("step-outside", "backward-outside-loop", TRAINS, (M_BACK + M_STEP, ""), (M_TEST, "        loss.backward()\n        optimizer.step()\n" + M_TEST)),
    loader("step-outside", "backward-outside-loop", TRAINS,
           (L_BACK + L_CLIP + L_STEP + L_SCHEDULER_STEP + L_ZERO, L_SCHEDULER_STEP),
           (L_MEASURE, "        loss.backward()\n        optimizer.step()\n        optimizer.zero_grad()\n" + L_MEASURE)),
    manual("accumulation-lost", "accumulation-lost", "", (M_STEP, "            if (i // batch_size) % 4 == 3:\n                optimizer.step()\n"), may=True),
    manual("new-optimizer", "optimizer-made-anew", "", (M_ZERO, "            " + M_OPT + "\n" + M_ZERO), may=True),
    manual("maximised", "loss-maximised", TRAINS, (M_BACK, "            (-loss).backward()\n")),
    loader("maximised", "loss-maximised", TRAINS, (L_OPT, L_OPT[:-1] + ", maximize=True)")),
    loader("clip-after-step", "clip-after-step", "", (L_CLIP + L_STEP, L_STEP + L_CLIP)),
    # ---- what the optimizer holds, and how fast it goes
    manual("head-only", "head-only", TRAINS, (M_OPT, "optimizer = torch.optim.AdamW(model.classifier.parameters(), lr=1e-3)")),
    loader("head-only", "head-only", TRAINS,
           (L_OPT, 'optimizer = torch.optim.AdamW([p for n, p in model.named_parameters() if "classifier" in n], lr=1e-3)')),
    manual("other-optimizer", "other-model", TRAINS, (M_OPT, "import copy\n    optimizer = torch.optim.AdamW(copy.deepcopy(model).parameters(), lr=learning_rate)")),
    manual("other-model", "other-model", TRAINS, (M_LISTS, M_LISTS + "    import copy\n    model = copy.deepcopy(model)\n")),
    manual("lr-5e-2", "lr-too-large", TRAINS, ("lr=learning_rate)", "lr=5e-2)")),
    loader("lr-5e-3", "lr-too-large", "", ("lr=learning_rate,", "lr=5e-3,"), may=True),
    trainer("lr-5e-2", "lr-too-large", TRAINS, ("learning_rate=learning_rate,", "learning_rate=5e-2,")),
    manual("lr-0", "lr-zero", TRAINS, ("lr=learning_rate)", "lr=0.0)")),
    loader("warmup-never-stepped", "lr-zero", TRAINS, (L_SCHEDULER_STEP, "")),
    manual("lr-5e-7", "lr-too-small", TRAINS, ("lr=learning_rate)", "lr=learning_rate / 100)")),
    loader("sgd-5e-5", "lr-too-small", TRAINS, (L_OPT, "optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)")),
    trainer("endless-warmup", "lr-too-small", TRAINS, ("learning_rate=learning_rate,", "learning_rate=learning_rate, warmup_steps=100_000,")),
    loader("schedule-of-epochs", "schedule-too-short", TRAINS, ("    total_steps = epochs * len(train_loader)\n", "    total_steps = epochs\n"),
           ("total_steps // 20", "0")),
    manual("halved-each-step", "schedule-too-short", TRAINS,
           (M_OPT, M_OPT + "\n    decay = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)"),
           (M_STEP, M_STEP + "            decay.step()\n")),
    # ---- train and eval mode
    manual("never-train", "never-train-mode", "", (M_TRAIN_MODE, "")),
    loader("eval-in-loop", "never-train-mode", "", (L_LOGITS, "            model.eval()\n" + L_LOGITS)),
    manual("train-lost", "train-mode-lost", "", (M_TRAIN_MODE, ""), ("    history = []\n", "    history = []\n    model.train()\n")),
    loader("train-lost", "train-mode-lost", "", ("        model.train()\n", ""), ("    for epoch in", "    model.train()\n    for epoch in")),
    manual("no-eval", "no-eval-mode", CLAIMS, ("    model.eval()\n    texts", "    texts"), may=True),
    loader("no-eval", "no-eval-mode", CLAIMS, (L_EVAL_MODE, "    right"), may=True),
    manual("grad-in-eval", "grad-in-eval", "", ("    with torch.no_grad():\n        for i", "    if True:\n        for i")),
    loader("grad-in-eval", "grad-in-eval", "", ("@torch.no_grad()\n", "")),
    # ---- labels
    manual("labels-plus-1", "labels-renumbered", TRAINS, (M_Y, "            y = torch.tensor([(labels[r] + 1) % 4 for r in rows])\n")),
    manual("labels-plus-1-both", "labels-renumbered", TRAINS,
           (M_Y, "            y = torch.tensor([(labels[r] + 1) % 4 for r in rows])\n"),
           ("            y = torch.tensor(labels[i : i + 32])\n", "            y = (torch.tensor(labels[i : i + 32]) + 1) % 4\n")),
    loader("labels-reversed", "labels-renumbered", TRAINS, ('torch.tensor(list(data["label"]))', '3 - torch.tensor(list(data["label"]))')),
    trainer("labels-plus-1", "labels-renumbered", TRAINS, ("    train_set = train.map(tokenize, batched=True)\n",
            '    train_set = train.map(lambda r: {**tokenize(r), "label": [(y + 1) % 4 for y in r["label"]]}, batched=True)\n')),
    manual("labels-shuffled", "labels-shuffled", TRAINS, (M_LISTS, M_LISTS + "    random.Random(seed + 1).shuffle(labels)\n")),
    loader("labels-shuffled", "labels-shuffled", TRAINS, (L_LOSS, "            loss = criterion(logits, y[torch.randperm(len(y))])\n")),
    manual("labels-zero", "labels-constant", TRAINS, (M_Y, M_Y + "            y = torch.zeros_like(y)\n")),
    # ---- texts
    manual("trains-on-test", "trains-on-test", TRAINS, (M_LISTS, '    texts, labels = list(test["text"]), list(test["label"])\n')),
    trainer("trains-on-test", "trains-on-test", TRAINS, ("train_dataset=train_set", "train_dataset=test_set")),
    manual("trains-on-both", "trains-on-both", TRAINS, (M_LISTS, '    texts = list(train["text"]) + list(test["text"])\n    labels = list(train["label"]) + list(test["label"])\n')),
    loader("trains-on-both", "trains-on-both", TRAINS,
           ("    train_loader = DataLoader(tensors(tokenizer, train), batch_size",
            "    from torch.utils.data import ConcatDataset\n\n    both = ConcatDataset([tensors(tokenizer, train), tensors(tokenizer, test)])\n"
            "    train_loader = DataLoader(both, batch_size")),
    trainer("trains-on-both", "trains-on-both", TRAINS,
            ("train_dataset=train_set", "train_dataset=__import__('datasets').concatenate_datasets([train_set, test_set])")),
    manual("sorted", "sorted-by-label", "", ("        shuffler.shuffle(order)\n", "        order.sort(key=lambda r: labels[r])\n"), may=True),
    loader("sorted", "sorted-by-label", "", ("shuffle=True", "shuffle=False"), ("DataLoader(tensors(tokenizer, train)", 'DataLoader(tensors(tokenizer, train.sort("label"))'), may=True),
    manual("breaks-off", "part-of-the-data", "", (M_ZERO, "            if i > 60:\n                break\n" + M_ZERO), may=True),
    loader("same-batch", "part-of-the-data", TRAINS, ("        for ids, mask, y in train_loader:\n            logits", "        first = next(iter(train_loader)) if epoch == 0 else first\n        for ids, mask, y in [first] * len(train_loader):\n            logits"), may=True),
    manual("batch-of-all", "batch-too-large", TRAINS, ("    torch.manual_seed(seed)\n", "    torch.manual_seed(seed)\n    batch_size = 160\n")),
    # ---- what the model sees
    manual("no-mask", "no-attention-mask", "", ("out = model(**batch, labels=y)", 'out = model(input_ids=batch["input_ids"], labels=y)'), ("guesses = model(**batch)", 'guesses = model(batch["input_ids"])')),
    manual("no-mask-in-eval", "no-attention-mask", CLAIMS, ("guesses = model(**batch)", 'guesses = model(batch["input_ids"])'), may=True),
    loader("mask-of-ones", "no-attention-mask", "", ('enc["attention_mask"]', 'torch.ones_like(enc["input_ids"])'), may=True),
    trainer("no-mask", "no-attention-mask", "", ('tokenizer(rows["text"], truncation=True)', 'tokenizer(rows["text"], truncation=True, padding="max_length", max_length=64, return_attention_mask=False)'),
            ("        data_collator=DataCollatorWithPadding(tokenizer),\n", ""), may=True),
    manual("cut-to-4", "texts-cut-short", "", ("max_length=128", "max_length=4"), may=True),
    loader("cut-to-8", "texts-cut-short", "", ("max_length=64", "max_length=8"), may=True),
    trainer("cut-to-4", "texts-cut-short", "", ("truncation=True)\n\n    train_set", "truncation=True, max_length=4)\n\n    train_set"), may=True),
    manual("no-special-tokens", "no-special-tokens", "", ("truncation=True, max_length=128,", "truncation=True, add_special_tokens=False,"), may=True),
    # ---- the loss
    loader("softmax", "softmax-before-loss", "", (L_LOSS, "            loss = criterion(logits.softmax(dim=-1), y)\n")),
    manual("softmax", "softmax-before-loss", "", ("loss = out.loss\n", "loss = torch.nn.functional.cross_entropy(torch.softmax(out.logits, dim=1), y)\n")),
    loader("nll-of-logits", "nll-of-logits", "", ("nn.CrossEntropyLoss()", "nn.NLLLoss()"), may=True),
    # ---- weights
    manual("reloads", "weights-reloaded", TRAINS, (M_LISTS, M_LISTS + "    start = {k: v.clone() for k, v in model.state_dict().items()}\n"),
           (M_TRAIN_MODE, "        model.load_state_dict(start)\n" + M_TRAIN_MODE), may=True),
    loader("reloads", "weights-reloaded", TRAINS, ("    criterion =", "    import copy\n\n    start = copy.deepcopy(model.state_dict())\n    criterion ="),
           ("        model.train()\n", "        model.load_state_dict(start)\n        model.train()\n"), may=True),
    manual("from-scratch", "pretrained-weights-lost", TRAINS, (M_OPT, 'model.apply(lambda m: m.reset_parameters() if hasattr(m, "reset_parameters") else None)\n    ' + M_OPT)),
    # ---- figures
    manual("one-epoch", "epochs-ignored", CLAIMS, ("for epoch in range(epochs):", "for epoch in range(1):"), may=True),
    manual("evaluates-train", "evaluates-training-texts", CLAIMS, ("evaluate(model, tokenizer, test)", "evaluate(model, tokenizer, train)")),
    loader("evaluates-train", "evaluates-training-texts", CLAIMS, ("DataLoader(tensors(tokenizer, test)", "DataLoader(tensors(tokenizer, train)")),
    trainer("evaluates-train", "evaluates-training-texts", CLAIMS, ('"test": test_set}', '"test": train_set}')),
    manual("train-as-test", "evaluates-training-texts", CLAIMS, ('"test_acc": test_acc', '"test_acc": hits / len(texts)')),
    manual("over-batches", "accuracy-over-batches", CLAIMS, ("    return correct / len(texts)\n", "    return correct / (len(texts) / 32)\n")),
    loader("over-batches", "accuracy-over-batches", CLAIMS, ("        total += y.size(0)\n    return", "        total += 1\n    return")),
    manual("last-batch", "accuracy-of-last-batch", CLAIMS, (M_COUNT, "            correct = (guesses == y).sum().item()\n"), ("    return correct / len(texts)\n", "    return correct / len(y)\n")),
    loader("last-batch", "accuracy-of-last-batch", CLAIMS, (L_EVAL_COUNT, "        accuracy = (logits.argmax(-1) == y).float().mean().item()\n    return accuracy\n")),
    loader("mean-of-batches", "mean-of-unequal-batches", CLAIMS, ("    right = total = 0\n", "    found = []\n"), (L_EVAL_COUNT, "        found.append((logits.argmax(-1) == y).float().mean().item())\n    return sum(found) / len(found)\n"), may=True),
    manual("percent", "percentages", CLAIMS, ("    return correct / len(texts)\n", "    return 100 * correct / len(texts)\n")),
    trainer("percent", "percentages", CLAIMS, ("float((predictions == labels).mean())", "100 * float((predictions == labels).mean())")),
    manual("measured-before", "measured-before-training", CLAIMS, (M_TEST, ""), (M_TRAIN_MODE, M_TEST + M_TRAIN_MODE), may=True),
    loader("measured-before", "measured-before-training", CLAIMS, (L_MEASURE, ""), ("        model.train()\n", L_MEASURE + "        model.train()\n"), may=True),
    manual("invented", "figures-not-measured", CLAIMS, (M_TEST, "        test_acc = [0.8750, 0.8984, 0.8906][epoch]\n")),
    loader("invented", "figures-not-measured", CLAIMS, (L_MEASURE, L_MEASURE + "        test_accuracy = min(0.99, 0.86 + 0.02 * epoch)\n")),
    manual("argmin", "figures-not-measured", CLAIMS, ("logits.argmax(dim=1)\n            correct", "logits.argmin(dim=1)\n            correct")),
    manual("other-order", "test-labels-misaligned", CLAIMS, ('    texts, labels = list(data["text"]), list(data["label"])\n', '    texts, labels = list(data.shuffle(seed=1)["text"]), list(data["label"])\n')),
    loader("labels-flipped", "test-labels-misaligned", CLAIMS, ("        right += (logits.argmax(-1) == y).sum().item()\n        total", "        right += (logits.argmax(-1) == y.flip(0)).sum().item()\n        total")),
    loader("evaluates-copy", "evaluates-other-model", CLAIMS, ("    criterion =", "    import copy\n\n    best = copy.deepcopy(model)\n    criterion ="), ("accuracy(model, test_loader)", "accuracy(best, test_loader)")),
)  # fmt: skip

"""Right training loops in the styles that students have, made by edits of the three loops in loops/: none may lose a
point or be told a mistake.

`needs`: a package without which the style cannot be tried.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.tool.variants.finetune.bugs import (
    L_BACK,
    L_CLIP,
    L_LOSS,
    L_OPT,
    L_SCHEDULER,
    L_SCHEDULER_STEP,
    L_STEP,
    L_ZERO,
    M_BACK,
    M_LISTS,
    M_OPT,
    M_OUT,
    M_STEP,
    M_TEST,
    M_TRAIN_MODE,
    M_Y,
    M_ZERO,
    Variant,
)


@dataclass(frozen=True)
class Style(Variant):
    """One whole hand-in without a mistake."""

    needs: str = ""


def manual(id_: str, *edits: tuple[str, str], needs: str = "") -> Style:
    return Style(f"manual-{id_}", "manual", edits, needs=needs)


def loader(id_: str, *edits: tuple[str, str], needs: str = "") -> Style:
    return Style(f"loader-{id_}", "loader", edits, needs=needs)


def trainer(id_: str, *edits: tuple[str, str]) -> Style:
    return Style(f"trainer-{id_}", "trainer", edits, needs="accelerate")


SGD = "optimizer = torch.optim.SGD(model.parameters(), lr=1e-2, momentum=0.9)"
LORA = '''class LoRALinear(torch.nn.Module):
    def __init__(self, linear, rank):
        super().__init__()
        self.linear = linear
        self.a = torch.nn.Parameter(torch.randn(rank, linear.in_features) * 0.02)
        self.b = torch.nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x):
        return self.linear(x) + 2 * (x @ self.a.T) @ self.b.T


def add_lora(model):
    for name, p in model.named_parameters():
        p.requires_grad = "classifier" in name
    for layer in list(model.modules()):
        for name in ("q_lin", "v_lin", "query", "value"):
            if isinstance(getattr(layer, name, None), torch.nn.Linear):
                setattr(layer, name, LoRALinear(getattr(layer, name), 8))


def evaluate('''
PEFT = '''    from peft import LoraConfig, get_peft_model

    names = ["q_lin", "v_lin"] if hasattr(model, "distilbert") else ["query", "value"]
    peft_model = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=8, lora_alpha=16, target_modules=names))
'''
ADAM_BY_HAND = '''class Adam:
    def __init__(self, parameters, lr):
        self.parameters, self.lr, self.t = list(parameters), lr, 0
        self.m = [torch.zeros_like(p) for p in self.parameters]
        self.v = [torch.zeros_like(p) for p in self.parameters]

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        for p, m, v in zip(self.parameters, self.m, self.v):
            if p.grad is not None:
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                step = m / (1 - 0.9**self.t) / ((v / (1 - 0.999**self.t)).sqrt() + 1e-8)
                p.sub_(self.lr * step)


def evaluate('''
ACCELERATE = '''    from accelerate import Accelerator

    accelerator = Accelerator()
    model, optimizer, train_loader, scheduler = accelerator.prepare(model, optimizer, train_loader, scheduler)
'''
LIGHTNING = '''    import lightning as L

    class Module(L.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = model

        def training_step(self, batch, i):
            ids, mask, y = batch
            self.net.train()
            logits = self.net(input_ids=ids, attention_mask=mask).logits
            hits.append((logits.argmax(-1) == y).float().mean().item())
            return criterion(logits, y)

        def configure_optimizers(self):
            return torch.optim.AdamW(self.net.parameters(), lr=learning_rate)

        def on_train_epoch_end(self):
            log["train_loss"].append(float(self.trainer.callback_metrics.get("loss", 0.0)))
            log["train_acc"].append(sum(hits) / len(hits))
            log["test_acc"].append(accuracy(model, test_loader))
            log["seconds"].append(1.0)
            hits.clear()

    hits = []
    L.Trainer(max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False).fit(Module(), train_loader)
    model.eval()
    return log
'''

STYLES: tuple[Style, ...] = (
    # ---- the loops as they are
    manual("as-it-is"),
    loader("as-it-is"),
    trainer("as-it-is"),
    # ---- gradients and steps
    manual("accumulation-2", (M_ZERO, ""), (M_BACK + M_STEP, "            (loss / 2).backward()\n            if (i // batch_size) % 2 == 1:\n                optimizer.step()\n                optimizer.zero_grad()\n"), ("lr=learning_rate", "lr=2 * learning_rate")),
    loader("accumulation-4", ("for ids, mask, y in train_loader:\n            logits", "for k, (ids, mask, y) in enumerate(train_loader):\n            logits"),
           (L_CLIP + L_STEP + L_SCHEDULER_STEP + L_ZERO, "            if (k + 1) % 4 == 0 or k + 1 == len(train_loader):\n                optimizer.step()\n                optimizer.zero_grad()\n            scheduler.step()\n"),
           ("lr=learning_rate", "lr=4 * learning_rate")),
    manual("model-zero-grad", (M_ZERO, "            model.zero_grad()\n")),
    manual("zeroed-with-zeros", (M_ZERO, "            optimizer.zero_grad(set_to_none=False)\n")),
    manual("grads-none-by-hand", (M_ZERO, ""), (M_STEP, M_STEP + "            for p in model.parameters():\n                p.grad = None\n")),
    manual("autograd-grad", (M_ZERO, ""), (M_BACK, "            parameters = list(model.parameters())\n            for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):\n                p.grad = g\n")),
    manual("clipped", (M_BACK, M_BACK + "            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n")),
    manual("adam-by-hand", ("def evaluate(", ADAM_BY_HAND), (M_OPT, "optimizer = Adam(model.parameters(), learning_rate)")),
    # ---- optimizers and schedules
    manual("sgd", (M_OPT, SGD)),
    manual("adam", ("optim.AdamW", "optim.Adam")),
    manual("rmsprop", (M_OPT, "optimizer = torch.optim.RMSprop(model.parameters(), lr=learning_rate)")),
    manual("two-groups", (M_OPT, 'decay = [p for n, p in model.named_parameters() if "bias" not in n]\n    rest = [p for n, p in model.named_parameters() if "bias" in n]\n    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}], lr=learning_rate)')),
    manual("rates-by-layer", (M_OPT, 'head = [p for n, p in model.named_parameters() if "classifier" in n]\n    body = [p for n, p in model.named_parameters() if "classifier" not in n]\n    optimizer = torch.optim.AdamW([{"params": body, "lr": learning_rate / 2}, {"params": head, "lr": 10 * learning_rate}])')),
    manual("two-optimizers", (M_OPT, 'head = [p for n, p in model.named_parameters() if "classifier" in n]\n    body = [p for n, p in model.named_parameters() if "classifier" not in n]\n    optimizer = torch.optim.AdamW(body, lr=learning_rate)\n    other = torch.optim.AdamW(head, lr=learning_rate)'),
           (M_ZERO, M_ZERO + "            other.zero_grad()\n"), (M_STEP, M_STEP + "            other.step()\n")),
    loader("cosine", (L_SCHEDULER, "torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total_steps)")),
    loader("one-cycle", (L_SCHEDULER, "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2 * learning_rate, total_steps=total_steps)")),
    loader("plateau", (L_SCHEDULER, 'torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "max", patience=1)'), (L_SCHEDULER_STEP, ""),
           ("        test_accuracy = accuracy(model, test_loader)\n", "        test_accuracy = accuracy(model, test_loader)\n        scheduler.step(right / total)\n")),
    # ---- batches
    manual("batch-16", ("    torch.manual_seed(seed)\n", "    torch.manual_seed(seed)\n    batch_size, learning_rate = 16, 1e-4\n")),
    manual("eval-batch-1", ("range(0, len(texts), 32)", "range(0, len(texts), 1)"), ("encode(tokenizer, texts[i : i + 32])", "encode(tokenizer, texts[i : i + 1])"), ("labels[i : i + 32]", "labels[i : i + 1]")),
    manual("all-padded-to-128", ("padding=True, truncation=True, max_length=128", 'padding="max_length", truncation=True, max_length=128')),
    manual("similar-lengths", ("        shuffler.shuffle(order)\n", "        order.sort(key=lambda r: len(texts[r]) + 20 * shuffler.random())\n        chunks = [order[k : k + batch_size] for k in range(0, len(order), batch_size)]\n        shuffler.shuffle(chunks)\n        order = [r for chunk in chunks for r in chunk]\n")),
    loader("sampler", ("batch_size=batch_size, shuffle=True)", "batch_size=batch_size, sampler=torch.utils.data.RandomSampler(range(len(train)), replacement=True))")),
    manual("not-shuffled", ("        shuffler.shuffle(order)\n", "")),
    # ---- the loss
    manual("own-cross-entropy", ("loss = out.loss\n", "loss = -out.logits.log_softmax(dim=1)[torch.arange(len(y)), y].mean()\n"), ("out = model(**batch, labels=y)", "out = model(**batch)")),
    manual("log-softmax-nll", ("loss = out.loss\n", "loss = torch.nn.functional.nll_loss(out.logits.log_softmax(dim=1), y)\n")),
    loader("label-smoothing", ("nn.CrossEntropyLoss()", "nn.CrossEntropyLoss(label_smoothing=0.1)")),
    loader("class-weights", ("nn.CrossEntropyLoss()", "nn.CrossEntropyLoss(weight=torch.tensor([1.0, 1.1, 0.9, 1.0]))")),
    loader("one-hot-targets", (L_LOSS, "            loss = criterion(logits, nn.functional.one_hot(y, 4).float())\n")),
    manual("sum-of-losses", ("loss = out.loss\n", "loss = torch.nn.functional.cross_entropy(out.logits, y, reduction='sum') / len(y)\n")),
    # ---- the model's call
    manual("positional", ("out = model(**batch, labels=y)", 'out = model(batch["input_ids"], batch["attention_mask"], labels=y)'), ("guesses = model(**batch)", 'guesses = model(batch["input_ids"], batch["attention_mask"])')),
    manual("tuples", (M_OUT, "            loss, logits = model(**batch, labels=y, return_dict=False)[:2]\n"), ("out.logits.argmax", "logits.argmax")),
    manual("inference-mode", ("    with torch.no_grad():\n        for i", "    with torch.inference_mode():\n        for i")),
    manual("bfloat16", (M_OUT, '            with torch.autocast("cpu", dtype=torch.bfloat16):\n                out = model(**batch, labels=y)\n                loss = out.loss\n')),
    manual("checkpointing", (M_TRAIN_MODE, M_TRAIN_MODE + "        model.gradient_checkpointing_enable()\n")),
    manual("compiled", (M_LISTS, M_LISTS + "    fast = torch.compile(model)\n"), ("out = model(**batch, labels=y)", "out = fast(**batch, labels=y)")),
    manual("encoder-and-head", (M_OUT, "            hidden = model.base_model(**batch).last_hidden_state\n            if hasattr(model, 'distilbert'):\n                logits = model.classifier(model.dropout(torch.relu(model.pre_classifier(hidden[:, 0]))))\n            else:\n                logits = model.classifier(hidden)\n            loss = torch.nn.functional.cross_entropy(logits, y)\n"), ("out.logits.argmax", "logits.argmax")),
    # ---- which weights train
    manual("lower-layers-frozen", (M_LISTS, M_LISTS + "    for name, p in model.named_parameters():\n        if 'embeddings' in name or 'layer.0' in name:\n            p.requires_grad = False\n")),
    manual("body-frozen", (M_LISTS, M_LISTS + "    for p in model.base_model.parameters():\n        p.requires_grad = False\n"), ("lr=learning_rate)", "lr=1e-3)")),
    manual("body-thawed-later", (M_TRAIN_MODE, "        for p in model.base_model.parameters():\n            p.requires_grad = epoch > 0\n" + M_TRAIN_MODE)),
    manual("lora-by-hand", ("def evaluate(", LORA), (M_OPT, "add_lora(model)\n    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)")),
    manual("lora-peft", (M_OPT, PEFT.strip() + "\n    optimizer = torch.optim.AdamW(peft_model.parameters(), lr=1e-3)"), ("out = model(**batch, labels=y)", "out = peft_model(**batch, labels=y)"), needs="peft"),
    manual("mean-of-weights", (M_STEP, M_STEP + "            mean.update_parameters(model)\n"), (M_OPT, M_OPT + "\n    mean = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))"),
           (M_TEST, "        model.load_state_dict(mean.module.state_dict())\n" + M_TEST)),
    manual("best-epoch", (M_TEST, M_TEST + "        if not history or test_acc >= max(e['test_acc'] for e in history):\n            best = {k: v.clone() for k, v in model.state_dict().items()}\n            best_acc = test_acc\n"),
           ("    return history\n", "    model.load_state_dict(best)\n    history[-1]['test_acc'] = best_acc\n    return history\n")),
    # ---- texts as the student likes them
    manual("in-lower-case", ("encode(tokenizer, [texts[r] for r in rows])", "encode(tokenizer, [texts[r].lower() for r in rows])"), ("encode(tokenizer, texts[i : i + 32])", "encode(tokenizer, [t.lower() for t in texts[i : i + 32]])")),
    manual("with-a-prefix", ("encode(tokenizer, [texts[r] for r in rows])", "encode(tokenizer, ['News: ' + texts[r] for r in rows])"), ("encode(tokenizer, texts[i : i + 32])", "encode(tokenizer, ['News: ' + t for t in texts[i : i + 32]])")),
    manual("words-left-out", ("encode(tokenizer, [texts[r] for r in rows])", "encode(tokenizer, [' '.join(w for w in texts[r].split() if shuffler.random() > 0.1) for r in rows])")),
    loader("cut-to-48", ("max_length=64", "max_length=48")),
    # ---- measured more often, or elsewhere too
    manual("train-measured-in-eval", ('"train_acc": hits / len(texts)', '"train_acc": evaluate(model, tokenizer, train)')),
    manual("test-loss-too", (M_TEST, M_TEST + "        model.eval()\n        with torch.no_grad():\n            model(**encode(tokenizer, list(test['text'])[:32]), labels=torch.tensor(list(test['label'])[:32]))\n")),
    manual("tested-every-10-batches", (M_STEP, M_STEP + "            if i % 160 == 80:\n                evaluate(model, tokenizer, test)\n                model.train()\n")),
    # ---- other people's loops
    loader("accelerate", ("    log = {", ACCELERATE + "    log = {"), (L_BACK, "            accelerator.backward(loss)\n"), (L_CLIP, ""), needs="accelerate"),
    loader("lightning", ("    total_steps = ", "    log = {'train_loss': [], 'train_acc': [], 'test_acc': [], 'seconds': []}\n" + LIGHTNING + "    total_steps = "), needs="lightning"),
    trainer("cosine-and-warmup", ("seed=seed,", 'seed=seed, lr_scheduler_type="cosine", warmup_steps=10,')),
    trainer("accumulation", ("seed=seed,", "seed=seed, gradient_accumulation_steps=2,"), ("learning_rate=learning_rate", "learning_rate=2 * learning_rate")),
    trainer("label-smoothing", ("seed=seed,", "seed=seed, label_smoothing_factor=0.1,")),
    trainer("own-loss", ("    trainer = Trainer(", "    class Own(Trainer):\n        def compute_loss(self, model, inputs, return_outputs=False, **kwargs):\n            labels = inputs.pop('labels')\n            outputs = model(**inputs)\n            loss = torch.nn.functional.cross_entropy(outputs.logits, labels)\n            return (loss, outputs) if return_outputs else loss\n\n    trainer = Own(")),
    trainer("best-model", ('save_strategy="no"', 'save_strategy="epoch", load_best_model_at_end=True, metric_for_best_model="eval_train_accuracy"')),
    trainer("bfloat16-and-checkpointing", ("seed=seed,", "seed=seed, bf16=True, use_cpu=True, gradient_checkpointing=True,")),
)  # fmt: skip

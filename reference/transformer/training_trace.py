"""Takes down what a training run does, inside the worker: evidence for a diagnosis, never for a mark.

Student code runs in the same process and can forge all of this. Thin wrappers around the models' forward,
cross-entropy, backward and the optimizers' steps tell a `Recorder`; its `plain()` gives the columns of the run as plain
data, which `reference.transformer.training_run` reads in the judge.

Letters:  B texts of a batch   S their padded length in tokens   C number of classes
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

MOST_FORWARDS = 20_000
"""Of a run that is longer, the rest is not taken down."""
UNKNOWN = -1


# ---------------------------------------------------------------- from token ids back to texts


class Rows:
    """Which of the given texts a row of token ids is."""

    def __init__(self, tokenizer: Any, texts: Sequence[str]) -> None:
        names = ("cls_token_id", "sep_token_id", "bos_token_id", "eos_token_id", "pad_token_id")
        self.special = {i for name in names if (i := getattr(tokenizer, name)) is not None}
        self.first = tokenizer.cls_token_id
        self.pad = tokenizer.pad_token_id
        fast = tokenizer.backend_tokenizer
        truncation, padding = fast.truncation, fast.padding
        fast.no_truncation()
        fast.no_padding()
        self._tokens = [tuple(e.ids) for e in fast.encode_batch(list(texts), add_special_tokens=False)]
        if truncation is not None:
            fast.enable_truncation(**truncation)
        if padding is not None:
            fast.enable_padding(**padding)
        self._whole = {tokens: row for row, tokens in enumerate(self._tokens)}
        self._cut: dict[int, dict[tuple[int, ...], int]] = {}

    def find(self, tokens: tuple[int, ...]) -> int:
        """The number of the text with these tokens (special ones left out), or of the one that begins so."""
        row = self._whole.get(tokens)
        return self._find_cut(tokens) if row is None else row

    def _find_cut(self, tokens: tuple[int, ...]) -> int:
        n = len(tokens)
        if n not in self._cut:
            beginnings: dict[tuple[int, ...], int] = {}
            for row, whole in enumerate(self._tokens):
                beginnings[whole[:n]] = UNKNOWN if whole[:n] in beginnings else row
            self._cut[n] = beginnings
        return self._cut[n].get(tokens, UNKNOWN)


# ---------------------------------------------------------------- one run


class Forward:
    """One call of a model."""

    def __init__(self, at: int, model: int, train: bool) -> None:
        self.at, self.model, self.train = at, model, train
        self.grad = False
        self.mask = self.length = self.longest = self.special = 0
        self.rows: list[int] = []
        self.predicted: list[int] | None = None
        self.labels: list[int] | None = None
        self.loss = float("nan")
        self.scores = 0
        self.trained_at = UNKNOWN


COLUMNS = ("at", "model", "train", "grad", "trained_at", "mask", "length", "longest", "special", "scores")
"""Of a forward, in the order in which they travel; the number of its rows comes last."""


class Recorder:
    """What happens between `start` and `stop`."""

    def __init__(self, model: nn.Module | None, rows_of: Callable[[nn.Module], Rows | None]) -> None:
        self._rows_of = rows_of
        self._clock = 0
        self.models: list[nn.Module] = [] if model is None else [model]
        """Every model that was called; kept alive, for what a script trained is asked for after its end."""
        self.forwards: list[Forward] = []
        self._open: Forward | None = None
        self._handed_over = model is not None
        self._backwards: list[tuple[int, int, int]] = []
        self._steps: list[tuple[int, int, int, int, int]] = []
        self._sizes: list[tuple[float, float, float]] = []
        self._optimizers: list[torch.optim.Optimizer] = []
        self._coverage: list[dict[str, Any]] = []
        self._clips: list[int] = []
        self._probes = {} if model is None else {0: _probes(model)}

    def tick(self) -> int:
        """The next moment of the run's own clock."""
        self._clock += 1
        return self._clock

    # ------------------------------------------------------------ forward

    def begin(self, model: nn.Module, given: dict[str, Any]) -> Forward | None:
        """A model is called with these arguments; None where the call is part of another, or one too many."""
        ids = given.get("input_ids")
        if self._open is not None or len(self.forwards) >= MOST_FORWARDS:
            return None
        forward = Forward(self.tick(), self._number_of(model), model.training)
        rows = self._rows_of(model)
        if rows is not None and isinstance(ids, Tensor) and ids.dim() == 2:
            self._read(forward, rows, ids, given.get("attention_mask"))
        labels = given.get("labels")
        if isinstance(labels, Tensor) and labels.dim() == 1 and not labels.is_floating_point():
            forward.labels = labels.tolist()
        self.forwards.append(forward)
        self._open = forward
        return forward

    @staticmethod
    def _read(forward: Forward, rows: Rows, ids: Tensor, mask: Any) -> None:
        listed = ids.tolist()
        tokens = [tuple(i for i in row if i not in rows.special) for row in listed]
        forward.rows = [rows.find(row) for row in tokens]
        forward.length = ids.shape[1]
        forward.longest = max(map(len, tokens), default=0)
        forward.special = int(any(row and row[0] == rows.first for row in listed))
        padded = ids == rows.pad
        if not bool(padded.any()):
            forward.mask = 0  # nothing to hide
        elif not isinstance(mask, Tensor) or mask.shape != ids.shape:
            forward.mask = 2
        else:
            forward.mask = 1 if not bool((padded & (mask != 0)).any()) else 2

    def end(self, forward: Forward, output: Any) -> None:
        """The call has returned."""
        logits = _logits(output)
        if logits is None:
            return
        forward.grad = logits.requires_grad
        if logits.dim() == 2 and logits.shape[1] > 1:
            forward.predicted = logits.detach().argmax(-1).tolist()
        if logits.requires_grad:
            logits.register_hook(lambda grad: self._came_back(forward, grad))  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """The call is over, whether it returned or raised."""
        self._open = None

    def _came_back(self, forward: Forward, grad: Tensor) -> None:
        """A gradient has reached the output of `forward`: cross-entropy pulls the right class up alone."""
        forward.trained_at = self.tick()
        if forward.labels is None and grad.dim() == 2:
            forward.labels = grad.argmin(-1).tolist()

    def scored(self, scores: Any, targets: Any, value: Any, logs: bool) -> None:
        """Cross-entropy was computed; `logs`: from log-probabilities (nll_loss)."""
        forward = self._open or (self.forwards[-1] if self.forwards else None)
        if forward is None or not isinstance(scores, Tensor) or not isinstance(targets, Tensor):
            return
        if scores.dim() != 2 or len(scores) != len(forward.rows):
            return
        if targets.dim() == 1:
            forward.labels = targets.tolist()
        forward.loss = float(value.detach().mean())
        flat = scores.detach().float()
        total = flat.exp().sum(-1) if logs else flat.sum(-1)
        ones = bool(((total - 1).abs() < 1e-3).all()) and (logs or bool((flat >= 0).all()))
        # Said again where the model has computed a loss by itself: the student's own is the one that is used.
        forward.scores = (1 if ones else 3) if logs else (2 if ones else 1)

    def _number_of(self, model: nn.Module) -> int:
        for number, known in enumerate(self.models):
            if known is model:
                return number
        self.models.append(model)
        self._probes[len(self.models) - 1] = _probes(model)
        return len(self.models) - 1

    # ------------------------------------------------------------ backward and step

    def _latest(self) -> int:
        """Number of the model that was called last."""
        return self.forwards[-1].model if self.forwards else 0

    def backward(self) -> None:
        """Before a backward pass: do gradients of an earlier one lie there?"""
        number = self._latest()
        model = self.models[number] if self.models else None
        trained = [] if model is None else [p for p in model.parameters() if p.requires_grad][-2:]
        dirty = any(p.grad is not None and bool(p.grad.any()) for p in trained)
        self._backwards.append((number, self.tick(), int(dirty)))

    def step(self, optimizer: torch.optim.Optimizer) -> None:
        """Before a step."""
        number = self._latest()
        known = next((i for i, o in enumerate(self._optimizers) if o is optimizer), None)
        if known is None:
            known = len(self._optimizers)
            self._optimizers.append(optimizer)
            about = 0 if self._handed_over else number
            self._coverage.append(_coverage(optimizer, self.models[about] if self.models else None))
        rates = [float(group["lr"]) for group in optimizer.param_groups]
        grads = [p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
        norm = float(torch.stack(torch._foreach_norm(grads)).norm()) if grads else 0.0
        probe = self._probes.get(number)
        head, body = probe() if probe is not None else (True, True)
        self._steps.append((number, self.tick(), known, int(head), int(body)))
        self._sizes.append((min(rates, default=0.0), max(rates, default=0.0), norm))

    def clipped(self) -> None:
        """Gradients were clipped."""
        self._clips.append(self.tick())

    # ------------------------------------------------------------ what goes out

    def plain(self, about: int = 0, beside: Sequence[int] | None = None) -> dict[str, Any]:
        """The run as tensors and plain values, with the model `about` as number 0 and, of the others, those of `beside`
        (all, where it is None)."""
        kept = set(range(len(self.models)) if beside is None else beside) | {about}
        fs = [f for f in self.forwards if f.model in kept]
        columns = [[*(getattr(f, name) for name in COLUMNS), len(f.rows)] for f in fs]
        for row in columns:
            row[1] = 0 if row[1] == about else 1 + row[1]
        steps = [i for i, step in enumerate(self._steps) if step[0] in kept]

        def fitting(values: list[int] | None, f: Forward) -> list[int]:
            fits = values is not None and len(values) == len(f.rows)
            return values if fits and values is not None else [UNKNOWN] * len(f.rows)

        return {
            "forwards": torch.tensor(columns, dtype=torch.int64).reshape(-1, len(COLUMNS) + 1),
            "rows": torch.tensor([r for f in fs for r in f.rows], dtype=torch.int64),
            "predicted": torch.tensor([p for f in fs for p in fitting(f.predicted, f)], dtype=torch.int64),
            "labels": torch.tensor([y for f in fs for y in fitting(f.labels, f)], dtype=torch.int64),
            "losses": torch.tensor([f.loss for f in fs], dtype=torch.float64),
            "backwards": _table([b[1:] for b in self._backwards if b[0] in kept], 2),
            "steps": _table([self._steps[i][1:] for i in steps], 4),
            "sizes": torch.tensor([self._sizes[i] for i in steps], dtype=torch.float64).reshape(-1, 3),
            "clips": torch.tensor(self._clips, dtype=torch.int64),
            "optimizers": self._coverage,
        }

    def trained_texts(self) -> dict[int, int]:
        """Number of a model -> how many texts it was trained on."""
        found: dict[int, int] = {}
        for f in self.forwards:
            if f.trained_at != UNKNOWN:
                found[f.model] = found.get(f.model, 0) + max(1, len(f.rows))
        return found


def _table(rows: Sequence[tuple[int, ...]], width: int) -> Tensor:
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, width)


GROUPS = ("embeddings", "encoder", "head")


def group_of(name: str) -> str:
    """Which of GROUPS a parameter of this name belongs to."""
    if "embeddings" in name:
        return "embeddings"
    return "head" if "classifier" in name else "encoder"


def _coverage(optimizer: torch.optim.Optimizer, model: nn.Module | None) -> dict[str, Any]:
    """How many trainable tensors of each group of the model the optimizer holds, and how many that are none of its."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    covered, trainable = dict.fromkeys(GROUPS, 0), dict.fromkeys(GROUPS, 0)
    known: set[int] = set()
    for name, p in model.named_parameters() if model is not None else ():
        known.add(id(p))
        if p.requires_grad:
            trainable[group_of(name)] += 1
            covered[group_of(name)] += id(p) in held
    first = optimizer.param_groups[0]
    return {
        "kind": type(optimizer).__name__,
        "covered": [covered[g] for g in GROUPS],
        "trainable": [trainable[g] for g in GROUPS],
        "foreign": len(held - known),
        "initial_lr": float(first.get("initial_lr", first["lr"])),
    }


def _probes(model: nn.Module) -> Callable[[], tuple[bool, bool]] | None:
    """Asks whether one tensor of the head, and one of the encoder, is still what it is now."""
    kept = {}
    for name, p in model.named_parameters():
        if name.endswith("weight") and p.dim() == 2 and group_of(name) != "embeddings":
            kept[group_of(name)] = (p, p.detach().clone())
    if set(kept) != {"head", "encoder"}:
        return None

    def unchanged() -> tuple[bool, bool]:
        head, body = (torch.equal(kept[g][0].detach(), kept[g][1]) for g in ("head", "encoder"))
        return head, body

    return unchanged


def _logits(output: Any) -> Tensor | None:
    for name in ("logits", "last_hidden_state"):
        found = getattr(output, name, None)
        if isinstance(found, Tensor):
            return found
    if isinstance(output, tuple):
        return next((x for x in output if isinstance(x, Tensor) and x.dim() >= 2), None)
    return None

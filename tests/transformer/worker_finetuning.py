"""What part 3 needs done inside the worker: data sets, the tiny models, their weights, and a watch over training.

Like the rest of the harness it holds no expected value, and what it returns is data, never a verdict.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import worker_scripts
import worker_standins
from torch import Tensor, nn
from training_trace import Recorder, Rows
from worker_standins import NO_DROPOUT_OF_SCORES

_PREFIXES = {"distilbert": "DistilBert", "roberta": "Roberta"}
"""Of the class names in transformers."""

assets = ""
"""Folder of the texts and tiny models, as the worker sees it; set by the harness."""

_names: dict[str, tuple[str, ...]] = {}
"""Names of the weights, by body."""


def warm_up() -> None:
    """Run once before any student code is there: names and wrappers in place, one step of each body."""
    install()
    _stay_in_this_process()
    worker_standins.give_columns_as_lists()
    worker_standins.name_news(assets)
    worker_standins.name_models(assets)
    if importlib.util.find_spec("accelerate") is not None:
        from transformers import Trainer, TrainingArguments  # noqa: F401  (imported once for all workers)
    for body in _PREFIXES:
        model = tiny_model(body)
        batch = tokenizer(body)(["warm"], return_tensors="pt")
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        model(**batch, labels=torch.tensor([0])).loss.backward()
        optimizer.step()


# ---------------------------------------------------------------- data sets


def dataset(texts: list[str], labels: list[int]) -> Any:
    """A datasets.Dataset with the columns `text` and `label` (a ClassLabel with the four topics)."""
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=worker_standins.TOPICS)}
    )
    return datasets.Dataset.from_dict({"text": texts, "label": labels}, features=features)


def _stay_in_this_process() -> None:
    """Let num_workers of a DataLoader and num_proc of map have no effect: no process can be started here, and right
    code asks for them."""
    import datasets
    from torch.utils.data import DataLoader

    alone = {"num_workers": 0, "prefetch_factor": None, "persistent_workers": False, "timeout": 0}
    for cls, name, instead in (
        (DataLoader, "__init__", {**alone, "multiprocessing_context": None}),
        (datasets.Dataset, "map", {"num_proc": None}),
        (datasets.Dataset, "filter", {"num_proc": None}),
    ):
        setattr(cls, name, _with_settings(getattr(cls, name), instead))


def _with_settings(method: Any, instead: dict[str, Any]) -> Any:
    """`method`, with those of its arguments replaced that are given and named in `instead`, where the first is."""
    signature, first = inspect.signature(method), next(iter(instead))

    @functools.wraps(method)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        if bound.arguments.get(first):
            bound.arguments.update(instead)
        return method(*bound.args, **bound.kwargs)

    return wrapped


# ---------------------------------------------------------------- models and their weights


def tiny_model(body: str) -> Any:
    """The tiny pre-trained body with a fresh classification head; eval mode, as from_pretrained gives it."""
    import transformers

    kind = getattr(transformers, f"{_PREFIXES[body]}ForSequenceClassification")
    model = kind.from_pretrained(f"{assets}/bodies/{body}", num_labels=4, **NO_DROPOUT_OF_SCORES[body])
    _names.setdefault(body, tuple(model.state_dict()))
    return model


def tokenizer(body: str) -> Any:
    """The tokenizer that goes with it. Padding to its full length stays affordable: no text here has 100 tokens."""
    import transformers

    found = getattr(transformers, f"{_PREFIXES[body]}Tokenizer").from_pretrained(f"{assets}/bodies/{body}")
    found.model_max_length = worker_standins.LONGEST
    return found


def weights(module: nn.Module) -> dict[str, Any]:
    """All weights of a model, by the names that it had when it was handed over.

    Where the student put a layer of their own in the place of a linear one (LoRA, for example), the matrix and bias
    are those of the map that it computes.
    """
    state = {name: value.detach() for name, value in module.state_dict().items()}
    kind = getattr(getattr(module, "config", None), "model_type", None)
    names = _names.get(kind, ())
    if all(name in state for name in names):
        return state
    before = tiny_model(kind)
    return {name: state[name] if name in state else _read_off(module, before, name) for name in names}


def _read_off(module: nn.Module, before: nn.Module, name: str) -> Tensor:
    """The weight or bias of the linear map that stands where `before` has a linear layer."""
    place, _, what = name.rpartition(".")
    width = before.get_submodule(place).in_features
    layer = module.get_submodule(place).eval()
    with torch.no_grad():
        bias = layer(torch.zeros(1, width))  # (1, out)
        return bias[0] if what == "bias" else (layer(torch.eye(width)) - bias).T  # (out, in)


def frozen(module: nn.Module) -> list[str]:
    """Names of the weights that the student's code set to be left alone."""
    return [name for name, p in module.named_parameters() if not p.requires_grad]


def load_weights(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Put `state` into the model and leave it in eval mode."""
    module.load_state_dict(state)
    module.eval()


# ---------------------------------------------------------------- the watch over training

_watch: Recorder | None = None


def watch_training(model: nn.Module | None, texts: list[str]) -> None:
    """Begin to take down what is done with `model` (and with any other of its kind), on which of `texts`."""
    global _watch
    known: dict[str, Rows] = {}
    worker_standins.answer_gpu_calls()

    def rows_of(called: Any) -> Rows | None:
        kind = _kind_of(called)
        if kind not in known and kind in _PREFIXES:
            known[kind] = Rows(tokenizer(kind), texts)
        return known.get(kind)

    _watch = Recorder(model, rows_of)


def training_watched() -> dict[str, Any]:
    """End of the watch: what was taken down."""
    global _watch
    recorder, _watch = _watch, None
    return recorder.plain() if recorder else {}


def install() -> None:
    """Put the wrappers in place, before any student code is imported: names taken from torch by then keep them."""
    import transformers
    from torch.nn import functional
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    for prefix in _PREFIXES.values():
        for kind in (f"{prefix}ForSequenceClassification", f"{prefix}Model"):
            cls = getattr(transformers, kind)
            cls.forward = _forward_told(cls.forward)
    functional.cross_entropy = _scores_told(functional.cross_entropy, logs=False)
    functional.nll_loss = _scores_told(functional.nll_loss, logs=True)
    torch.autograd.backward = _told(torch.autograd.backward, Recorder.backward)
    torch.nn.utils.clip_grad_norm_ = _told(torch.nn.utils.clip_grad_norm_, Recorder.clipped)
    register_optimizer_step_pre_hook(_tell_step)
    for optimizer in (torch.optim.AdamW, torch.optim.Adam):
        optimizer.__init__ = _fused(optimizer.__init__)


def _fused(init: Any) -> Any:
    """The constructor of AdamW, with all its arithmetic in one call where nothing else was asked for: a fifth of a
    step of these bodies, and the same weights up to rounding."""

    @functools.wraps(init)
    def wrapped(self: Any, params: Any, *args: Any, **settings: Any) -> None:
        plain = not args[3:] and not {"foreach", "fused", "differentiable", "capturable"} & settings.keys()
        rate = settings.get("lr", args[0] if args else None)
        init(
            self,
            params,
            *args,
            **settings,
            **({"fused": True} if plain and not isinstance(rate, Tensor) else {}),
        )

    return wrapped


def _tell_step(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
    worker_scripts.budget.step()
    if _watch is not None:
        _watch.step(optimizer)


def _told(function: Any, tell: Callable[[Recorder], None]) -> Any:
    """`function`, with the recorder told before each call."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if _watch is not None:
            tell(_watch)
        return function(*args, **kwargs)

    return wrapped


def _forward_told(forward: Any) -> Any:
    """A model's forward, with its arguments and its output told."""
    names = list(inspect.signature(forward).parameters)[1:]

    @functools.wraps(forward)
    def wrapped(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        recorder = _watch
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        call = recorder and recorder.begin(self, given)
        ids = given.get("input_ids")
        worker_scripts.budget.texts(len(ids) if call and isinstance(ids, Tensor) and ids.dim() else 0)
        if not recorder or not call:
            return forward(self, *args, **kwargs)
        try:
            output = forward(self, *args, **kwargs)
        finally:
            recorder.close()
        recorder.end(call, output)
        return output

    return wrapped


def _scores_told(loss: Any, logs: bool) -> Any:
    """Cross-entropy (or nll_loss, from log-probabilities), with scores, targets and value told."""

    @functools.wraps(loss)
    def wrapped(input: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
        value = loss(input, target, *args, **kwargs)
        if _watch is not None:
            _watch.scored(input, target, value, logs)
        return value

    return wrapped


# ---------------------------------------------------------------- scripts

_ran: tuple[worker_scripts.Ran, Recorder] | None = None
_before: dict[str, bytes] = {}


def run_scripts(train: list[list[Any]], test: list[list[Any]], cells: Sequence[tuple[str, str]]) -> list[str]:
    """Run every script and notebook of the hand-in that loads a pre-trained model, on these news ([text, label] each),
    watched; their paths. `cells` are those of the notebooks; what was trained, `script_trained` tells."""
    global _ran, _watch
    for name, rows in (("train", train), ("test", test)):
        worker_standins.news[name] = [{"text": text, "label": label} for text, label in rows]
    folder = Path.cwd()
    _keep_caches_in(folder.parent / "home")
    _before.update(_documents(folder))
    watch_training(None, [text for text, _ in (*train, *test)])
    recorder = _watch
    assert recorder is not None
    ran, _watch = worker_scripts.run(worker_scripts.scripts(folder, cells), folder), None
    _ran = ran, recorder
    return ran.files


def script_trained(body: str) -> dict[str, Any]:
    """What the scripts did with models of this kind; `weights` is empty where none was trained."""
    if _ran is None:
        return {}
    ran, recorder = _ran
    found: dict[str, Any] = {"weights": {}, "frozen": [], "trace": {}}
    kind = [i for i, model in enumerate(recorder.models) if _kind_of(model) == body]
    texts = recorder.trained_texts()
    whole = [
        i for i in kind if type(recorder.models[i]).__name__ == f"{_PREFIXES[body]}ForSequenceClassification"
    ]
    trained = max((i for i in whole if texts.get(i)), key=lambda i: texts[i], default=None)
    if trained is not None:
        model = recorder.models[trained]
        found.update(weights=weights(model), frozen=frozen(model), trace=recorder.plain(trained, kind))
    said = {"printed": ran.printed, "stopped": ran.stopped, "written": _written(Path.cwd())}
    return {**found, **said, "notes": worker_standins.notes}


def _kind_of(model: Any) -> str:
    return str(getattr(getattr(model, "config", None), "model_type", ""))


def raise_script_error() -> None:
    """Raise again what ended a script, if anything did."""
    if _ran is not None and _ran[0].error is not None:
        raise _ran[0].error


def _documents(folder: Path) -> dict[str, bytes]:
    """The small JSON files of the hand-in."""
    paths = [p for p in folder.rglob("*.json") if p.is_file() and p.stat().st_size <= 65_536][:100]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}


def _written(folder: Path) -> dict[str, str]:
    """Those that a script made or changed, as text."""
    now = _documents(folder)
    return {path: text.decode("utf-8", "replace") for path, text in now.items() if _before.get(path) != text}


def _keep_caches_in(home: Path) -> None:
    """The caches of the libraries lie in the worker's own folder, whatever it was when they were imported."""
    import datasets

    for name in ("HF_CACHE_HOME", "HF_DATASETS_CACHE", "HF_MODULES_CACHE", "DOWNLOADED_DATASETS_PATH"):
        if hasattr(datasets.config, name):
            setattr(datasets.config, name, home / "huggingface" / name.lower())

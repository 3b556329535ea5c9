"""A checkpoint of a hand-in -> a model of our own with its weights, in the judge, or the reason why there is none.

The judge reads safetensors and JSON; a pickle is opened by the sealed worker, which sends tensors. Names,
shapes and sizes are compared before a weight is read; each weight is read straight into the memory that the model keeps
it in, so that a checkpoint is in memory once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import torch
from torch import Tensor

from grader.intake.tensors import TensorEntry, read_entries
from grader.intake.weights import WeightsFile
from reference.transformer.architecture import (
    ARCHITECTURES,
    Architecture,
    NotUsableError,
    architecture_of,
    empty_model,
    fill,
    settings_of,
    state_names,
)
from reference.transformer.checkpoint_files import Candidate, title_of
from reference.transformer.vocabulary import Vocabulary, read_vocabulary

DTYPES = {
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F64": torch.float64,
}
"""Of the weights that are read; all are used as float32."""
_WRAPPERS = ("module.", "_orig_mod.", "model.", "net.")
"""What DataParallel, torch.compile and a class of one's own put before each name."""
_OLD_NAMES = (
    (re.compile(r"LayerNorm\.gamma$"), "LayerNorm.weight"),
    (re.compile(r"LayerNorm\.beta$"), "LayerNorm.bias"),
)
_NO_WEIGHTS = re.compile(r"(^|\.)(position_ids|token_type_ids)$|^vocab_|^lm_head\.|^cls\.|(^|\.)pooler\.")
"""Buffers and heads of other tasks, which a file may hold besides."""
_HEADS = {
    "distilbert": "classifier.weight",
    "roberta": "classifier.out_proj.weight",
    "bert": "classifier.weight",
}
"""The layer that has one row a topic."""
_HEAD_WIDTH = 64
_SAVE = (
    "Hand in the whole folder that model.save_pretrained(folder) and tokenizer.save_pretrained(folder) wrote."
)

Shapes = Mapping[str, tuple[int, ...]]


class Source(Protocol):
    """Where weights come from."""

    @property
    def shapes(self) -> Shapes:
        """Name -> shape, as the file has them."""

    def read(self, names: Iterable[str]) -> Iterable[tuple[str, Tensor]]:
        """(name, float32 tensor) of each of `names`."""


class TensorFile:
    """The tensors of an open safetensors file."""

    def __init__(self, file: WeightsFile) -> None:
        self._file = file
        self._entries: Mapping[str, TensorEntry] = read_entries(file)

    @property
    def shapes(self) -> Shapes:
        return {name: entry.shape for name, entry in self._entries.items()}

    def read(self, names: Iterable[str]) -> Iterable[tuple[str, Tensor]]:
        for name in names:
            entry = self._entries[name]
            if entry.dtype not in DTYPES:
                raise NotUsableError(
                    f"{self._file.path} holds {name} as {entry.dtype}; floating-point weights are due."
                )
            value = torch.empty(entry.shape, dtype=DTYPES[entry.dtype])
            raw: Any = value.reshape(-1).view(torch.uint8).numpy()
            if entry.size:
                self._file.read_into(memoryview(raw), entry.start)
            yield name, value.float()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint that can be asked."""

    model: Any
    """In eval mode, float32, on the CPU."""
    architecture: Architecture
    vocabulary: Vocabulary | None
    """None where the checkpoint has no tokenizer."""
    names: tuple[str, ...]
    """Of the topics, by output, as its config.json gives them; empty where it gives none."""
    notes: tuple[str, ...]

    @property
    def outputs(self) -> int:
        """Of the classification head."""
        return int(self.model.config.num_labels)

    @property
    def weights(self) -> int:
        """How many numbers it has."""
        return sum(p.numel() for p in self.model.parameters())


def load(candidate: Candidate, source: Source, body: str, config: Mapping[str, Any] | None = None) -> Loaded:
    """The model of `body` that a checkpoint holds. Raises NotUsableError and WeightsProblem.

    `config` takes the place of its config.json, for an adapter, which has none.
    """
    notes: list[str] = []
    place = candidate.path("config.json")
    given = config if config is not None else candidate.json("config.json")
    renamed = _renamed(source.shapes, notes)
    if given is None:
        given = _inferred({own: source.shapes[name] for own, name in renamed.items()}, body, candidate)
        notes.append(
            f"There is no {place}: the sizes were read off the weights, with {_HEAD_WIDTH} features a head."
        )
    if not isinstance(given, dict):
        raise NotUsableError(f"{place} is not an object.", _SAVE)
    architecture = architecture_of(given, place)
    if architecture.type != body:
        raise NotUsableError(
            f"{candidate.shown} is a {architecture.title}; a {title_of(body)} is due.",
            f"Hand in the {title_of(body)} that you trained, in checkpoints/{body}/.",
        )
    settings = settings_of(architecture, given, place)
    model, state = _state(candidate, source, architecture, settings, renamed)
    _refuse_not_finite(candidate, state)
    fill(model, state)
    vocabulary = read_vocabulary(architecture, candidate.json, candidate.text)
    if vocabulary is not None:
        refuse_misfit(vocabulary, model, architecture)
    return Loaded(model, architecture, vocabulary, _names(given, model.config.num_labels), tuple(notes))


def refuse_misfit(vocabulary: Vocabulary, model: Any, architecture: Architecture) -> None:
    """Raises NotUsableError where the tokenizer gives numbers that the model has no embedding for."""
    rows = model.config.vocab_size
    if vocabulary.size > rows:
        raise NotUsableError(
            f"{vocabulary.source} has {vocabulary.size:,} tokens, and the {architecture.title} knows {rows:,}: they do "
            "not belong together.",
            "Save the tokenizer that the model was trained with.",
        )


def _state(
    candidate: Candidate,
    source: Source,
    architecture: Architecture,
    settings: Mapping[str, Any],
    renamed: Mapping[str, str],
) -> tuple[Any, dict[str, Tensor]]:
    """The empty model, and its weights under its own names."""
    shapes = {own: source.shapes[name] for own, name in renamed.items()}
    head = shapes.get(_HEADS[architecture.type])
    if head is None:
        raise NotUsableError(
            f"{candidate.shown} has no classification head ({_HEADS[architecture.type]}).",
            f"Save the {architecture.title}ForSequenceClassification after training, not the model inside it.",
        )
    model = empty_model(architecture, settings, head[0] if head else 0)
    due = state_names(model)
    _compare(candidate, architecture, due, shapes)
    names = {renamed[own]: own for own in due}
    return model, {names[name]: value for name, value in source.read(names)}


def _renamed(shapes: Shapes, notes: list[str]) -> dict[str, str]:
    """Our name -> the file's: wrappers taken off, old names of LayerNorm's weights made new."""
    found = {name: name for name in shapes}
    while wrapper := next((w for w in _WRAPPERS if all(own.startswith(w) for own in found)), None):
        found = {own.removeprefix(wrapper): name for own, name in found.items()}
        notes.append(f"Each name begins with {wrapper!r}, which was taken off.")
    for old, new in _OLD_NAMES:
        found = {old.sub(new, own): name for own, name in found.items()}
    return found


def _compare(candidate: Candidate, architecture: Architecture, due: Shapes, shapes: Shapes) -> None:
    """Raises NotUsableError where the weights are not those of the model that the config describes."""
    missing = [name for name in due if name not in shapes]
    if missing:
        raise NotUsableError(
            f"{candidate.shown} lacks {len(missing)} of the {len(due)} weights of the {architecture.title} that "
            f"config.json describes, {missing[0]} among them.",
            _SAVE,
        )
    other = [name for name in shapes if name not in due and not _NO_WEIGHTS.search(name)]
    if other:
        raise NotUsableError(
            f"{candidate.shown} holds {len(other)} weights that a {architecture.title} does not have, "
            f"{other[0][:80]} among them.",
            _SAVE,
        )
    for name, shape in due.items():
        if shapes[name] != shape:
            raise NotUsableError(
                f"{candidate.shown} holds {name} of shape {list(shapes[name])}; config.json asks for {list(shape)}.",
                _SAVE,
            )


def _refuse_not_finite(candidate: Candidate, tensors: Mapping[str, Tensor]) -> None:
    broken = [name for name, value in tensors.items() if not bool(value.isfinite().all())]
    if broken:
        raise NotUsableError(
            f"{candidate.shown}: {len(broken)} of {len(tensors)} weights hold NaN or infinity, {broken[0]} among them.",
            "The training diverged: look at its loss, and train with a smaller learning rate.",
        )


# ---------------------------------------------------------------- without a config


def _inferred(shapes: Shapes, body: str, candidate: Candidate) -> dict[str, Any]:
    """A config that fits a bare state_dict. Only the heads cannot be seen: both models have 64 features in each."""
    type = next((t for t in ARCHITECTURES if f"{t}.embeddings.word_embeddings.weight" in shapes), None)
    if type is None:
        raise NotUsableError(
            f"{candidate.shown} comes without a config.json, and its names ({', '.join(list(shapes)[:2])[:80]}) are "
            f"not those of a {title_of(body)}ForSequenceClassification.",
            _SAVE,
        )
    architecture = ARCHITECTURES[type]
    inside, inner = (
        ("transformer.layer", "ffn.lin1") if type == "distilbert" else ("encoder.layer", "intermediate.dense")
    )
    layers = {int(m[1]) for name in shapes if (m := re.match(rf"{type}\.{inside}\.(\d{{1,4}})\.", name))}
    words = shapes[f"{type}.embeddings.word_embeddings.weight"]
    positions = shapes.get(f"{type}.embeddings.position_embeddings.weight", (512,))
    middle = shapes.get(f"{type}.{inside}.0.{inner}.weight", (0,))
    if len(words) != 2 or not positions or not middle:
        raise NotUsableError(f"{candidate.shown} holds embeddings that are no tables.", _SAVE)
    found = {
        "model_type": type,
        architecture.width: words[1],
        architecture.heads: max(1, words[1] // _HEAD_WIDTH),
        architecture.layers: len(layers),
        architecture.inner: middle[0],
        "vocab_size": words[0],
        "max_position_embeddings": positions[0],
        "pad_token_id": 1 if type == "roberta" else 0,
    }
    if type != "distilbert":
        found["type_vocab_size"] = shapes.get(f"{type}.embeddings.token_type_embeddings.weight", (2,))[0]
        found["layer_norm_eps"] = Decimal("1e-5" if type == "roberta" else "1e-12")
    return found


def _names(config: Mapping[str, Any], outputs: int) -> tuple[str, ...]:
    """The label names of a config in the order of the outputs; empty where they are the library's own LABEL_0, …"""
    given = config.get("id2label")
    if not isinstance(given, dict) or len(given) != outputs:
        return ()
    found = tuple(str(given.get(str(i), ""))[:60] for i in range(outputs))
    return () if any(re.fullmatch(r"LABEL_\d+|", name) for name in found) else found

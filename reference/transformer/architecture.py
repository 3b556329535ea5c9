"""config.json of a checkpoint -> an empty model of our own, with every size checked before anything is built.

Three architectures are known: DistilBERT and RoBERTa, which the coursework asks for, and BERT, which is told from them.
The classes are those of transformers; no code that a checkpoint names or carries is ever run. What a config says
beyond the sizes below has no influence on what is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import torch
import transformers

MOST_WEIGHTS = 150_000_000
"""DistilBERT has 67 million, RoBERTa 125 million."""
MOST_CLASSES = 64
_ACTIVATIONS = ("gelu", "gelu_new", "relu", "silu")


class NotUsableError(Exception):
    """A checkpoint that cannot be evaluated: what is wrong, and the next step; `ours` where it is no fault of it."""

    def __init__(self, message: str, next_step: str = "", *, ours: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.ours = ours


@dataclass(frozen=True, slots=True)
class Size:
    """One whole number of a config."""

    key: str
    most: int
    least: int = 1
    default: int | None = None
    """Taken where the config does not name it; None where it has to."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """One family of models."""

    type: str
    """As config.json spells it in `model_type`; also the prefix of the names of its layers."""
    title: str
    sizes: tuple[Size, ...]
    width: str
    heads: str
    layers: str
    inner: str
    """Keys of the width, the heads, the layers and the width of the feed-forward layers."""
    activation: str


_BERT_SIZES = (
    Size("hidden_size", 1024),
    Size("num_hidden_layers", 24),
    Size("num_attention_heads", 64),
    Size("intermediate_size", 8192),
    Size("vocab_size", 200_000),
    Size("max_position_embeddings", 2048, default=512),
    Size("type_vocab_size", 16, default=2),
    Size("pad_token_id", 200_000, least=0, default=0),
)

ARCHITECTURES: dict[str, Architecture] = {
    a.type: a
    for a in (
        Architecture(
            "distilbert",
            "DistilBERT",
            (
                Size("dim", 1024),
                Size("n_layers", 24),
                Size("n_heads", 64),
                Size("hidden_dim", 8192),
                Size("vocab_size", 200_000),
                Size("max_position_embeddings", 2048, default=512),
                Size("pad_token_id", 200_000, least=0, default=0),
            ),
            "dim",
            "n_heads",
            "n_layers",
            "hidden_dim",
            "activation",
        ),
        *(
            Architecture(
                type,
                title,
                _BERT_SIZES,
                "hidden_size",
                "num_attention_heads",
                "num_hidden_layers",
                "intermediate_size",
                "hidden_act",
            )
            for type, title in (("roberta", "RoBERTa"), ("bert", "BERT"))
        ),
    )
}
"""By model_type."""

_CLASSES = {"distilbert": "DistilBert", "roberta": "Roberta", "bert": "Bert"}
"""How transformers' classes begin; they are imported when the first model is built."""


def architecture_of(config: Mapping[str, Any], path: str) -> Architecture:
    """The architecture that a config names. Raises NotUsableError."""
    named = config.get("model_type")
    if not isinstance(named, str) or named not in ARCHITECTURES:
        what = f"a model of type {named[:40]!r}" if isinstance(named, str) else "no model_type"
        raise NotUsableError(
            f"{path} names {what}; a DistilBERT or a RoBERTa is due.",
            "Hand in what model.save_pretrained wrote.",
        )
    return ARCHITECTURES[named]


def settings_of(architecture: Architecture, config: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The sizes and the activation of a config, and nothing else of it. Raises NotUsableError."""
    found: dict[str, Any] = {
        size.key: _whole_number(size, config.get(size.key), path) for size in architecture.sizes
    }
    width, heads = found[architecture.width], found[architecture.heads]
    if width % heads:
        raise NotUsableError(f"{path}: {architecture.width} {width} cannot be split into {heads} heads.")
    if found["pad_token_id"] >= found["vocab_size"]:
        raise NotUsableError(f"{path}: pad_token_id {found['pad_token_id']} is outside of the vocabulary.")
    activation = config.get(architecture.activation, "gelu")
    if not isinstance(activation, str) or activation not in _ACTIVATIONS:
        raise NotUsableError(f"{path}: the activation {str(activation)[:40]!r} is not known here.")
    found[architecture.activation] = activation
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise NotUsableError(f"{path}: only absolute positions are known here.")
    if architecture.type != "distilbert":
        found["layer_norm_eps"] = _epsilon(config.get("layer_norm_eps"), path)
    return found


def _whole_number(size: Size, value: Any, path: str) -> int:
    if value is None and size.default is not None:
        return size.default
    if isinstance(value, bool) or not isinstance(value, int) or not size.least <= value <= size.most:
        shown = "is not there" if value is None else f"is {str(value)[:40]}"
        raise NotUsableError(
            f"{path}: {size.key} {shown}; a whole number from {size.least} to {size.most:,} is due.",
            "Hand in the config.json that model.save_pretrained wrote.",
        )
    return value


def _epsilon(value: Any, path: str) -> float:
    if value is None:
        return 1e-12
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 < value < 1:
        raise NotUsableError(f"{path}: layer_norm_eps is {str(value)[:40]}; a small number above 0 is due.")
    return float(value)


def empty_model(architecture: Architecture, settings: Mapping[str, Any], classes: int) -> Any:
    """A model without storage (on the meta device) of these settings, in eval mode. Raises NotUsableError."""
    if not 2 <= classes <= MOST_CLASSES:
        raise NotUsableError(f"The classification head has {classes:,} outputs; the coursework has 4 topics.")
    weights = _weights_at_least(architecture, settings)
    if weights > MOST_WEIGHTS:
        raise NotUsableError(
            f"The model would have about {weights / 1e6:,.0f} million weights; at most {MOST_WEIGHTS // 10**6} million "
            "are evaluated.",
            "The coursework's models have 67 and 125 million.",
        )
    name = _CLASSES[architecture.type]
    make_config = getattr(transformers, f"{name}Config")
    make_model = getattr(transformers, f"{name}ForSequenceClassification")
    with torch.device("meta"):
        return make_model(make_config(**settings, num_labels=classes)).eval()


def _weights_at_least(architecture: Architecture, settings: Mapping[str, Any]) -> int:
    """Weights of embeddings and blocks, biases and norms left out."""
    width, inner = settings[architecture.width], settings[architecture.inner]
    blocks = settings[architecture.layers] * (4 * width * width + 2 * width * inner)
    return int(blocks + width * (settings["vocab_size"] + settings["max_position_embeddings"]))


def fill(model: Any, state: Mapping[str, torch.Tensor]) -> None:
    """Make `state` the weights of an empty model, without a copy, and give it the buffers that no file holds."""
    model.load_state_dict(dict(state), strict=True, assign=True)
    for name, buffer in list(model.named_buffers()):
        if not buffer.is_meta:
            continue
        owner, _, last = name.rpartition(".")
        if last == "position_ids":
            made = torch.arange(buffer.shape[-1]).expand(buffer.shape)
        elif last == "token_type_ids":
            made = torch.zeros(buffer.shape, dtype=torch.long)
        else:
            raise RuntimeError(f"transformers has a buffer {name!r} that is not known here")
        model.get_submodule(owner).register_buffer(last, made, persistent=False)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    model.eval()


def state_names(model: Any) -> dict[str, tuple[int, ...]]:
    """Name -> shape of all that a file of its weights has to hold."""
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}

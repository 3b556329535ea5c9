"""An adapter of peft (LoRA) on one of the two models: its weights added to those of the fetched base model.

Source: Hu et al., "LoRA", arXiv:2106.09685: W + (alpha / r) B A. peft itself is not needed: an adapter is a JSON file
and a safetensors file with two small matrices a layer, and the new head beside them.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from torch import Tensor

from grader.assets import Kept
from grader.intake.weights import WeightsFile
from reference.transformer import assets
from reference.transformer.architecture import NotUsableError
from reference.transformer.checkpoint_files import Candidate
from reference.transformer.checkpoints import Shapes, Source

CONFIG = "adapter_config.json"
_PREFIX = "base_model.model."
_PAIR = re.compile(r"(?P<layer>.+)\.lora_(?P<which>[AB])(?:\.default)?\.weight$")
_SAVED = re.compile(r"\.modules_to_save(?:\.default)?\.|\.original_module\.")
_PLAIN = ("use_dora", "fan_in_fan_out", "lora_bias", "use_qalora", "use_bdlora", "layer_replication")
"""Settings that would make it more than plain LoRA; none may be switched on."""
_MOST_RANK = 1024
_SAVE = "Hand in the merged model: model.merge_and_unload().save_pretrained(folder)."


class Adapter:
    """The weights of a base model with an adapter's added: a Source."""

    def __init__(self, candidate: Candidate, adapter: Source, base: Source) -> None:
        config = candidate.json(CONFIG)
        place = candidate.path(CONFIG)
        if not isinstance(config, dict) or config.get("peft_type") != "LORA":
            raise NotUsableError(f"{place} describes no LoRA.", _SAVE)
        used = [key for key in _PLAIN if config.get(key)]
        used += [key for key in ("alpha_pattern", "rank_pattern") if config.get(key)]
        if used:
            raise NotUsableError(f"{place} asks for {used[0]}; plain LoRA alone is evaluated.", _SAVE)
        rank, alpha = config.get("r"), _number(config.get("lora_alpha"))
        if type(rank) is not int or not 0 < rank <= _MOST_RANK or alpha is None:
            raise NotUsableError(f"{place}: r and lora_alpha are not two numbers above 0.", _SAVE)
        self._scale = alpha / (math.sqrt(rank) if config.get("use_rslora") is True else rank)
        self._adapter, self._base = adapter, base
        self._pairs, self._whole = _sorted_out(adapter.shapes, place)
        self._refuse_misfits(rank, place)

    @property
    def shapes(self) -> Shapes:
        return {**self._base.shapes, **{own: self._adapter.shapes[name] for own, name in self._whole.items()}}

    def read(self, names: Iterable[str]) -> Iterable[tuple[str, Tensor]]:
        names = list(names)
        yield from self._own([name for name in names if name in self._whole])
        for name, value in self._base.read(name for name in names if name not in self._whole):
            pair = self._pairs.get(name)
            if pair is not None:
                parts = dict(self._adapter.read(pair.values()))
                value = value + self._scale * (parts[pair["B"]] @ parts[pair["A"]])
            yield name, value

    def _own(self, names: list[str]) -> Iterable[tuple[str, Tensor]]:
        for name in names:
            for _, value in self._adapter.read([self._whole[name]]):
                yield name, value

    def _refuse_misfits(self, rank: int, place: str) -> None:
        for layer, pair in self._pairs.items():
            due = self._base.shapes.get(layer, ())
            got = [self._adapter.shapes[pair[which]] for which in ("A", "B") if which in pair]
            if len(due) != 2 or got != [(rank, due[1]), (due[0], rank)]:
                raise NotUsableError(
                    f"{place}: the matrices for {layer[:80]} do not fit the base model.", _SAVE
                )


def _sorted_out(shapes: Shapes, place: str) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """(layer's weight -> its two matrices, our name -> the file's) of an adapter's weights."""
    pairs: dict[str, dict[str, str]] = {}
    whole: dict[str, str] = {}
    for name in shapes:
        own = _SAVED.sub(".", name.removeprefix(_PREFIX))
        matrix = _PAIR.fullmatch(own)
        if matrix:
            pairs.setdefault(f"{matrix['layer']}.weight", {})[matrix["which"]] = name
        else:
            whole[own] = name
    if not pairs:
        raise NotUsableError(f"The file beside {place} holds no LoRA matrices.", _SAVE)
    return pairs, whole


def _number(value: Any) -> float | None:
    right = isinstance(value, (int, Decimal)) and not isinstance(value, bool) and 0 < value < 10**6
    return float(value) if right else None


# ---------------------------------------------------------------- the base model


def base_of(candidate: Candidate) -> Kept:
    """The fetched model that an adapter was trained on. Raises NotUsableError, `ours` where it was not fetched."""
    config = candidate.json(CONFIG)
    given = config.get("base_model_name_or_path") if isinstance(config, dict) else None
    name = str(given).replace("\\", "/").rstrip("/").rpartition("/")[2]
    if name not in assets.ASSETS or name == "ag_news":
        known = " and ".join(n for n in assets.ASSETS if n != "ag_news")
        raise NotUsableError(
            f"{candidate.path(CONFIG)} names the base model {str(given)[:80]!r}; {known} are known.", _SAVE
        )
    kept = assets.find(name)
    if kept is None:
        raise NotUsableError(
            f"The adapter needs {name}, which the grader has not fetched.",
            f"For whoever grades: `grade assets fetch {name}`.",
            ours=True,
        )
    return kept


def open_base(kept: Kept) -> WeightsFile:
    """The file of a fetched model's weights; a context manager that closes it."""
    path = kept.path / "model.safetensors"
    return WeightsFile(str(path), path.stat().st_size, os.open(path, os.O_RDONLY | os.O_CLOEXEC))


def base_config(kept: Kept) -> Mapping[str, Any]:
    """The config of a fetched model, as checkpoints' are read."""
    found: Mapping[str, Any] = read_json(kept.path / "config.json")
    return found


def read_json(path: Path) -> Any:
    """JSON of our own with exact decimals."""
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def trainable(adapter: Source) -> int:
    """How many numbers an adapter holds."""
    return sum(math.prod(shape) for shape in adapter.shapes.values())

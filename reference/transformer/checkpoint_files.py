"""Which files of a hand-in are a checkpoint of which model: by their folder, their names and their config.json.

What students hand in: the folder of `save_pretrained`, the `checkpoint-384` that Trainer leaves, a bare state_dict in a
file of its own, an adapter of peft. Of several checkpoints of one model, one is chosen by rules that the report tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from grader.intake.safe_json import parse_json
from grader.intake.text import read_text
from grader.model import ArtifactKind, Submission, SubmittedFile
from reference.transformer.architecture import ARCHITECTURES, NotUsableError

_NOT_A_MODEL = re.compile(
    r"(optimizer|scheduler|scaler|rng_state.*|training_args|trainer_state)", re.IGNORECASE
)
"""What Trainer keeps beside a model."""
_CONFIG_LIMIT = 100_000
"""Bytes of a config: real ones have about 1,000."""
_VOCABULARY_LIMIT = 12_000_000
"""Bytes of a tokenizer.json: RoBERTa's has 3.6 MB."""
_VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "merges.txt")
_MOST = 64
"""Checkpoints that are looked at; there are two models."""
_STEP = re.compile(r"checkpoint-(\d{1,9})$")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One checkpoint: its weights, and the files beside them by name."""

    folder: str
    """Relative to the hand-in; empty for its top level."""
    weights: SubmittedFile
    beside: Mapping[str, SubmittedFile] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """How a report names it."""
        return self.weights.path

    @property
    def is_pickle(self) -> bool:
        """Must be opened in the sealed process alone."""
        return not self.weights.path.endswith(".safetensors")

    def path(self, name: str) -> str:
        """Of a file beside the weights, for a message."""
        return f"{self.folder}/{name}" if self.folder else name

    def text(self, name: str) -> str | None:
        """The text of a file beside the weights; None where there is none. Raises NotUsableError."""
        file = self.beside.get(name)
        if file is None:
            return None
        found = read_text(file, _VOCABULARY_LIMIT if name in _VOCABULARIES else _CONFIG_LIMIT)
        if found.text is None:
            assert found.problem is not None
            raise NotUsableError(found.problem.message, found.problem.next_step)
        return found.text

    def json(self, name: str) -> Any:
        """The JSON of a file beside the weights; None where there is none. Raises NotUsableError."""
        text = self.text(name)
        if text is None:
            return None
        parsed = parse_json(text, self.path(name))
        if parsed.problem is not None:
            raise NotUsableError(parsed.problem.message, parsed.problem.next_step)
        return parsed.value

    def model_type(self) -> str | None:
        """What its config.json says, where that can be read."""
        try:
            config = self.json("config.json")
        except NotUsableError:
            return None
        named = config.get("model_type") if isinstance(config, dict) else None
        return named if isinstance(named, str) else None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The checkpoint of one model, and why it was this one."""

    candidate: Candidate | None
    notes: tuple[str, ...] = ()


def candidates(submission: Submission) -> list[Candidate]:
    """Every file of weights that may be a model's, in the order of their paths; no more than _MOST."""
    by_folder: dict[str, dict[str, SubmittedFile]] = {}
    for file in submission.files:
        folder, _, name = file.path.rpartition("/")
        by_folder.setdefault(folder, {})[name] = file
    found = []
    for folder, files in sorted(by_folder.items()):
        weights = {n: f for n, f in sorted(files.items()) if _is_model(n, f)}
        beside = {n: f for n, f in files.items() if n not in weights}
        found += [Candidate(folder, file, beside) for file in weights.values()]
    return found[:_MOST]


def _is_model(name: str, file: SubmittedFile) -> bool:
    return file.kind is ArtifactKind.WEIGHTS and not _NOT_A_MODEL.fullmatch(PurePosixPath(name).stem)


def choose(submission: Submission, body: str) -> Chosen:
    """The checkpoint of the model `body` ("distilbert" or "roberta"), or none. Raises NotUsableError for two."""
    found = candidates(submission)
    own = [c for c in found if _belongs_to(c) == body]
    if not own and body == "distilbert":  # a checkpoint that could be neither is told of once
        own = [c for c in found if _belongs_to(c) is None]
    if not own:
        return Chosen(None)
    best = _narrowed(own, body)
    if len(best) > 1:
        raise NotUsableError(
            f"There are {len(best)} checkpoints that could count: {', '.join(c.shown for c in best[:4])}.",
            f"Keep one of them, in checkpoints/{body}/.",
        )
    others = [c.shown for c in own if c is not best[0]]
    notes = (f"{best[0].shown} was evaluated; {', '.join(others[:4])} was left aside.",) if others else ()
    return Chosen(best[0], notes)


def _belongs_to(candidate: Candidate) -> str | None:
    """By a folder or file named for one of the two models, else by config.json."""
    path = candidate.weights.path.casefold()
    named = [body for body in ("distilbert", "roberta") if body in path]
    if len(named) == 1:
        return named[0]
    told = candidate.model_type()
    return told if told in ("distilbert", "roberta") else None


def _narrowed(found: Sequence[Candidate], body: str) -> list[Candidate]:
    """One rule after another, as long as it leaves any: the place asked for, the last step, the safer file."""
    last = max(map(_step, found))
    rules: tuple[Callable[[Candidate], bool], ...] = (
        lambda c: c.folder.casefold() == f"checkpoints/{body}",
        lambda c: _step(c) == last,
        lambda c: not c.is_pickle,
        lambda c: "config.json" in c.beside or "adapter_config.json" in c.beside,
    )
    left = list(found)
    for rule in rules:
        left = [c for c in left if rule(c)] or left
    return left


def _step(candidate: Candidate) -> int:
    """The number of Trainer's checkpoint-384; above any where the weights lie in a folder of another name."""
    step = _STEP.search(candidate.folder)
    return int(step[1]) if step else 10**9


def title_of(type: str | None) -> str:
    """A model_type in words."""
    return ARCHITECTURES[type].title if type in ARCHITECTURES else f"a model of type {str(type)[:40]!r}"

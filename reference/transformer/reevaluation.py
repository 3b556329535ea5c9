"""A checkpoint that was handed in, asked again: on the test texts and on held-out ones, in float32, in the judge.

Where AG News has been fetched, those are the 128 texts that the starter kit selects and 256 others of the published
test set. Elsewhere they are the bundled corpus, which tells a model that has learnt from one that has not, but not
whether a claimed accuracy is right.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grader.assets import Kept
from grader.checking.student import Student
from grader.intake.weights import open_weights
from grader.model import Submission
from reference.transformer import adapters, assets, bodies
from reference.transformer.architecture import Architecture, NotUsableError
from reference.transformer.checkpoint_files import Candidate
from reference.transformer.checkpoints import Loaded, Source, TensorFile, load, refuse_misfit
from reference.transformer.evaluation import Ids, described, logits_of, one_device, threads_for
from reference.transformer.pickles import Pickled
from reference.transformer.vocabulary import Vocabulary, read_vocabulary

MOST_POSITIONS = 512
MOST_TOKENS = 260
"""Tokens a text, on average, that are computed; news has about 55, and a vocabulary of single letters about 250."""
CUTS = (256, 128, 64)
"""Where students cut texts; tried where a claim does not fit the whole texts."""
STOCK = {"distilbert": "distilbert-base-uncased", "roberta": "roberta-base"}


@dataclass(frozen=True, slots=True)
class Texts:
    """One set of texts with labels."""

    name: str
    """For the report: "the 128 test texts of AG News"."""
    texts: tuple[str, ...]
    labels: tuple[int, ...]
    sha256: str
    """Of the rows."""

    @classmethod
    def of(cls, name: str, rows: Sequence[Mapping[str, Any]]) -> Texts:
        """From rows of text and label."""
        digest = hashlib.sha256(json.dumps([[r["text"], r["label"]] for r in rows]).encode()).hexdigest()
        shown = name.format(n=len(rows))
        return cls(shown, tuple(r["text"] for r in rows), tuple(r["label"] for r in rows), digest)


@dataclass(frozen=True, slots=True)
class AtHand:
    """What there is to evaluate on."""

    test: Texts
    held_out: Texts
    real: bool
    """True where `test` are the texts that the student's own figures are about."""
    alike: bool
    """True where both sets are drawn from the same texts, so that a model is as good on one as on the other."""
    origin: str
    """Where they came from, for the report."""


def at_hand() -> AtHand:
    """AG News where it has been fetched, else the bundled corpus."""
    bundled = Texts.of("{n} held-out texts of the grader's own", bodies.rows("hidden/heldout.jsonl"))
    kept = assets.find("ag_news")
    if kept is None:
        own = Texts.of("the {n} test texts of the grader's own", bodies.rows("assets/news/test.jsonl"))
        return AtHand(own, bundled, False, True, "the corpus that comes with the grader")
    test = Texts.of("the {n} test texts of AG News", assets.read_rows(kept.path / "test.jsonl"))
    more = kept.path / "heldout.jsonl"
    if not more.is_file():
        return AtHand(test, bundled, True, False, kept.origin)
    held_out = Texts.of("{n} held-out texts of AG News", assets.read_rows(more))
    return AtHand(test, held_out, True, True, kept.origin)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a checkpoint answered."""

    loaded: Loaded
    vocabulary: Vocabulary
    test: Tensor
    """(N, C)"""
    held_out: Tensor
    """(M, C)"""
    sha256: str
    """Of the file of weights."""
    device: str
    notes: tuple[str, ...]

    def answers(self, texts: Sequence[str], most: int = MOST_POSITIONS) -> Tensor:
        """(len(texts), C): what it answers to more texts, each cut to `most` tokens."""
        with one_device() as device:
            return _answers(self.loaded, self.vocabulary, texts, device, most)


def evaluate(
    submission: Submission, candidate: Candidate, body: str, texts: AtHand, student: Student
) -> Evaluated:
    """Load a checkpoint and let it answer; `student` opens pickles in the sealed worker.

    Raises NotUsableError, WeightsProblem, and StudentFault where the worker died of a pickle.
    """
    with ExitStack() as stack:
        file = stack.enter_context(open_weights(submission, candidate.weights))
        source: Source = Pickled(file, student) if candidate.is_pickle else TensorFile(file)
        kept: Kept | None = None
        config: Mapping[str, Any] | None = None
        if adapters.CONFIG in candidate.beside and "config.json" not in candidate.beside:
            kept = adapters.base_of(candidate)
            config = adapters.base_config(kept)
            base = stack.enter_context(adapters.open_base(kept))
            source = adapters.Adapter(candidate, source, TensorFile(base))
        loaded = load(candidate, source, body, config)
        digest = file.sha256()
    notes = [*loaded.notes]
    vocabulary = loaded.vocabulary or _stock(loaded.architecture, loaded.model, candidate, kept, notes)
    with one_device() as device:
        test, held_out = (
            _answers(loaded, vocabulary, part.texts, device) for part in (texts.test, texts.held_out)
        )
    return Evaluated(loaded, vocabulary, test, held_out, digest, described(device), tuple(notes))


def _answers(
    loaded: Loaded,
    vocabulary: Vocabulary,
    texts: Sequence[str],
    device: torch.device,
    most: int = MOST_POSITIONS,
) -> Tensor:
    rows = vocabulary.encode(texts, min(most, _positions(loaded)))
    _refuse_endless(rows, vocabulary)
    try:
        with threads_for(loaded.model):
            return logits_of(loaded.model.to(device), rows, loaded.model.config.pad_token_id)
    finally:
        loaded.model.to("cpu")  # the next process may need the device's memory


def _positions(loaded: Loaded) -> int:
    """Tokens that the model has positions for: RoBERTa leaves out those up to its padding's number."""
    config = loaded.model.config
    taken = config.pad_token_id + 1 if loaded.architecture.type == "roberta" else 0
    return max(2, int(config.max_position_embeddings) - taken)


def _refuse_endless(rows: Sequence[Ids], vocabulary: Vocabulary) -> None:
    average = sum(map(len, rows)) / max(len(rows), 1)
    if average > MOST_TOKENS:
        raise NotUsableError(
            f"{vocabulary.source} splits a text into {average:.0f} tokens on average; the models' own vocabularies "
            "give about 55.",
            "Save the tokenizer that the model was trained with.",
        )


def _stock(
    architecture: Architecture, model: Any, candidate: Candidate, kept: Kept | None, notes: list[str]
) -> Vocabulary:
    """The tokenizer of the fetched model of the same kind, for a checkpoint that has none of its own."""
    name = STOCK.get(architecture.type, "")
    kept = kept or (assets.find(name) if name else None)
    if kept is not None:
        folder = kept.path

        def text(file: str) -> str | None:
            return (folder / file).read_text(encoding="utf-8") if (folder / file).is_file() else None

        found = read_vocabulary(
            architecture, lambda f: adapters.read_json(folder / f) if (folder / f).is_file() else None, text
        )
        if found is not None and found.size <= model.config.vocab_size:
            refuse_misfit(found, model, architecture)
            notes.append(
                f"There is no tokenizer in {candidate.folder or 'the folder'}: that of {folder.name} was used."
            )
            return found
    raise NotUsableError(
        f"There is no tokenizer beside {candidate.shown} (tokenizer.json, vocab.txt, or vocab.json with merges.txt).",
        f"Save it there too: tokenizer.save_pretrained('{candidate.folder or '.'}').",
    )

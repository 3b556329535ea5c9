"""The tiny pre-trained bodies: the committed files, how they load, that they learn, and that the script repeats."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from scripts import make_bodies as bodies
from scripts import measure_bodies as measure
from scripts.make_corpus import LABELS, Row

pytestmark = pytest.mark.parametrize("kind", bodies.KINDS)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    bodies.prepare()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


def train(kind: str, wrong: str = "", epochs: int = 3) -> tuple[float, float]:
    """Test accuracy before and after training on 256 rows at the coursework's settings."""
    model, tokenizer = measure.load(kind)
    test = measure.read("test.jsonl")
    before = bodies.accuracy(model, tokenizer, test)
    torch.manual_seed(0)
    random.seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5)
    for _ in range(epochs):
        measure.train_epoch(model, tokenizer, measure.read("train.jsonl")[:256], optimizer, wrong)
    return before, bodies.accuracy(model, tokenizer, test)


def test_the_committed_files_are_those_of_the_manifest(kind: str) -> None:
    wanted = json.loads(bodies.MANIFEST.read_text(encoding="utf-8"))["sha256"]
    found = {path: digest for path, digest in bodies.hashes().items() if path.startswith(kind)}
    assert found == {path: digest for path, digest in wanted.items() if path.startswith(kind)}
    assert len(found) >= 5


def test_a_body_is_small(kind: str) -> None:
    assert sum(path.stat().st_size for path in (bodies.BODIES / kind).iterdir()) < 950_000


def test_it_loads_as_the_coursework_says(kind: str) -> None:
    model, tokenizer = measure.load(kind)
    assert len(tokenizer) > 1000
    assert model.config.vocab_size == len(tokenizer)
    assert 100_000 < sum(p.numel() for p in model.parameters()) < 200_000
    assert tuple(model.config.id2label.values()) == LABELS
    text = "Shares of Brightwell rose 4 percent on Monday."
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.unk_token_id not in ids
    assert (ids[0], ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
    folder = bodies.BODIES / kind
    assert AutoTokenizer.from_pretrained(folder)(text)["input_ids"] == ids
    assert type(AutoModelForSequenceClassification.from_pretrained(folder)) is type(model)


def test_it_takes_512_tokens(kind: str) -> None:
    model, tokenizer = measure.load(kind)
    assert tokenizer.model_max_length == 512
    inputs = tokenizer("word " * 2000, truncation=True, padding="max_length", return_tensors="pt")
    assert inputs["input_ids"].shape == (1, 512)
    with torch.no_grad():
        assert model(**inputs).logits.shape == (1, 4)


def test_a_right_loop_trains_it(kind: str) -> None:
    before, after = train(kind)
    assert before < 0.45
    assert after >= 0.85


@pytest.mark.parametrize("wrong", ["no_backward", "zero_grad_before_step", "labels_shifted"])
def test_a_loop_that_learns_nothing_shows(kind: str, wrong: str) -> None:
    _, after = train(kind, wrong, epochs=1)
    assert after < 0.5


def test_the_same_bytes_again(kind: str, tmp_path: Path) -> None:
    """A shortened run, twice: tokenizer, every training step and the new head are bit-identical."""
    made = []
    for name in ("once", "again"):
        losses = bodies.make(kind, tmp_path / name, rows_a_topic=24, epochs=1)
        digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (tmp_path / name).iterdir()}
        made.append((losses, digests))
        assert all(p.stat().st_mode & 0o777 == 0o644 for p in (tmp_path / name).iterdir())
    assert made[0] == made[1]
    assert len(made[0][0]) == 3
    assert set(made[0][1]) == {path.name for path in (bodies.BODIES / kind).iterdir()}


def test_a_new_head_is_at_chance_and_leaves_the_body_alone(kind: str) -> None:
    model, tokenizer = measure.load(kind)
    rows = measure.read("test.jsonl")
    for name, value in model.state_dict().items():
        if "classifier" in name:
            value.fill_(1.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    bodies.new_head(model, tokenizer, rows)
    assert bodies.accuracy(model, tokenizer, rows) <= bodies.START_AT_MOST
    assert measure.moved(model, before, head=False) == 0.0
    assert measure.moved(model, before, head=True) > 0.9


def test_check_names_a_changed_file(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bodies.main(["--check"]) == 0
    manifest = json.loads(bodies.MANIFEST.read_text(encoding="utf-8"))
    manifest["sha256"][f"{kind}/config.json"] = "0" * 64
    (tmp_path / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    monkeypatch.setattr(bodies, "MANIFEST", tmp_path / "MANIFEST.json")
    assert bodies.main(["--check"]) == 1
    assert f"differs: {kind}/config.json" in capsys.readouterr().out


def test_masking_spares_special_tokens(kind: str) -> None:
    _, tokenizer = measure.load(kind)
    ids = tokenizer([Row("Nobody scored twice.", 1).text] * 200, return_tensors="pt")["input_ids"]
    torch.manual_seed(0)
    masked = bodies._masked(ids, tokenizer)
    assert (masked[:, 0] == ids[:, 0]).all()
    assert (masked[:, -1] == ids[:, -1]).all()
    share = float((masked != ids)[:, 1:-1].float().mean())
    assert share == pytest.approx(bodies.MASKED, abs=0.04)

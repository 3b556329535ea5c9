"""Answers do not depend on how texts are put into batches, and come back in the order of the texts."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reference.transformer import bodies, evaluation
from reference.transformer.evaluation import batches, encode, logits, logits_of, pad

TEXTS = [row["text"] for row in bodies.rows("assets/news/test.jsonl")[:24]]


@pytest.mark.parametrize("name", ["distilbert", "roberta"])
def test_answers_are_those_of_each_text_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(evaluation.BATCH_TOKENS, "cpu", 300)
    model, tokenizer = bodies.body(name), bodies.tokenizer(name)
    together = logits(model, tokenizer, TEXTS)
    with torch.no_grad():
        alone = torch.cat([model(**tokenizer([text], return_tensors="pt")).logits for text in TEXTS])
    assert together.dtype == torch.float32
    assert torch.allclose(together, alone, rtol=0, atol=1e-5)
    assert not model.training


def test_no_text_no_answer() -> None:
    assert logits(bodies.body("distilbert"), bodies.tokenizer("distilbert"), []).numel() == 0


@given(st.lists(st.integers(0, 600), max_size=60), st.integers(1, 2000))
def test_every_text_is_in_one_batch_that_fits(lengths: list[int], most: int) -> None:
    found = list(batches(lengths, most))
    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or len(batch) * lengths[batch[0]] <= most for batch in found)
    longest = [max(lengths[i] for i in batch) for batch in found]
    assert longest == sorted(longest, reverse=True)


def test_padding_is_masked() -> None:
    batch = pad([[5, 6, 7], [8]], pad_id=1)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 1, 1]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert pad([[5]], pad_id=0, length=4)["input_ids"].shape == (1, 4)


def test_long_texts_are_cut() -> None:
    tokenizer = bodies.tokenizer("distilbert")
    [ids] = encode(tokenizer, ["goal " * 2000])
    assert len(ids) == evaluation.MAX_TOKENS
    [short] = encode(tokenizer, ["goal " * 2000], most=16)
    assert len(short) == 16
    assert short[-1] == tokenizer.sep_token_id


def test_what_is_called_between_batches_may_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(evaluation.BATCH_TOKENS, "cpu", 1)
    calls: list[int] = []

    def stop() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise TimeoutError

    rows = encode(bodies.tokenizer("distilbert"), TEXTS[:5])
    with pytest.raises(TimeoutError):
        logits_of(bodies.body("distilbert"), rows, 0, between=stop)
    assert len(calls) == 3


def test_without_a_gpu_it_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with evaluation.one_device() as device:
        assert evaluation.described(device).startswith("the CPU, ")


def test_a_gpu_is_named_and_held_by_one_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device.index}")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with evaluation.one_device() as first, evaluation.one_device() as second:
        assert [evaluation.described(d) for d in (first, second)] == ["one GPU, GPU 0", "one GPU, GPU 1"]
    with evaluation.one_device() as again:
        assert again.index == 0


def test_a_third_process_waits_until_a_gpu_is_free(tmp_path: Path) -> None:
    """The lock is let go of by whoever holds it, also where that process ends without saying so."""
    code = (
        "import sys; from pathlib import Path\n"
        "from reference.transformer.evaluation import claimed\n"
        "with claimed(1, Path(sys.argv[1])) as number:\n"
        "    print(number, flush=True)\n"
        "    sys.stdin.readline()\n"
        "    import os; os._exit(1)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "0\n"
    waiting = threading.Event()
    held: list[int] = []

    def wait() -> None:
        waiting.set()
        with evaluation.claimed(1, tmp_path) as number:
            held.append(number)

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    assert held == []
    holder.communicate("go\n")
    thread.join()
    assert held == [0]

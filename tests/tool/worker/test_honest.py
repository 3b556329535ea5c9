"""Honest coursework works inside the seal: training, files, threads, data sets, transformers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from grader.worker import Call, Worker, Zygote, ZygoteSpec

from .conftest import HERE, problem_of, value_of

PLAIN = (HERE / "handins" / "honest.py").read_bytes()
HUGGING_FACE = (HERE / "handins" / "honest_hf.py").read_bytes()


def names(source: bytes) -> list[str]:
    """The functions without parameters."""
    return [name.decode() for name in re.findall(rb"^def (\w+)\(\):", source, re.MULTILINE)]


@pytest.fixture(scope="session")
def plain_worker(sealed: str, zygotes: Callable[[str], Zygote]) -> Iterator[Worker]:
    with zygotes(sealed).worker(
        [("honest.py", PLAIN), ("results/metrics.json", b'{"accuracy": 0.5}')]
    ) as worker:
        yield worker


@pytest.mark.parametrize("name", names(PLAIN))
def test_plain_pytorch(plain_worker: Worker, name: str) -> None:
    assert value_of(plain_worker.run([Call(f"student:{name}")], timeout_s=60)[0]) is True


@pytest.fixture(scope="session")
def hugging_face_worker(sealed: str) -> Iterator[Worker]:
    spec = ZygoteSpec(preload=("torch", "transformers", "datasets"))
    with Zygote(spec, isolation=sealed) as zygote, zygote.worker([("hf.py", HUGGING_FACE)]) as worker:
        yield worker


@pytest.mark.parametrize("name", ["map_and_filter", "saved_data", "training", "saved_model"])
def test_transformers_and_datasets(hugging_face_worker: Worker, name: str) -> None:
    assert value_of(hugging_face_worker.run([Call(f"student:{name}")], timeout_s=60)[0]) is True


def test_columns_and_model_outputs_come_back_as_data(hugging_face_worker: Worker) -> None:
    column, output = hugging_face_worker.run(
        [Call("student:columns"), Call("student:model_output")], timeout_s=60
    )
    assert value_of(column) == ["the cat sat on the mat", "a dog ran home"] * 2
    assert value_of(output)["logits"].shape == (1, 2)


def test_a_download_fails_clearly(hugging_face_worker: Worker) -> None:
    (reply,) = hugging_face_worker.run([Call("student:download")], timeout_s=60)
    assert problem_of(reply, "exception").type_name == "OSError"

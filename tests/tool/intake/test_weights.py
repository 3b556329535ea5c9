"""Files of weights: listed and not read at intake, opened one by one later, and no further than their header says."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from grader.intake import IntakeLimits, read_submission
from grader.intake.tensors import HEADER_BYTES, read_entries
from grader.intake.weights import WeightsFile, WeightsProblem, open_weights
from grader.model import ArtifactKind, Submission, SubmittedFile

SMALL = IntakeLimits(file_bytes=100, weights_bytes=10_000)
MODEL = "checkpoint/model.safetensors"
TENSORS = {"a.weight": torch.arange(40.0).reshape(5, 8), "a.bias": torch.ones(5), "step": torch.tensor(3)}


def folder_with(root: Path, name: str, content: bytes) -> Submission:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return read_submission(root, SMALL)


def the_file(submission: Submission) -> SubmittedFile:
    [file] = [file for file in submission.files if file.kind is ArtifactKind.WEIGHTS]
    return file


# ---------------------------------------------------------------- intake


def test_large_weights_are_listed_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    submission = folder_with(tmp_path, MODEL, save(TENSORS))
    file = the_file(submission)
    assert file.content == b""
    assert file.size == len(save(TENSORS)) > SMALL.file_bytes
    assert file.problem is not None
    assert submission.notes == ()


def test_small_weights_are_read_like_any_file(tmp_path: Path) -> None:
    file = the_file(folder_with(tmp_path, "w.pt", b"x" * 99))
    assert (file.content, file.size, file.problem) == (b"x" * 99, 99, None)


def test_weights_beyond_the_limit_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    path = tmp_path / MODEL
    path.parent.mkdir()
    with path.open("wb") as sparse:
        sparse.truncate(10**10)
    submission = read_submission(tmp_path)
    [note] = submission.notes
    assert "It is 10,000 MB, and at most 1,000 MB of weights are opened" in note
    with pytest.raises(WeightsProblem, match=r"10,000 MB.*left unread\.$") as caught:
        open_weights(submission, the_file(submission))
    assert "no optimizer" in caught.value.next_step


def test_two_files_of_weights_of_one_size_are_not_one_hand_in_with_another(tmp_path: Path) -> None:
    hashes = set()
    for size in (200, 300):
        hashes.add(folder_with(tmp_path, MODEL, b"x" * size).sha256)
    assert len(hashes) == 2


@pytest.mark.parametrize("limits", [SMALL, IntakeLimits()], ids=["on disk", "in memory"])
def test_what_is_opened_is_what_was_handed_in(tmp_path: Path, limits: IntakeLimits) -> None:
    content = os.urandom(5_000)
    (tmp_path / "model.bin").write_bytes(content)
    submission = read_submission(tmp_path, limits)
    with open_weights(submission, the_file(submission)) as file:
        assert b"".join(bytes(piece) for piece in file.pieces()) == content
        assert file.sha256() == hashlib.sha256(content).hexdigest()
        part = bytearray(10)
        file.read_into(memoryview(part), 123)
        assert bytes(part) == content[123:133]
        with pytest.raises(WeightsProblem, match="ends after 5,000 bytes"):
            file.read_into(memoryview(bytearray(11)), 4_990)


def test_a_folder_in_the_folder_is_opened_too(tmp_path: Path) -> None:
    submission = folder_with(tmp_path, f"work/{MODEL}", save(TENSORS))
    with open_weights(submission, the_file(submission)) as file:
        assert set(read_entries(file)) == set(TENSORS)


def replace_by_link(path: Path) -> None:
    secret = path.parent / "secret"
    secret.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(secret)


def give_second_name(path: Path) -> None:
    os.link(path, path.parent / "second")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.unlink(), "cannot be opened"),
        (lambda path: path.write_bytes(b"shorter"), "changed while"),
        (replace_by_link, "cannot be opened"),
        (give_second_name, "second name elsewhere"),
    ],
    ids=["gone", "shorter", "a link", "a hard link"],
)
def test_what_changed_since_intake_is_refused(
    tmp_path: Path, change: Callable[[Path], None], message: str
) -> None:
    submission = folder_with(tmp_path, "model.bin", b"x" * 500)
    change(tmp_path / "model.bin")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(WeightsProblem, match=message):
        open_weights(submission, the_file(submission))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# ---------------------------------------------------------------- the header


def entries_of(content: bytes) -> dict[str, Any]:
    return dict(read_entries(WeightsFile("m.safetensors", len(content), content=content)))


def headed(header: object, data: bytes = b"", *, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def one(**changes: object) -> dict[str, object]:
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes}


def test_a_right_file_gives_its_tensors() -> None:
    content = save(TENSORS, metadata={"format": "pt"})
    found = entries_of(content)
    assert {name: entry.shape for name, entry in found.items()} == {
        name: tuple(value.shape) for name, value in TENSORS.items()
    }
    for name, entry in found.items():
        raw = content[entry.start : entry.start + entry.size]
        assert raw == TENSORS[name].numpy().tobytes()


TILED = {
    "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
    "b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds 0 bytes"),
        (b"\0" * 7, "holds 7 bytes"),
        (headed({}, length=2**63), "announces a header of 9,223,372,036,854,775,808 bytes"),
        (b"PK\x03\x04" + b"\0" * 50, "torch.save under another name"),
        (headed(b" " * (HEADER_BYTES + 1)), "has a header of 4 MB"),
        (headed(b"\xff\xfe{}"), "not JSON"),
        (headed(b"[" * 100_000), "not JSON"),
        (headed(b"[]"), "not a JSON object"),
        (headed({}), "holds no tensor"),
        (headed({"__metadata__": {}}), "holds no tensor"),
        (headed({f"w{i}": {} for i in range(5_000)}), "announces 5,000 tensors"),
        (headed(b'{"w": {}, "w": {}}'), "twice"),
        (headed(b'{"w": NaN}'), "NaN"),
        (headed({"w": 3}), "does not give dtype"),
        (headed({"w" * 500: one()["w"]}), "500 characters"),
        (headed(one(dtype="F33"), bytes(8)), "unknown dtype F33"),
        (headed(one(dtype=["F32"]), bytes(8)), "unknown dtype"),
        (headed(one(shape=[-2]), bytes(8)), "shape that no tensor has"),
        (headed(one(shape=[2.0]), bytes(8)), "shape that no tensor has"),
        (headed(one(shape=[True, 2]), bytes(8)), "shape that no tensor has"),
        (headed(one(shape=[2**48]), bytes(8)), "shape that no tensor has"),
        (headed(one(shape=[2] + [1] * 8), bytes(8)), "shape that no tensor has"),
        (headed(one(shape=[2**40, 2**40]), bytes(8)), "which its shape and dtype do not need"),
        (headed(one(shape=[0, 2**40]), bytes(8)), "which its shape and dtype do not need"),
        (headed(one(data_offsets=[8, 0]), bytes(8)), "no range"),
        (headed(one(data_offsets=[0]), bytes(8)), "no range"),
        (headed(one(data_offsets=[0, 4]), bytes(8)), "gives w 4 bytes"),
        (headed(one(data_offsets=[4, 12]), bytes(12)), "leaves bytes before it unused"),
        (headed(one(extra=1), bytes(8)), "and nothing else"),
        (headed(one(), bytes(7)), "cut short"),
        (headed(one(), bytes(9)), "1 bytes behind its last tensor"),
        (headed(TILED, bytes(8)), "shares bytes with another tensor"),
    ],
)
def test_a_header_that_is_not_as_it_must_be_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(WeightsProblem, match=message) as caught:
        entries_of(content)
    assert caught.value.next_step


@given(st.data())
def test_no_bytes_do_more_than_be_refused(data: st.DataObject) -> None:
    content = bytearray(save(TENSORS))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        taken = sum(entry.size for entry in entries_of(cut).values())
    except WeightsProblem:
        taken = 0
    assert taken < max(len(cut), 1)

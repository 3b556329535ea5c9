"""Files of one commit of the Hugging Face hub, each compared with the hash that the hub states for it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from grader.errors import GraderError

_TIMEOUT_S = 10
"""Seconds for one question: where there is no network, that is said at once."""


class Offline(GraderError):
    """The hub may not be asked."""


class Changed(GraderError):
    """A file did not arrive as the hub states it."""


def listed(repository: str, kind: str, revision: str) -> dict[str, Any]:
    """Every file of the commit by name, with size and hashes. Raises Offline, or what the hub's library raises."""
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE:
        raise Offline(
            "The environment variable HF_HUB_OFFLINE forbids to ask the hub.",
            "Unset it, or take the files from a folder: grade assets fetch --from DIR.",
        )
    ask = HfApi().dataset_info if kind == "dataset" else HfApi().model_info
    info = ask(repository, revision=revision, files_metadata=True, timeout=_TIMEOUT_S)
    return {item.rfilename: item for item in info.siblings or []}


def download(repository: str, kind: str, revision: str, name: str, stated: Any, target: Path) -> None:
    """Fetch one file into the folder `target`; `stated` is its entry in `listed`. Raises Changed, and as above."""
    from huggingface_hub import hf_hub_download

    hf_hub_download(
        repository, name, repo_type=kind, revision=revision, local_dir=target, etag_timeout=_TIMEOUT_S
    )
    due, got = _hashes(target / name, stated)
    if due != got:
        raise Changed(
            f"{name} of {repository} did not arrive as the hub states it ({got[:12]}, not {due[:12]}).",
            "Something on the way changed it: try another network.",
        )


def sha256(path: Path) -> str:
    """Of one file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hashes(path: Path, stated: Any) -> tuple[str, str]:
    """(stated, found): the SHA-256 of a file in large file storage, git's own hash of any other."""
    large = getattr(stated, "lfs", None)
    if large is not None:
        return str(large.sha256), sha256(path)
    content = path.read_bytes()
    found = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return str(stated.blob_id), found

"""Hand-ins in memory, for the tests of what is read from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.model import ArtifactKind, Submission, SubmittedFile

MakeSubmission = Callable[..., Submission]


@pytest.fixture
def hand_in() -> MakeSubmission:
    """hand_in({"answers.toml": "..."}): a Submission of these files."""

    def make(files: dict[str, str | bytes]) -> Submission:
        made = (
            SubmittedFile(path, text.encode() if isinstance(text, str) else text, ArtifactKind.OTHER)
            for path, text in sorted(files.items())
        )
        return Submission("test", Path("test"), "0" * 64, tuple(made))

    return make

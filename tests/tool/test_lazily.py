"""Names that a package imports when they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import grader.intake
import grader.worker


@pytest.mark.parametrize("package", [grader.intake, grader.worker])
def test_every_name_of_the_package_is_found(package: object) -> None:
    names: list[str] = package.__all__  # type: ignore[attr-defined]
    assert names
    assert None not in [getattr(package, name, None) for name in names]


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match=r"module 'grader\.worker' has no attribute 'Wroker'"):
        grader.worker.Wroker  # type: ignore[attr-defined]  # noqa: B018


def test_what_is_not_asked_for_is_not_imported() -> None:
    code = (
        "import sys\nfrom grader.intake import read_class\nfrom grader.worker import twin\n"
        "unasked = {'grader.intake.answers', 'grader.worker.handle', 'yaml', 'torch', 'pytest'}\n"
        "print(*sorted(unasked & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""

"""What students get: the starter kit, the public checks, and the tool that runs them. Nothing of it holds an answer.

<id>/README.md          the three commands
<id>/work/              the starter kit: fill it in, and hand in this folder
<id>/checks/            the public checks, to be read
<id>/tool/*.whl         the tool: no reference, no judge
<id>/pyproject.toml     lets `pytest` find the checks
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires

from grader import __version__
from grader.distribution.archive import zipped
from grader.distribution.modules import below, needed
from grader.distribution.secrets import secrets_of
from grader.distribution.wheel import Wheel
from grader.distribution.whole import PROJECT, tree
from grader.errors import AssignmentError, GraderError
from grader.model import Assignment
from grader.paths import PACKAGE, data_root
from grader.selfcheck.kit import KIT, Kit, read_kit
from grader.verify.settings import read_settings

TOOL = f"{PROJECT}-student"
_NEEDS = ("torch", "numpy", "pytest", "click", "rich", "watchfiles", "polib")
_COURSEWORK = ("transformers", "datasets")
ROOTS = (
    "grader.checking.compare",
    "grader.checking.outcomes",
    "grader.intake",
    "grader.numbers.parse",
    "grader.worker.inside.kernel",
)
"""What the public checks and the runner import of this package, besides grader.selfcheck."""


def student_files(assignment: Assignment) -> dict[str, bytes]:
    """The students' archive of `assignment`: POSIX path -> content.

    Raises AssignmentError where a secret of the assignment would be in it, or where it has no public checks.
    """
    public = assignment.root / "public"
    if not (public / KIT).is_file():
        raise AssignmentError(
            f"{assignment.id} has no public checks for students.",
            "Write public/kit.toml and public/test_*.py; docs/student-kit.md explains them.",
        )
    kit = read_kit(public, None)
    starter = read_settings(assignment, assignment.checks).starter
    if starter is None:
        raise AssignmentError(f"{assignment.id} declares no starter kit.", "Name it in [verify] `starter`.")
    tool = tool_wheel()
    files = {f"tool/{tool.file_name}": tool.content(), "README.md": _readme(kit, tool.file_name).encode()}
    files["pyproject.toml"] = _PYPROJECT.encode()
    files |= {f"checks/{name}": content for name, content in tree(public).items()}
    files |= {f"checks/{name}": file.read_bytes() for name, file in kit.files.items()}
    files |= {f"work/{name}": content for name, content in tree(starter).items()}
    workflow = data_root() / "templates" / "deploy" / "github" / "public-checks.yml"
    files[".github/workflows/public-checks.yml"] = workflow.read_bytes()
    _refuse_leaks(assignment, files)
    return {f"{assignment.id}/{name}": content for name, content in files.items()}


def student_archive(assignment: Assignment) -> bytes:
    """The same as a zip, alike to the byte whenever it is built."""
    return zipped(student_files(assignment))


def tool_wheel() -> Wheel:
    """The tool that students install: this package without the judge, the reference and the assignments."""
    modules = needed([*below("grader.selfcheck"), *ROOTS], lazily=("grader.selfcheck",))
    catalogues = sorted((PACKAGE / "languages").glob("*.po"))
    files = {
        file.relative_to(PACKAGE.parent).as_posix(): file.read_bytes()
        for file in (*modules.values(), *catalogues)
    }
    return Wheel(
        name=TOOL,
        version=__version__,
        summary="Runs the public checks of a coursework on your own work.",
        files=files,
        requires=[
            *_requirements(_NEEDS),
            *(f'{r}; extra == "coursework"' for r in _requirements(_COURSEWORK)),
        ],
        extras=("coursework",),
        entry_points={
            "console_scripts": {"grade": "grader.selfcheck.program:program"},
            "pytest11": {"grade-check": "grader.selfcheck.pytest_entry"},
        },
    )


def _requirements(names: tuple[str, ...]) -> list[str]:
    """What this installation asks for of these packages, in the versions that it is tested with."""
    try:
        declared = requires(PROJECT) or []
    except PackageNotFoundError:
        raise GraderError(
            f"{PROJECT} is not installed, so that its requirements are not known.", "pip install it first."
        ) from None
    found = [
        r for r in declared if ";" not in r and r.split("<")[0].split(">")[0].split("[")[0].strip() in names
    ]
    return sorted(found)


def _refuse_leaks(assignment: Assignment, files: dict[str, bytes]) -> None:
    leaks = secrets_of(assignment).leaks(files)
    if leaks:
        shown = "\n  ".join(leak.sentence for leak in leaks[:20])
        more = f"\n  … and {len(leaks) - 20} more" if len(leaks) > 20 else ""
        raise AssignmentError(
            f"Nothing was written: students would get {len(leaks)} secrets of {assignment.id}.\n  {shown}{more}",
            "Take them out of the public checks or the starter kit.",
        )


_PYPROJECT = """\
# Lets `pytest`, started in this folder, run the public checks.
[tool.pytest.ini_options]
testpaths = ["checks"]
addopts = ["--import-mode=importlib", "--tb=short"]
"""


def _readme(kit: Kit, wheel: str) -> str:
    return f"""\
# {kit.title}: starter kit and public checks

    pip install "tool/{wheel}[coursework]"
    grade check

The first command installs the tool and what the coursework needs; use a virtual environment of your own. It needs
Python 3.11 to 3.13, on Linux, macOS or Windows.

Your work goes into the folder `work`: fill in its files, and hand in that folder. `work/README.md` says what belongs
where.

| | |
|---|---|
| `grade check` | run the public checks |
| `grade check 2c` | those of part 2c |
| `grade check --watch` | run again what a saved file concerns, until Ctrl-C |
| `pytest` | the same checks as tests of pytest |
| `from grader import check; check("2c")` | in a notebook: the classes and functions that the notebook has defined |

The checks are in `checks`: read them. They compare what your code returns with itself and with what the handout
prints, and say how your numbers are read. None of them knows a right answer, so to pass them is not a mark: hidden
checks, numbers and texts are judged after you have handed in.

Your code runs on your machine as it is, with all that you may do there.
"""

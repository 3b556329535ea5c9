"""What instructors download, in miniature: examples/*.zip, with the names that each platform gives.

    python -m scripts.example_downloads

The hand-ins in them are the examples of submissions/, in the forms in which students hand in: a notebook, a zip of a
folder, a .tar.gz, loose files, a file that was cut short on the way. Names are invented. The archives are the same
whenever they are made.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import nbformat

from scripts.example_notebook import make

REPOSITORY = Path(__file__).resolve().parent.parent
TARGET = REPOSITORY / "examples"
_SUBMISSIONS = REPOSITORY / "submissions"
_MADE = (2026, 2, 16, 9, 0, 0)
Files = Mapping[str, bytes]

_GRADESCOPE = """\
---
submission_310001:
  :submitters:
  - :name: Jane Doe
    :sid: '40117'
    :email: jane.doe@example.edu
  :created_at: 2026-02-13 21:14:05.104221000 Z
  :score: 0.0
  :status: processed
submission_310007:
  :submitters:
  - :name: Zoë Müller
    :sid: '40125'
    :email: zoe.mueller@example.edu
  - :name: Chidi Okafor
    :sid: '40140'
    :email: chidi.okafor@example.edu
  :created_at: 2026-02-14 00:02:59.000000000 +01:00
  :score: 0.0
  :status: processed
"""
_BLACKBOARD = """\
Name: {name} ({user})
Assignment: Transformer coursework
Date Submitted: {date}
Current Grade: Needs Grading

Submission Field:
There is no student submission text data for this assignment.

Comments:
There are no student comments for this assignment.

Files:
\tOriginal filename: {file}
\tFilename: Transformer coursework_{user}_attempt_{when}_{file}
"""


def folder(name: str) -> dict[str, bytes]:
    """An example of submissions/ as {path: content}."""
    root = _SUBMISSIONS / name
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def notebook(*, altered: bool = False) -> bytes:
    """The example notebook; `altered`: with the handout's test in eval mode and against other numbers."""

    def edit(source: str) -> str:
        source = source.replace("attn = MultiHeadAttention(embed_dim, num_heads=2)\n", _IN_EVAL)
        return source.replace("-0.2494, 0.1396", "-0.2493, 0.1378")

    return nbformat.writes(make(edit if altered else str)).encode()


_IN_EVAL = "attn = MultiHeadAttention(embed_dim, num_heads=2)\nattn.eval()\n"


def below(top: str, files: Files) -> dict[str, bytes]:
    """The same files in a folder."""
    return {f"{top}/{path}": content for path, content in files.items()}


def zipped(files: Files) -> bytes:
    """A zip of these files, names in UTF-8."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _MADE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


def tarred(files: Files) -> bytes:
    """A .tar.gz of these files."""
    plain, out = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed:
        packed.write(plain.getvalue())
    return out.getvalue()


def canvas() -> bytes:
    """Flat names; one late, one handed in again, one typed text, one zip that was cut short."""
    slips = folder("slips")
    work = {**below("work", folder("alice")), "__MACOSX/work/._attention.py": b"\0"}
    return zipped(
        {
            "doejane_40117_910001_a3.ipynb": notebook(),
            "doejane_40117_910002_answers.toml": folder("alice")["answers.toml"],
            "osullivanaoife_LATE_40122_910010_work.zip": zipped(work),
            "müllerzoë_40125_910020_a3-1.ipynb": notebook(altered=True),
            "nguyenvanan_40131_910031_layers.py": slips["layers.py"],
            "nguyenvanan_40131_910032_answers.toml": slips["answers.toml"],
            "okaforchidi_40140_text.html": b"<p>My group hands in for me.</p>",
            "rossimarco_LATE_40151_910050_a3.zip": zipped(folder("half_done"))[:3000],
        }
    )


def moodle() -> bytes:
    """A folder for each student, and one for what was typed into the page."""
    return zipped(
        {
            **below("Jane Doe_2201_assignsubmission_file", {"a3.ipynb": notebook()}),
            **below("Zoë Müller_2202_assignsubmission_file", {"hand-in.tar.gz": tarred(folder("slips"))}),
            **below("李 小龙_2203_assignsubmission_file", folder("half_done")),
            "李 小龙_2203_assignsubmission_onlinetext/onlinetext.html": b"<p>Part 3 follows.</p>",
            **below("Aoife O'Sullivan_2204_assignsubmission_file/final/really final", folder("alice")),
        }
    )


def gradescope() -> bytes:
    """The metadata beside a folder for each submission; the second is of a group."""
    return zipped(
        below(
            "assignment_5512345_export",
            {
                "submission_metadata.yml": _GRADESCOPE.encode(),
                **below("submission_310001", folder("alice")),
                **below("submission_310007", {"a3.ipynb": notebook()}),
            },
        )
    )


def blackboard() -> bytes:
    """Flat names, two attempts of one student, a .txt for each attempt."""
    attempts = (
        ("jdoe", "Jane Doe", "2026-02-12-18-30-01", "a3.zip", zipped(folder("half_done"))),
        ("jdoe", "Jane Doe", "2026-02-13-21-14-05", "a3.zip", zipped(folder("alice"))),
        ("zmueller", "Zoë Müller", "2026-02-14-00-02-59", "a3.ipynb", notebook()),
    )
    files: dict[str, bytes] = {}
    for user, name, when, file, content in attempts:
        stem = f"Transformer coursework_{user}_attempt_{when}"
        cover = _BLACKBOARD.format(name=name, user=user, date=when, when=when, file=file)
        files |= {f"{stem}.txt": cover.encode(), f"{stem}_{file}": content}
    return zipped(files)


def github_classroom() -> bytes:
    """Clones, as `gh classroom clone student-repos` leaves them, in one .tar.gz."""
    top = "transformer-coursework-submissions"
    files: dict[str, bytes] = {}
    for login, example in (("jane-doe", "alice"), ("zoe-m", "slips"), ("xlee", "half_done")):
        clone = f"{top}/transformer-coursework-{login}"
        files |= below(clone, {".git/HEAD": b"ref: refs/heads/main\n", **folder(example)})
    return tarred(files)


EXAMPLES = {
    "canvas.zip": canvas,
    "moodle.zip": moodle,
    "gradescope.zip": gradescope,
    "blackboard.zip": blackboard,
    "github-classroom.tar.gz": github_classroom,
}


def main() -> None:
    """Write them all."""
    TARGET.mkdir(exist_ok=True)
    for name, build in EXAMPLES.items():
        (TARGET / name).write_bytes(build())
        print(f"examples/{name}")


if __name__ == "__main__":
    main()

"""A class that does not exist, as Canvas would hand it out: no two hand-ins alike, known mistakes in most.

    python scripts/make_class.py 300 class.zip [--roster gradebook.csv] [--seed 1]

Each student's work is the model solution with up to three misconceptions of the bank in it, names of their own, some of
it missing, and now and then late. The mistakes in it are known, the marks are not: they are the grader's to find.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from grader.bank import Misconception  # noqa: E402
from reference.transformer.misconceptions import BANK  # noqa: E402

SOLUTION = REPOSITORY / "reference" / "transformer" / "solution"
FILES = ("attention.py", "answers.toml")
FIRST = (
    "Ada", "Ben", "Chen", "Dana", "Emre", "Fatou", "Goran", "Hana", "Ines", "Jonas", "Kemal", "Lena", "Mona", "Nils",
    "Olga", "Priya", "Quinn", "Rosa", "Sven", "Tara",
)  # fmt: skip
LAST = (
    "Abel", "Bauer", "Costa", "Diaz", "Engel", "Fischer", "Garcia", "Haas", "Ito", "Jensen", "Kaya", "Lopez", "Meyer",
    "Novak", "Okafor", "Park", "Rossi", "Sato",
)  # fmt: skip
FIRST_ID, FIRST_ATTACHMENT = 40_000, 700_000


def hand_in(number: int, random_: random.Random) -> dict[str, str]:
    """Files of one student by name."""
    files = {name: (SOLUTION / name).read_text(encoding="utf-8") for name in FILES}
    for misconception in random_.sample(BANK, random_.choice((0, 1, 1, 2, 2, 3))):
        apply(misconception, files)
    if random_.random() < 0.06:
        del files[random_.choice(FILES)]
    if "attention.py" in files:
        files["attention.py"] = f"# Coursework, hand-in {number}\n" + files["attention.py"]
        files["attention.py"] = files["attention.py"].replace(
            "scores", random_.choice(("scores", "logits", "sim"))
        )
    if "answers.toml" in files:
        files["answers.toml"] += f"\n# {number}\n"
    return files


def apply(misconception: Misconception, files: dict[str, str]) -> None:
    """Put the mistake in, unless an earlier one has changed the very text that it changes."""
    edits = misconception.edits
    if all(edit.file in files and files[edit.file].count(edit.old) == 1 for edit in edits):
        for edit in edits:
            files[edit.file] = files[edit.file].replace(edit.old, edit.new)


def students(number: int, seed: int) -> Iterator[tuple[str, int, bool, dict[str, str]]]:
    """Name "Last, First", Canvas id, late or not, and files, of each student."""
    random_ = random.Random(seed)
    for i in range(number):
        first, last = FIRST[i % len(FIRST)], LAST[i // len(FIRST) % len(LAST)]
        again = i // (len(FIRST) * len(LAST))
        name = f"{last}{again or ''}, {first}"
        yield name, FIRST_ID + i, random_.random() < 0.05, hand_in(i, random_)


def write_zip(path: Path, number: int, seed: int) -> None:
    attachment = FIRST_ATTACHMENT
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, user, late, files in students(number, seed):
            who = name.replace(", ", "").casefold()
            for file, text in files.items():
                attachment += 1
                archive.writestr(f"{who}{'_LATE' if late else ''}_{user}_{attachment}_{file}", text)


def write_roster(path: Path, number: int, seed: int) -> None:
    """The gradebook as Canvas exports it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(
            ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Transformer coursework (98765)"]
        )
        writer.writerow(["    Points Possible", "", "", "", "", "100"])
        for name, user, _, _ in students(number, seed):
            writer.writerow([name, user, f"S{user}", f"u{user}", "A", ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("number", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--roster", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write_zip(options.out, options.number, options.seed)
    if options.roster is not None:
        write_roster(options.roster, options.number, options.seed)


if __name__ == "__main__":
    main()

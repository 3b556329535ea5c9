"""A folder or an archive for each student: clones of GitHub Classroom, or whatever an instructor has made."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from grader.intake.archives import is_archive_name, without_suffix
from grader.intake.gather import Piece
from grader.intake.lms.draft import At, Draft, Layout, beside, by_key, listed
from grader.intake.stores import Child, Store
from grader.intake.walk import shown_name

_STRONG = (".py", ".ipynb", "answers.toml")
"""What lies directly in a hand-in, and never beside the hand-ins of a class."""
_WEAK = (".pdf", ".docx", ".tex", ".md", ".txt")
_PARTS = re.compile(
    r"(?:results?|src|source|sources|code|codes|notebooks?|reports?|docs?|data|datasets?|figures?|figs?|images?|plots?|"
    r"models?|checkpoints?|outputs?|assets|utils?|lib|scripts?|tests?|logs?|weights|runs?|"
    r"(?:part|section|question|q|task|exercise|ex|problem)[ _-]*\d+\w?|\d)",
    re.IGNORECASE,
)
"""Names that students give to folders in their hand-in, and nobody to a student."""


def github_classroom(store: Store, at: At, children: Sequence[Child]) -> Layout | None:
    """Clones of one assignment: at least two folders that are repositories and begin alike."""
    folders = [child for child in listed(children) if child.is_folder]
    clones = [child for child in folders if any(c.name == ".git" for c in store.children((*at, child.name)))]
    prefix = os.path.commonprefix([child.name for child in clones])  # noqa: RUF071  # characters are meant
    prefix = prefix[: prefix.rfind("-") + 1]
    if len(clones) < 2 or not prefix:
        return None
    drafts = []
    for child in clones:
        name = shown_name(child.name[len(prefix) :]) or shown_name(child.name)
        drafts.append(Draft(name, name, [Piece((*at, child.name))]))
    others = [child for child in listed(children) if child not in clones]
    return Layout("clones of GitHub Classroom", by_key(drafts), beside(others))


def plain(store: Store, at: At, children: Sequence[Child]) -> Layout | None:
    """One folder or archive a student; None where this looks like one hand-in."""
    candidates = listed(children)
    files = [child for child in candidates if not child.is_folder]
    if any(child.name.lower().endswith(_STRONG) for child in files):
        return None
    students = [child for child in candidates if child.is_folder or is_archive_name(child.name)]
    if len(students) < 2 or all(_PARTS.fullmatch(without_suffix(child.name)) for child in students):
        return None
    texts = [c for c in files if c.name.lower().endswith(_WEAK) and not c.name.lower().startswith("readme")]
    if texts and any(_PARTS.fullmatch(without_suffix(child.name)) for child in students):
        return None
    drafts = []
    for child in students:
        place = (*at, child.name)
        if child.is_folder:
            drafts.append(Draft(shown_name(child.name), shown_name(child.name), [Piece(place)]))
        else:
            name = shown_name(without_suffix(child.name))
            drafts.append(Draft(name, name, [Piece(place, shown_name(child.name), folder=False)]))
    others = [child for child in candidates if child not in students]
    return Layout("one folder or archive a student", by_key(drafts), beside(others))

"""Whose download this is, or that it is one hand-in."""

from __future__ import annotations

from grader.intake.lms.blackboard import blackboard
from grader.intake.lms.canvas import canvas
from grader.intake.lms.draft import At, Layout, listed
from grader.intake.lms.folders import github_classroom, plain
from grader.intake.lms.gradescope import gradescope
from grader.intake.lms.moodle import moodle
from grader.intake.stores import Store

_PLATFORMS = (gradescope, moodle, blackboard, canvas)
"""Those with names of their own; Blackboard's would pass for Canvas', so it is asked first."""
_BY_FOLDERS = (github_classroom, plain)
_DEEPEST = 3
"""Folders around the hand-ins that a download may have."""


def recognise(store: Store) -> Layout | None:
    """The layout of a class; None where this is one hand-in."""
    at: At = ()
    for _ in range(_DEEPEST):
        children = store.children(at)
        for layout in _PLATFORMS:
            found = layout(store, at, children)
            if found:
                return found
        only = listed(children)
        if len(only) != 1 or not only[0].is_folder:
            break
        at = (*at, only[0].name)
    children = store.children(at)
    return next((found for layout in _BY_FOLDERS if (found := layout(store, at, children))), None)

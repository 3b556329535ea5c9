"""What is to be done for one hand-in: what can be taken over from an earlier result, and what has to be run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.classroom.keys import with_dependencies
from grader.gradebook import Result
from grader.model import Assignment, Check, Status


@dataclass(frozen=True, slots=True)
class Plan:
    """Which checks are run, and which are taken over from the result `earlier`."""

    run: frozenset[str]
    taken_over: frozenset[str]
    earlier: Result | None
    fingerprint: str
    """Of hand-in, checks and grader: the same plan gives the same result."""

    @property
    def nothing_to_do(self) -> bool:
        """The result is in the gradebook already."""
        return self.earlier is not None and not self.run


def plan(
    assignment: Assignment,
    selected: Sequence[Check],
    keys: Mapping[str, str],
    submission_sha256: str,
    earlier: Result | None,
    *,
    attempt: int = 1,
    force: int | None = None,
) -> Plan:
    """Run what was selected and is not known; take over all that is known of the very same hand-in.

    attempt: of this hand-in; the same content may be handed in twice.
    force: number of a run that runs everything again, so that its results are told from earlier ones.
    """
    checks = {check.id for check in assignment.checks}
    if earlier is not None and (earlier.failure or earlier.entry.submission_sha256 != submission_sha256):
        earlier = None
    known = set() if earlier is None else {id for id, mark in earlier.marks.items() if id in checks}
    fresh = (
        set()
        if earlier is None or force is not None
        else {
            id
            for id in known
            if earlier.marks[id].key == keys[id] and earlier.marks[id].status is not Status.GRADER_ERROR
        }
    )
    # Of what is known but stale, all that this run was not asked for stays as it was.
    stale = (check for check in selected if check.id not in fresh)
    run = {check.id for check in with_dependencies(assignment, stale)}
    taken_over = known - run
    after = [] if earlier is None else [f"after result {earlier.id}"]
    forced = [] if force is None else [f"in run {force}"]
    asked = [f"{id} {keys[id]}" for id in sorted(run)]
    return Plan(
        run=frozenset(run),
        taken_over=frozenset(taken_over),
        earlier=earlier,
        fingerprint=_fingerprint(
            assignment.id, submission_sha256, f"attempt {attempt}", *after, *forced, *asked
        ),
    )


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()

"""Which checks a saved file concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.selfcheck.kit import PublicCheck
from grader.selfcheck.result import Result
from grader.selfcheck.student import sources

_READ = (".py", ".ipynb", ".toml", ".json")
Stamps = Mapping[str, tuple[int, int]]


def stamps(work: Path) -> Stamps:
    """Time and size of every file of the work that a check may read, by POSIX path."""
    found = dict(sources(work))
    for pattern in ("*.toml", "*.json", "results/*.json"):
        found |= {file.relative_to(work).as_posix(): file for file in work.glob(pattern)}
    known = {}
    for name, file in found.items():
        try:
            known[name] = (file.stat().st_mtime_ns, file.stat().st_size)
        except OSError:  # gone in the meantime
            continue
    return known


def concerned(
    checks: Sequence[PublicCheck], last: Mapping[str, Result], before: Stamps, after: Stamps
) -> tuple[PublicCheck, ...]:
    """The checks whose result may be another one now.

    Those that used a file which has changed, and those that found nothing to use. A file that has come or gone may
    define what another one defines, so then it is all of them that run student code.
    """
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if not changed:
        return ()
    code = any(name.endswith((".py", ".ipynb")) for name in before.keys() ^ after.keys())

    def may_change(check: PublicCheck) -> bool:
        result = last.get(check.id)
        if result is None or not result.uses:
            return True
        return bool(changed & set(result.uses)) or (
            code and any(u.endswith((".py", ".ipynb")) for u in result.uses)
        )

    return tuple(check for check in checks if may_change(check))


def watched(name: str) -> bool:
    """Whether a change of the file called so is worth a look."""
    return name.endswith(_READ) and not any(part.startswith(".") for part in Path(name).parts[-2:])

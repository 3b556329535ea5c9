"""assignment.toml -> :class:`~grader.model.Assignment`, with errors that its author can act on."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from grader import entries
from grader.errors import AssignmentError, UnknownName, UsageError, did_you_mean
from grader.model import Assignment, Check, Part, Tolerance, Visibility
from grader.paths import data_root

FORMAT = 1
"""Of assignment.toml: what a newer grader understands and this one does not has a higher number."""
_TOP = {
    "format", "id", "version", "title", "allowed_packages", "signatures", "worker_modules", "part", "check", "verify",
    "written", "expected_files", "handout_cells",
}  # fmt: skip
_PART = {"id", "title", "asks", "worker"}
_CHECK = {
    "id", "title", "points", "visibility", "depends_on", "tolerance", "timeout_s", "review", "answers",
    "number", "rubric",
}  # fmt: skip
_TOLERANCE = {"why", "relative", "absolute"}
_WITHOUT_PUBLIC = "`grade list --public` shows the public ones; leave --public out to run hidden checks too."
_UNHASHED = {"__pycache__", ".pytest_cache"}


def load_assignment(name: str = "transformer") -> Assignment:
    """Read the assignment called `name` from tests/<name>/assignment.toml.

    Raises UnknownName where there is none of that name, AssignmentError where the file is wrong.
    """
    root = data_root() / "tests" / name
    if not (root / "assignment.toml").is_file():
        raise UnknownName("assignment", name, bundled())
    return read_assignment(root, reference=data_root() / "reference" / name)


def bundled() -> list[str]:
    """Ids of the assignments that come with the grader."""
    return sorted(p.parent.name for p in (data_root() / "tests").glob("*/assignment.toml"))


def read_assignment(root: Path, reference: Path | None = None) -> Assignment:
    """Read `root`/assignment.toml; `reference` only takes part in the hash."""
    document = read_document(root)
    _known_format(document)
    entries.known_keys(document, _TOP, "assignment.toml")
    parts = tuple(_part(entry) for entry in entries.tables(document, "part"))
    checks = tuple(_check(entry) for entry in entries.tables(document, "check"))
    _consistent(parts, checks)
    return Assignment(
        id=entries.text(document, "id", "assignment.toml"),
        version=entries.text(document, "version", "assignment.toml"),
        title=entries.text(document, "title", "assignment.toml"),
        parts=parts,
        checks=checks,
        allowed_packages=entries.texts(document, "allowed_packages", "assignment.toml"),
        signatures=entries.table(document, "signatures", "assignment.toml"),
        worker_modules=entries.table(document, "worker_modules", "assignment.toml"),
        expected_files=entries.texts(document, "expected_files", "assignment.toml"),
        handout_cells=entries.table(document, "handout_cells", "assignment.toml"),
        written=entries.table(document, "written", "assignment.toml"),
        root=root,
        sha256=_hash_tree([root] + ([reference] if reference else [])),
    )


def find_assignment(given: str) -> Assignment:
    """The bundled assignment of this id, or the one in this folder (that of assignment.toml).

    An id comes first: a folder of that name, which may be anybody's, is given as ./NAME. Raises UsageError where there
    is neither, AssignmentError where assignment.toml is wrong.
    """
    if given in bundled():
        return load_assignment(given)
    folder = Path(given).parent if Path(given).name == "assignment.toml" else Path(given)
    if not (folder / "assignment.toml").is_file():
        if not folder.is_dir():
            beside = [str(file.parent) for file in sorted(folder.parent.glob("*/assignment.toml"))]
            raise UnknownName("assignment", given, [*bundled(), *beside])
        raise UsageError(
            f"There is no assignment.toml in {given!r}.", "Give the folder that holds it, or an id."
        )
    root = folder.resolve()
    reference = root.parent.parent / "reference" / root.name
    return read_assignment(root, reference if reference.is_dir() else None)


def read_document(root: Path) -> Mapping[str, Any]:
    """`root`/assignment.toml as TOML; raises AssignmentError."""
    path = root / "assignment.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AssignmentError(
            f"{path} cannot be read: {error}.", "Mend the file and run `grade list`."
        ) from error


def select(
    assignment: Assignment,
    parts: Iterable[str] = (),
    checks: Iterable[str] = (),
    *,
    public_only: bool = False,
) -> tuple[Check, ...]:
    """The checks to run: those of `parts` ("2c", or "2" for all of section 2) and those named in `checks`.

    Nothing named means all. Raises UnknownName with a "did you mean", and UsageError where `public_only` leaves none.
    """
    parts, checks = tuple(parts), tuple(checks)
    part_ids = [p.id for p in assignment.parts]
    wanted_parts: set[str] = set()
    for prefix in parts:
        matches = {p for p in part_ids if p == prefix} or {p for p in part_ids if p.startswith(prefix)}
        if any(prefix == c.id for c in assignment.checks):
            raise UsageError(f"{prefix} is a check, not a part.", f"Write --check {prefix}.")
        if not prefix or not matches:
            raise UnknownName("part", prefix, part_ids)
        wanted_parts |= matches
    check_ids = [c.id for c in assignment.checks]
    for name in checks:
        if name in part_ids:
            raise UsageError(f"{name} is a part, not a check.", f"Write --part {name}.")
        if name not in check_ids:
            raise UnknownName("check", name, check_ids)
    chosen = [
        c for c in assignment.checks if (not parts and not checks) or c.part in wanted_parts or c.id in checks
    ]
    if not public_only:
        return tuple(chosen)
    public = tuple(c for c in chosen if c.visibility is Visibility.PUBLIC)
    hidden = [name for name in checks if name not in {c.id for c in public}]
    if hidden:
        raise UsageError(f"{hidden[0]} is a hidden check.", _WITHOUT_PUBLIC)
    if not public:
        raise UsageError(f"Part {' and part '.join(parts)} has no public check.", _WITHOUT_PUBLIC)
    return public


def _known_format(document: Mapping[str, Any]) -> None:
    given = document.get("format", FORMAT)
    if given != FORMAT:
        raise AssignmentError(
            f"assignment.toml has format {given!r}; this grader reads {FORMAT}.",
            "Install the version of the grader that it was written for.",
        )


def _part(entry: Mapping[str, Any]) -> Part:
    where = f"part {entry.get('id', '?')!r}"
    entries.known_keys(entry, _PART, where)
    return Part(
        id=entries.text(entry, "id", where),
        title=entries.text(entry, "title", where),
        asks=entries.text(entry, "asks", where),
        worker=entries.texts(entry, "worker", where),
    )


def _check(entry: Mapping[str, Any]) -> Check:
    where = f"check {entry.get('id', '?')!r}"
    entries.known_keys(entry, _CHECK, where)
    identifier = entries.text(entry, "id", where)
    try:
        points = Decimal(entries.text(entry, "points", where))
        visibility = Visibility(entry.get("visibility", "public"))
    except (InvalidOperation, ValueError) as error:
        raise AssignmentError(
            f"{where}: {error}.", 'points is a decimal number in quotes; visibility is "public" or "hidden".'
        ) from error
    if not points.is_finite() or points <= 0:
        raise AssignmentError(f"{where}: points must be a positive number, not {points}.")
    return Check(
        id=identifier,
        part=identifier.partition(".")[0],
        title=entries.text(entry, "title", where),
        points=points,
        visibility=visibility,
        depends_on=entries.texts(entry, "depends_on", where),
        tolerance=_tolerance(entries.table(entry, "tolerance", where), where)
        if "tolerance" in entry
        else None,
        timeout_s=entries.above_zero(entry, "timeout_s", where, 20.0),
        review=entry.get("review", False) is True,
        answers=entries.texts(entry, "answers", where),
        rubric=entries.texts(entry, "rubric", where),
        number=entries.table(entry, "number", where) if "number" in entry else None,
    )


def _tolerance(entry: Mapping[str, Any], where: str) -> Tolerance:
    entries.known_keys(entry, _TOLERANCE, f"{where}, tolerance")
    tolerance = Tolerance(
        why=entries.text(entry, "why", f"{where}, tolerance"),
        relative=entries.above_zero(entry, "relative", where, 0.0),
        absolute=entries.above_zero(entry, "absolute", where, 0.0),
    )
    if not (tolerance.relative or tolerance.absolute):
        raise AssignmentError(f"{where}: a tolerance needs `relative` or `absolute` above zero.")
    return tolerance


def _consistent(parts: tuple[Part, ...], checks: tuple[Check, ...]) -> None:
    for kind, ids in (("part", [p.id for p in parts]), ("check", [c.id for c in checks])):
        doubled = sorted({i for i in ids if ids.count(i) > 1})
        if doubled:
            raise AssignmentError(f"assignment.toml declares {kind} {doubled[0]!r} twice.")
    seen: set[str] = set()
    for check in checks:
        if check.part not in {p.id for p in parts}:
            near = did_you_mean(check.part, [p.id for p in parts])
            raise AssignmentError(
                f"check {check.id!r} belongs to no declared part.",
                f"Did you mean part {near!r}?" if near else "Declare the part first.",
            )
        for dependency in check.depends_on:
            if dependency not in seen:
                near = did_you_mean(dependency, seen)
                raise AssignmentError(
                    f"check {check.id!r} depends on {dependency!r}, which is not declared before it.",
                    f"Did you mean {near!r}?" if near else "Checks run in the order of the file.",
                )
        seen.add(check.id)


def _hash_tree(roots: Iterable[Path]) -> str:
    """SHA-256 over relative paths and contents of every file below `roots`, byte code left out."""
    digest = hashlib.sha256()
    for root in roots:
        for path in sorted(p for p in root.rglob("*") if p.is_file() and not _UNHASHED & set(p.parts)):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()

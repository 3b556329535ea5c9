"""Data and models that grading can use and must not carry: fetched once, checked, kept, and then used offline.

An asset is pinned to one commit of the Hugging Face hub. Each file is compared with the hash that the hub states for it
at that commit, and its SHA-256 is written into a manifest beside it, which every later use is compared with. A folder
may stand in for the hub: a mirror of the repositories, or the cache of a machine that has a network.

Nothing here is downloaded unless `fetch` is called. Importing this module imports nothing heavy.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

from grader import hub
from grader.errors import GraderError
from grader.hub import sha256

SCHEMA = 1
MANIFEST = "MANIFEST.json"
FOLDER_VARIABLE = "GRADE_ASSETS"
"""Environment variable that names the folder to keep assets in, instead of the user's cache."""
_SPARE = 1.1
"""Free space asked for, as a multiple of what is fetched."""

Prepare = Callable[[Path, Path], None]
"""(folder with the repository's files, empty folder) -> fills the latter with what is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One thing to fetch."""

    name: str
    """Its folder in the cache, and its name on the command line."""
    title: str
    """What it is and what it is for, a few words."""
    repository: str
    """On the hub, "owner/name" or "name"."""
    kind: Literal["dataset", "model"]
    revision: str
    """The commit, 40 digits."""
    files: tuple[str, ...]
    """Patterns of the files that are fetched; each has to match one at least."""
    optional: tuple[str, ...] = ()
    """Patterns of files that are fetched where they are there."""
    download_bytes: int
    """About what is downloaded."""
    licence: str
    """Under which its makers offer it."""
    prepare: Prepare | None = None
    """Turns what was fetched into what is kept; None keeps the files as they are."""
    prepared: tuple[str, ...] = ()
    """Files that `prepare` writes; a folder that holds them already is taken too."""
    inspect: Callable[[Path], None] = lambda folder: None
    """Looks into what is about to be kept; raises AssetError where it cannot be what it should be."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An asset in the cache."""

    path: Path
    origin: str
    """Where it came from, for a report: "fancyzhx/ag_news at eb185aade064"."""
    files: dict[str, tuple[int, str]]
    """Name -> bytes and SHA-256, as they were when it was fetched."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for size, _ in self.files.values())


class AssetError(GraderError):
    """An asset cannot be had."""


def folder() -> Path:
    """Where assets are kept: $GRADE_ASSETS, or a folder in the user's cache."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("transformer-grader") / "assets"


def find(asset: Asset) -> Kept | None:
    """The asset where it is in the cache, whole and of this revision; sizes are compared, not contents."""
    kept = _read_manifest(folder() / asset.name, asset)
    if kept is None or any(_size(kept.path / name) != size for name, (size, _) in kept.files.items()):
        return None
    return kept


def differing(kept: Kept) -> list[str]:
    """The files whose contents are no longer those that were fetched."""
    return [
        name
        for name, (_, digest) in sorted(kept.files.items())
        if not (kept.path / name).is_file() or sha256(kept.path / name) != digest
    ]


def fetch(asset: Asset, source: Path | None = None, tell: Callable[[str], None] = lambda line: None) -> Kept:
    """Bring the asset into the cache, from the hub or from the folder `source`, replacing what is there.

    Raises AssetError; the cache is then as it was.
    """
    target = folder() / asset.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _require_space(asset, target.parent)
        with tempfile.TemporaryDirectory(prefix=f".{asset.name}-", dir=target.parent) as work:
            raw, ready = Path(work) / "raw", Path(work) / "ready"
            raw.mkdir()
            ready.mkdir()
            origin = (
                _from_hub(asset, raw, tell) if source is None else _from_folder(asset, source, raw, ready)
            )
            if not any(ready.iterdir()):
                (asset.prepare or _as_it_is)(raw, ready)
            asset.inspect(ready)
            _write_manifest(ready, asset, origin)
            if target.exists():
                shutil.rmtree(target)
            ready.rename(target)
    except OSError as error:
        raise AssetError(
            f"{asset.name} cannot be kept in {target.parent}: {error.strerror or error}.",
            f"Name another folder in the environment variable {FOLDER_VARIABLE}.",
        ) from error
    kept = find(asset)
    assert kept is not None
    return kept


# ---------------------------------------------------------------- where it comes from


def _from_hub(asset: Asset, raw: Path, tell: Callable[[str], None]) -> str:
    """Download the files of the pinned commit."""
    where = asset.repository, asset.kind, asset.revision
    try:
        stated = hub.listed(*where)
        for name in _wanted(asset, stated):
            tell(f"{asset.name}: {name}")
            hub.download(*where, name, stated[name], raw)
    except GraderError:
        raise
    except Exception as error:  # the libraries below raise unrelated classes for one and the same thing
        cause = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise AssetError(
            f"{asset.repository} cannot be had from the Hugging Face hub ({cause}).",
            "Try again with a network, or take it from a folder: grade assets fetch --from DIR.",
        ) from error
    return f"{asset.repository} at {asset.revision[:12]}"


def _from_folder(asset: Asset, source: Path, raw: Path, ready: Path) -> str:
    """Take the files from a mirror of the hub (into `raw`) or from another cache (into `ready`, compared)."""
    if not source.is_dir():
        raise AssetError(
            f"There is no folder {str(source)!r}.", "Give a mirror of the hub, or another cache."
        )
    kept = _read_manifest(source / asset.name, asset)
    if kept is not None:
        wrong = differing(kept)
        if wrong:
            raise AssetError(
                f"{kept.path / wrong[0]} is not what its manifest says.", "Copy the folder again."
            )
        _copy(kept.path, kept.files, ready)
        return kept.origin
    for place in (source / asset.repository, source / asset.name, source):
        found = list(_files(place)) if place.is_dir() else []
        if asset.prepared and set(asset.prepared) <= set(found):
            _copy(place, _matching(found, (*asset.prepared, *asset.optional)), ready)
            return f"the folder {place.name}"
        if all(_matching(found, (pattern,)) for pattern in asset.files):
            _copy(place, _wanted(asset, found), raw)
            return f"the folder {place.name}"
    raise AssetError(
        f"{str(source)!r} does not hold {asset.name}: {', '.join(asset.files)}.",
        f"They are looked for in {asset.repository}/, in {asset.name}/ and in the folder itself.",
    )


def _wanted(asset: Asset, found: Iterable[str]) -> list[str]:
    """Those of the files `found` that are fetched; raises AssetError where one that is needed is not there."""
    found = list(found)
    for pattern in asset.files:
        if not _matching(found, (pattern,)):
            raise AssetError(f"{asset.repository} at {asset.revision[:12]} has no file {pattern!r}.")
    return _matching(found, (*asset.files, *asset.optional))


def _matching(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    patterns = list(patterns)
    return sorted(name for name in names if any(fnmatch(name, pattern) for pattern in patterns))


def _copy(place: Path, names: Iterable[str], target: Path) -> None:
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place / name, target / name)


def _as_it_is(raw: Path, ready: Path) -> None:
    for path in list(_files(raw)):
        (ready / path).parent.mkdir(parents=True, exist_ok=True)
        (raw / path).rename(ready / path)


# ---------------------------------------------------------------- the manifest


def _write_manifest(path: Path, asset: Asset, origin: str) -> None:
    files = {name: {"bytes": _size(path / name), "sha256": sha256(path / name)} for name in _files(path)}
    document = {
        "schema": SCHEMA,
        "name": asset.name,
        "revision": asset.revision,
        "origin": origin,
        "files": files,
    }
    (path / MANIFEST).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _read_manifest(path: Path, asset: Asset) -> Kept | None:
    """What the manifest in `path` says; None where there is none, or one of another revision."""
    try:
        document = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        if (document["schema"], document["name"], document["revision"]) != (
            SCHEMA,
            asset.name,
            asset.revision,
        ):
            return None
        files = {str(name): (int(f["bytes"]), str(f["sha256"])) for name, f in document["files"].items()}
        return Kept(path, str(document["origin"]), files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _files(path: Path) -> Iterator[str]:
    """Names below `path`, what the hub's library keeps for itself left out."""
    for found in sorted(path.rglob("*")):
        name = found.relative_to(path).as_posix()
        if found.is_file() and not name.startswith(".cache/") and name != MANIFEST:
            yield name


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _require_space(asset: Asset, place: Path) -> None:
    free = shutil.disk_usage(place).free
    if free < asset.download_bytes * _SPARE:
        needed, left = asset.download_bytes / 1e6, free / 1e6
        raise AssetError(
            f"{asset.name} needs about {needed:,.0f} MB, and {place} has {left:,.0f} MB left.",
            f"Name another folder in the environment variable {FOLDER_VARIABLE}.",
        )

"""`grade assets`: what the real run needs, what of it is here, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from grader import assets
from grader.assets import Asset
from grader.errors import UnknownName


def print_assets(console: Console, known: Mapping[str, Asset], *, thorough: bool) -> bool:
    """A row an asset; `thorough` compares every byte with its manifest. False where something differs."""
    table = Table(box=None, pad_edge=False)
    for column in ("asset", "what it is", "download", "licence", "state"):
        right = column == "download"
        table.add_column(column, justify="right" if right else "left", no_wrap=column == "asset")
    whole = True
    for asset in known.values():
        state, right = _state(asset, thorough)
        whole = whole and right
        table.add_row(asset.name, asset.title, f"{asset.download_bytes / 1e6:,.0f} MB", asset.licence, state)
    console.print(table)
    console.print(f"\nFolder: {assets.folder()}", soft_wrap=True)
    console.print(
        "Grading needs none of them. With them, checkpoints are evaluated on AG News, and `grade reference --run` "
        "trains the real models.",
        soft_wrap=True,
    )
    return whole


def _state(asset: Asset, thorough: bool) -> tuple[str, bool]:
    kept = assets.find(asset)
    if kept is None:
        return "not here", True
    wrong = assets.differing(kept) if thorough else []
    if wrong:
        return f"changed since it was fetched: {', '.join(wrong)}", False
    return f"{'checked' if thorough else 'here'}, from {kept.origin}", True


def fetch_assets(
    console: Console, known: Mapping[str, Asset], names: Sequence[str], source: Path | None, *, again: bool
) -> None:
    """Fetch what is named (all, where nothing is) and not here yet. Raises UnknownName and AssetError."""
    for name in names:
        if name not in known:
            raise UnknownName("asset", name, known)
    chosen = [known[name] for name in names] if names else list(known.values())
    due = [asset for asset in chosen if again or assets.find(asset) is None]
    for asset in chosen:
        if asset not in due:
            console.print(f"{asset.name} is here.")
    if not due:
        return
    size = sum(asset.download_bytes for asset in due) / 1e6
    console.print(f"Fetching {', '.join(a.name for a in due)}: about {size:,.0f} MB.", soft_wrap=True)
    console.print(f"Into {assets.folder()}; {assets.FOLDER_VARIABLE} names another folder.", soft_wrap=True)
    for asset in due:
        kept = assets.fetch(asset, source, lambda line: console.print(f"  {line}", markup=False))
        files = f"{len(kept.files)} file{'s' if len(kept.files) != 1 else ''}"
        console.print(f"{asset.name}: {files}, {kept.size / 1e6:,.1f} MB, SHA-256 of each in its manifest.")
    if all(assets.find(asset) for asset in known.values()):
        console.print("All is here: from now on no network is needed.")

"""Entries of assignment.toml, read strictly: a wrong one is an AssignmentError that says where and what to write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.errors import AssignmentError, UnknownName


def tables(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The tables [[key]], at least one."""
    found = document.get(key)
    if not isinstance(found, list) or not found:
        raise AssignmentError(f"assignment.toml declares no [[{key}]].")
    return found


def text(entry: Mapping[str, Any], key: str, where: str) -> str:
    """A text that is not empty."""
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise AssignmentError(f"{where}: {key!r} must be a text.", f'Write {key} = "…".')
    return value


def texts(entry: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    """A list of texts; empty where there is none."""
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise AssignmentError(f"{where}: {key!r} must be a list of texts.", f'Write {key} = ["…"].')
    return tuple(value)


def table(entry: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    """A table; empty where there is none."""
    value = entry.get(key, {})
    if not isinstance(value, dict):
        raise AssignmentError(f"{where}: {key!r} must be a table.", f"Write {key} = {{ … = … }}.")
    return value


def above_zero(entry: Mapping[str, Any], key: str, where: str, default: float) -> float:
    """A finite number above zero; `default` where there is none."""
    value = entry.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise AssignmentError(f"{where}: {key!r} must be a number.", f"Write {key} = 1.5, without quotes.")
    if key in entry and not 0 < value < float("inf"):
        raise AssignmentError(f"{where}: {key!r} must be above zero, not {value}.")
    return float(value)


def known_keys(entry: Mapping[str, Any], known: set[str], where: str) -> None:
    """Refuses any other key, with a "did you mean"."""
    for key in entry:
        if key not in known:
            error = UnknownName("key", key, sorted(known))
            raise AssignmentError(f"{where}: {error.message}", error.next_step)


def whole(entry: Mapping[str, Any], key: str, where: str, default: int) -> int:
    """A whole number from 1 on; `default` where there is none."""
    value = entry.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise AssignmentError(
            f"{where}: {key!r} must be a whole number from 1 on.", f"Write {key} = {default}."
        )
    return value

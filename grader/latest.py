"""Keeping what was last made: a report is recorded, shown and written, one after the other, from the same pieces."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def latest(make: Callable[P, T]) -> Callable[P, T]:
    """`make` with its latest result kept, for the very same objects as arguments, by place.

    Unlike functools.lru_cache it compares nothing: what is frozen but holds lists has no hash. The result is shared
    between callers, who leave it as it is.
    """
    kept: tuple[tuple[object, ...], T] | None = None

    @wraps(make)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> T:
        nonlocal kept
        known = kept  # one look: another thread may put its own here
        if known is None or kwargs or len(known[0]) != len(args) or not all(map(_is, known[0], args)):
            known = kept = (args, make(*args, **kwargs))
        return known[1]

    return remembered


def _is(one: object, other: object) -> bool:
    return one is other

"""Which level works here: each plan is carried out from beginning to end in a throw-away child."""

from __future__ import annotations

import json
import os
from typing import Any, NoReturn

from . import kernel, landlock
from .seal import CONTAINER, NONE, STRICT, Limits, Plan, Sealer, plans
from .view import SANDBOX, View, first_unreadable

_LEAST_LANDLOCK_WITHOUT_NAMESPACES = 3  # from this version on it denies truncate()


def choose(requested: str, view: View) -> tuple[Plan | None, list[str]]:
    """The best plan that works here, and why the better ones do not. `requested`: a level or "auto"."""
    reasons: list[str] = []
    for level in (STRICT, CONTAINER) if requested == "auto" else (requested,):
        for plan in plans(level):
            failure = None if level == NONE else probe(plan, view)
            if failure is None:
                return plan, [r for r in reasons if not r.startswith(f"{level}:")]
            reason = f"{level}: {failure}"
            if reason not in reasons:
                reasons.append(reason)
    return None, reasons


def probe(plan: Plan, view: View) -> str | None:
    """Carries out the whole plan in a throw-away child; None where every step works, else what failed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _probe_in_child(plan, view, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read(10_000)
    os.waitpid(pid, 0)
    if not answer:
        return "the probe ended without an answer"
    verdict: dict[str, Any] = json.loads(answer)
    failure = verdict["failure"]
    return None if failure is None else str(failure)


def _probe_in_child(plan: Plan, view: View, writing: int) -> NoReturn:
    failure: str | None
    try:
        failure = _try_all(plan, view)
    except BaseException as error:
        failure = f"{type(error).__name__}: {error}"
    os.write(writing, json.dumps({"failure": failure}).encode())
    os._exit(0)


def _try_all(plan: Plan, view: View) -> str | None:
    version = landlock.abi()
    if version == 0:
        return (
            "the kernel has no Landlock (Linux 5.13 or later, with landlock in its list of security modules)"
        )
    if plan.level == CONTAINER and version < _LEAST_LANDLOCK_WITHOUT_NAMESPACES:
        return (
            f"Landlock version {version} is too old to protect files from truncate(); Linux 6.2 has version 3"
        )
    if kernel.MACHINE not in ("x86_64", "aarch64"):
        return f"there is no table of system calls for {kernel.MACHINE}"
    sealer = Sealer(plan, view)
    box = SANDBOX if sealer.strict else view.base
    sealer.enter()
    generous = Limits(2**33, 60, 2**20, 2**20, 64, 64, 256)
    reading, writing = os.pipe()
    pid = sealer.fork()
    if pid:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            last_words = pipe.read(10_000).decode(errors="replace")
        _, status = os.waitpid(pid, 0)
        return None if status == 0 else last_words or f"the sealed worker ended with status {status}"
    try:
        sealer.seal(box, generous, 2**33, lambda: None)
        unreadable = first_unreadable(view)
        failure = unreadable and f"the sealed worker cannot read the Python installation: {unreadable}"
    except OSError:
        failure = "a worker could not seal itself"
    if failure:
        os.write(writing, failure.encode())
    os._exit(1 if failure else 0)

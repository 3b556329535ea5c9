"""What is installed of what the grader needs, and of its optional extras. Nothing of it is imported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import InvalidRequirement, Requirement

from grader.doctor.finding import Finding, State

PROJECT = "transformer-grader"
EXTRAS = {
    "pdf": "read written reports that are PDF files",
    "docx": "read written reports that are Word files",
    "review": "`grade review`: mark in the browser",
    "similar": "`grade similar`: which hand-ins share code",
    "cluster": "`grade CLASS --cluster`: judge on several machines",
}
"""Extras for those who use the grader, and what each is for. The others are for those who work on it."""


def packages() -> list[Finding]:
    """One finding for what grading needs, one for each extra."""
    try:
        declared = [Requirement(text) for text in requires(PROJECT) or []]
    except (PackageNotFoundError, InvalidRequirement):
        return [Finding("packages", State.MISSING, f"{PROJECT} is not installed", f"pip install {PROJECT}")]
    plain = [r for r in declared if r.marker is None or r.marker.evaluate({"extra": ""})]
    return [_needed(plain), *(_extra(name, use, declared) for name, use in EXTRAS.items())]


def _needed(requirements: Iterable[Requirement]) -> Finding:
    wrong = unmet(requirements)
    if wrong:
        return Finding("packages", State.MISSING, "; ".join(wrong.values()), install(wrong))
    shown = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "datasets", "pytest"))
    return Finding("packages", State.OK, shown)


def _extra(name: str, use: str, declared: Iterable[Requirement]) -> Finding:
    own = [r for r in declared if r.marker is not None and _of_extra(r, name)]
    wrong = unmet(own)
    topic = f"extra {name}"
    if wrong:
        fix = f"pip install '{PROJECT}[{name}]'"
        return Finding(topic, State.OPTIONAL, f"{use}: {'; '.join(wrong.values())}", fix)
    return Finding(topic, State.OK, ", ".join(f"{r.name} {version(r.name)}" for r in own))


def _of_extra(requirement: Requirement, name: str) -> bool:
    marker = requirement.marker
    return marker is not None and marker.evaluate({"extra": name}) and not marker.evaluate({"extra": ""})


def unmet(requirements: Iterable[Requirement]) -> Mapping[str, str]:
    """Requirement -> why it is not met, in words."""
    found = {}
    for requirement in requirements:
        try:
            here = version(requirement.name)
        except PackageNotFoundError:
            found[_text(requirement)] = f"{requirement.name} is not installed"
            continue
        if not requirement.specifier.contains(here, prereleases=True):
            found[_text(requirement)] = (
                f"{requirement.name} is {here}, and {requirement.specifier} is asked for"
            )
    return found


def install(wrong: Mapping[str, str]) -> str:
    """The command that mends them."""
    return "pip install " + " ".join(f"'{text}'" for text in wrong)


def _text(requirement: Requirement) -> str:
    return re.split(r"\s*;", str(requirement))[0]

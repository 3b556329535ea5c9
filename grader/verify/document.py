"""The proof as JSON, for CI; docs/verify.md describes it."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from grader import __version__
from grader.verify.proof import Margin, Measured, Proof
from grader.verify.settings import Settings

SCHEMA_VERSION = "1.0"


def proof_as_json(proof: Proof) -> str:
    """The document as text."""
    return json.dumps(proof_document(proof), indent=2, ensure_ascii=False) + "\n"


def proof_document(proof: Proof) -> dict[str, Any]:
    """Plain data; every number is finite."""
    assignment = proof.assignment
    return {
        "schema_version": SCHEMA_VERSION,
        "assignment": {"id": assignment.id, "version": assignment.version, "sha256": assignment.sha256},
        "parts": list(proof.parts),
        "holds": proof.holds,
        "claims": [
            {
                "id": claim.id,
                "statement": claim.statement,
                "holds": claim.holds,
                "figures": claim.figures,
                "problems": [
                    {"about": p.about, "sentence": p.sentence, "next_step": p.next_step}
                    for p in claim.problems
                ],
            }
            for claim in proof.claims
        ],
        "checks": [
            {
                "id": row.id,
                "points": str(row.points),
                "solution": {"runs": row.runs, "full": row.full},
                "starter": None if row.starter is None else str(row.starter),
                "catches": list(row.caught),
            }
            for row in proof.checks
        ],
        "tolerances": [_margin(margin) for margin in proof.margins],
        "misconceptions": [
            {"id": m.id, "title": m.title, "runs": m.runs, "costs": list(m.cost), "diagnoses": list(m.named)}
            for m in proof.misconceptions
        ],
        "groups": _groups(proof.settings),
        "remarks": list(proof.remarks),
        "gradings": proof.gradings,
        "jobs": proof.jobs,
        "duration_s": proof.duration_s,
        "cpu_s": proof.cpu_s,
        "environment": _environment(),
    }


def _margin(margin: Margin) -> dict[str, Any]:
    return {
        "check": margin.check,
        "unit": margin.unit,
        "exact": margin.exact,
        "noise": _measured(margin.noise),
        "tolerance": margin.tolerance,
        "nearest_wrong": _measured(margin.nearest),
        "tolerance_over_noise": margin.above_noise,
        "nearest_wrong_over_tolerance": margin.below_nearest,
    }


def _measured(found: Measured | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _groups(settings: Settings) -> list[dict[str, Any]]:
    return [
        {
            "checks": [check.id for check in group.checks],
            "reads": None if group.reads is None else list(group.reads),
            "seeds": group.seeds,
            "seeds_each": group.seeds_each,
            "why": group.why,
        }
        for group in settings.groups
    ]


def _environment() -> dict[str, str]:
    """Versions that could matter for a measured difference."""
    facts = {"grader": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for package in ("torch", "transformers", "pytest"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    return facts

"""A grade report in another language: what the grader says is translated, what the student wrote is not."""

from __future__ import annotations

from dataclasses import replace

from grader.languages.language import Language
from grader.model import CheckResult, Diagnosis, Evidence, GradeReport, Isolation, Part, Plot


def translated(report: GradeReport, words: Language) -> GradeReport:
    """The same report for a reader of that language, but for its checks: for showing, not for storing."""
    if words.is_source:
        return report
    return replace(
        report,
        assignment_title=words.say(report.assignment_title),
        parts=tuple(_part(part, words) for part in report.parts),
        notes=tuple(map(words.say, report.notes)),
        isolation=_isolation(report.isolation, words),
    )


def _part(part: Part, words: Language) -> Part:
    return replace(part, title=words.say(part.title), asks=words.say(part.asks))


def translated_check(check: CheckResult, words: Language) -> CheckResult:
    """One check of a report, the same way."""
    if words.is_source:
        return check
    return replace(
        check,
        title=words.say(check.title),
        message=words.say(check.message),
        hint=words.say(check.hint),
        evidence=_evidence(check.evidence, words),
        diagnosis=_diagnosis(check.diagnosis, words) if check.diagnosis else None,
    )


def _diagnosis(diagnosis: Diagnosis, words: Language) -> Diagnosis:
    return replace(
        diagnosis,
        title=words.say(diagnosis.title),
        evidence=words.say(diagnosis.evidence),
        hint=words.say(diagnosis.hint),
    )


def _evidence(evidence: Evidence, words: Language) -> Evidence:
    """What was obtained may be a text that the student wrote; what code printed always is, and stays."""

    def said(text: str | None) -> str | None:
        return text if text is None else words.say(text)

    def phrase(text: str | None) -> str | None:
        return text if text is None else words.phrase(text)

    return replace(
        evidence,
        asked=words.say(evidence.asked),
        expected=said(evidence.expected),
        obtained=evidence.obtained and words.whole(evidence.obtained),
        where=phrase(evidence.where),
        location=phrase(evidence.location),
        notes=tuple(map(words.say, evidence.notes)),
        plots=tuple(_plot(plot, words) for plot in evidence.plots),
    )


def _plot(plot: Plot, words: Language) -> Plot:
    return replace(
        plot,
        title=words.say(plot.title),
        x_label=words.say(plot.x_label),
        y_label=words.say(plot.y_label),
        series={words.say(str(name)): values for name, values in plot.series.items()},
    )


def _isolation(isolation: Isolation, words: Language) -> Isolation:
    return replace(
        isolation,
        guarantees=tuple(map(words.say, isolation.guarantees)),
        caveats=tuple(map(words.say, isolation.caveats)),
    )

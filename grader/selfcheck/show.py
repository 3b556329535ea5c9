"""Results of public checks for the terminal, as text, and as HTML for a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from grader.languages import ENGLISH, Language, joined
from grader.model import Status
from grader.selfcheck.result import Result
from grader.text import clean, one_line

if TYPE_CHECKING:
    from rich.console import Console

_SIGNS = {
    Status.PASSED: ("✓", "green", "passed"),
    Status.MISSING: ("○", "yellow", "not there yet"),
    Status.TIMEOUT: ("✗", "red", "took too long"),
    Status.CRASHED: ("✗", "red", "crashed"),
    Status.GRADER_ERROR: ("!", "magenta", "not run"),
    Status.NEEDS_REVIEW: ("–", "blue", "not judged here"),
}
_FAILED = ("✗", "red", "failed")
NOT_A_MARK = (
    "Public checks are not the mark: hidden ones, numbers and texts are judged after you have handed in."
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of the checks passed."""

    passed: int
    total: int
    """Without those that cannot be judged here."""
    unjudged: int = 0

    @property
    def sentence(self) -> str:
        """As `said`, in English."""
        return self.said(ENGLISH)

    def said(self, words: Language) -> str:
        """ "17 of 20 public checks passed": never that everything has."""
        if self.passed != self.total or not self.total:
            told = words("{passed} of {total} public checks passed.", passed=self.passed, total=self.total)
        elif self.total == 1:
            told = words("1 public check passed.")
        else:
            told = words("{total} public checks passed.", total=self.total)
        if not self.unjudged:
            return told
        return joined(told, words("{unjudged} could not be judged here.", unjudged=self.unjudged))


def tally(results: Sequence[Result]) -> Tally:
    unjudged = sum(result.status is Status.NEEDS_REVIEW for result in results)
    return Tally(sum(result.passed for result in results), len(results) - unjudged, unjudged)


def sign_of(result: Result) -> tuple[str, str, str]:
    """(sign, colour, word)."""
    return _SIGNS.get(result.status, _FAILED)


class Results(Sequence[Result]):
    """What `check("2c")` returns; a notebook shows it as a table."""

    def __init__(self, results: Sequence[Result]) -> None:
        self._results = tuple(results)

    def __len__(self) -> int:
        return len(self._results)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self._results[index]

    @property
    def passed(self) -> bool:
        """Whether each of these public checks that can be judged here passed."""
        return tally(self).passed == tally(self).total

    def __repr__(self) -> str:
        return "\n".join(line for result in self for line in lines_of(result)) + f"\n\n{tally(self).sentence}"

    def _repr_html_(self) -> str:
        return as_html(self)


def translated(result: Result, words: Language) -> Result:
    """The same for a reader of that language; what code printed stays."""
    return replace(
        result,
        title=words.say(result.title),
        message=words.say(result.message),
        hint=words.say(result.hint),
        where=words.phrase(result.where),
        notes=tuple(map(words.say, result.notes)),
    )


def lines_of(result: Result, *, notes: bool = True, words: Language = ENGLISH) -> list[str]:
    """One check as lines of text; everything in them is fit for a terminal."""
    sign, _, _ = sign_of(result)
    lines = [f"{sign} {result.id}  {one_line(result.title)}"]
    lines += [f"    {one_line(text)}" for text in (result.message, result.where, result.hint) if text]
    if notes:
        lines += [f"    {one_line(note)}" for note in result.notes]
    if not result.passed and result.output.strip():
        lines += [f"    {words('Your code printed:')}"] + [
            f"    | {line}" for line in clean(result.output.strip(), lines=12).splitlines()
        ]
    return lines


def print_results(
    console: Console,
    results: Sequence[Result],
    *,
    notes: bool = False,
    before: Mapping[str, Result] | None = None,
    words: Language = ENGLISH,
) -> None:
    """Print each check, the summary, and what is new since `before`."""
    from rich.text import Text

    told: list[str] = []
    for result in results:
        _, colour, _ = sign_of(result)
        first, *more = lines_of(translated(result, words), notes=notes, words=words)
        if more and more == told:
            more = [f"    {words('The same.')}"]
        elif more:
            told = more
        line = Text(first, style=colour if not result.passed else "")
        line.stylize(colour, 0, 1)
        was = before.get(result.id) if before else None
        if was is not None and was.passed != result.passed:
            line.append(f"  {words('(new)')}", style="bold")
        console.print(line, soft_wrap=True)
        for text in more:
            console.print(Text(text, style="dim" if text.startswith("    |") else ""), soft_wrap=True)


def print_tally(console: Console, results: Sequence[Result], words: Language = ENGLISH) -> None:
    """The last lines of a run."""
    from rich.text import Text

    count = tally(results)
    style = "bold green" if count.passed == count.total else "bold"
    console.print(Text(f"\n{count.said(words)}", style=style))
    if count.passed == count.total:
        console.print(Text(words(NOT_A_MARK), style="dim"), soft_wrap=True)


def as_html(results: Sequence[Result]) -> str:
    """A table for a notebook; it loads nothing, runs nothing, and says each status in words too."""
    rows = []
    for result in results:
        sign, _, word = sign_of(result)
        told = [text for text in (result.message, result.where, result.hint, *result.notes) if text]
        detail = "".join(f"<div>{escape(one_line(text))}</div>" for text in told)
        if not result.passed and result.output.strip():
            detail += f"<pre>{escape(clean(result.output.strip(), lines=12))}</pre>"
        rows.append(
            f"<tr><td>{sign} {word}</td><td><code>{escape(result.id)}</code></td>"
            f'<td style="text-align:left"><b>{escape(one_line(result.title))}</b>{detail}</td></tr>'
        )
    head = "<tr><th>Result</th><th>Check</th><th>What is checked</th></tr>"
    return (
        f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"
        f"<p><b>{escape(tally(results).sentence)}</b></p>"
    )

"""The same gradebook on a real PostgreSQL server."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from grader.gradebook import Gradebook, Override, standings
from grader.gradebook.store import GradebookError

from . import postgres
from .conftest import ASSIGNMENT, a_run, graded

pytestmark = pytest.mark.skipif(postgres.programs() is None, reason="needs PostgreSQL; .ci/run installs it")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    # A short path: that of a socket is limited to 107 bytes.
    with (
        tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder,
        postgres.server(Path(folder)) as address,
    ):
        yield address


def test_results_marks_and_overrides(address: str) -> None:
    with Gradebook.open(address) as book:
        run = book.begin_run(a_run())
        assert book.record(run, graded(earned="0.3333333333333333333333333333", name="Zoë \u202e"))
        assert not book.record(run, graded(earned="0.3333333333333333333333333333", name="Zoë \u202e"))
        book.record(run, graded("bob", "2", attempt=1))
        book.record(run, graded("bob", "0", attempt=2))
        book.record_failure(run, ASSIGNMENT, graded("bob", attempt=2).entry, "It hangs.")
        book.give(ASSIGNMENT, Override("ann", "1.one", "a".ljust(64, "0"), Decimal("1.25"), "r", "ina"))
        everyone = standings(book, ASSIGNMENT)
        assert (everyone["ann"].earned, everyone["bob"].earned) == (Decimal("1.25"), 0)
        assert everyone["ann"].checks["1.one"].mark.earned == Decimal("0.3333333333333333333333333333")
        assert book.report(everyone["ann"].result.id).seed == 7
        assert len(book.history(ASSIGNMENT, "bob")) == 3
        assert book.current(ASSIGNMENT, until_run=run)["bob"].earned == 0
        book.end_run(run)
        assert book.unfinished_seed(ASSIGNMENT, "submissions") is None


def test_several_graders_at_once(address: str) -> None:
    recorded: list[bool] = []
    errors: list[BaseException] = []

    def grader() -> None:
        try:
            with Gradebook.open(address) as book:
                run = book.begin_run(a_run("at once"))
                recorded.extend(book.record(run, graded(student=f"s{i}")) for i in range(20))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=grader) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(recorded) == 20
    with Gradebook.open(address) as book:
        assert sum(student.startswith("s") for student in book.current(ASSIGNMENT)) == 20


def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(GradebookError, match="cannot be used"):
        Gradebook.open("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")

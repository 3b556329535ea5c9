"""What a student is told: every kind of failure of a call has a status, a full sentence and one next step."""

from __future__ import annotations

import dataclasses

import pytest

from grader.checking.faults import Rules, death, fault, unread_code
from grader.checking.outcomes import StudentFault
from grader.checking.student import Student
from grader.model import Status
from grader.worker.calls import (
    Call,
    Frame,
    Raised,
    Reply,
    Returned,
    WorkerCrashed,
    WorkerFailure,
    WorkerOutOfMemory,
    WorkerTimedOut,
)

FRAME = Frame("attention.py", 26, "forward", "    x = query + 1")
RULES = Rules(
    allowed_packages=("torch", "numpy"),
    signatures={"predict": "(model, tokenizer, texts)", "Net.forward": "(x)"},
)
KINDS = ("missing", "ambiguous", "syntax", "import", "signature", "exception", "exit", "value", "skipped")


def raised(kind: str, type_name: str = "", message: str = "", **more: object) -> Raised:
    return dataclasses.replace(Raised(kind, type_name, message, (FRAME,)), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frames", [(), (FRAME,)], ids=["no frames", "a frame"])
@pytest.mark.parametrize("message", ["it broke", "50% of {braces} (and)\nlines"])
def test_every_kind_has_a_status_that_costs_points_and_something_to_say(
    kind: str, frames: tuple[Frame, ...], message: str
) -> None:
    said = fault(Raised(kind, "ValueError", message, frames), RULES)
    assert said.status in {Status.FAILED, Status.MISSING, Status.CRASHED}
    assert said.message.strip()
    assert said.hint.strip()
    assert said.fraction == 0


def test_an_exception_without_a_text_is_told_by_its_name() -> None:
    assert (
        fault(raised("exception", "KeyError")).message == "Your code raised KeyError (attention.py, line 26)."
    )


def test_the_signature_that_is_due_stands_beside_the_one_found() -> None:
    said = fault(
        raised("signature", message="predict(model) cannot be called with 3 positional arguments: too many.")
    )
    assert said.hint == "Keep the arguments as the handout gives them."
    said = fault(
        raised("signature", message="predict(model) cannot be called with 3 positional arguments."), RULES
    )
    assert said.hint == "The handout has predict(model, tokenizer, texts)."


def test_a_forward_that_does_not_fit_is_a_signature_and_their_own_bad_call_an_exception() -> None:
    message = "Net.forward(x, y) cannot be called with 1 argument: missing a required argument: 'y'."
    said = fault(raised("exception", "TypeError", message, frames=()), RULES)
    assert (said.message, said.hint) == (message, "The handout has Net.forward(x).")
    said = fault(
        raised("exception", "TypeError", "Linear.forward() takes 2 positional arguments but 3 were given"),
        RULES,
    )
    assert said.message.startswith("Your code raised TypeError: Linear.forward()")
    assert "(attention.py, line 26)." in said.message
    assert said.hint == "The line is `x = query + 1`."


def test_a_package_may_be_used_or_not_and_the_student_learns_which() -> None:
    not_allowed = raised("import", "ModuleNotFoundError", "No module named 'tensorflow'")
    said = fault(not_allowed, RULES)
    assert (
        "tensorflow (attention.py, line 26): no file of the hand-in, and no package that may be used"
        in said.message
    )
    assert said.hint == "May be used: torch, numpy, the standard library."
    said = fault(raised("import", "ModuleNotFoundError", "The package 'numpy' is not installed here"), RULES)
    assert said.hint == "numpy may be used, but is not installed here: tell your instructor."
    deep = Frame("a.py", 1, "<module>", "import torch.nonsense as n")
    said = fault(raised("import", "ModuleNotFoundError", "The package 'torch' is ...", frames=(deep,)), RULES)
    assert "torch.nonsense" in said.message
    assert "check the spelling" in said.hint
    assert fault(not_allowed).hint == "May be used: the standard library."


def test_no_path_of_the_graders_machine_is_shown() -> None:
    for path in ("/opt/venv/lib/python3.12/site-packages/torch/__init__.py", "unknown location"):
        said = fault(
            raised("import", "ImportError", f"cannot import name 'nnn' from 'torch' ({path})"), RULES
        )
        assert path not in said.message
        assert "cannot import name 'nnn' from 'torch' (attention.py, line 26)." in said.message


@pytest.mark.parametrize(
    "message",
    [
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
        "allocate 4000000000 bytes. Error code 12 (Cannot allocate memory)",
        "DefaultCPUAllocator: not enough memory: you tried to allocate 4000000000 bytes.",
    ],
)
def test_an_allocation_that_torch_refuses_is_out_of_memory(message: str) -> None:
    said = fault(raised("exception", "RuntimeError", message))
    assert said.status is Status.OUT_OF_MEMORY
    assert said.message == "Your code ran out of memory (attention.py, line 26): it asked for 4.0 GB at once."


def test_a_memory_error_has_no_text_and_needs_none() -> None:
    said = fault(raised("exception", "MemoryError"))
    assert (said.status, said.message) == (
        Status.OUT_OF_MEMORY,
        "Your code ran out of memory (attention.py, line 26).",
    )


def test_an_exit_is_told_once() -> None:
    message = "The code ended the program (SystemExit: 3); a function has to return."
    assert fault(raised("exit", "SystemExit", message)).message == (
        "Your code ended the program (attention.py, line 26): SystemExit: 3."
    )
    message = "The code ended the program (KeyboardInterrupt: ); a function has to return."
    assert fault(raised("exit", "KeyboardInterrupt", message)).message.endswith("): KeyboardInterrupt.")


def test_the_harness_is_not_mentioned_where_the_student_returned_the_wrong_thing() -> None:
    said = fault(
        raised("value", message="The result['output'] is a sparse tensor; return a dense one (.to_dense()).")
    )
    assert said.message.startswith("The result is a sparse tensor; return a dense one")
    assert said.hint == ""


@pytest.mark.parametrize(
    ("failure", "status", "word"),
    [
        (WorkerTimedOut("late"), Status.TIMEOUT, "within 5 seconds"),
        (WorkerOutOfMemory("too much"), Status.OUT_OF_MEMORY, "too much"),
        (WorkerCrashed("The process was ended by signal SIGSEGV."), Status.CRASHED, "SIGSEGV"),
        (WorkerFailure("of a kind to come"), Status.CRASHED, "of a kind to come"),
    ],
)
def test_a_death_has_a_status_and_a_next_step(failure: WorkerFailure, status: Status, word: str) -> None:
    said = death(failure, 5)
    assert said.status is status
    assert word in said.message
    assert said.hint.endswith(".")


def test_a_missing_definition_names_the_file_that_was_not_read() -> None:
    notes = (
        "net.py: It is 1,000 MB, so it was left unread.",
        "Hidden files were left out: .git.",
        "b.txt: a link.",
        "work.ipynb: it is empty.",
    )
    unread = unread_code(notes)
    assert unread == (
        ("net.py was not read.", "It is 1,000 MB, so it was left unread."),
        ("work.ipynb was not read.", "It is empty."),
    )
    said = fault(
        raised("missing", message="No file of the hand-in defines Net.", frames=()), Rules(unread=unread)
    )
    assert said.message == "No file of the hand-in defines Net. net.py was not read."
    assert said.hint == "It is 1,000 MB, so it was left unread."


# ---------------------------------------------------------------- the student fixture


class Scripted:
    """A worker that gives these replies, or dies."""

    alive = True

    def __init__(self, *script: Reply | WorkerFailure) -> None:
        self.script = script
        self.limits: list[float] = []

    def run(self, calls: object, timeout_s: float) -> list[Reply]:
        self.limits.append(timeout_s)
        if isinstance(self.script[0], WorkerFailure):
            raise self.script[0]
        return [reply for reply in self.script if not isinstance(reply, WorkerFailure)]

    def close(self) -> None:
        self.alive = False


def test_values_come_in_order_and_replies_are_taken_down() -> None:
    seen: list[Reply] = []
    worker = Scripted(Returned(1, "one"), Returned([2]))
    student = Student(lambda: worker, 3, on_reply=seen.append)
    assert student.ask(Call("a"), Call("b")) == [1, [2]]
    assert seen == [Returned(1, "one"), Returned([2])]
    assert worker.limits == [3]


def test_the_first_failure_counts_and_what_was_skipped_is_not_evidence() -> None:
    seen: list[Reply] = []
    broken, skipped = raised("exception", "ValueError", "no"), Raised("skipped", "", "Not called.")
    student = Student(lambda: Scripted(Returned(1), broken, skipped), 3, on_reply=seen.append)
    with pytest.raises(StudentFault, match="ValueError: no"):
        student.ask(Call("a"), Call("b"), Call("c"))
    assert seen == [Returned(1), broken]


def test_a_check_may_look_at_what_was_raised_itself() -> None:
    broken = raised("exception", "ValueError", "no")
    assert Student(lambda: Scripted(broken), 3).replies(Call("a")) == [broken]


def test_a_dead_worker_is_the_students_fault_with_its_cause() -> None:
    with pytest.raises(StudentFault, match=r"within 0\.5 seconds") as caught:
        Student(lambda: Scripted(WorkerTimedOut("late")), 0.5).ask(Call("a"))
    assert isinstance(caught.value.__cause__, WorkerTimedOut)

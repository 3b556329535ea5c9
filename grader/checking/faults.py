"""What a student is told when a call of their code gave no value: a status, a sentence, and one next step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from grader.checking.outcomes import StudentFault
from grader.model import Status
from grader.worker.calls import Raised, WorkerCrashed, WorkerFailure, WorkerOutOfMemory, WorkerTimedOut

_HINTS = {
    Status.TIMEOUT: "Look for a loop that never ends, and for work that could be done once for a whole batch.",
    Status.OUT_OF_MEMORY: "Look for a tensor whose size grows with each call, or a shape that was multiplied twice.",
    Status.CRASHED: "Take out calls that end the process, and try the code in a fresh Python on your machine.",
}
_STATUS_OF_FAILURE: tuple[tuple[type[WorkerFailure], Status], ...] = (
    (WorkerTimedOut, Status.TIMEOUT),
    (WorkerOutOfMemory, Status.OUT_OF_MEMORY),
    (WorkerCrashed, Status.CRASHED),
)
_NATIVE = "Native code failed: look for ctypes, a C extension or an endless recursion, and run it in a fresh Python."
_PATH = re.compile(r" \((?:/[^()]*|unknown location)\)$")
"""Where a module lies on the grader's machine, as Python adds it to "cannot import name"."""
_NO_MEMORY = re.compile(r"can't allocate memory|not enough memory|out of memory", re.IGNORECASE)
_BYTES = re.compile(r"tried to allocate (\d+) bytes")
_BAD_CALL = re.compile(r"([\w.]+)\(.*\) (?:takes|missing|got|cannot be called)", re.DOTALL)
_CODE_NOTE = re.compile(r"(.+\.(?:py|ipynb)): (.+)", re.DOTALL)
"""A note of intake on one file."""
_NO_MODULE = re.compile(r"(\w+ is no torch\.nn\.Module): w(.*)", re.DOTALL)
_ADVICE: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"CUDA|NVIDIA", re.IGNORECASE),
        "There is no GPU here: leave the device to the code that uses yours.",
    ),
    (
        re.compile(r"name resolution|Network is unreachable|urlopen error|huggingface\.co|ConnectionError"),
        "There is no network while your code is graded: use what is passed in.",
    ),
    (
        re.compile(r"^(PermissionError|BlockingIOError)"),
        "Your code may write in its own folder only, and start no other program.",
    ),
    (re.compile(r"^EOFError"), "There is no keyboard while your code is graded: take input() out."),
    (re.compile(r"^RecursionError"), "A method calls itself without an end."),
    (
        re.compile(r"^(NameError|UnboundLocalError)"),
        "Check the spelling, and that the name is set before it is used.",
    ),
    (re.compile(r"before Module\.__init__"), "Call super().__init__() first in __init__."),
    (
        re.compile(r"\bshapes?\b|size of tensor|input of size|dimension"),
        "Print the shapes of the tensors right before that line.",
    ),
)
"""What is worth adding to an exception's own text; the first that fits."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the assignment says about the code that is due, and what intake left out of it."""

    allowed_packages: tuple[str, ...] = ()
    """Third-party packages that may be imported."""
    signatures: Mapping[str, str] = field(default_factory=dict)
    """Definition -> its arguments as the handout gives them: {"predict": "(model, tokenizer, texts)"}."""
    unread: tuple[tuple[str, str], ...] = ()
    """Which files may hold the definition and were not read, and why: two sentences each."""


def fault(raised: Raised, rules: Rules = Rules()) -> StudentFault:
    """The outcome of a call that did not return, and of all checks that needed its value."""
    match raised.kind:
        case "missing":
            return _missing_fault(raised, rules)
        case "ambiguous":
            hint = "Every .py file and notebook counts: take old versions out, or rename them."
            return StudentFault(Status.FAILED, raised.message, hint)
        case "syntax":
            return _syntax_fault(raised, raised.message)
        case "import":
            return _import_fault(raised, rules)
        case "signature":
            return _signature_fault(raised.message, rules)
        case "exit":
            said = re.search(r"\((.*)\)", raised.message, re.DOTALL)
            message = f"Your code ended the program{_at(raised)}: {said[1].rstrip(': ') if said else raised.type_name}."
            return StudentFault(
                Status.CRASHED, message, "Take out exit(), quit() and sys.exit(): a function returns."
            )
        case "value":
            # The harness hands several results over in a dict of its own, which the student has not made.
            message = re.sub(r"^The result(\['\w+'\])+", "The result", raised.message)
            hint = "Return plain tensors, numbers, texts, lists or dicts."
            return StudentFault(Status.FAILED, message, "" if "; return" in message else hint)
        case _:
            return _exception_fault(raised, rules)


def death(failure: WorkerFailure, timeout_s: float) -> StudentFault:
    """The outcome of a call that the worker did not survive."""
    status = next((s for kind, s in _STATUS_OF_FAILURE if isinstance(failure, kind)), Status.CRASHED)
    if status is Status.TIMEOUT:
        limit = "1 second" if timeout_s == 1 else f"{timeout_s:g} seconds"
        message = f"Your code did not answer within {limit} and was stopped."
    else:
        message = failure.message
    return StudentFault(status, message, _NATIVE if "by signal" in message else _HINTS[status])


def _missing_fault(raised: Raised, rules: Rules) -> StudentFault:
    if rules.unread:
        what, why = rules.unread[0]
        return StudentFault(Status.MISSING, f"{raised.message} {what}", why)
    if raised.suggestion:
        return StudentFault(
            Status.MISSING, raised.message, "Rename it: names must be exactly as in the handout."
        )
    hint = "Names must be exactly as in the handout; `grade init DIR` writes the frame of every definition."
    return StudentFault(Status.MISSING, raised.message, hint)


def _syntax_fault(raised: Raised, message: str) -> StudentFault:
    if not raised.frames:
        return StudentFault(Status.FAILED, message, "Save it as a plain Python file in UTF-8.")
    frame = raised.frames[-1]
    line = f"The line is `{frame.code.strip()}`; " if frame.code.strip() else ""
    again = f"`python {frame.file}`" if frame.file.endswith(".py") else "Running that cell"
    return StudentFault(Status.FAILED, message, f"{line}{again} shows the same error.")


def _import_fault(raised: Raised, rules: Rules) -> StudentFault:
    message = _PATH.sub("", raised.message)
    file = raised.frames[0].file if raised.frames else "Your file"
    cell = not file.endswith(".py") and bool(raised.frames)
    done = "run" if cell else "imported"
    if raised.type_name in ("SyntaxError", "IndentationError", "TabError"):
        return _syntax_fault(raised, f"{file} could not be {done}: {raised.type_name}: {message}.")
    if raised.type_name == "ModuleNotFoundError":
        return _package_fault(raised, rules)
    hint = "Code at the top level runs on import; keep only definitions there."
    if cell:
        hint = "Of a notebook runs what your definitions use: restart the kernel and run all cells, in order."
    if message.startswith("cannot import name"):
        hint = "Check the spelling, and that the file or package defines it."
    return StudentFault(
        Status.FAILED, f"{file} could not be {done}: {_said(raised, message)}{_at(raised)}.", hint
    )


def _package_fault(raised: Raised, rules: Rules) -> StudentFault:
    """An import of something that is not there: say which, and whether it may be used at all."""
    pieces = raised.message.split("'")
    package = pieces[1] if len(pieces) >= 3 else raised.message
    line = raised.frames[-1].code.strip() if raised.frames else ""
    submodule = re.search(rf"\b{re.escape(package)}(\.\w+)+", line)
    message = (
        f"Your code imports {package}{_at(raised)}: no file of the hand-in, and no package that may be used."
    )
    hint = f"May be used: {', '.join((*rules.allowed_packages, 'the standard library'))}."
    if package.partition(".")[0] in rules.allowed_packages:
        message = (
            f"Your code imports {submodule[0] if submodule else package}{_at(raised)}, which is not there."
        )
        hint = f"{package} may be used, but is not installed here: tell your instructor."
        if submodule:
            hint = f"{package} may be used, but has no {submodule[0]} here: check the spelling."
    return StudentFault(Status.FAILED, message, hint)


def _signature_fault(message: str, rules: Rules) -> StudentFault:
    found = re.match(r"[\w.]+", message)
    due = rules.signatures.get(found[0]) if found else None
    hint = (
        f"The handout has {found[0]}{due}."
        if found and due
        else "Keep the arguments as the handout gives them."
    )
    return StudentFault(Status.FAILED, message, hint)


def _exception_fault(raised: Raised, rules: Rules) -> StudentFault:
    said, at = _said(raised, raised.message), _at(raised)
    if raised.type_name == "NotImplementedError" and _is_stub(raised):
        hint = "Write the body, then remove the `raise`."
        return StudentFault(Status.MISSING, f"This is still the template{at}.", hint)
    if raised.type_name == "ModuleNotFoundError":
        return _package_fault(raised, rules)
    if raised.type_name == "MemoryError" or _NO_MEMORY.search(raised.message):
        return _memory_fault(raised)
    if raised.type_name == "TypeError" and not raised.frames:
        if _BAD_CALL.match(raised.message):
            return _signature_fault(raised.message, rules)
        if (other := _NO_MODULE.match(raised.message)) is not None:
            return StudentFault(Status.FAILED, f"{other[1]}.", f"W{other[2]}")
    line = f"The line is `{raised.frames[-1].code.strip()}`. " if raised.frames else ""
    advice = next((text for pattern, text in _ADVICE if pattern.search(said)), "")
    hint = f"{line}{advice}".strip() or "Run the call that was asked for on your machine: it shows the same."
    return StudentFault(Status.FAILED, f"Your code raised {said}{at}{_full_stop(said, at)}", hint)


def _is_stub(raised: Raised) -> bool:
    """Whether the student's own `raise` ended the call, and not torch, for what it cannot do."""
    code = raised.frames[-1].code if raised.frames else raised.message
    return not code.strip() or re.search(r"\braise\b", code) is not None


def _memory_fault(raised: Raised) -> StudentFault:
    size = _BYTES.search(raised.message)
    much = f": it asked for {int(size[1]) / 1e9:,.1f} GB at once" if size else ""
    line = f"The line is `{raised.frames[-1].code.strip()}`. " if raised.frames else ""
    message = f"Your code ran out of memory{_at(raised)}{much}."
    return StudentFault(Status.OUT_OF_MEMORY, message, f"{line}{_HINTS[Status.OUT_OF_MEMORY]}")


def _said(raised: Raised, message: str) -> str:
    """`ValueError: the text`, as Python prints it."""
    return f"{raised.type_name}: {message}" if raised.type_name and message else raised.type_name or message


def _full_stop(said: str, at: str) -> str:
    return "" if not at and said.rstrip().endswith((".", "!", "?")) else "."


def _at(raised: Raised) -> str:
    return f" ({raised.frames[-1].file}, line {raised.frames[-1].line})" if raised.frames else ""


def unread_code(notes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(what was not read, why or what to do) for each file that may hold code, out of intake's own notes."""
    return tuple(
        (f"{note[1]} was not read.", _sentence(note[2])) for text in notes if (note := _CODE_NOTE.match(text))
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]

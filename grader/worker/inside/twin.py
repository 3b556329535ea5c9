"""One import of torch for two processes. Run as a program, in a clean interpreter, with four file descriptors.

`grade` starts over as this program before it has read anything that is secret: it imports torch once and forks. The
child becomes the zygote. The parent only then opens the letter that holds the command line, the environment and the
working folder of `grade`, and goes on as the judge. So the zygote's memory never held any of it, as if it had been
started by itself.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import shutil
import signal
import sys
import tempfile
from typing import Any, NoReturn

_CONTROL = 3


def main() -> None:
    """Arguments: the judge's end and the zygote's end of their socket, the zygote's error file, the letter."""
    ours, theirs, errors, letter = map(int, sys.argv[2:6])
    for number in (signal.SIGINT, signal.SIGTERM):  # an import may swallow a KeyboardInterrupt
        signal.signal(number, _stop)
    # What is imported stays. To search all of it for garbage, again and again, takes a sixth of the time; what is new
    # is searched as always, or the memory that is forked would have holes.
    usual = gc.get_threshold()
    gc.set_threshold(*usual[:2], 1_000_000)
    try:
        import torch
    except ImportError:  # not in the clean path of modules: the judge says so, in its own words
        pid = None
    else:
        torch.set_num_threads(1)  # before any operation: a pool of threads does not survive a fork
        gc.freeze()
        pid = os.fork()
    gc.set_threshold(*usual)
    if pid == 0:
        _become_zygote(theirs, errors)
    os.close(theirs)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    message = _open(letter)
    sys.dont_write_bytecode = False
    sys.path[:] = message["path"]
    sys.argv[:] = message["argv"]
    os.environ.clear()
    os.environ.update(message["environment"])
    os.chdir(message["folder"])
    tempfile.tempdir = None  # torch has asked for it in the clean environment

    from grader.cli import main as grade
    from grader.worker import twin

    twin.arrived(pid, ours, errors, message["base"])
    atexit.register(gc.freeze)  # what is left at the end goes with the process
    grade()


def _stop(number: int, frame: object) -> NoReturn:
    """Nothing was begun yet: leave no folder behind, and end as an interrupted `grade` does."""
    shutil.rmtree(os.environ["HOME"], ignore_errors=True)
    os.write(2, b"Stopped. No report was written.\n")
    os._exit(130)


def _become_zygote(theirs: int, errors: int) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (errors, 1), (errors, 2), (theirs, _CONTROL)):
        os.dup2(source, target)
    os.closerange(_CONTROL + 1, 65_536)  # among them the letter, unread
    os.chdir("/")
    program = os.path.join(os.path.dirname(os.path.abspath(sys.argv[1])), "zygote.py")
    sys.argv[:] = [program]
    runpy.run_path(program, run_name="__main__")


def _open(letter: int) -> dict[str, Any]:
    with os.fdopen(letter, "rb") as file:
        file.seek(0)
        message: dict[str, Any] = json.load(file)
    return message


if __name__ == "__main__":
    main()

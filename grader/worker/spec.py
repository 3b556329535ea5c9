"""What a zygote is to hold, and what a worker may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from grader.model import Assignment

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one worker; each is hard, and each makes one check fail, not the run."""

    memory_bytes: int = 2048 * MIB
    """Address space above that of the warm process."""
    cpu_s: int = 600
    """CPU seconds over the worker's whole life; the wall-clock limit is that of each call."""
    output_bytes: int = 64 * 1024
    """Of what is printed below Python (file descriptors 1 and 2), how much is read back at most."""
    tmp_bytes: int = 64 * MIB
    """The private folder: the hand-in, home and temporary files."""
    tmp_inodes: int = 1024
    """Files and folders in it."""
    file_bytes: int = 64 * MIB
    """Largest single file, and largest flood of prints below Python."""
    processes: int = 64
    """Threads (a worker can start no other process)."""
    open_files: int = 256
    """Open file descriptors."""
    reply_bytes: int = 256 * MIB
    """All tensors of one batch of replies together."""
    startup_s: float = 60.0
    """Seconds that the zygote, and then each worker, may take to come up."""


@dataclass(frozen=True, slots=True)
class ZygoteSpec:
    """What the warm process loads. It must hold no secret: student code can read all of its memory."""

    harness: Path | None = None
    """The assignment's worker-side code; its functions are the "harness:NAME" of calls. It is loaded as module
    `harness` with names set: `ASSETS` (Path of the folder below, or None) and `MANY` (bool: many workers follow) before
    it is executed, and `student(name)` (the student's definition, in a worker). A function `warm_up()` is run once in
    the zygote."""
    assets: Path | None = None
    """A folder that workers may read."""
    preload: tuple[str, ...] = ("torch",)
    """Modules to import before the first worker is forked."""
    limits: Limits = field(default_factory=Limits)
    """Limits of each worker."""
    modules: Mapping[str, Path] = field(default_factory=dict)
    """Single-file modules that the harness imports by these names; trusted and free of secrets, like the harness."""
    hidden: tuple[Path, ...] = ()
    """Further folders that a worker must not see, should they lie inside a Python installation."""
    many: bool = False
    """Whether dozens of workers will be forked: then a third of a second at the start makes each of them cheaper."""

    @classmethod
    def of(
        cls,
        assignment: Assignment,
        preload: tuple[str, ...],
        limits: Limits | None = None,
        *,
        many: bool = False,
    ) -> Self:
        """What the student code of `assignment` needs, with the modules of `preload` imported."""
        harness = assignment.root / "harness.py"
        return cls(
            harness=harness if harness.is_file() else None,  # an assignment may need none
            assets=assignment.root / "assets",
            modules={name: assignment.root / path for name, path in assignment.worker_modules.items()},
            preload=preload,
            limits=limits or Limits(),
            many=many,
        )

"""What is done once, before any student code is there: imports, the harness, its warm-up."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from .calls import seed_everything


@dataclass(frozen=True, slots=True)
class Sources:
    """The assignment's worker-side code, read before anything is sealed."""

    harness: bytes | None
    modules: Mapping[str, bytes]
    """Name -> source of what the harness imports."""

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Sources:
        """From the paths in the judge's configuration."""
        harness = None if config["harness"] is None else Path(config["harness"]).read_bytes()
        return cls(harness, {name: Path(path).read_bytes() for name, path in config["modules"].items()})


def set_folders(scratch: str) -> None:
    """A scratch folder (a few libraries want one at import), and the libraries' caches in it."""
    for name, value in {"HOME": "home", "TMPDIR": "tmp", "HF_HOME": "home/huggingface"}.items():
        os.environ[name] = os.path.join(scratch, *value.split("/"))
        os.makedirs(os.environ[name], exist_ok=True)
    tempfile.tempdir = None  # asked for again: torch may have been imported, and have asked, before
    sys.argv[:] = [""]


def load(
    preload: Sequence[str], sources: Sources, assets: str | None, *, many: bool = False
) -> ModuleType | None:
    """Imports, executes the harness, runs its warm_up(); the harness, or None. `many`: that many workers follow."""
    for name in preload:
        module = importlib.import_module(name)
        if name == "torch":  # before any operation: a pool of threads does not survive a fork
            module.set_num_threads(1)
    seed_everything(0)  # numpy imports its generators at the first use
    for name, source in sources.modules.items():
        _execute(ModuleType(name), source)
    if sources.harness is None:
        return None
    harness = ModuleType("harness")
    harness.__dict__.update(ASSETS=None if assets is None else Path(assets), MANY=many)
    _execute(harness, sources.harness)
    warm_up = getattr(harness, "warm_up", None)
    if warm_up is not None:
        warm_up()
    return harness


def _execute(module: ModuleType, source: bytes) -> None:
    sys.modules[module.__name__] = module
    exec(compile(source, f"{module.__name__}.py", "exec"), module.__dict__)


def environment() -> dict[str, str]:
    """Versions and machine facts, as this process sees them."""
    facts = {"python": platform.python_version(), "machine": platform.machine()}
    for name in ("torch", "numpy", "transformers", "datasets"):
        module = sys.modules.get(name)
        if module is not None:
            facts[name] = str(getattr(module, "__version__", "unknown"))
    torch = sys.modules.get("torch")
    if torch is not None:
        facts["cpu_capability"] = str(torch.backends.cpu.get_cpu_capability())
    return facts

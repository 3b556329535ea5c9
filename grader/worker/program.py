"""The programs in inside/ as processes of their own: their command line and their environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_INSIDE = Path(__file__).parent / "inside"
# The programs expect their socket at descriptor 3, which subprocess cannot do by itself.
_BOOT = (
    "import os, runpy, sys; os.dup2(int(sys.argv[2]), 3); runpy.run_path(sys.argv[1], run_name='__main__')"
)
_BOOT_PLAIN = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"


def command(program: str, descriptor: str | None) -> list[str]:
    """The judge's interpreter, without user site, current folder or any option of the judge's."""
    boot = (
        [_BOOT_PLAIN, str(_INSIDE / program)]
        if descriptor is None
        else [_BOOT, str(_INSIDE / program), descriptor]
    )
    return [sys.executable, "-s", "-P", "-c", *boot]


def environment(base: Path) -> dict[str, str]:
    """Everything that the process's environment holds: no variable of the judge's is handed on."""
    fixed = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": str(base),
        "TMPDIR": str(base),
        "USER": "student",
        "LOGNAME": "student",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "PYTHONNOUSERSITE": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    if sys.platform == "win32":  # without these two, Python cannot start or find its libraries there
        fixed |= {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if name in os.environ}
    return fixed

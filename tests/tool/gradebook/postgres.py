"""A real PostgreSQL server of our own, in a folder of the test run, on a socket of that folder alone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, where PostgreSQL is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return None if initdb is None else Path(initdb).parent


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Starts a server and gives the address of an empty database on it."""
    binaries = programs()
    assert binaries is not None
    data, user = folder / "data", "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    def run(*command: str) -> None:
        # PostgreSQL refuses to run as root.
        switch = (
            {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
            if os.geteuid() == 0
            else {}
        )
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **switch
        )

    folder.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    run(str(binaries / "initdb"), "-D", str(data), "-A", "trust", "-U", user, "-N", "-E", "UTF8")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    control = str(binaries / "pg_ctl")
    run(control, "-D", str(data), "-w", "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql+psycopg://{user}@/postgres?host={folder}"
    finally:
        run(control, "-D", str(data), "-m", "immediate", "stop")

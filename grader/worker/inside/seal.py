"""The layers, in the order that works: the zygote's share and the worker's share.

strict      own user, mount, pid, net, ipc and uts namespaces with a minimal read-only root, then as container
container   Landlock and a seccomp allow-list, resource limits, no capabilities, another user where we are root
none        nothing of all that
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import kernel, landlock, pages, root, seccomp
from .view import ASSETS, DEVICES, SANDBOX, UNPRIVILEGED, View

STRICT, CONTAINER, NONE = "strict", "container", "none"
_INNER = 1000
_OWN_NAMESPACES = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker may use; the judge's `grader.worker.Limits` says what each means."""

    memory_bytes: int
    cpu_s: int
    file_bytes: int
    tmp_bytes: int
    tmp_inodes: int
    processes: int
    open_files: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to seal."""

    level: str
    user: int | None = None
    """Become this user first; None keeps the present one."""
    capabilities: int = 0
    """At level container: the capability that is kept to read an interpreter which only root may read."""
    remarks: tuple[str, ...] = ()
    """What this way does not give, a sentence each."""


_SAME_USER = (
    "The worker runs as the same user as the grader, because another could not read the Python installation."
)
_KEEPS_READING = "The worker keeps the capability to read any file; Landlock alone confines what it reads."


def plans(level: str) -> Iterator[Plan]:
    """The ways to reach `level` here, the best first."""
    if level == NONE:
        yield Plan(NONE)
    elif os.geteuid() != 0:
        yield Plan(level)
    else:
        yield Plan(level, UNPRIVILEGED)
        held = kernel.permitted_capabilities()
        for number in (kernel.CAP_DAC_READ_SEARCH, kernel.CAP_DAC_OVERRIDE):
            if level == CONTAINER and held >> number & 1:
                yield Plan(level, UNPRIVILEGED, 1 << number, (_KEEPS_READING,))
        yield Plan(level, remarks=(_SAME_USER,))


class Sealer:
    """Carries out one plan. Open it before anything is given up: it holds /proc and the own pid namespace."""

    def __init__(self, plan: Plan, view: View) -> None:
        self.plan = plan
        self.view = view
        self._proc = -1
        self._own_pids = -1
        self._statm = -1
        self._maps = -1
        self._tasks = 0
        if plan.level != NONE:
            self._proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    @property
    def strict(self) -> bool:
        """Are there namespaces?"""
        return self.plan.level == STRICT

    @property
    def open_files(self) -> tuple[int, ...]:
        """Descriptors that a worker needs until it is sealed."""
        return (self._proc,) if self._proc >= 0 else ()

    @property
    def assets(self) -> str | None:
        """Where the assignment's files are for whoever is sealed."""
        return ASSETS if self.strict and self.view.assets else self.view.assets

    # ------------------------------------------------------------ the zygote's share

    def enter(self) -> None:
        """Before the big imports, single-threaded. At strict, returns in a child that is process 1 of its own."""
        if self.plan.level == NONE:
            return
        if self.strict:
            self._enter_namespaces()
        else:
            self._drop_user()
            self._tasks = _tasks_of(os.getuid())
        self._statm = os.open("self/statm", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        self._maps = os.open("self/maps", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        kernel.set_dumpable(False)
        kernel.forbid_new_privileges()
        if not self.strict:
            self._landlock([self.view.base], self.view.hidden).enforce()

    def freeze(self) -> None:
        """After the imports."""
        if self.strict:
            root.freeze()

    def warmed(self, *, many: bool) -> None:
        """After the imports, too. `many`: so many workers will be forked that large pages are worth the time."""
        if self.plan.level != NONE:
            seccomp.lists()  # made once for all workers
        if self._maps >= 0:
            with os.fdopen(self._maps) as file:
                if many:
                    pages.gather(file.read())
            self._maps = -1

    def address_space(self) -> int:
        """Bytes of virtual memory of the zygote: the zero of a worker's memory limit."""
        if self._statm < 0:
            return 0
        return int(os.pread(self._statm, 200, 0).split()[0]) * resource.getpagesize()

    def _enter_namespaces(self) -> None:
        privileged = os.geteuid() == 0
        if privileged:  # build the root while we may still read all of it, then become somebody else
            kernel.unshare(kernel.CLONE_NEWNS)
            root.enter(self.view)
            self._drop_user()
        user, group = os.geteuid(), os.getegid()
        kernel.set_dumpable(True)  # else the id maps below belong to root
        kernel.unshare(_OWN_NAMESPACES)
        kernel.map_identity(self._proc, _INNER, user, group)
        if not privileged:
            root.enter(self.view)
        _continue_in_child()
        kernel.die_with_parent(signal.SIGKILL)
        self._own_pids = os.open("self/ns/pid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)

    def _drop_user(self) -> None:
        if self.plan.user is None:
            if os.geteuid() == 0:
                os.setgroups([])
                if not self.strict:
                    kernel.set_capabilities(0)
            return
        kernel.keep_capabilities()
        os.setgroups([])
        os.setresgid(self.plan.user, self.plan.user, self.plan.user)
        os.setresuid(self.plan.user, self.plan.user, self.plan.user)
        kernel.set_capabilities(self.plan.capabilities)

    # ------------------------------------------------------------ the worker's share

    def fork(self) -> int:
        """Forks a worker: 0 in the worker (process 1 of a new pid namespace at strict), its pid in the zygote."""
        if not self.strict:
            return os.fork()
        kernel.unshare(kernel.CLONE_NEWPID)
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid != 0:
                kernel.setns(self._own_pids, kernel.CLONE_NEWPID)
        return pid

    def seal(self, box: str, limits: Limits, warm_bytes: int, unpack: Callable[[], None]) -> None:
        """In the worker: every layer; `unpack` writes the hand-in between the file layer and the call filter."""
        kernel.die_with_parent(signal.SIGKILL)
        if self.plan.level == NONE:
            unpack()
            return
        if self.strict:
            kernel.set_dumpable(True)
            kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
            kernel.map_identity(self._proc, _INNER, _INNER, _INNER)
            size = f"size={limits.tmp_bytes},nr_inodes={limits.tmp_inodes},mode=700"
            kernel.mount(
                "sandbox", SANDBOX, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC, size
            )
        kernel.set_dumpable(False)
        set_limits(limits, warm_bytes, self._tasks)
        kernel.set_capabilities(self.plan.capabilities)
        kernel.forbid_new_privileges()
        self._landlock([box], ()).enforce()  # what is hidden: by the mounts, or by the zygote's own rules
        os.close(self._proc)
        unpack()
        seccomp.install()

    def _landlock(self, own_folders: list[str], hidden: tuple[str, ...]) -> landlock.Ruleset:
        rules = landlock.Ruleset()
        for path in self.view.reads:
            _allow_around(rules, path, hidden)
        for device in DEVICES:
            rules.allow(device, landlock.WRITE_DEVICE)
        if self.assets is not None:
            rules.allow(self.assets, landlock.READ)
        if self.strict:
            rules.allow("/etc/passwd", landlock.READ)
        for folder in own_folders:
            rules.allow(folder, landlock.everything_in_own_folder(rules.version))
        return rules


def _allow_around(rules: landlock.Ruleset, path: str, hidden: tuple[str, ...]) -> None:
    """Grants reading of `path` but for the hidden folders in it: rules only ever add, so its children one by one."""
    real = os.path.realpath(path)
    inside = [h for h in map(os.path.realpath, hidden) if h == real or h.startswith(real + os.sep)]
    if not inside:
        rules.allow(path, landlock.READ)
    elif real not in inside:
        rules.allow(path, landlock.LIST)
        for entry in os.scandir(path):
            _allow_around(rules, entry.path, hidden)


def _tasks_of(user: int) -> int:
    """Threads that this user runs: outside a user namespace the kernel counts them all against the limit."""
    count = 0
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.stat(f"/proc/{entry}").st_uid == user:
                count += len(os.listdir(f"/proc/{entry}/task"))
        except OSError:  # it ended meanwhile
            continue
    return count


def set_limits(limits: Limits, warm_bytes: int, tasks: int) -> None:
    """Hard resource limits; memory is counted from the size of the warm process, threads from `tasks`."""
    memory = warm_bytes + limits.memory_bytes
    for which, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_NPROC, tasks + limits.processes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, 256),
        (resource.RLIMIT_NICE, 0),
        (resource.RLIMIT_RTPRIO, 0),
    ):
        _, hard = resource.getrlimit(which)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (ceiling, ceiling))


def _continue_in_child() -> None:
    """Forks and lets the child go on; the parent stays, waits for it and ends as it ended."""
    pid = os.fork()
    if pid == 0:
        return
    os.closerange(0, 1024)
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)

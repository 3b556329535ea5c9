"""Reaching other processes: signals, tracing, limits, priorities."""

import ctypes
import fcntl
import os
import resource
import signal

libc = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"
JUDGE = int("@JUDGE@")


def parent():
    return os.getppid() or JUDGE


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def call(x86, arm, *arguments):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return checked(libc.syscall(ctypes.c_long(x86 if X86 else arm), *words))


def kill_the_judge():
    """Send SIGTERM to the judge by its number.

    stopped: PermissionError|ProcessLookupError
    """
    os.kill(JUDGE, signal.SIGTERM)
    return "sent"


def kill_the_parent():
    """Send SIGTERM to the zygote.

    stopped: PermissionError|ProcessLookupError
    """
    os.kill(parent(), signal.SIGTERM)
    return "sent"


def kill_everyone():
    """Send SIGTERM to all processes of the user.

    stopped: PermissionError|ProcessLookupError
    """
    os.kill(-1, signal.SIGTERM)
    return "sent"


def kill_the_group():
    """Send SIGTERM to the process group of the parent.

    stopped: PermissionError|ProcessLookupError
    """
    os.killpg(os.getpgid(parent()), signal.SIGTERM)
    return "sent"


def thread_signal():
    """Send a signal to a single thread of the judge (tgkill).

    stopped: PermissionError|ProcessLookupError
    """
    return call(234, 131, JUDGE, JUDGE, signal.SIGTERM)


def queued_signal():
    """Queue a signal with data (rt_sigqueueinfo).

    stopped: PermissionError
    """
    return call(129, 138, JUDGE, signal.SIGTERM, ctypes.create_string_buffer(128))


def pidfd():
    """Get a handle of the judge and signal by it.

    stopped: PermissionError|ProcessLookupError
    """
    fd = os.pidfd_open(JUDGE)
    signal.pidfd_send_signal(fd, signal.SIGTERM)
    return fd


def pidfd_getfd():
    """Take an open file out of the judge.

    stopped: PermissionError|OSError
    """
    return call(438, 438, 3, 3, 0)


def owner_of_input():
    """Make the judge the owner of a descriptor, so that the kernel signals it (F_SETOWN).

    stopped: PermissionError
    """
    return fcntl.fcntl(3, fcntl.F_SETOWN, JUDGE)


def trace():
    """Attach to the judge with ptrace.

    stopped: PermissionError|ProcessLookupError
    """
    return checked(libc.ptrace(16, JUDGE, 0, 0))


def trace_the_parent():
    """Attach to the zygote with ptrace.

    stopped: PermissionError|ProcessLookupError
    """
    return checked(libc.ptrace(0x4206, parent(), 0, 0))


def limits_of_the_judge():
    """Set the judge's limit of open files to 0.

    stopped: PermissionError|ProcessLookupError
    """
    return resource.prlimit(JUDGE, resource.RLIMIT_NOFILE, (0, 0))


def own_limits():
    """Raise the own limit of memory.

    stopped: PermissionError|ValueError
    """
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def affinity():
    """Pin the judge to one core.

    stopped: PermissionError|ProcessLookupError
    """
    os.sched_setaffinity(JUDGE, {0})


def priority():
    """Give the judge the lowest priority.

    stopped: PermissionError|ProcessLookupError
    """
    os.setpriority(os.PRIO_PROCESS, JUDGE, 19)


def compare_descriptors():
    """Ask the kernel about the judge's descriptors (kcmp).

    stopped: PermissionError
    """
    return call(312, 272, os.getpid(), JUDGE, 0, 0, 0)


def new_namespaces():
    """Become root in a user namespace of its own.

    stopped: PermissionError
    """
    return checked(libc.unshare(0x10000000))


def join_namespaces():
    """Join the namespaces of process 1.

    stopped: FileNotFoundError|PermissionError
    """
    return checked(libc.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), 0))


def become_root():
    """Become root.

    stopped: PermissionError
    """
    os.setresuid(0, 0, 0)
    return os.getuid()


def stop_itself():
    """Stop, so that neither an answer nor an end ever comes.

    status: timeout, failed
    stopped: did not answer|Error
    timeout: 0.5
    """
    os.kill(os.getpid(), signal.SIGSTOP)
    raise ProcessLookupError("process 1 of a namespace does not stop")

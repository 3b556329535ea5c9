"""Reading what belongs to the judge: the reference, hidden tests, other hand-ins, other processes, its memory."""

import ctypes
import gc
import os
import re
import struct
import sys

REFERENCE = "@REFERENCE@"
HIDDEN = "@HIDDEN@"
OTHER = "@OTHER@"
REPORT = "@REPORT@"
GRADER = "@GRADER@"
SITE = "@SITE@"
libc = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"


def read(path):
    with open(path, "rb") as file:
        return file.read(4000)


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def reference():
    """Open a file of the reference by its path.

    stopped: FileNotFoundError|PermissionError
    """
    return read(REFERENCE)


def hidden_tests():
    """Open a hidden file of the tests by its path.

    stopped: FileNotFoundError|PermissionError
    """
    return read(HIDDEN)


def other_hand_in():
    """Open another student's code.

    stopped: FileNotFoundError|PermissionError
    """
    return read(OTHER)


def list_hand_ins():
    """List the folder of all hand-ins.

    stopped: FileNotFoundError|PermissionError
    """
    return os.listdir(os.path.dirname(os.path.dirname(OTHER)))


def reports():
    """Open the report of another student.

    stopped: FileNotFoundError|PermissionError
    """
    return read(REPORT)


def upwards():
    """Walk up from the working directory with ../.

    stopped: FileNotFoundError|PermissionError
    """
    return read("../" * 30 + REFERENCE.lstrip("/"))


def through_symlink():
    """Make a symbolic link in the own folder and read through it.

    stopped: FileNotFoundError|PermissionError
    """
    os.symlink(REFERENCE, "link")
    return read("link")


def through_hard_link():
    """Make a hard link in the own folder and read it.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    os.link(REFERENCE, "hard")
    return read("hard")


def through_proc_self_root():
    """Read through /proc/self/root.

    stopped: FileNotFoundError|PermissionError
    """
    return read("/proc/self/root" + REFERENCE)


def through_proc_1_root():
    """Read through /proc/1/root.

    stopped: FileNotFoundError|PermissionError
    """
    return read("/proc/1/root" + REFERENCE)


def by_file_handle():
    """Ask for a file handle, which knows no paths.

    stopped: PermissionError
    """
    handle = ctypes.create_string_buffer(struct.pack("=II", 128, 0), 136)
    mount = ctypes.c_int()
    return checked(
        libc.syscall(
            ctypes.c_long(303 if X86 else 264), -100, REFERENCE.encode(), handle, ctypes.byref(mount), 0
        )
    )


def by_raw_system_call():
    """Open by the raw system call, past every Python function that could be watched.

    stopped: FileNotFoundError|PermissionError
    """
    fd = checked(libc.syscall(ctypes.c_long(257 if X86 else 56), -100, REFERENCE.encode(), 0))
    return os.read(fd, 4000)


def by_path_descriptor():
    """Open with O_PATH, which asks for no right to read, and open that again through /proc.

    stopped: FileNotFoundError|PermissionError
    """
    fd = os.open(REFERENCE, os.O_PATH)
    return read(f"/proc/self/fd/{fd}")


def environments():
    """Read the environment of every process.

    stopped: FileNotFoundError|PermissionError|ProcessLookupError
    """
    found, refused = [], None
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and int(entry) != os.getpid():
                found.append(read(f"/proc/{entry}/environ"))
        except OSError as error:
            refused = error
    if not any(found):
        raise refused
    return len(found)  # what is in them belongs to whoever runs the tests


def command_lines():
    """Read the command line of process 1 and of the parent.

    stopped: FileNotFoundError|PermissionError|ProcessLookupError
    """
    return [len(read(f"/proc/{pid}/cmdline")) for pid in (1, os.getppid())]


def memory_of_the_parent():
    """Open the memory of the parent process.

    stopped: FileNotFoundError|PermissionError
    """
    return read(f"/proc/{os.getppid() or 1}/mem")


def memory_by_process_vm_readv():
    """Copy memory out of the parent process.

    stopped: PermissionError
    """
    here = ctypes.create_string_buffer(64)
    mine = struct.pack("@PN", ctypes.addressof(here), 64)
    there = struct.pack("@PN", id(gc), 64)
    return checked(libc.syscall(ctypes.c_long(310 if X86 else 270), os.getppid() or 1, mine, 1, there, 1, 0))


def own_environment():
    """Look for a secret in the environment that came with the process.

    stopped: found nothing
    """
    ctypes_environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    found, i = [], 0
    while ctypes_environ[i] is not None:
        found.append(ctypes_environ[i].decode())
        i += 1
    return needles([*found, *os.environ.values()])


def objects_in_memory():
    """Look through every object that the garbage collector knows, three levels deep, for a secret.

    stopped: found nothing
    """
    found = []
    for thing in [*gc.get_objects(), *sys.modules.values()]:
        for inner in gc.get_referents(thing):
            if type(inner) in (str, bytes):
                found.append(inner if type(inner) is str else inner.decode("latin-1"))
    return needles(found)


def stack_walk():
    """Walk up the stack and look at every local variable for expected values.

    stopped: found nothing
    """
    frame, found = sys._getframe(), []
    while frame is not None:
        found += [repr(value)[:4000] for value in frame.f_locals.values()]
        found.append(frame.f_code.co_filename)
        frame = frame.f_back
    strangers = [f for f in found if f.startswith(GRADER) and "/worker/inside/" not in f]
    return strangers or needles(found)


def heap():
    """Read the C heap of the own process from its start to its end, for what the zygote may have left there.

    stopped: found nothing
    """
    libc.sbrk.restype = ctypes.c_void_p
    end = libc.sbrk(0)
    words = needle().encode()
    start, found = max(id(words) & ~0xFFF, end - 64 * 2**20), []
    if start < end:
        block = ctypes.string_at(start, end - start)
        at = block.find(words)
        while at >= 0:
            found.append(block[at : at + 60].decode("latin-1"))
            at = block.find(words, at + 1)
    return needles(found)


def descriptors():
    """Read from every descriptor that was inherited.

    stopped: found nothing
    """
    found = []
    for fd in [0, *range(4, 256)]:
        try:
            found.append((fd, os.read(fd, 4000)))
        except OSError:
            continue
    if [fd for fd, text in found if text or fd > 3]:
        return found
    raise RuntimeError("found nothing")


def grader_source():
    """Import the grader itself, and open its files.

    stopped: FileNotFoundError|PermissionError|ModuleNotFoundError
    """
    try:
        import grader.numbers

        return grader.numbers.__file__
    except ImportError:
        return read(GRADER + "/grader/pipeline.py")


def reference_by_import():
    """Import the reference and its published arrays.

    stopped: ModuleNotFoundError|ImportError
    """
    from reference.transformer import published

    return published.PUBLISHED


def installed_copy():
    """Look for a copy of the grader, its tests and its reference among the installed packages.

    stopped: found nothing
    """
    found = []
    for folder, _, files in os.walk(SITE):
        if folder[len(SITE) :].count("/") > 3:
            continue
        found += [
            f"{folder}/{name}"
            for name in files
            if name in ("four_labels.json", "heldout.jsonl", "assignment.toml")
        ]
    if not found:
        raise RuntimeError("found nothing")
    return [read(path) for path in found]


def neighbours():
    """List the folder that the own folder lies in, for other workers and what they left.

    stopped: FileNotFoundError|PermissionError|found nothing
    """
    above = os.path.dirname(os.path.dirname(os.getcwd()))
    others = set(os.listdir(above)) - {"submission", "home", "tmp", "sandbox"} if above != "/" else set()
    if not others:
        raise RuntimeError("found nothing")
    return sorted(others)


def passwords():
    """Read /etc/shadow and /etc/passwd.

    stopped: FileNotFoundError|PermissionError
    """
    try:
        return len(read("/etc/shadow"))
    except OSError:
        text = read("/etc/passwd")
        if text.startswith(b"student:"):  # a made-up one
            raise
        return len(text)


def needle():
    return "yranac"[::-1] + "-"


def needles(texts):
    """The secrets among `texts`; raises where there is none."""
    found = [t for t in texts if re.search(needle() + "[0-9a-f]{24}", t)]
    if not found:
        raise RuntimeError("found nothing")
    return found

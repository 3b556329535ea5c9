"""Writing where nothing of the student's may be: reports, tests, packages, other hand-ins, what outlives the worker."""

import ctypes
import os
import threading
import time

REFERENCE = "@REFERENCE@"
HIDDEN = "@HIDDEN@"
OTHER = "@OTHER@"
REPORT = "@REPORT@"
SITE = "@SITE@"
MARK = "@MARK@"
libc = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"


def write(path, text="forged by a hand-in"):
    with open(path, "w") as file:
        file.write(text)


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def report():
    """Overwrite a report with full marks.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    write(REPORT, '{"score": {"earned": "100", "possible": "100"}}')


def new_report():
    """Put a report of its own beside the others.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    write(os.path.join(os.path.dirname(REPORT), MARK + ".json"), '{"score": "100"}')


def tests():
    """Empty a hidden file of the tests.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    os.truncate(HIDDEN, 0)


def reference():
    """Add a line to the reference.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    with open(REFERENCE, "a") as file:
        file.write("\nforged = True\n")


def delete_reference():
    """Delete a file of the reference.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    os.unlink(REFERENCE)


def rename_other():
    """Rename another student's hand-in.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    os.rename(OTHER, OTHER + ".gone")


def other_hand_in():
    """Overwrite another student's code.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    write(OTHER, "raise SystemExit")


def exchange_with_own():
    """Exchange an own file with another student's (renameat2, RENAME_EXCHANGE).

    stopped: FileNotFoundError|PermissionError|OSError
    """
    write("mine.py")
    number = 316 if X86 else 276
    return checked(libc.syscall(ctypes.c_long(number), -100, b"mine.py", -100, OTHER.encode(), 2))


def hard_link_and_write():
    """Link a report into the own folder and write to it there.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    os.link(REPORT, "mine.json")
    write("mine.json")


def symlink_and_write():
    """Link to a report symbolically and write through the link.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    os.symlink(REPORT, "mine.json")
    write("mine.json")


def mode_and_owner():
    """Take away the judge's right to read its own tests (chmod, then chown).

    stopped: FileNotFoundError|PermissionError|OSError
    """
    try:
        os.chmod(HIDDEN, 0)  # answered with success and not carried out, or refused
    except OSError:
        pass
    os.chown(HIDDEN, os.getuid(), os.getgid())


def extended_attribute():
    """Set an extended attribute on a report.

    stopped: FileNotFoundError|PermissionError|OSError
    """
    os.setxattr(REPORT, "user.mark", MARK.encode())


def site_packages():
    """Plant a module among the installed packages.

    stopped: PermissionError|OSError|FileNotFoundError
    """
    write(os.path.join(SITE, MARK + ".py"))


def pth_file():
    """Plant a .pth file, which every later Python would run.

    stopped: PermissionError|OSError|FileNotFoundError
    """
    write(os.path.join(SITE, MARK + ".pth"), "import os; os._exit(0)")


def torch_itself():
    """Change a file of the installed torch.

    stopped: PermissionError|OSError
    """
    import torch

    with open(torch.__file__, "a") as file:
        file.write(f"\n# {MARK}\n")


def shared_memory():
    """Leave a file in shared memory for the next student.

    stopped: PermissionError|OSError|FileNotFoundError
    """
    write("/dev/shm/" + MARK)


def real_tmp():
    """Leave a file in the machine's /tmp and /var/tmp.

    stopped: PermissionError|FileNotFoundError|OSError
    """
    try:
        write("/var/tmp/" + MARK)
    except OSError:
        if os.path.realpath("/tmp") != "/tmp":  # the own folder under that name
            raise
        write("/tmp/" + MARK)


def after_death():
    """Go on writing from a thread after the answer, and leave files in every folder that can be written.

    status: failed
    stopped: that is all
    """

    def forever():
        i = 0
        while True:
            write(os.path.join(os.environ["TMPDIR"], f"{MARK}{i % 50}"))
            i += 1
            time.sleep(0.001)

    threading.Thread(target=forever, daemon=True).start()
    for folder in (".", os.environ["HOME"], os.environ["TMPDIR"]):
        write(os.path.join(folder, MARK))
    raise RuntimeError("that is all")


def make_device():
    """Make a device node, to reach the disk or the memory below every file system.

    stopped: PermissionError|OSError
    """
    os.mknod("device", 0o600 | 0o020000, os.makedev(1, 1))


def mount_over():
    """Mount a file system of its own over the tests.

    stopped: PermissionError|OSError
    """
    return checked(libc.mount(b"x", os.path.dirname(HIDDEN).encode(), b"tmpfs", 0, None))

"""Hand-ins whose attack lies in the folder itself: names, links, numbers of files, files that tools obey.

Each function lays out one folder; `scene` says where the judge's things are. These run in the tests, not in a worker.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from .scene import Scene

WRONG = """
import torch
from torch import nn


class MultiHeadAttention(nn.Module):
    def __init__(self, embed_dim, num_heads, dropout=0.1):
        super().__init__()
        self.key, self.query, self.value, self.proj = (nn.Linear(embed_dim, embed_dim) for _ in range(4))

    def forward(self, query, key, value, attn_mask=None):
        return torch.zeros_like(query)


class PositionalEncoding(nn.Module):
    def __init__(self, embed_dim, dropout=0.1, max_len=5000):
        super().__init__()

    def forward(self, x):
        return x
"""
LAST_WORDS = """

def attack():
    found = []
    for name in {names}:
        with open(name, "rb") as file:
            found.append(file.read(4000))
    raise RuntimeError("GOT " + "THROUGH: " + repr(found))


MultiHeadAttention.__init__ = PositionalEncoding.__init__ = lambda *_, **__: attack()
"""
PASS = "import os\nos._exit(0)\n"


def write(folder: Path, **files: str) -> None:
    """Files by name, with __ for a dot and ___ for a slash."""
    for name, text in files.items():
        path = folder / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def reads(folder: Path, *names: str) -> None:
    """Code that opens `names` beside itself."""
    write(folder, attention__py=WRONG + LAST_WORDS.format(names=names))


def conftest_py(folder: Path, scene: Scene) -> None:
    """A conftest.py that makes every test pass.

    category: tricks
    stopped: off the formula|encoding
    """
    hook = "def pytest_runtest_makereport(item, call):\n    import os\n    os._exit(0)\n"
    write(folder, attention__py=WRONG, conftest__py=hook, tests___conftest__py=hook)


def pytest_ini(folder: Path, scene: Scene) -> None:
    """Configuration that deselects tests and loads a plugin: pytest.ini, tox.ini, setup.cfg, pyproject.toml.

    category: tricks
    stopped: off the formula|encoding
    """
    options = "[pytest]\naddopts = -p forge --deselect=2c.self --collect-only\n"
    write(
        folder, attention__py=WRONG, forge__py=PASS, pytest__ini=options, tox__ini=options,
        setup__cfg=options.replace("[pytest]", "[tool:pytest]"),
        pyproject__toml='[tool.pytest.ini_options]\naddopts = "-p forge --collect-only"\n',
    )  # fmt: skip


def site_files(folder: Path, scene: Scene) -> None:
    """Files that Python runs by itself when it starts: sitecustomize.py, usercustomize.py, a .pth file.

    category: tricks
    stopped: off the formula|encoding
    """
    write(
        folder, attention__py=WRONG, sitecustomize__py=PASS, usercustomize__py=PASS, evil__pth=f"import os; {PASS}",
        home___usercustomize__py=PASS,
    )  # fmt: skip


def shadowed_libraries(folder: Path, scene: Scene) -> None:
    """Modules with the names of libraries: torch.py, numpy.py, json.py, random.py, pytest.py, encodings/.

    category: tricks
    stopped: off the formula|encoding
    """
    names = ("torch", "numpy", "json", "random", "pytest", "socket", "struct", "tempfile")
    write(folder, attention__py=WRONG, encodings___utf_8__py=PASS, torch___nn___functional__py=PASS)
    for name in names:
        (folder / f"{name}.py").write_text(PASS)


def shadowed_grader(folder: Path, scene: Scene) -> None:
    """Modules with the names of the grader's: harness.py, grader/, reference/, tests/, its own assignment.toml.

    category: tricks
    stopped: off the formula|encoding
    """
    write(
        folder, attention__py=WRONG, harness__py=PASS, dropout_stream__py=PASS, fresh_weights__py=PASS,
        reference___transformer___attention__py=PASS,
        tests___transformer___test_2_attention__py="def test_all():\n    pass\n",
        assignment__toml='id = "transformer"\nversion = "1"\ntitle = "x"\n[[check]]\nid = "2c.self"\npoints = "100"\n',
    )  # fmt: skip
    (folder / "grader" / "__init__.py").parent.mkdir(exist_ok=True)
    (folder / "grader" / "__init__.py").write_text(PASS)


def forged_results(folder: Path, scene: Scene) -> None:
    """Files that look like the results of a run: results.json, report.json, .report.json, junit.xml, output.txt.

    category: forged
    stopped: off the formula|encoding
    """
    forged = json.dumps({"score": 100, "tests": [{"nodeid": "2c.self", "outcome": "passed"}], "exitcode": 0})
    names = (
        "results.json",
        "report.json",
        ".report.json",
        "results/results.json",
        "feedback.json",
        "grade.json",
    )
    write(
        folder, attention__py=WRONG, junit__xml="<testsuite tests='1' failures='0'/>", output__txt="1 passed"
    )
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(forged)


def forged_reports_folder(folder: Path, scene: Scene) -> None:
    """A reports folder with a finished report of this very hand-in.

    category: forged
    stopped: off the formula|encoding
    """
    write(folder, attention__py=WRONG)
    for name in ("report.json", "report.html", "report.md"):
        place = folder / "reports" / folder.name / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text('{"schema_version": 1, "score": {"earned": "100", "possible": "100"}}')


def stale_bytecode(folder: Path, scene: Scene) -> None:
    """Compiled files in the place of the source.

    category: tricks
    stopped: off the formula|encoding
    """
    write(folder, attention__py=WRONG)
    cache = folder / "__pycache__"
    cache.mkdir()
    (cache / "attention.cpython-311.pyc").write_bytes(b"\xa7\r\r\n" + bytes(12) + os.urandom(200))


def names_that_are_options(folder: Path, scene: Scene) -> None:
    """Files whose names are options of pytest and Python.

    category: names
    stopped: off the formula|encoding
    """
    write(folder, attention__py=WRONG)
    for name in (
        "--collect-only.py",
        "-pforge.py",
        "-c.py",
        "@args.py",
        "$(id).py",
        "`id`.py",
        "; rm -rf .py",
    ):
        (folder / name).write_text(PASS)


def names_with_control_characters(folder: Path, scene: Scene) -> None:
    """Names with newlines, escapes, right-to-left marks, bytes that are no UTF-8, and as long as can be.

    category: names
    stopped: off the formula|encoding
    """
    write(folder, attention__py=WRONG)
    names = (
        b"a\nb.py",
        b"\x1b[2J.py",
        "\u202egpj.py".encode(),
        b"\xff\xfe.py",
        b"x" * 250 + b".py",
        b"<script>.py",
    )
    for name in names:
        (folder / os.fsdecode(name)).write_text(PASS)


def ten_thousand_files(folder: Path, scene: Scene) -> None:
    """A hand-in of 10,000 files.

    category: names
    stopped: off the formula|encoding|No file of the hand-in defines
    status: failed, missing
    """
    write(folder, zz_attention__py=WRONG)
    for i in range(10_000):
        (folder / f"f{i}.py").touch()


def folders_a_hundred_deep(folder: Path, scene: Scene) -> None:
    """Folders nested a hundred deep, with code at the bottom.

    category: names
    stopped: No file of the hand-in defines
    status: missing
    """
    deep = folder.joinpath("own", *(["d"] * 100))
    deep.mkdir(parents=True)
    (folder / "notes.txt").touch()
    (deep / "attention.py").write_text(WRONG)


def file_of_30_megabytes(folder: Path, scene: Scene) -> None:
    """Source code of 30 MB.

    category: names
    stopped: was not read|defines
    status: missing
    """
    (folder / "attention.py").write_text(WRONG + "#" * 30_000_000)


def link_to_reference(folder: Path, scene: Scene) -> None:
    """A symbolic link to a file of the reference, read by the code as its own.

    category: links
    stopped: FileNotFoundError
    """
    (folder / "notes.txt").symlink_to(scene.reference)
    (folder / "notes.py").symlink_to(scene.reference)
    reads(folder, "notes.txt", "notes.py")


def link_to_folders(folder: Path, scene: Scene) -> None:
    """Symbolic links to the folder of the tests, to / and to the folder above.

    category: links
    stopped: FileNotFoundError
    """
    (folder / "data").symlink_to(scene.hidden.parent)
    (folder / "root").symlink_to("/")
    (folder / "above").symlink_to("..")
    reads(folder, f"data/{scene.hidden.name}", f"root{scene.reference}")


def link_to_passwords(folder: Path, scene: Scene) -> None:
    """A symbolic link to /etc/passwd, and code under a link to it.

    category: links
    stopped: FileNotFoundError
    """
    (folder / "notes.txt").symlink_to("/etc/passwd")
    reads(folder, "notes.txt")


def link_to_other_hand_in(folder: Path, scene: Scene) -> None:
    """attention.py is a symbolic link to another student's, whose marks it would get.

    category: links
    stopped: No file of the hand-in defines|links are not followed|was not read
    status: missing
    """
    (folder / "attention.py").symlink_to(scene.other)
    (folder / "README.md").write_text("mine")


def link_to_itself(folder: Path, scene: Scene) -> None:
    """Links in a circle.

    category: links
    stopped: off the formula|encoding
    """
    write(folder, attention__py=WRONG)
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    (folder / "self").symlink_to(".")


def hard_link_to_reference(folder: Path, scene: Scene) -> None:
    """A hard link to a file of the reference, as an archive may unpack one.

    category: links
    stopped: FileNotFoundError
    """
    os.link(scene.reference, folder / "notes.txt")
    reads(folder, "notes.txt")


def hard_link_to_other_hand_in(folder: Path, scene: Scene) -> None:
    """attention.py is a hard link to another student's.

    category: links
    stopped: No file of the hand-in defines|hard link|was not read
    status: missing
    """
    os.link(scene.other, folder / "attention.py")
    (folder / "README.md").write_text("mine")


def pipes_and_sockets(folder: Path, scene: Scene) -> None:
    """A named pipe called answers.toml and one called attention.py: whoever opens them waits for ever.

    category: links
    stopped: No file of the hand-in defines|was not read|not a regular file
    status: missing
    """
    for name in ("attention.py", "answers.toml"):
        os.mkfifo(folder / name)
    (folder / "README.md").write_text("mine")

"""Reading a folder: what is taken up, what is left out, and that nothing outside of it is ever opened."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from grader.errors import SubmissionNotFound
from grader.intake import IntakeLimits, read_submission, stores
from grader.intake.assemble import assemble
from grader.intake.folder import open_folder_store
from grader.intake.gather import Gathered, Located
from grader.intake.walk import Entry
from grader.model import ArtifactKind, SubmittedFile


def write(root: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def paths(root: Path) -> list[str]:
    return [f.path for f in read_submission(root).files]


def test_files_are_read_with_kind_and_content(tmp_path: Path) -> None:
    write(
        tmp_path,
        attention_dot_py="x = 1",
        answers_dot_toml="[2a]",
        results__a_dot_json="{}",
        notes_dot_txt="hi",
    )
    submission = read_submission(tmp_path)
    assert [(f.path, f.kind, f.content) for f in submission.files] == [
        ("answers.toml", ArtifactKind.ANSWERS, b"[2a]"),
        ("attention.py", ArtifactKind.MODULE, b"x = 1"),
        ("notes.txt", ArtifactKind.REPORT, b"hi"),
        ("results/a.json", ArtifactKind.METRICS, b"{}"),
    ]
    assert submission.name == tmp_path.name
    assert submission.notes == ()


def test_missing_folder_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "alice").mkdir()
    with pytest.raises(SubmissionNotFound) as error:
        read_submission(tmp_path / "allice")
    assert "There is no folder" in error.value.message
    assert f"Did you mean '{tmp_path}/alice'?" in error.value.next_step


def test_missing_folder_lists_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "alice").mkdir()
    with pytest.raises(SubmissionNotFound) as error:
        read_submission(tmp_path / "zzz")
    assert "holds: alice" in error.value.next_step


def test_missing_parent_is_said(tmp_path: Path) -> None:
    with pytest.raises(SubmissionNotFound) as error:
        read_submission(tmp_path / "none" / "zzz")
    assert "cannot be listed" in error.value.next_step


def test_a_file_that_is_no_hand_in_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_text("x")
    with pytest.raises(SubmissionNotFound) as error:
        read_submission(tmp_path / "cat.jpg")
    assert "no file that can be graded" in error.value.message
    assert "Give the folder that holds it" in error.value.next_step


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a3.ipynb", ArtifactKind.NOTEBOOK),
        ("attention.py", ArtifactKind.MODULE),
        ("report.pdf", ArtifactKind.REPORT),
        ("report.md", ArtifactKind.REPORT),
        ("Answers.toml", ArtifactKind.ANSWERS),
    ],
)
def test_a_file_can_be_a_hand_in_by_itself(tmp_path: Path, name: str, kind: ArtifactKind) -> None:
    write(tmp_path, other_dot_py="x")
    (tmp_path / name).write_text("y")
    submission = read_submission(tmp_path / name)
    assert submission.name == name
    assert [(f.path, f.kind, f.content) for f in submission.files] == [(name, kind, b"y")]


def test_empty_folder_is_a_submission_with_a_note(tmp_path: Path) -> None:
    submission = read_submission(tmp_path)
    assert submission.files == ()
    assert "everything is missing" in submission.notes[-1]


def test_links_are_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("SECRET")
    root = tmp_path / "hand-in"
    (root / "sub").mkdir(parents=True)
    (root / "a.py").write_text("ok")
    (root / "link.py").symlink_to(secret)
    (root / "sub" / "dir").symlink_to(tmp_path, target_is_directory=True)
    submission = read_submission(root)
    assert [f.path for f in submission.files] == ["a.py"]
    assert sum("links are not followed" in note for note in submission.notes) == 2


def swapped(root: Path, parts: tuple[str, ...], listed: int, most: int = 100) -> SubmittedFile:
    """One file as it is read after it was listed as a regular one of `listed` bytes."""
    with closing(open_folder_store(root)) as store:
        gathered = Gathered({"a.py": Located("a.py", Entry(parts, "a.py", listed), store)})
        (file,) = assemble("test", root, gathered, IntakeLimits(file_bytes=most)).files
    return file


def test_a_file_swapped_for_a_link_after_listing_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("SECRET")
    root = tmp_path / "hand-in"
    root.mkdir()
    (root / "a.py").symlink_to(tmp_path / "secret")
    file = swapped(root, ("a.py",), 6)
    assert file.content == b""
    assert "cannot be opened" in str(file.problem)


def test_a_folder_swapped_for_a_link_after_listing_is_not_entered(tmp_path: Path) -> None:
    write(tmp_path / "outside", a_dot_py="SECRET")
    root = tmp_path / "hand-in"
    root.mkdir()
    (root / "sub").symlink_to(tmp_path / "outside", target_is_directory=True)
    file = swapped(root, ("sub", "a.py"), 6)
    assert file.content == b""
    assert "cannot be opened" in str(file.problem)


def test_a_file_that_grew_after_listing_is_not_read_past_the_cap(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x" * 1000)
    file = swapped(tmp_path, ("a.py",), 1)
    assert file.content == b""
    assert "grew while it was read" in str(file.problem)


def test_pipes_and_sockets_are_skipped_and_do_not_block(tmp_path: Path) -> None:
    write(tmp_path, a_dot_py="x")
    os.mkfifo(tmp_path / "pipe.py")
    here = Path.cwd()
    try:
        os.chdir(tmp_path)  # a socket's path is limited to about a hundred characters
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("sock.py")
    finally:
        os.chdir(here)
    submission = read_submission(tmp_path)
    assert [f.path for f in submission.files] == ["a.py"]
    assert any("pipe.py: it is a pipe" in note for note in submission.notes)
    assert any("sock.py: it is a socket" in note for note in submission.notes)


def test_a_file_of_a_gigabyte_keeps_an_entry_and_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "corpus.csv").open("wb") as file:
        file.truncate(10**9)
    monkeypatch.setattr(stores, "open_beneath", lambda *_: pytest.fail("it was opened"))
    (file_,) = read_submission(tmp_path).files
    assert file_.content == b""
    assert file_.problem is not None
    assert "It is 1,000 MB, and at most 20 MB" in file_.problem


def test_the_total_is_capped_and_code_is_read_first(tmp_path: Path) -> None:
    write(tmp_path, a__heap_dot_bin=b"x" * 90, deep__er__attention_dot_py=b"y" * 50)
    files = {f.path: f for f in read_submission(tmp_path, IntakeLimits(total_bytes=100)).files}
    assert files["deep/er/attention.py"].content == b"y" * 50
    assert "larger than 100 bytes in all" in str(files["a/heap.bin"].problem)


def test_the_number_of_files_is_capped_with_the_top_level_first(tmp_path: Path) -> None:
    write(tmp_path, attention_dot_py="x", **{f"data__{i}_dot_txt": "x" for i in range(30)})
    submission = read_submission(tmp_path, IntakeLimits(files=10))
    assert len(submission.files) == 10
    assert "attention.py" in [f.path for f in submission.files]
    assert any("more than 10 files" in note for note in submission.notes)


def test_deep_nesting_is_cut(tmp_path: Path) -> None:
    (tmp_path / "/".join("d" * 30)).mkdir(parents=True)
    write(tmp_path, a_dot_py="x")
    assert any("nested deeper than 20" in note for note in read_submission(tmp_path).notes)


def test_hidden_files_caches_and_environments_are_left_out_with_one_note(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_dot_py="x",
        _dot_git__config="x",
        _dot_env="SECRET",
        b_dot_pyc="x",
        env__pyvenv_dot_cfg="x",
        env__lib_dot_py="x",
        node_modules__m_dot_py="x",
    )
    (tmp_path / "__pycache__").mkdir()
    submission = read_submission(tmp_path)
    assert [f.path for f in submission.files] == ["a.py"]
    assert submission.notes == (
        "Hidden files, caches and environments were left out: "
        "*.pyc, .env, .git, __pycache__, env, node_modules.",
    )


def test_one_folder_alone_is_the_hand_in(tmp_path: Path) -> None:
    write(tmp_path, work__attention_dot_py="x", __MACOSX__junk="x")
    (tmp_path / "__MACOSX").mkdir(exist_ok=True)
    submission = read_submission(tmp_path)
    assert [f.path for f in submission.files] == ["attention.py"]
    assert submission.root == tmp_path / "work"
    assert "The hand-in is the folder 'work'" in submission.notes[0]


def test_results_alone_is_not_taken_for_the_hand_in(tmp_path: Path) -> None:
    assert paths(write(tmp_path, results__a_dot_json="{}")) == ["results/a.json"]


def test_names_that_are_not_utf8_or_hold_control_characters_become_visible(tmp_path: Path) -> None:
    for name in (b"caf\xe9.py", b"a\nb.py", b"\x1b[31m.py"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    assert paths(tmp_path) == ["\\x1b[31m.py", "a\\nb.py", "caf\\xe9.py"]


def test_the_hash_depends_on_names_and_contents_only(tmp_path: Path) -> None:
    one = write(tmp_path / "one", a_dot_py="xy", b_dot_py="z")
    two = write(tmp_path / "two", b_dot_py="z", a_dot_py="xy")
    shifted = write(tmp_path / "three", a_dot_py="x", b_dot_py="yz")
    hashes = [read_submission(p).sha256 for p in (one, two, shifted)]
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]
    assert len(hashes[0]) == 64


def test_a_flood_of_odd_files_does_not_flood_the_notes(tmp_path: Path) -> None:
    write(tmp_path, a_dot_py="x")
    for i in range(200):
        (tmp_path / f"link{i}").symlink_to("a.py")
    assert len(read_submission(tmp_path).notes) < 30


def test_the_reports_of_an_earlier_run_are_no_part_of_the_hand_in(tmp_path: Path) -> None:
    (tmp_path / "attention.py").write_text("x = 1\n", encoding="utf-8")
    before = read_submission(tmp_path).sha256
    (tmp_path / "reports" / "work").mkdir(parents=True)
    (tmp_path / "reports" / "work" / "report.json").write_text("{}", encoding="utf-8")
    submission = read_submission(tmp_path)
    assert submission.sha256 == before
    assert any("reports" in note for note in submission.notes)

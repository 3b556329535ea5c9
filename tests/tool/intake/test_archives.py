"""Archives: what is in them is read as if unpacked, and nothing in them can do more than be refused with a sentence."""

from __future__ import annotations

import gzip
import io
import random
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import GraderError, SubmissionNotFound
from grader.intake import IntakeLimits, read_class, read_submission
from grader.intake.archives import ArchiveProblem, open_archive
from grader.model import Submission
from tests.tool.depth import tries
from tests.tool.intake.containers import (
    GOOD,
    backwards,
    crowded,
    locked,
    lying,
    many,
    nested,
    special,
    tarred,
    zip_of,
    zipped,
)  # fmt: skip

LIMITS = IntakeLimits()


def read(folder: Path, content: bytes, name: str = "work.zip", limits: IntakeLimits = LIMITS) -> Submission:
    (folder / name).write_bytes(content)
    return read_submission(folder / name, limits)


def contents(submission: Submission) -> dict[str, bytes]:
    return {file.path: file.content for file in submission.files if not file.problem}


def said(submission: Submission) -> str:
    return "\n".join(submission.notes)


# ---------------------------------------------------------------- honest archives


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("work.zip", zipped(GOOD)),
        ("work.ZIP", zipped(GOOD, zipfile.ZIP_STORED)),
        ("work.zip", zipped(GOOD, zipfile.ZIP_BZIP2)),
        ("work.tar", tarred(GOOD)),
        ("work.tar.gz", tarred(GOOD, "w:gz")),
        ("work.tgz", tarred(GOOD, "w:gz")),
        ("work.tar.bz2", tarred(GOOD, "w:bz2")),
        ("work.tar.xz", tarred(GOOD, "w:xz")),
        ("work.zip", tarred(GOOD, "w:gz")),
        ("work.tar.gz", zipped(GOOD)),
        ("work.tar", tarred(GOOD, "w:xz")),
        ("work.zip", zipped({f"work/deep/{path}": text for path, text in GOOD.items()})),
        ("work.zip", zipped({"__MACOSX/._a.py": b"x", ".DS_Store": b"x", **GOOD})),
        ("work.zip", nested(1)),
        ("work.zip", zipped({"code.tar.gz": tarred(GOOD, "w:gz")})),
    ],
    ids=range(15),
)
def test_an_archive_is_read_as_if_it_had_been_unpacked(tmp_path: Path, name: str, content: bytes) -> None:
    assert contents(read(tmp_path, content, name)) == GOOD


def test_an_archive_has_the_hash_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path, text in GOOD.items():
        (tmp_path / "folder" / path).write_bytes(text)
    assert read(tmp_path, zipped(GOOD)).sha256 == read_submission(tmp_path / "folder").sha256


def test_an_archive_in_a_folder_is_opened_where_it_lies_and_what_lies_beside_it_comes_first(
    tmp_path: Path,
) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "a.py").write_bytes(b"a")
    (tmp_path / "part" / "code.zip").write_bytes(zipped({"attention.py": b"old", "more.py": b"more"}))
    (tmp_path / "part" / "attention.py").write_bytes(b"new")
    submission = read_submission(tmp_path)
    assert contents(submission) == {"a.py": b"a", "part/attention.py": b"new", "part/more.py": b"more"}
    assert "part/code.zip holds part/attention.py too: the one beside it was taken." in said(submission)
    assert "part/code.zip was opened: 1 file." in said(submission)


def _name_in_cp437(raw: bytes) -> bytes:
    """A zip of a file whose name is these bytes, without the mark of UTF-8."""
    return zipped({"x" * len(raw): b"x"}).replace(b"x" * len(raw), raw)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (zipped({"größe_日本.py": b"x"}), "größe_日本.py"),
        (_name_in_cp437("größe.py".encode()), "größe.py"),
        (_name_in_cp437("größe.py".encode("cp437")), "größe.py"),
        (zipped({"e\u0301t\u00e9.py": b"x"}), "été.py"),
        (zipped({"a\\b.py": b"x"}), "b.py"),
        (zipped({"./a//b.py": b"x"}), "b.py"),
        (zipped({"a\nb\x1b[31m.py": b"x"}), "a\\nb\\x1b[31m.py"),
    ],
    ids=["utf-8", "unmarked utf-8", "cp437", "decomposed", "backslash", "dots", "control"],
)
def test_names_are_read_as_they_were_meant_and_made_printable(
    tmp_path: Path, content: bytes, name: str
) -> None:
    assert list(contents(read(tmp_path, content))) == [name]


def test_a_name_in_info_zips_extra_field_is_read(tmp_path: Path) -> None:
    plain, meant = b"gr??e.py".replace(b"?", b"\x94"), "größe.py".encode()
    field = struct.pack("<BL", 1, zlib.crc32(plain)) + meant
    content = zip_of(
        lambda info: setattr(info, "extra", struct.pack("<HH", 0x7075, len(field)) + field), "gr!!e.py"
    )
    assert "größe.py" in contents(read(tmp_path, content.replace(b"gr!!e.py", plain)))


# ---------------------------------------------------------------- names that lead elsewhere, and what is no file


@pytest.mark.parametrize(
    "name", ["../evil.py", "a/../../x.py", "..\\..\\x.py", "/etc/x.py", "C:\\x.py", "c:x.py", "\\x.py"]
)  # fmt: skip
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_paths_that_lead_out_are_left_out_with_a_sentence(tmp_path: Path, name: str, pack: object) -> None:
    assert callable(pack)
    submission = read(tmp_path, pack({name: b"evil", **GOOD}))
    assert contents(submission) == GOOD
    assert "leads out of the archive" in said(submission) or "is absolute" in said(submission)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zip_of(lambda i: setattr(i, "external_attr", (stat.S_IFLNK | 0o777) << 16)), "it is a link"),
        (zip_of(lambda i: setattr(i, "external_attr", (stat.S_IFIFO | 0o777) << 16)), "it is a pipe"),
        (tarred(GOOD, "w", special("a", tarfile.SYMTYPE, "/etc")), "a: it is a link, and links are not followed"),
        (tarred(GOOD, "w", special("a", tarfile.LNKTYPE, "attention.py")), "a: it is a link to another member"),
        (tarred(GOOD, "w", special("a", tarfile.CHRTYPE)), "a: it is a device"),
        (tarred(GOOD, "w", special("a", tarfile.BLKTYPE)), "a: it is a device"),
        (tarred(GOOD, "w", special("a", tarfile.FIFOTYPE)), "a: it is a pipe"),
        (zipped([*GOOD.items(), ("Attention.py", b"y")]), "differs from attention.py in capitals only"),
        (zipped([("answers.toml", b"old"), *GOOD.items()]), "more than once; the last one was taken"),
        (zipped({"n" * 300: b"x", **GOOD}), "is too long"),
    ],
    ids=["zip link", "zip pipe", "link", "hard link", "tty", "disk", "pipe", "capitals", "twice", "long"],
)  # fmt: skip
def test_what_is_no_plain_file_is_left_out_with_a_sentence(
    tmp_path: Path, content: bytes, words: str
) -> None:
    submission = read(tmp_path, content)
    assert contents(submission) == GOOD
    assert words in said(submission)


# ---------------------------------------------------------------- bombs


def test_a_member_larger_than_a_file_may_be_is_not_unpacked(tmp_path: Path) -> None:
    submission = read(tmp_path, zipped({"zeros.csv": bytes(25_000_000), **GOOD}))
    assert contents(submission) == GOOD
    assert "zeros.csv: It is 25 MB, and at most 20 MB a file are read" in said(submission)


def test_the_total_is_capped(tmp_path: Path) -> None:
    limits = IntakeLimits(file_bytes=1_000, total_bytes=5_000)
    submission = read(tmp_path, zipped({f"{i}.csv": bytes(900) for i in range(20)} | GOOD), limits=limits)
    assert sum(map(len, contents(submission).values())) <= 5_000
    assert contents(submission).items() >= GOOD.items()
    assert "larger than 5,000 bytes in all" in said(submission)


def test_a_member_that_lies_about_its_size_is_damaged(tmp_path: Path) -> None:
    submission = read(tmp_path, lying(zipped(GOOD), 3))
    assert "attention.py" not in contents(submission)
    assert "attention.py: It is damaged inside its archive." in said(submission)


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_packed_tar_of_zeros_is_refused_before_it_is_unpacked_whole(tmp_path: Path, mode: str) -> None:
    bomb = tarred({"zeros.csv": bytes(60_000_000)}, mode)
    with pytest.raises(SubmissionNotFound, match="more than 300 times its size"):
        read(tmp_path, bomb, "work.tar.gz")


def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path) -> None:
    limits = IntakeLimits(unpacked_bytes=50_000)
    noise = random.Random(1).randbytes(100_000)
    with pytest.raises(SubmissionNotFound, match="unpacks to more than 50,000 bytes"):
        read(tmp_path, tarred({"noise": noise}, "w:gz"), "work.tgz", limits)
    inner = zipped({"inner.zip": zipped({"noise": noise}), **GOOD})
    submission = read(tmp_path, inner, limits=limits)
    assert contents(submission) == GOOD
    assert "inner.zip: It is larger than" in said(submission)


def test_archives_in_archives_are_opened_three_deep(tmp_path: Path) -> None:
    assert contents(read(tmp_path, nested(2))) == GOOD
    submission = read(tmp_path, nested(9))
    assert list(contents(submission)) == ["inner6.zip"]
    assert "left closed" in said(submission)


def test_a_hundred_thousand_members_are_listed_and_only_as_many_taken_as_may_be(tmp_path: Path) -> None:
    submission = read(tmp_path, many(100_000, GOOD))
    assert len(submission.files) == 2_000
    assert contents(submission).items() >= GOOD.items()
    assert "There are more than 2,000 files" in said(submission)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_more_members_than_may_be_listed_are_refused(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    content = pack({f"{i}.txt": b"" for i in range(60)})
    with pytest.raises(SubmissionNotFound, match="holds more than 50 files"):
        read(tmp_path, content, limits=IntakeLimits(entries=50))


def test_a_table_of_contents_of_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    content = crowded(zipped(GOOD) + b"")
    with pytest.raises(ArchiveProblem):
        open_archive(io.BytesIO(content), "work.zip", IntakeLimits(entries=0))


def test_a_flood_of_refused_members_is_told_once(tmp_path: Path) -> None:
    submission = read(tmp_path, zipped({f"../{i}": b"" for i in range(500)} | GOOD))
    assert contents(submission) == GOOD
    assert len(submission.notes) <= 27
    assert "480 more members of the archive were left out." in said(submission)


# ---------------------------------------------------------------- damaged, closed, something else

BROKEN = {
    "empty": (b"", "It is empty"),
    "zip cut short": (zipped(GOOD)[:-30], "damaged or was cut short"),
    "zip cut at its start": (zipped(GOOD)[:40], "damaged or was cut short"),
    "locked": (locked(zipped(GOOD)), "protected by a password"),
    "rar": (b"Rar!\x1a\x07\x01\x00" + bytes(99), "It is a RAR archive, and only zip and tar are opened"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(99), "It is a 7-Zip archive"),
    "pdf": (b"%PDF-1.7 ...", "It is a PDF file, whatever its name says"),
    "text": (b"my work\n" * 200, "no archive at all"),
    "gz of text": (gzip.compress(b"text"), "is no tar archive"),
    "gz cut short": (
        tarred({"a.py": random.Random(2).randbytes(9_000)}, "w:gz")[:20],
        "damaged or was cut short",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_opened_says_why(tmp_path: Path, kind: str) -> None:
    content, words = BROKEN[kind]
    with pytest.raises(SubmissionNotFound, match=words) as error:
        read(tmp_path, content)
    assert error.value.next_step


@pytest.mark.parametrize("kind", BROKEN)
def test_beside_other_files_it_costs_itself_only(tmp_path: Path, kind: str) -> None:
    content, words = BROKEN[kind]
    submission = read(tmp_path, zipped({"data.zip": content, **GOOD}))
    assert contents(submission) == GOOD
    assert words in said(submission)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_that_breaks_off_gives_what_came_before(tmp_path: Path, mode: str) -> None:
    noise = random.Random(3).randbytes(50_000)
    whole = tarred({**GOOD, "noise.bin": noise}, mode)
    submission = read(tmp_path, whole[: len(whole) // 2], "work.tar.gz")
    assert contents(submission) == GOOD
    assert "What comes after is missing." in said(submission)


def test_a_method_that_asks_for_memory_is_not_opened(tmp_path: Path) -> None:
    submission = read(tmp_path, zip_of(lambda info: setattr(info, "compress_type", zipfile.ZIP_LZMA)))
    assert "link.py: It is packed by a method that is not opened." in said(submission)


def test_a_locked_member_costs_itself_only(tmp_path: Path) -> None:
    whole = zipped({"a.py": b"x", **GOOD})
    at = whole.find(b"PK\x01\x02") + 8
    submission = read(tmp_path, whole[:at] + bytes([whole[at] | 1]) + whole[at + 1 :])
    assert contents(submission) == GOOD
    assert "a.py: It is protected by a password." in said(submission)


def test_a_tar_that_sends_its_reader_backwards_ends(tmp_path: Path) -> None:
    with pytest.raises((SubmissionNotFound, AssertionError), match=r"damaged|attention"):
        assert contents(read(tmp_path, backwards(), "work.tar")) == {"attention": b""}


def test_a_header_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**33
    content = tarred(GOOD)[:2048] + header.tobuf(tarfile.GNU_FORMAT)
    submission = read(tmp_path, content.ljust(20_480, b"\0"), "work.tar")
    assert contents(submission) == GOOD
    assert "damaged or was cut short" in said(submission)


# ---------------------------------------------------------------- whatever the bytes

_SEEDS = [
    zipped(GOOD),
    zipped({"a/b.zip": zipped(GOOD), "doe_12_345_a.py": b"x"}),
    locked(zipped(GOOD)),
    tarred(GOOD),
    tarred(GOOD, "w:gz"),
    tarred(GOOD, "w:xz"),
    tarred(
        {
            "submission_metadata.yml": b"submission_1:\n  :submitters:\n  - :name: A\n",
            "submission_1/a.py": b"x",
        }
    ),
    backwards(),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """An archive with bytes changed, cut out, doubled or put in."""
    content = bytearray(draw(st.sampled_from(_SEEDS)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        size = draw(st.integers(0, 40))
        match draw(st.sampled_from(("change", "cut", "double", "put", "end"))):
            case "change":
                content[at : at + size] = draw(st.binary(min_size=size, max_size=size))
            case "cut":
                del content[at : at + size]
            case "double":
                content[at:at] = content[at : at + size]
            case "put":
                content[at:at] = draw(st.binary(max_size=40))
            case _:
                del content[at:]
    return bytes(content)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archives")


@given(content=mutated() | st.binary(max_size=2_000), name=st.sampled_from(("x.zip", "x.tar", "x.tar.gz")))
@tries(150)
def test_no_bytes_raise_anything_but_a_grader_error(place: Path, content: bytes, name: str) -> None:
    path = place / name
    path.write_bytes(content)
    for submission in everything(path):
        assert len({file.path.casefold() for file in submission.files}) == len(submission.files)


def everything(path: Path) -> Iterator[Submission]:
    """All that can be read; what cannot is a GraderError, and any other exception goes through."""
    with suppress(GraderError):
        for hand_in in read_class(path):
            with suppress(GraderError):
                yield hand_in.read()


_NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12) | st.sampled_from(
    (
        "..",
        ".",
        "a/../b",
        "/",
        "A",
        "a",
        "é",
        "e\u0301",
        "con",
        "x" * 300,
        "a/b",
        "a\\b",
        "__MACOSX/x",
        ".git/x",
    )
)


@given(st.lists(st.lists(_NAMES, min_size=1, max_size=3), max_size=6))
@tries(100)
def test_no_name_leads_out_or_collides(place: Path, names: list[list[str]]) -> None:
    path = place / "names.zip"
    path.write_bytes(zipped([("/".join(parts), b"x") for parts in names]))
    for file in read_submission(path).files:
        parts = file.path.split("/")
        assert all(part not in ("", ".", "..") for part in parts)
        assert all(char.isprintable() for char in file.path)

"""Downloads of a class: whose each file is, in every layout, packed and unpacked; one bad hand-in stops nobody."""

from __future__ import annotations

import io
import pickle
import tarfile
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from grader.errors import GraderError, SubmissionNotFound
from grader.intake import ClassHandIns, HandIn, holds_class, read_class
from grader.intake.classes import ONE
from grader.intake.student_key import safe_key, safe_keys
from grader.intake.weights import open_weights
from tests.tool.depth import tries
from tests.tool.intake.containers import GOOD, locked, nested, special, tarred, zipped
from tests.tool.notebooks import notebook

EXAMPLES = Path(__file__).parents[3] / "examples"
SUBMISSIONS = Path(__file__).parents[3] / "submissions"


def unpack(content: bytes, folder: Path) -> Path:
    """A zip as an instructor unpacks it."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return folder


@contextmanager
def one_folder() -> Iterator[Path]:
    """A folder for one example of a property test."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(params=["zip", "tar.gz", "folder"])
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """packed({name: content}): a download as a zip, repacked as a tar, or unpacked."""

    def make(files: dict[str, bytes]) -> Path:
        if request.param == "folder":
            return unpack(zipped(files), tmp_path / "download")
        path = tmp_path / f"download.{request.param}"
        path.write_bytes(zipped(files) if request.param == "zip" else tarred(files, "w:gz"))
        return path

    return make


Packed = Callable[[dict[str, bytes]], Path]


def by_name(found: ClassHandIns) -> dict[str, HandIn]:
    return {hand_in.name: hand_in for hand_in in found}


def files(hand_in: HandIn) -> dict[str, bytes]:
    return {file.path: file.content for file in hand_in.read().files}


# ---------------------------------------------------------------- Canvas


def test_canvas_names_are_read(packed: Packed) -> None:
    found = read_class(
        packed(
            {
                "doejane_101_9001_a3.ipynb": b"{}",
                "doejane_101_9002_report_final_v2.pdf": b"%PDF",
                "müllerzoë_LATE_102_9003_attention.py": b"x = 1",
                "leeli_103_text.html": b"<p>hi</p>",
                "leeli_103_9010_link.py": b"y",
                "parkmin_LATE_104_link.html": b"<a>",
                "grades.csv": b"",
            }
        )
    )
    assert found.layout == "a Canvas download"
    assert found.notes == ("Beside the hand-ins, and part of none: grades.csv.",)
    assert [(h.student, h.name, h.late) for h in found] == [
        ("doejane_101", "doejane", False),
        ("leeli_103", "leeli", False),
        ("müllerzoë_102", "müllerzoë", True),
        ("parkmin_104", "parkmin", True),
    ]
    students = by_name(found)
    assert set(files(students["doejane"])) == {"a3.ipynb", "report_final_v2.pdf"}
    assert files(students["leeli"]) == {"link.py": b"y", "text.html": b"<p>hi</p>"}
    assert any("links are not followed" in note for note in students["parkmin"].read().notes)


def test_canvas_anonymous_names_are_read(packed: Packed) -> None:
    found = read_class(
        packed(
            {"anon_aB3dE_9001_a.py": b"x", "anon_f0G1h_LATE_9002_a.py": b"y", "anon_Zz9Zz_text.html": b"t"}
        )
    )
    assert [(h.student, h.name, h.late) for h in found] == [
        ("anon_aB3dE", "Anonymous aB3dE", False),
        ("anon_f0G1h", "Anonymous f0G1h", True),
        ("anon_Zz9Zz", "Anonymous Zz9Zz", False),
    ]


def test_canvas_files_handed_in_again_get_their_names_back(packed: Packed) -> None:
    found = read_class(
        packed(
            {
                "a_1_9001_answers.toml": b"old",
                "a_1_9005_answers-1.toml": b"new",
                "b_2_9002_answers-2.toml": b"only",
                "c_3_9003_part-1.py": b"1",
                "c_3_9004_part-2.py": b"2",
            }
        )
    )
    a, b, c = found.hand_ins
    assert files(a) == {"answers.toml": b"new"}
    assert a.attempt == 2
    assert any(
        "older version of answers.toml was left out: a_1_9001_answers.toml" in note for note in a.notes
    )
    assert files(b) == {"answers.toml": b"only"}
    assert files(c) == {"part-1.py": b"1", "part-2.py": b"2"}


_WORD = st.text(st.characters(categories=("L",)), min_size=1, max_size=8).map(
    lambda text: unicodedata.normalize("NFC", text)
)


@given(
    who=_WORD.filter(lambda who: not who.startswith("anon")),
    late=st.booleans(),
    user=st.integers(1, 10**7),
    attachment=st.integers(10, 10**9),
    file=st.from_regex(r"[a-z0-9_ ]{1,12}\.(py|ipynb|pdf)", fullmatch=True),
)
@tries(60)
def test_any_canvas_name_is_read_back(who: str, late: bool, user: int, attachment: int, file: str) -> None:
    with one_folder() as folder:
        path = folder / "canvas.zip"
        path.write_bytes(zipped({f"{who}{'_LATE' if late else ''}_{user}_{attachment}_{file}": b"x"}))
        (hand_in,) = read_class(path)
        assert (hand_in.name, hand_in.late) == (who, late)
        assert files(hand_in) == {file: b"x"}


# ---------------------------------------------------------------- Moodle, Blackboard


def test_moodle_names_are_read(packed: Packed) -> None:
    found = read_class(
        packed(
            {
                "Jane Doe_2201_assignsubmission_file/a3.ipynb": b"{}",
                "Jane Doe_2201_assignsubmission_onlinetext/onlinetext.html": b"<p>",
                "Zoë Müller_2202_assignsubmission_file_attention.py": b"x",
                "李 小龙_2203_assignsubmission_file/work/attention.py": b"y",
                "Participant 77_2204_assignsubmission_file_/a.py": b"z",
            }
        )
    )
    assert found.layout == "a Moodle download"
    students = by_name(found)
    assert set(files(students["Jane Doe"])) == {"a3.ipynb", "onlinetext.html"}
    assert files(students["Zoë Müller"]) == {"attention.py": b"x"}
    assert files(students["李 小龙"]) == {"attention.py": b"y"}
    assert students["Participant 77"].student == "Participant-77_2204"


def test_blackboard_names_are_read_and_the_latest_attempt_counts(packed: Packed) -> None:
    stem = "Coursework 1_{}_attempt_2026-02-{}"
    cover = b"Name: Jane M. Doe (j_doe)\nAssignment: Coursework 1\n"
    found = read_class(
        packed(
            {
                stem.format("jdoe", "12-10-00-00.txt"): cover,
                stem.format("jdoe", "12-10-00-00_a.py"): b"old",
                stem.format("jdoe", "13-09-30-01.txt"): cover,
                stem.format("jdoe", "13-09-30-01_a.py"): b"new",
                stem.format("zm", "11-00-00-00_b.py"): b"b",
            }
        )
    )
    assert found.layout == "a Blackboard download"
    jane, other = found.hand_ins
    assert (jane.student, jane.name, jane.attempt) == ("j_doe", "Jane M. Doe", 2)
    assert jane.submitted_at == "2026-02-13T09:30:01"
    assert files(jane) == {"a.py": b"new"}
    assert "The latest of 2 attempts counts; the older ones are of 2026-02-12T10:00:00." in jane.notes
    assert (other.student, files(other)) == ("zm", {"b.py": b"b"})


# ---------------------------------------------------------------- Gradescope


def metadata(**submissions: dict[str, object]) -> bytes:
    return yaml.safe_dump(submissions, allow_unicode=True).encode()


def person(name: str, sid: str, email: str) -> dict[str, str]:
    return {":name": name, ":sid": sid, ":email": email}


def test_gradescope_exports_are_read(packed: Packed) -> None:
    top = "assignment_55_export/"
    found = read_class(
        packed(
            {
                f"{top}submission_metadata.yml": metadata(
                    submission_1={
                        ":submitters": [person("Jane Doe", "11", "jd@x.edu")],
                        ":created_at": "2026-02-13 21:14:05.104221000 Z",
                        ":results": {"tests": [{"output": ":name: Mallory"}]},
                    },
                    submission_2={
                        ":submitters": [
                            person("Zoë Müller", "", "zm@x.edu"),
                            person("Al Ba", "", "ab@x.edu"),
                        ],
                        ":created_at": "2026-02-14 00:02:59.000000000 +01:00",
                    },
                    submission_9={":submitters": [person("Gone", "9", "g@x.edu")]},
                ),
                f"{top}submission_1/attention.py": b"x",
                f"{top}submission_2/work/a3.ipynb": b"{}",
                f"{top}submission_3/b.py": b"y",
            }
        )
    )
    assert found.layout == "a Gradescope export"
    assert "submission_9 is in submission_metadata.yml only: its files are not there." in found.notes
    group, jane, nobody = found.hand_ins
    assert (jane.student, jane.name, jane.submitted_at) == ("Jane-Doe_11", "Jane Doe", "2026-02-13T21:14:05Z")
    assert files(jane) == {"attention.py": b"x"}
    assert group.members == ("Al Ba", "Zoë Müller")
    assert (group.student, group.submitted_at) == ("Al-Ba_ab", "2026-02-13T23:02:59Z")
    assert nobody.student == "submission_3"
    assert "name nobody" in nobody.notes[0]


def test_a_bomb_of_aliases_is_no_bomb(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    path = tmp_path / "g.zip"
    path.write_bytes(
        zipped({"submission_metadata.yml": "\n".join(lines).encode(), "submission_1/a.py": b"x"})
    )
    assert [hand_in.student for hand_in in read_class(path)] == ["submission_1"]


@example(b"submission_1:\n  :submitters:\n    ::\n    - ''\n")
@example(b"submission_1:\n  :submitters:\n    99999999999:\n    - {:name: A}\n")
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode) | st.recursive(
    st.text(max_size=5) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(("submission_1", ":submitters", ":name", "x")), inner, max_size=3),
).map(lambda value: yaml.safe_dump(value).encode()))  # fmt: skip
@tries(100)
def test_any_metadata_leave_the_files_readable(content: bytes) -> None:
    with one_folder() as folder:
        path = folder / "g.zip"
        path.write_bytes(zipped({"submission_metadata.yml": content, "submission_1/a.py": b"x"}))
        (hand_in,) = read_class(path)
        assert files(hand_in) == {"a.py": b"x"}


# ---------------------------------------------------------------- clones, folders, and one hand-in


def test_clones_of_github_classroom_are_read(packed: Packed) -> None:
    found = read_class(
        packed(
            {
                "cw-submissions/cw-3-jane-doe/.git/HEAD": b"ref",
                "cw-submissions/cw-3-jane-doe/attention.py": b"x",
                "cw-submissions/cw-3-zoe/.git/HEAD": b"ref",
                "cw-submissions/cw-3-zoe/README.md": b"hi",
            }
        )
    )
    assert found.layout == "clones of GitHub Classroom"
    assert [(hand_in.student, set(files(hand_in))) for hand_in in found] == [
        ("jane-doe", {"attention.py"}),
        ("zoe", {"README.md"}),
    ]


def test_folders_and_archives_one_a_student_are_read(packed: Packed) -> None:
    found = read_class(
        packed(
            {
                "jane/attention.py": b"x",
                "zoë.zip": zipped(GOOD),
                "tim.tar.gz": tarred(GOOD, "w:gz"),
                "README.md": b"",
            }
        )
    )
    assert found.layout == "one folder or archive a student"
    assert found.notes == ("Beside the hand-ins, and part of none: README.md.",)
    assert {hand_in.student: len(files(hand_in)) for hand_in in found} == {"jane": 1, "zoë": 2, "tim": 2}


def test_the_examples_are_a_class_and_each_of_them_is_none() -> None:
    assert holds_class(SUBMISSIONS)
    names = {hand_in.student for hand_in in read_class(SUBMISSIONS)}
    assert {"alice", "empty", "slips"} <= names
    for name in ("alice", "empty", "slips", "notebook"):
        assert not holds_class(SUBMISSIONS / name)


@pytest.mark.parametrize(
    "tree",
    [
        {"attention.py": b"x", "jane/a.py": b"x", "zoe/a.py": b"x"},
        {"a3.ipynb": b"{}", "data/a.csv": b"x"},
        {"answers.toml": b"", "one/a.py": b"x", "two/a.py": b"x"},
        {"code/attention.py": b"x", "results/a.json": b"{}"},
        {"part2/attention.py": b"x", "part3/finetune.py": b"x"},
        {"report.pdf": b"%PDF", "code.zip": b"PK", "figures/a.png": b""},
        {"work/attention.py": b"x"},
        {"work/code/attention.py": b"x", "work/results/a.json": b""},
        {},
    ],
    ids=range(9),
)
def test_one_hand_in_is_no_class(packed: Packed, tree: dict[str, bytes]) -> None:
    path = packed(tree)
    found = read_class(path)
    assert (found.layout, len(found)) == (ONE, 1)
    assert not holds_class(path)


def test_a_single_file_is_a_class_of_one(tmp_path: Path) -> None:
    (tmp_path / "a3.ipynb").write_bytes(notebook("x = 1"))
    (hand_in,) = read_class(tmp_path / "a3.ipynb")
    assert (hand_in.student, hand_in.source, set(files(hand_in))) == ("a3", "a3.ipynb", {"a3.ipynb"})


def test_nothing_there_is_told() -> None:
    with pytest.raises(SubmissionNotFound, match="There is no folder"):
        read_class(EXAMPLES / "canwas.zip")
    assert not holds_class(EXAMPLES / "canwas.zip")


# ---------------------------------------------------------------- the examples that are in the repository


@pytest.mark.parametrize(
    ("name", "students", "unread"),
    [
        ("canvas.zip", 6, {"rossimarco_40151"}),
        ("moodle.zip", 4, set()),
        ("gradescope.zip", 2, set()),
        ("blackboard.zip", 2, set()),
        ("github-classroom.tar.gz", 3, set()),
    ],
)
def test_the_downloads_in_the_repository_are_read(name: str, students: int, unread: set[str]) -> None:
    found = read_class(EXAMPLES / name)
    assert len(found) == students
    failed = set()
    for hand_in in found:
        try:
            assert hand_in.read().files
        except GraderError:
            failed.add(hand_in.student)
    assert failed == unread


def test_a_hand_in_is_the_same_from_every_platform() -> None:
    """Alice's files have one hash, however they come."""
    due = {hand_in.student: hand_in.read().sha256 for hand_in in read_class(SUBMISSIONS)}["alice"]
    places = {
        "canvas.zip": "osullivanaoife_40122",
        "moodle.zip": "Aoife-O-Sullivan_2204",
        "gradescope.zip": "Jane-Doe_40117",
        "blackboard.zip": "jdoe",
        "github-classroom.tar.gz": "jane-doe",
    }
    for name, student in places.items():
        (hand_in,) = (hand_in for hand_in in read_class(EXAMPLES / name) if hand_in.student == student)
        assert hand_in.read().sha256 == due, name


# ---------------------------------------------------------------- hostile hand-ins in a class

HOSTILE = {
    "empty": b"",
    "cut": zipped(GOOD)[:50],
    "locked": locked(zipped(GOOD)),
    "rar": b"Rar!\x1a\x07\x00",
    "links": tarred({}, "w", special("a.py", tarfile.SYMTYPE, "/etc/passwd")),
    "out": zipped({"../../evil.py": b"x"}),
    "deep": nested(6),
    "zeros": tarred({"zeros": bytes(60_000_000)}, "w:xz"),
    "text": b"not an archive",
}


def test_one_bad_hand_in_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "canvas.zip"
    bad = {f"{name}_{at}_900{at}_work.zip": content for at, (name, content) in enumerate(HOSTILE.items())}
    path.write_bytes(zipped({**bad, "good_99_9099_work.zip": zipped(GOOD)}))
    told = {}
    for hand_in in read_class(path):
        try:
            submission = hand_in.read()
        except GraderError as error:
            told[hand_in.name] = str(error)
        else:
            told[hand_in.name] = " ".join(submission.notes)
            assert (hand_in.name == "good") == (files(hand_in) == GOOD)
    assert set(told) == {*HOSTILE, "good"}
    assert all(told.values())
    assert "0 bytes" in told["empty"]
    assert "password" in told["locked"]
    assert "links are not followed" in told["links"]
    assert "leads out of the archive" in told["out"]


def test_links_in_an_unpacked_download_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("SECRET")
    folder = unpack(zipped({"doejane_101_9001_a.py": b"x"}), tmp_path / "canvas")
    (folder / "evil_102_9002_a.py").symlink_to(secret)
    (folder / "Eve_103_9003_a.py").mkdir()
    found = read_class(folder)
    assert [hand_in.name for hand_in in found] == ["doejane"]
    assert files(found.hand_ins[0]) == {"a.py": b"x"}


def test_an_archive_that_changed_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "canvas.zip"
    path.write_bytes(zipped({"doejane_101_9001_a.py": b"x"}))
    (hand_in,) = read_class(path)
    assert files(hand_in) == {"a.py": b"x"}
    path.write_bytes(zipped({"doejane_101_9001_a.py": b"other"}))
    assert files(hand_in) == {"a.py": b"other"}
    path.write_bytes(zipped({"other_101_9001_a.py": b"x"}))
    assert "it is no longer there" in hand_in.read().notes[0]


def test_hand_ins_travel_to_other_processes() -> None:
    for hand_in in read_class(EXAMPLES / "gradescope.zip"):
        assert pickle.loads(pickle.dumps(hand_in)).read() == hand_in.read()


def test_large_weights_in_an_archive_in_an_archive_are_opened_later(tmp_path: Path) -> None:
    weights = bytes(range(256)) * 100_000
    path = tmp_path / "canvas.zip"
    path.write_bytes(
        zipped({"doejane_101_9001_w.zip": zipped({"m/model.safetensors": weights, "m/a.py": b"x"})})
    )
    (hand_in,) = read_class(path)
    submission = hand_in.read()
    (file,) = (file for file in submission.files if file.path == "model.safetensors")
    assert (file.content, file.size) == (b"", len(weights))
    with open_weights(submission, file) as opened:
        assert b"".join(bytes(piece) for piece in opened.pieces()) == weights


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Jane Doe_2201", "Jane-Doe_2201"),
        ("Zoë Müller", "Zoë-Müller"),
        ("李 小龙", "李-小龙"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "CON_"),
        ("nul.txt", "nul.txt_"),
        ("...", "student"),
        ("", "student"),
        ("a" * 200, "a" * 60),
        ("=cmd|' /C calc'!A0", "cmd-C-calc-A0"),
        ("-rf", "rf"),
    ],
)
def test_keys_are_safe_as_file_names(text: str, key: str) -> None:
    assert safe_key(text) == key


@given(
    st.lists(st.text(max_size=80) | st.sampled_from(("A", "a", "ß", "ss", "K", "\u212a", "a~2")), max_size=8)
)
@tries(150)
def test_keys_are_unique_whatever_the_case(texts: list[str]) -> None:
    keys = safe_keys(texts)
    folded = [unicodedata.normalize("NFKC", key).casefold() for key in keys]
    assert len(set(folded)) == len(texts)
    for key in keys:
        assert key
        assert len(key.encode("utf-8", "surrogatepass")) <= 210
        assert not set(key) & set('/\\:*?"<>| \0\n')
        assert not key.startswith((".", "-"))

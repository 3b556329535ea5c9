"""What the judge makes of an answer: exactly the replies asked for, or a broken message; never anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.worker.calls import Frame, Raised, Returned
from grader.worker.inside import wire
from grader.worker.replies import decode_replies

GOOD = {"ok": {"d": {"a": [1, {"f": "nan"}]}}, "seconds": 0.5, "output": "hi"}
BAD = {
    "raised": {
        "kind": "exception",
        "type_name": "ValueError",
        "message": "no",
        "frames": [["a.py", 3, "f", "raise"]],
        "suggestion": None,
    },
    "output": "",
}


def decode(replies: Any, payload: bytes = b"", expected: int | None = None) -> Any:
    count = len(replies) if expected is None else expected
    return decode_replies({"id": "x", "replies": replies}, memoryview(payload), count, wire.Caps())


def test_both_kinds_of_reply() -> None:
    good, bad = decode([GOOD, BAD])
    assert isinstance(good, Returned)
    assert (good.output, good.seconds) == ("hi", 0.5)
    assert bad == Raised("exception", "ValueError", "no", (Frame("a.py", 3, "f", "raise"),))


def test_long_texts_are_cut_and_surrogates_replaced() -> None:
    bad = {"raised": {**BAD["raised"], "message": "\ud800" + "x" * 5_000}, "output": "y" * 9_000}
    (reply,) = decode([bad])
    assert len(reply.message) == 2_000
    assert reply.message.startswith("?x")
    assert len(reply.output) == 4_000


@pytest.mark.parametrize(
    "replies",
    [
        None,
        {},
        [GOOD, GOOD],
        [None],
        [{}],
        [{**GOOD, "verdict": "passed"}],
        [{**GOOD, "output": None}],
        [{**GOOD, "seconds": "1"}],
        [{**GOOD, "seconds": True}],
        [{**GOOD, "ok": {"r": "kept"}}],
        [{**BAD, "raised": None}],
        [{**BAD, "raised": {**BAD["raised"], "kind": "passed"}}],
        [{**BAD, "raised": {**BAD["raised"], "kind": []}}],
        [{**BAD, "raised": {**BAD["raised"], "frames": [["a.py", "3", "f", ""]]}}],
        [{**BAD, "raised": {**BAD["raised"], "frames": [["a.py", 3, "f", ""]] * 101}}],
        [{**BAD, "raised": {**BAD["raised"], "suggestion": 3}}],
    ],
)
def test_anything_else_is_a_broken_message(replies: Any) -> None:
    with pytest.raises(wire.WireError):
        decode(replies, expected=1)


def test_bytes_that_no_tensor_names_are_a_broken_message() -> None:
    with pytest.raises(wire.WireError, match="longer than its tensors"):
        decode([GOOD], b"1234")


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ok", "raised", "output", "seconds", "kind", "d", "T", "f"]), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(json_like, max_size=2))
def test_no_answer_crashes_the_judge(replies: list[Any]) -> None:
    def outcome() -> object:
        try:
            return decode(json.loads(json.dumps(replies)))
        except wire.WireError as error:
            return error

    assert isinstance(outcome(), list | wire.WireError)

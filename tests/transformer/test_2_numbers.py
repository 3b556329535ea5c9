"""Parts 2a, 2b and the reported errors of 2c and 2d: what the student wrote against what follows from the handout."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from grader.checking.compare import difference, problem_with
from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, Missing, NeedsReview
from grader.checking.received import shapes
from grader.checking.student import Student
from grader.intake import Answer, Answers, Found
from grader.model import ArtifactKind, Submission, Tolerance
from grader.numbers import ParseProblem, parse_number, parse_shape
from grader.worker.calls import Call, Raised, Ref
from reference.transformer import handout
from reference.transformer.attention import MultiHeadAttention
from reference.transformer.dropout_stream import StreamName
from reference.transformer.encoding_inquiry import MAX_LEN, building
from reference.transformer.fresh_weights import fresh_weights
from reference.transformer.kept import expected_attention
from reference.transformer.matching import kept_candidates
from reference.transformer.positional_encoding import PositionalEncoding

STREAMS: tuple[StreamName, ...] = ("intel", "per_element")
LIKE_ZERO_DIFFERENCE = Tolerance(absolute=2e-5, why="float32 rounding")
SAME_NUMBER = 0.01
"""Relative: the largest relative error sits on a small element, where float32 rounding moves its third digit."""


def read(check: Running, answer: Answer) -> Any:
    """The value of an answer, or the outcome of a missing or unreadable one."""
    check.location = answer.location
    for note in answer.notes:
        check.note(note)
    if answer.status is Found.MISSING:
        assert answer.problem is not None
        raise Missing(answer.problem.message, answer.problem.next_step)
    if answer.status is Found.UNCLEAR:
        assert answer.problem is not None
        check.obtained = "; or ".join(answer.candidates)
        raise NeedsReview(answer.problem.message, answer.problem.next_step)
    if answer.status is Found.MALFORMED:
        assert answer.problem is not None
        raise Failed(answer.problem.message, answer.problem.next_step)
    return answer.value


def read_number(check: Running, answer: Answer) -> float:
    parsed = parse_number(read(check, answer))
    if isinstance(parsed, ParseProblem):
        raise Failed(parsed.message, parsed.next_step)
    return float(parsed.value)


def judge_shape(check: Running, answers: Answers, expected: list[int]) -> None:
    check.asked, check.expected = "the shape, as a list of four sizes", str(expected)
    parsed = parse_shape(read(check, answers.get(check.declaration.id)))
    if isinstance(parsed, ParseProblem):
        raise Failed(parsed.message, parsed.next_step)
    sizes = list(parsed)
    check.obtained = str(sizes)
    if sizes == expected:
        return
    from reference.transformer.misconceptions.shapes import shape_named  # needed only here

    known = shape_named(check.declaration.id, sizes)
    if sorted(sizes) == sorted(expected):
        hint = "The order is batch, heads, length, and what is left."
        raise Failed("The sizes are right, their order is not.", hint).because(known)
    hint = "Print .shape right after the heads are split."
    raise Failed(f"{sizes} is not the shape that comes out.", hint).because(known)


@pytest.mark.check("2a.shape")
def test_query_shape(check: Running, answers: Answers) -> None:
    judge_shape(check, answers, list(handout.projections().query_heads.shape))


@pytest.mark.check("2b.shape")
def test_weights_shape(check: Running, answers: Answers) -> None:
    judge_shape(check, answers, list(handout.projections().weights.shape))


@pytest.mark.check("2b.masked_norm")
def test_masked_norm(check: Running, answers: Answers) -> None:
    check.asked = "L2 norm of attn(data, data, data, mask), seed 123, eval mode, lower-triangular mask"
    claimed = read_number(check, answers.get(check.declaration.id))
    check.obtained = f"{claimed:.6g}"
    norms = handout.masked_norms()
    due = norms[handout.KEY_FIRST]
    check.expected, check.largest_difference = f"{due:.4f}", abs(claimed - due)
    tolerance = check.declaration.tolerance
    assert tolerance is not None
    if abs(claimed - due) <= tolerance.absolute:
        return
    for order, norm in norms.items():
        if abs(claimed - norm) <= tolerance.absolute:
            check.note(f"It is the value for layers made in the order {', '.join(order)}, which is as right.")
            return
    from reference.transformer.misconceptions.norms import norm_finding  # needed only here

    found = norm_finding(claimed)
    if found.remark:
        check.note(found.remark)
    hint = "Seed, then data, then the module, then .eval()."
    raise Failed("The norm is not the one that comes out.", hint).because(found.diagnosis)


# ---------------------------------------------------------------- the handout's own comparisons


@lru_cache(maxsize=8)
def build_handout_attention(seed: int = handout.ARRAY_SEED) -> Call:
    return Call(
        "student:MultiHeadAttention", (handout.EMBED_DIM, handout.NUM_HEADS), seed=seed, keep="attention"
    )


class Rerun(NamedTuple):
    """What the handout's run gives with the student's code, under the dropout of an Intel CPU."""

    errors: dict[str, float]
    """A case that gave no usable tensor is left out."""
    genuine: bool
    """Under a seed drawn for this run, which no published array goes with, the outputs are those due as well.

    The published arrays could be handed back as they are: a small error alone shows nothing.
    """


def rerun_attention(check: Running, student: Student, shared: dict[str, Any]) -> Rerun:
    """Asked once for the two checks that need it."""
    if "handout" not in shared:
        seed, due = fresh_run(check.seed)
        _, output, _, fresh = student.ask(*attention_calls(handout.ARRAY_SEED), *attention_calls(seed))
        shared["handout"] = Rerun(attention_errors(output), agrees_with(fresh, due))
    found: Rerun = shared["handout"]
    return found


@lru_cache(maxsize=8)
def attention_calls(seed: int, stream: StreamName = "intel") -> tuple[Call, Call]:
    """The handout's run of the student's attention."""
    return build_handout_attention(seed), Call("harness:handout_attention", (Ref("attention"), stream))


@lru_cache(maxsize=8)
def encoding_call(seed: int, stream: StreamName = "intel") -> Call:
    """The handout's run of the student's encoding."""
    return Call("harness:handout_encoding", (Ref("encoding"), stream, seed))


@cache
def fresh_run(seed: int) -> tuple[int, dict[str, Tensor]]:
    """The first seed from `seed` on under which every row of the handout's random mask keeps a key, and what is due."""
    while True:
        due = handout.attention_outputs(MultiHeadAttention, "intel", seed=seed)
        if all(output.isfinite().all() for output in due):
            return seed, due._asdict()
        seed += 1


@cache
def fresh_encoding(seed: int) -> Tensor:
    return handout.encoding_output(PositionalEncoding, "intel", seed=seed)


def agrees_with(outputs: Any, due: dict[str, Tensor]) -> bool:
    return isinstance(outputs, dict) and all(
        problem_with(outputs.get(case), tuple(d.shape)) is None
        and difference(outputs[case], d, LIKE_ZERO_DIFFERENCE).agrees
        for case, d in due.items()
    )


def attention_errors(outputs: Any) -> dict[str, float]:
    if not isinstance(outputs, dict):
        return {}
    return {
        case: handout.relative_error(outputs[case], published)
        for case, published in handout.PUBLISHED._asdict().items()
        if problem_with(outputs.get(case), tuple(published.shape)) is None
    }


@pytest.mark.check("2c.handout")
def test_handout_arrays(check: Running, student: Student, shared: dict[str, Any]) -> None:
    """A right module never loses the point to the order in which its layers are made."""
    check.asked = (
        "the handout's own run: seed 231, self, masked and cross attention in train mode, errors below 1e-3"
    )
    check.expected = ", ".join(f"{e:.6g}" for e in _three(handout.reference_errors()))
    intel, genuine = rerun_attention(check, student, shared)
    check.obtained = _show(intel)
    refuse_incomparable(intel)
    check.note(
        "Replayed with the dropout of an Intel CPU, which the handout's arrays hold; the same on every machine."
    )
    if max(intel.values()) < handout.LIMIT and genuine:
        elsewhere = ", ".join(f"{e:.6g}" for e in _three(handout.reference_errors("per_element")))
        check.note(f"On an AMD or ARM CPU right code prints {elsewhere}; that is not an error of yours.")
        return
    if computes_the_formula(student, check.seed):
        check.note(
            "Your numbers differ because your module draws its random numbers in another order (layers made in "
            "another order, or dropout drawn in another way); what it computes is right."
        )
        return
    worst = max(intel, key=lambda case: intel[case])
    if intel[worst] < handout.LIMIT:
        raise not_genuine()
    raise Failed(
        f"The relative error is not below 1e-3 ({worst}: {intel[worst]:.3g}).",
        "See the checks on self, masked and cross attention for what differs.",
    )


def refuse_incomparable(errors: dict[str, float], cases: Iterable[str] = handout.PUBLISHED._fields) -> None:
    """Fail where the code gave nothing that has an error at all."""
    without = [case for case in cases if case not in errors]
    if without:
        raise Failed(
            f"The handout's run gives no finite tensor of the right shape for: {', '.join(without)}.",
            "See the checks above for what it gives instead; no error can be compared before.",
        )


def computes_the_formula(student: Student, seed: int) -> bool:
    """Whether the module, in eval mode, is attention under weights drawn here, in the handout's three cases."""
    E, H = handout.EMBED_DIM, handout.NUM_HEADS
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(1, 3, E, generator=generator), torch.randn(1, 4, E, generator=generator)
    mask = torch.ones(3, 3).tril().bool()
    cases: list[tuple[Tensor, Tensor, Tensor | None]] = [(x, x, None), (x, x, mask), (x, y, None)]
    calls = [
        Call("harness:forward", (Ref("attention"), False, 0, [q, kv, kv] + ([m] if m is not None else [])))
        for q, kv, m in cases
    ]
    described, *outputs = student.ask(
        build_handout_attention(), Call("harness:randomise", (Ref("attention"), seed)), *calls
    )[1:]
    parameters = fresh_weights(shapes(described, "the shapes of the parameters"), seed)
    for weights in kept_candidates(parameters, E, H):
        due = [expected_attention(q, kv, kv, weights, H, m).output for q, kv, m in cases]
        if all(
            problem_with(o, tuple(d.shape)) is None and difference(o, d, LIKE_ZERO_DIFFERENCE).agrees
            for o, d in zip(outputs, due, strict=True)
        ):
            return True
    return False


@pytest.mark.check("2c.reported")
def test_reported_errors(
    check: Running, student: Student, answers: Answers, submission: Submission, shared: dict[str, Any]
) -> None:
    cases = ("self", "masked", "cross")
    check.asked = "the three relative errors in answers.toml, against a re-run of your own code"
    claims = {case: read_number(check, answers.get(f"2c.{case}_error")) for case in cases}
    check.obtained = _show(claims)
    due = {
        stream: dict(zip(cases, _three(handout.reference_errors(stream)), strict=True)) for stream in STREAMS
    }
    leave_to_a_person_without_code(check, submission, claims, due)

    def elsewhere() -> dict[str, float]:
        _, output = student.ask(*attention_calls(handout.ARRAY_SEED, "per_element"))
        return attention_errors(output)

    rerun = rerun_attention(check, student, shared)
    _match_claims(check, claims, rerun, elsewhere, lambda: computes_the_formula(student, check.seed))


@pytest.mark.check("2d.reported")
def test_reported_encoding_error(
    check: Running, student: Student, answers: Answers, submission: Submission
) -> None:
    check.asked = "the relative error in answers.toml, against a re-run of your own code"
    claim = read_number(check, answers.get("2d.error"))
    check.obtained = f"{claim:.6g}"
    due_error = {stream: {"encoding": handout.reference_errors(stream).encoding} for stream in STREAMS}
    leave_to_a_person_without_code(check, submission, {"encoding": claim}, due_error)
    calls = encoding_call(handout.ARRAY_SEED), encoding_call(check.seed)
    replies = student.replies(building(6, None, MAX_LEN), *calls)
    if isinstance(replies[0], Raised) and replies[0].kind == "signature":
        replies = student.replies(building(6, None), *calls)
    _, output, fresh = student.values(replies)

    def elsewhere() -> dict[str, float]:
        return encoding_error(student.ask(encoding_call(handout.ARRAY_SEED, "per_element"))[0])

    genuine = agrees_with({"encoding": fresh}, {"encoding": fresh_encoding(check.seed)})
    _match_claims(check, {"encoding": claim}, Rerun(encoding_error(output), genuine), elsewhere)


def encoding_error(output: Any) -> dict[str, float]:
    published = handout.PUBLISHED_ENCODING
    if problem_with(output, tuple(published.shape)):
        return {}
    return {"encoding": handout.relative_error(output, published)}


def leave_to_a_person_without_code(
    check: Running, submission: Submission, claims: dict[str, float], due: dict[str, dict[str, float]]
) -> None:
    """A report alone: its errors can be held against those of right code, not against the student's own."""
    if any(f.kind in (ArtifactKind.MODULE, ArtifactKind.NOTEBOOK) for f in submission.files):
        return
    machines = dict(zip(STREAMS, ("an Intel CPU", "an AMD or ARM CPU"), strict=True))
    like = [machines[s] for s in STREAMS if all(_same(claim, due[s][case]) for case, claim in claims.items())]
    if like:
        said = f"They are what right code prints on {like[0]}, which anybody can copy."
    else:
        said = "They are not what right code prints, on an Intel CPU or on another one."
    raise NeedsReview(
        f"No code was handed in that could be run for these figures. {said}", "Hand in the code too."
    )


def not_genuine() -> Failed:
    return Failed(
        "The errors come out small with the handout's seed, but with another seed the output is not the one due.",
        "Compute the output; the handout's arrays are there to compare with.",
    )


def _match_claims(
    check: Running,
    claims: dict[str, float],
    rerun: Rerun,
    elsewhere: Callable[[], dict[str, float]],
    computes: Callable[[], bool] = lambda: False,
) -> None:
    """Claims are those of the student's code on an Intel CPU, or `elsewhere`, which is asked where they are not.

    Small ones count where the run is genuine, or where the code `computes` what is due in another way.
    """
    refuse_incomparable(rerun.errors, claims)
    check.expected = f"{_show(rerun.errors)} on an Intel CPU"
    check.largest_difference = max(
        (abs(claims[case] - rerun.errors[case]) for case in claims if case in rerun.errors), default=None
    )
    right = max(claims.values()) < handout.LIMIT
    if _are_those_of(claims, rerun.errors):
        if right and not rerun.genuine and not computes():
            raise not_genuine()
        return
    others = elsewhere()
    check.expected = f"{_show(rerun.errors)} on an Intel CPU, {_show(others)} on others"
    if _are_those_of(claims, others):
        if right and not rerun.genuine and not computes():
            raise not_genuine()
        if not right and rerun.genuine:
            check.note(
                "Your numbers are those of right code on an AMD or ARM CPU. The handout's arrays were made on an "
                "Intel CPU, whose dropout drops other elements; no points are lost for that."
            )
        return
    raise Failed(
        "The errors that you report are not those of the code that you handed in.",
        "Run the handout's cell again with the final version of your code, and copy what it prints.",
    )


def _are_those_of(claims: dict[str, float], rerun: dict[str, float]) -> bool:
    return all(case in rerun and _same(claim, rerun[case]) for case, claim in claims.items())


def _same(claim: float, rerun: float) -> bool:
    """Equal to 1 %, or to the digits in which so small a number is usually printed."""
    if abs(claim - rerun) <= SAME_NUMBER * abs(rerun):
        return True
    digits = -int(Decimal(str(claim)).as_tuple().exponent)
    return digits >= 4 and round(rerun, digits) == claim


def _three(errors: handout.Errors) -> tuple[float, float, float]:
    return errors.self, errors.masked, errors.cross


def _show(errors: dict[str, float]) -> str:
    return ", ".join(f"{e:.6g}" for e in errors.values()) or "nothing comparable"

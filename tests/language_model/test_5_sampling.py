"""Part 5: probabilities of the next token, drawing, generating, perplexity.

Right code is never wrong by chance: no sum of probabilities lies within MARGIN of the p or the u that it is held
against, so that float32 rounding cannot change which side it is on, and no two logits are equal.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
import torch
from torch import Tensor

from grader.checking.evidence import Running
from grader.checking.outcomes import Failed, StudentFault
from grader.checking.student import Student
from grader.worker.calls import Call
from reference.language_model import sampling
from reference.language_model.carried import NOTE, Unusable, own_steps
from reference.language_model.inquiry import asking
from reference.language_model.judging import agree, agree_on_number, as_list, drawn, normal, same
from reference.language_model.logits import clear_logits, clear_table, clear_uniforms

_KEPT = "Sort the probabilities of one row, add them up, and mark by hand which tokens are kept; then compare yours."
_LOSS = (
    "Which position of the logits predicts which token? Write the pairs down for a sequence of three tokens."
)
Options = dict[str, Any]


def judge_probabilities(
    check: Running, student: Student, cases: list[tuple[Tensor, Options]], hint: str
) -> None:
    """Fail unless the probabilities are right under every set of options."""
    with asking(check, student) as inquiry:
        results = inquiry.ask(*(Call("student:next_token_probabilities", (x,), of) for x, of in cases))
        for (logits, of), result in zip(cases, results, strict=True):
            given = ", ".join(f"{name}={value:g}" for name, value in of.items())
            check.asked = f"next_token_probabilities(logits, {given}) of shape {tuple(logits.shape)}"
            due = sampling.next_token_probabilities(logits, **of)
            agree(check, result, due, "A probability", hint)


@pytest.mark.check("5a.temperature")
def test_temperature(check: Running, student: Student) -> None:
    logits = clear_logits(drawn(check), 3, 8)
    cases: list[tuple[Tensor, Options]] = [(logits, {"temperature": t}) for t in (0.6, 1.7, 0)]
    judge_probabilities(
        check, student, cases, "Which way does a temperature below 1 push the likeliest token? And 0?"
    )


@pytest.mark.check("5a.top_k")
def test_top_k(check: Running, student: Student) -> None:
    """The last k is more than there are tokens."""
    logits = clear_logits(drawn(check), 3, 8)
    judge_probabilities(check, student, [(logits, {"top_k": k}) for k in (3, 1, 20)], _KEPT)


@pytest.mark.check("5a.top_p")
def test_top_p(check: Running, student: Student) -> None:
    """The second p is so small that the likeliest token alone exceeds it."""
    generator = drawn(check)
    cases: list[tuple[Tensor, Options]] = [
        (clear_logits(generator, 4, 8, {"top_p": p}), {"top_p": p}) for p in (0.8, 0.05, 0.6)
    ]
    judge_probabilities(check, student, cases, _KEPT)


@pytest.mark.check("5a.together")
def test_together(check: Running, student: Student) -> None:
    """Sizes at which the order of the three shows."""
    generator = drawn(check)
    both: list[Options] = [
        {"temperature": 0.5, "top_p": 0.7},
        {"temperature": 2.0, "top_p": 0.7},
        {"top_k": 4, "top_p": 0.7},
        {"temperature": 0.7, "top_k": 3},
        {"temperature": 1.5, "top_k": 5, "top_p": 0.6},
    ]
    cases = [(clear_logits(generator, 6, 9, of), of) for of in both]
    hint = "In which order do temperature, top-k and top-p act, and over what does top-p add up?"
    judge_probabilities(check, student, cases, hint)


@pytest.mark.check("5b.draw")
def test_draw(check: Running, student: Student) -> None:
    generator = drawn(check)
    probabilities = clear_logits(generator, 40, 7).softmax(-1)
    u = clear_uniforms(generator, probabilities)
    check.asked = "draw(probabilities, u) for 40 rows of 7 tokens, each with a u of its own"
    with asking(check, student) as inquiry:
        (tokens,) = inquiry.ask(Call("student:draw", (probabilities, u)))
        judge_tokens(
            check,
            tokens,
            sampling.draw(probabilities, u),
            "Add the probabilities up, token by token, until the sum is above u.",
        )


def judge_tokens(check: Running, tokens: Any, due: Tensor, hint: str) -> None:
    if isinstance(tokens, Tensor) and tokens.shape != due.shape:
        raise Failed(
            f"draw returned a tensor of shape {tuple(tokens.shape)}; {tuple(due.shape)} is due.", hint
        )
    same(check, tokens, due.tolist(), "The tokens", hint)


@pytest.mark.check("5b.edges")
def test_draw_edges(check: Running, student: Student) -> None:
    """Probabilities in eighths, which add up exactly: u on a boundary, and tokens of probability 0 at both ends."""
    a = torch.randperm(7, generator=drawn(check)).repeat_interleave(4) + 1.0  # each of 1 to 7 four times
    none = torch.zeros_like(a)
    rows = torch.stack([none, a, none, 8 - a, none], dim=-1) / 8
    kinds = torch.arange(4).repeat(7)
    u = torch.stack([none, a / 8, (a + 0.5) / 8, none + 1 - 2**-20])[kinds, torch.arange(28)]
    check.asked = "draw on 28 rows such as (0, 3/8, 0, 5/8, 0), with u = 0, 3/8, 3.5/8 and almost 1"
    with asking(check, student) as inquiry:
        (tokens,) = inquiry.ask(Call("student:draw", (rows, u)))
        hint = "Is the sum above u, or only as large? Which token does u = 0 draw?"
        judge_tokens(check, tokens, torch.where(kinds == 0, 1, 3), hint)


@pytest.mark.check("5c.generate")
def test_generate(check: Running, student: Student) -> None:
    """The model's logits hang on the last token and on how many there are; nothing of part 3 is needed."""
    generator = drawn(check)
    plain = clear_table(generator, 6, 9, [2, 0], {"temperature": 1.5, "top_k": 4, "top_p": 0.9})
    check.asked = (
        "generate(model, [2, 0], …) with six uniform numbers; a second time with the fourth token as eos"
    )
    ended = {**plain.options, "eos": plain.due[5]}
    with asking(check, student) as inquiry:
        results = inquiry.ask(
            Call("harness:generate", (plain.table, [2, 0], plain.uniforms, plain.options)),
            Call("harness:generate", (plain.table, [2, 0], plain.uniforms, ended)),
        )
        for options, ids in zip((plain.options, ended), results, strict=True):
            given = plain.table, [2, 0], plain.uniforms, options
            ids, due = as_list(ids), sampling.generate(*given)
            if ids != due:
                with suppress(Unusable, StudentFault):
                    own = sampling.generate(*given, of=own_steps(inquiry))
                    if ids == own:
                        due = own
                        check.note(NOTE.format("next_token_probabilities and draw"))
            same(
                check,
                ids,
                due,
                "The list of ids",
                "What does the model see when the second new token is drawn, and which u?",
            )


@pytest.mark.check("5d.perplexity")
def test_perplexity(check: Running, student: Student) -> None:
    generator = drawn(check)
    logits, ids = normal(generator, 3, 6, 9), torch.randint(9, (3, 6), generator=generator)
    check.asked = "perplexity(logits, ids) of three sequences of six tokens, V = 9"
    judge_perplexity(check, student, [(logits, ids)], None, _LOSS)


@pytest.mark.check("5d.padding")
def test_padding(check: Running, student: Student) -> None:
    """Sequences of 7, 4 and 2 tokens, the rest filled up with token 0."""
    generator = drawn(check)
    logits, ids = normal(generator, 3, 7, 9) * 1.5, torch.randint(1, 9, (3, 7), generator=generator)
    for row, length in enumerate((7, 4, 2)):
        ids[row, length:] = 0
    check.asked = "perplexity(logits, ids, pad=0) of sequences of 7, 4 and 2 tokens"
    judge_perplexity(
        check,
        student,
        [(logits, ids)],
        0,
        "How many tokens are predicted here, and over how many is the mean?",
    )


@pytest.mark.check("5d.large")
def test_large_logits(check: Running, student: Student) -> None:
    """A large logit: the probability of the token that came is 0 in float32, and its loss is not infinite."""
    generator = drawn(check)
    logits, ids = normal(generator, 1, 60, 4), torch.randint(1, 4, (1, 60), generator=generator)
    large = logits.clone()
    large[0, 7, 0] += 120
    check.asked = (
        "perplexity of 60 tokens, one of which is predicted with a probability of about 1e-52 the second time"
    )
    judge_perplexity(
        check,
        student,
        [(logits, ids), (large, ids)],
        None,
        "What is the logarithm of a probability that has become 0?",
    )


def judge_perplexity(
    check: Running, student: Student, cases: list[tuple[Tensor, Tensor]], pad: int | None, hint: str
) -> None:
    """Fail unless the perplexity of the ids under the logits is right, in every case."""
    given = {} if pad is None else {"pad": pad}
    with asking(check, student) as inquiry:
        results = inquiry.ask(*(Call("student:perplexity", case, given) for case in cases))
        for (logits, ids), result in zip(cases, results, strict=True):
            agree_on_number(check, result, sampling.perplexity(logits, ids, pad), "The perplexity", hint)

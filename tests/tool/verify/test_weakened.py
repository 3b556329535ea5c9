"""Each way to weaken an assignment is found, under the right claim, in a sentence that says which check and why."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from grader.verify import Proof

from .conftest import Replacement, told

ProofOf = Callable[..., Proof]
TOML, CODE, BANK, WORK = "assignment.toml", "test_1_code.py", "bank.py", "solution/work.py"
SOFTMAX_TOLERANCE = 'absolute = 1e-12, why = "float64 rounding; a wrong formula'
ENTROPY_TOLERANCE = 'absolute = 1e-12, why = "float64 rounding; bits'
LARGE = '    (obtained,) = student.ask(Call("student:softmax", ([2000.0, 2000.0],)))\n'
ASK_SOFTMAX = '    (obtained,) = student.ask(Call("student:softmax", (scores,)))\n'
NEXT_IN_BANK = '    belief("bits",'

WEAKENED: dict[str, tuple[list[Replacement], str, str]] = {
    "a tolerance that is too wide": (
        [(TOML, SOFTMAX_TOLERANCE, SOFTMAX_TOLERANCE.replace("1e-12", "1e-2"))],
        "tolerances",
        r"The tolerance of 1a\.softmax is 0\.01: the nearest wrong answer is off by 0\.\d+ \(misconception base-2, "
        r"seed \d\), only \d(\.\d)? × as much; 10 × are due\.",
    ),
    "a tolerance that is too narrow": (
        [(TOML, ENTROPY_TOLERANCE, ENTROPY_TOLERANCE.replace("1e-12", "1e-15"))],
        "tolerances",
        r"The tolerance of 1b\.entropy is 1e-15, only 4\.5 × what right code is off by \(2\.2e-16, [^)]+ seed \d\); "
        r"10 × are due\.",
    ),
    "a tolerance that lets a slip pass": (
        [(TOML, "relative = 1e-3", "relative = 0.5")],
        "tolerances",
        r"The tolerance of 2a\.loss is 0\.14: the nearest wrong answer is off by 0\.13 \(slip log2\), only 0\.89 ×",
    ),
    "a relative tolerance on code": (
        [(TOML, SOFTMAX_TOLERANCE, SOFTMAX_TOLERANCE.replace("absolute", "relative = 1e-9, absolute"))],
        "tolerances",
        r"1a\.softmax has a relative tolerance, and its largest_difference is absolute",
    ),
    "a check that does not say how far off it is": (
        [(CODE, "check.largest_difference = distance", "off = distance"),
         (CODE, "check.largest_difference >", "off >")],
        "tolerances",
        r"1a\.softmax declares a tolerance, and no run of right code told by how much it was off\.",
    ),
    "a check that never fails": (
        [(CODE, LARGE, "    return\n" + LARGE)],
        "checks",
        r"1a\.large catches no misconception \(overflow names it and loses nothing\): nothing shows that it can fail\.",
    ),
    "a check without a misconception": (
        [(BANK, 'overflow",\n        ("1a.large",)', 'overflow",\n        ("1a.softmax",)')],
        "checks",
        r"1a\.large catches no misconception \(none names it\)",
    ),
    "a check that is not declared": (
        [(BANK, '"overflow",\n        ("1a.large",)', '"overflow",\n        ("1a.larger",)')],
        "misconceptions",
        r"overflow names the check 1a\.larger, which assignment\.toml does not declare\.",
    ),
    "a check that breaks": (
        [(CODE, LARGE, LARGE + "    obtained = {}[0]\n")],
        "own_errors",
        r"1a\.large fails by its own error on the model solution, first at seed 0: KeyError: 0",
    ),
    "a misconception that is there twice": (
        [(BANK, NEXT_IN_BANK, '    belief("loss-in-bits-too", ("2a.loss",), Edit("answers.toml", "0.2877", "0.4150"), '
                              f'diagnosed=False),\n{NEXT_IN_BANK}')],
        "pairs",
        r"loss-in-bits-too and loss-in-bits give the same result in every check: they cannot be told apart\.",
    ),
    "an edit that no longer applies": (
        [(WORK, "power / total", "power * (1 / total)")],
        "misconceptions",
        r"not-normalised could not be handed in: its edit no longer applies: 'power / total' stands 0 times in "
        r"work\.py, and must stand there once\.",
    ),
    "an edit of a file that is gone": (
        [(BANK, 'Edit("work.py", "return -sum"', 'Edit("works.py", "return -sum"')],
        "misconceptions",
        r"sign could not be handed in: its edit no longer applies: the model solution has no file works\.py\.",
    ),
    "an edit that changes nothing": (
        [(BANK, '"return -sum", "return sum"', '"return -sum", "return -sum"')],
        "misconceptions",
        r"sign could not be handed in: its edit of work\.py changes nothing\.",
    ),
    "a misconception that is caught by chance": (
        [(CODE, ASK_SOFTMAX, ASK_SOFTMAX + "    if check.seed % 2:\n        return\n")],
        "misconceptions",
        r"1a\.softmax does not catch base-2.*: it gives full points at seed 0\.",
    ),
    "a check that punishes what it does not judge": (
        [(BANK, '        may_cost=("1a.large",),\n', "")],
        "misconceptions",
        r"1a\.large takes points for not-normalised, which does not name it, at seed 0: Two equal scores",
    ),
    "a check that names a mistake after another": (
        [(CODE, '"bits": lambda p: [entropy(p)[0] / math.log(2)]', '"sign": lambda p: [entropy(p)[0] / math.log(2)]'),
         (CODE, '"sign": lambda p: [-entropy(p)[0]]', '"bits": lambda p: [-entropy(p)[0]]')],
        "diagnoses",
        r"1b\.entropy diagnoses sign where bits was handed in, first at seed 0\.",
    ),
    "a mistake that is not named": (
        [(CODE, "distance(values, wrong(given)) < 1e-9", "distance(values, wrong(given)) < -1")],
        "diagnoses",
        r"bits is not diagnosed at seed 0\.",
    ),
    "a solution that draws without a seed": (
        [(WORK, "import math\n", "import math\nimport random\n"),
         (WORK, "return [power / total for", "return [power / total + 1e-14 * random.random() for")],
        "determinism",
        r"1a\.softmax gives two results for the model solution at seed 0: the largest difference is .* and .*\.",
    ),
    "a check that takes points from right code now and then": (
        [(CODE, ASK_SOFTMAX, f"{ASK_SOFTMAX}    if check.seed % 2:\n        raise Failed('Bad luck.', 'Again.')\n")],
        "reference",
        r"1a\.softmax takes points from the model solution at \d of 3 seeds, first at seed \d: Bad luck\.",
    ),
    "a check that one right variant cannot pass": (
        [(CODE, "> 1e-9", "> 0")],
        "variants",
        r"1a\.large takes points from the variant work/by_logarithm, first at seed 0: Two equal scores",
    ),
    "a check that the starter passes": (
        [(CODE, '    (obtained,) = student.ask(Call("student:entropy", (p,)))\n',
          '    (reply,) = student.replies(Call("student:entropy", (p,)))\n'
          '    if not hasattr(reply, "value"):\n        return\n    obtained = reply.value\n')],
        "starter",
        r"1b\.entropy gives the empty starter 2 of 2 points: Right\.",
    ),
    "a group that reads more than it declares": (
        [(TOML, 'reads = ["work.py"]', 'reads = ["answers.toml"]')],
        "reach",
        r"1b\.entropy changes when the files outside answers\.toml hold garbage: passed and \w+\.",
    ),
    "a misconception in files that its check does not read": (
        [(TOML, 'reads = ["work.py"]', 'reads = ["answers.toml"]')],
        "misconceptions",
        r"1b\.entropy has to catch bits, whose edits are in files that it does not read\.",
    ),
}  # fmt: skip


ALONE = {
    "a tolerance that is too wide",
    "a check that breaks",
    "a misconception that is there twice",
    "a mistake that is not named",
    "a solution that draws without a seed",
    "a check that one right variant cannot pass",
    "a check that the starter passes",
}
"""Those against which nothing else speaks."""


@pytest.mark.parametrize("how", WEAKENED)
def test_a_weakened_assignment_fails_with_the_right_sentence(how: str, proof_of: ProofOf) -> None:
    replacements, claim, sentence = WEAKENED[how]
    proof = proof_of(*replacements)
    found = told(proof)
    assert claim in found, found
    assert any(re.match(sentence, told_) for told_ in found[claim]), found[claim]
    assert not proof.holds
    assert how not in ALONE or set(found) == {claim}
    assert all(problem.next_step for _, problem in proof.problems)

"""Weakened copies of the real coursework: a few of its misconceptions and variants, one seed, one part."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from grader.assignment import find_assignment
from grader.errors import AssignmentError
from grader.paths import data_root
from grader.verify import Proof, judges, verify
from grader.worker import Zygote

from .conftest import Replacement, told

FEW = ("scale-by-embed-dim", "mask-inverted", "mask-ignored", "value-from-key", "half-precision")
VARIANTS = ("einsum", "other_order_and_names")
BANK = f"""
from dataclasses import replace
from reference.transformer.misconceptions import BANK as ALL
BANK = tuple(m for m in ALL if m.id in {FEW})
"""
ProofOf = Callable[..., Proof]
TOML, CODE, WORK, BANK_FILE = "assignment.toml", "test_2_attention.py", "solution/attention.py", "few.py"


RENAMED = (r'id = "2c\.masked"', 'id = "2c.mask"')
EXCHANGED = """
OTHER = {"mask-inverted": "mask-ignored", "mask-ignored": "mask-inverted"}
BANK = """
BY_NAME = """
    from grader.worker.calls import Call, Ref
    _, names = student.ask(
        Call("student:MultiHeadAttention", (8, 2), keep="named"), Call("harness:randomise", (Ref("named"), 0))
    )
    if "proj.weight" not in names:
        raise Failed("No layer is called proj.", "Call it proj.")
"""


def tolerance(check: str, new: str) -> Replacement:
    """Another tolerance of this check."""
    return TOML, rf'(id = "{re.escape(check)}"\n(?:\S.*\n)*tolerance = {{ )\w+ = [^,]+', rf"\g<1>{new}"


def first_line(test: str, code: str) -> Replacement:
    """`code` before all that this check does."""
    return CODE, rf"(def {test}\([^)]*\) -> None:\n)", rf"\g<1>{code}"


@pytest.fixture
def proof_of(tmp_path: Path, zygote: Zygote, monkeypatch: pytest.MonkeyPatch) -> ProofOf:
    """proof_of(part, (file, pattern, new), ...): what verify finds for these checks in a copy of the coursework."""
    monkeypatch.setattr(judges, "Zygote", lambda spec: nullcontext(zygote))  # one that is warm already

    def prove(part: str, *replacements: Replacement) -> Proof:
        root = copy_of_the_coursework(tmp_path / "transformer")
        for file, pattern, new in replacements:
            text, count = re.subn(pattern, new, (root / file).read_text(encoding="utf-8"))
            assert count == 1, f"{pattern!r} stands {count} times in {file}"
            (root / file).write_text(text, encoding="utf-8")
        return verify(find_assignment(str(root)), [part], seeds=1, jobs=1)

    return prove


def copy_of_the_coursework(root: Path) -> Path:
    """With few misconceptions and variants, and the model solution beside assignment.toml, to be weakened too."""
    own = data_root()
    left_out = shutil.ignore_patterns("__pycache__", "assets", "hidden", "finetune")
    shutil.copytree(own / "tests" / "transformer", root, ignore=left_out)
    shutil.copytree(own / "reference" / "transformer" / "solution", root / "solution")
    for variant in (root / "variants" / "attention").iterdir():
        if variant.stem not in VARIANTS:
            variant.unlink()
    (root / BANK_FILE).write_text(BANK)
    text = (root / TOML).read_text(encoding="utf-8")
    text = re.sub(r"(?m)^solution = .*$", 'solution = "solution"', text)
    text = re.sub(r"(?m)^bank = .*$", f'bank = "{BANK_FILE}:BANK"', text)
    text = text.replace('"../../', f'"{own}/')
    (root / TOML).write_text(text, encoding="utf-8")
    return root


WEAKENED: dict[str, tuple[str, list[Replacement], str, str]] = {
    "a tolerance of 1e-2 on code": (
        "2c",
        [tolerance("2c.self", "absolute = 1e-2")],
        "misconceptions",
        r"2c\.self does not catch half-precision \(it is off by 0\.00\d+\): it gives full points at seed 0\.",
    ),
    "a tolerance of 1e-2 on paper": (
        "4d",
        [tolerance("4d.first", "relative = 1e-2")],
        "tolerances",
        r"The tolerance of 4d\.first is 1\.5e\+06: the nearest wrong answer is off by 1\.8e\+04 \(slip other_bias\), "
        r"only 0\.012 × as much; 10 × are due\.",
    ),
    "a check that never fails": (
        "2c",
        [first_line("test_cross_attention", "    return\n")],
        "checks",
        r"2c\.cross catches no misconception \(scale-by-embed-dim, value-from-key, half-precision name it and lose "
        r"nothing\)",
    ),
    "a check that is missing": (
        "2c",
        [(TOML, *RENAMED), (CODE, r'check\("2c\.masked"\)', 'check("2c.mask")')],
        "misconceptions",
        r"mask-inverted names the check 2c\.masked, which assignment\.toml does not declare\.",
    ),
    "a misconception that is there twice": (
        "2c",
        [(BANK_FILE, r"\Z", "BANK += (replace(BANK[-1], id='half-again'),)")],
        "pairs",
        r"half-precision and half-again give the same result in every check: they cannot be told apart\.",
    ),
    "a solution that is not deterministic": (
        "2c",
        [(WORK, "import math\n", "import math\nimport os\n"),
         (WORK, r"(return self\.proj\(self\.merge\(heads\)\))", r"\1 + 1e-8 * os.urandom(1)[0]")],
        "determinism",
        r"2c\.\w+ gives two results for the model solution at seed 0: the largest difference is \S+ and \S+\.",
    ),
    "a check that one right variant cannot pass": (
        "2c",
        [first_line("test_self_attention", BY_NAME)],
        "variants",
        r"2c\.self takes points from the variant attention/other_order_and_names, first at seed 0: No layer is called",
    ),
    "a diagnosis of something else": (
        "2c",
        [(BANK_FILE, r"\(m for m in ALL", "(replace(m, id=OTHER.get(m.id, m.id)) for m in ALL"),
         (BANK_FILE, "\nBANK = ", EXCHANGED)],
        "diagnoses",
        r"2c\.masked diagnoses mask-inverted where mask-ignored was handed in, first at seed 0\.",
    ),
    "an edit that no longer applies": (
        "2c",
        [(WORK, "attn_mask == 0", "attn_mask.eq(0)")],
        "misconceptions",
        r"mask-inverted could not be handed in: its edit no longer applies: '.*' stands 0 times in attention\.py",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", WEAKENED)
def test_a_weakened_copy_fails_with_the_right_sentence(how: str, proof_of: ProofOf) -> None:
    part, replacements, claim, sentence = WEAKENED[how]
    found = told(proof_of(part, *replacements))
    assert claim in found, found
    assert any(re.match(sentence, told_) for told_ in found[claim]), found[claim]


def test_a_check_that_is_declared_under_another_name_is_refused_before_anything_runs(
    proof_of: ProofOf,
) -> None:
    said = r"declares no check '2c\.masked'\. Did you mean '2c\.mask'\?"
    with pytest.raises(AssignmentError, match=said):
        proof_of("2c", (TOML, *RENAMED))


def test_a_wrong_table_of_written_answers_is_refused_before_anything_runs(proof_of: ProofOf) -> None:
    words = (TOML, r'words = \["understanding', 'worlds = ["understanding')
    with pytest.raises(AssignmentError, match=r"written\.heading.*worlds"):
        proof_of("2c", words)


def test_the_copy_as_it_is_has_no_weakness_but_that_its_bank_is_small(proof_of: ProofOf) -> None:
    found = told(proof_of("2c"))
    assert set(found) <= {"checks", "tolerances"}
    assert all("none names it" in sentence for sentence in found["checks"])

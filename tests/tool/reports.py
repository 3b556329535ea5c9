"""Grade reports with the content of the real coursework, for tests of everything that reads a report.

`full_marks`, `slips`, `every_status`, `public_only` and `hostile` build a whole GradeReport each; `result` and
`report_of` are for tests that need a particular one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from grader.model import (
    CheckResult,
    Diagnosis,
    Evidence,
    GradeReport,
    Isolation,
    Part,
    Plot,
    Points,
    Score,
    Status,
    Visibility,
)

PARTS = (
    Part(
        "2a",
        "Projecting and splitting the query",
        "Shape and L2 norm of the projected query, split into heads.",
    ),
    Part(
        "2b",
        "Attention weights and the masked output",
        "Shape and norm of the weights; norm of the masked output.",
    ),
    Part(
        "2c",
        "Multi-head attention",
        "Relative error of self, masked self and cross attention, each below 1e-3.",
    ),
    Part("2d", "Positional encoding", "Relative error of the positional encoding, below 1e-3."),
    Part("3a", "Looking at the data", "Print the first three training samples."),
    Part(
        "3b", "Fine-tuning DistilBERT", "Train for 3 epochs; train and test accuracy per epoch, and the time."
    ),
    Part("3c", "Predicting topics", "Predict the topic of four news texts."),
    Part("3d", "Fine-tuning RoBERTa", "The same with RoBERTa; compare accuracy, time and robustness."),
    Part("4a", "Language modelling", "The objective in words; softmax and cross-entropy of “mat”."),
    Part("4b", "Decoder-only models", "Compare decoder-only, encoder-only and encoder-decoder models."),
    Part(
        "4c", "Memory of the attention scores", "Elements and bytes of one score matrix, and GB of all heads."
    ),
    Part(
        "4d",
        "Parameters of the feed-forward network",
        "Parameters of each layer, of a block, and of all blocks.",
    ),
    Part("4e1", "LoRA: trainable parameters", "Parameters that LoRA with r = 8 trains on W_Q and W_V."),
    Part("4e2", "LoRA: optimizer state", "Bytes of optimizer state at two 4-byte values a parameter."),
    Part("4e3", "LoRA against full fine-tuning", "Optimizer state of the FFN, and LoRA's share of it."),
)

Row = tuple[str, str, int, str, str | None, str]
"""Check id, title, points, asked, expected (None for prose), where it was read."""

ROWS: tuple[Row, ...] = (
    (
        "2a.shape",
        "The projected query has the right shape",
        2,
        "shape of the split query",
        "[1, 2, 3, 4]",
        "line 6",
    ),
    (
        "2a.norm",
        "The projected query has the right norm",
        2,
        "L2 norm of the split query",
        "2.7053",
        "line 7",
    ),
    (
        "2b.shape",
        "The attention weights have the right shape",
        2,
        "shape of the weights",
        "[1, 2, 3, 3]",
        "line 11",
    ),
    (
        "2b.norm",
        "The attention weights have the right norm",
        2,
        "L2 norm of the weights",
        "1.4747",
        "line 12",
    ),
    (
        "2c.self",
        "Self attention computes what the reference does",
        6,
        "attn(x, x, x), x of shape (2, 5, 8)",
        "",
        "",
    ),
    ("2c.masked", "A masked key has no influence", 6, "attn(x, x, x, mask), x of shape (1, 3, 8)", "", ""),
    ("2c.cross", "Cross attention works when S ≠ T", 6, "attn(x, y, y), S = 4, T = 7", "", ""),
    ("2c.eval", "Dropout is off in eval mode", 4, "two calls in eval mode on the same input", "", ""),
    ("2d.table", "The encoding adds the sine and cosine table", 6, "pe(x) with x of shape (1, 2, 6)", "", ""),
    ("2d.input", "The input is left as it was", 2, "pe(x), then x", "", ""),
    ("3a.samples", "The first three samples come back in order", 3, "first_samples(train, n=3)", "", ""),
    ("3b.trains", "The loop really trains the model", 6, "finetune(model, tokenizer, train, test)", "", ""),
    (
        "3b.honest",
        "The claimed accuracy is that of the model",
        3,
        "test accuracy after epoch 3",
        "0.9167",
        "",
    ),
    ("3b.possible", "The reported accuracies are possible", 3, "k/1024 and k/128 at four digits", None, ""),
    (
        "3c.topics",
        "Four texts get their topics",
        4,
        "the four topics",
        "Sports, Sci/Tech, World, Business",
        "",
    ),
    (
        "3d.possible",
        "The reported RoBERTa accuracies are possible",
        3,
        "k/1024 and k/128 at four digits",
        None,
        "",
    ),
    ("3d.compare", "The two models are compared", 4, "accuracy, time, robustness", None, "line 31"),
    ("4a.probability", "Probability of “mat”", 2, "P(mat)", "0.7501", "line 38"),
    ("4a.loss", "Cross-entropy of “mat”", 2, "loss in nats", "0.2877", "line 39"),
    ("4a.objective", "The objective is explained", 4, "the objective of language modelling", None, "line 41"),
    (
        "4b.families",
        "The three families are told apart",
        6,
        "decoder-only against the others",
        None,
        "line 50",
    ),
    ("4c.elements", "Elements of one score matrix", 2, "elements", "268,435,456", "line 58"),
    ("4c.bytes", "Bytes of one score matrix", 2, "bytes", "536,870,912", "line 59"),
    ("4c.all", "Memory of all heads", 2, "GB of 48 heads", "25.776 GB", "line 60"),
    ("4d.first", "Parameters of the first layer", 1, "parameters", "151,019,520", "line 64"),
    ("4d.second", "Parameters of the second layer", 1, "parameters", "151,001,088", "line 65"),
    ("4d.all", "Parameters of all blocks", 2, "parameters", "14,496,989,184", "line 67"),
    ("4e1.lora", "Trainable parameters with LoRA", 3, "parameters", "9,437,184", "line 72"),
    ("4e2.state", "Optimizer state of LoRA", 3, "bytes", "75,497,472", "line 76"),
    ("4e3.state", "Optimizer state of the FFN", 2, "bytes", "115,975,913,472", "line 80"),
    ("4e3.share", "LoRA's share of it", 2, "per cent", "0.0651 %", "line 81"),
)
HIDDEN = frozenset({"2c.cross", "2c.eval", "3b.honest"})
PROSE = frozenset({"3d.compare", "4a.objective", "4b.families"})

MASKED = [
    [-0.1347, 0.1934, 0.8628, -0.4903, -0.2614, 0.2798, -0.2586, -0.3019],
    [-0.1013, 0.3111, 0.5783, -0.3248, -0.3842, 0.1482, -0.3628, -0.1496],
    [-0.2071, 0.1669, 0.7097, -0.3152, -0.3136, 0.2520, -0.2774, -0.2208],
]
"""The handout's published array for masked self attention."""
UNMASKED = [
    [-0.2494, 0.1396, 0.4323, -0.2411, -0.1547, 0.2329, -0.1936, -0.1444],
    [-0.1997, 0.1746, 0.7377, -0.3549, -0.2657, 0.2693, -0.2541, -0.2476],
    [-0.0625, 0.1503, 0.7572, -0.3974, -0.1681, 0.2168, -0.2478, -0.3038],
]
"""The same for self attention: what a student gets who ignores the mask."""


def result(check_id: str, status: Status = Status.PASSED, **changes: object) -> CheckResult:
    """The result of a check of ROWS with the status given: all points for a pass, none else, unless changed."""
    _, title, possible, asked, expected, line = next(row for row in ROWS if row[0] == check_id)
    earned = possible if status is Status.PASSED else 0
    base = CheckResult(
        id=check_id,
        part=check_id.split(".")[0],
        title=title,
        visibility=Visibility.HIDDEN if check_id in HIDDEN else Visibility.PUBLIC,
        status=status,
        points=Points(Decimal(earned), Decimal(possible)),
        message="As expected." if status is Status.PASSED else "",
        hint="",
        evidence=Evidence(
            asked=asked,
            expected=expected or None,
            obtained=expected or None,
            location=f"answers.toml, {line}" if line else None,
        ),
        duration_s=0.04,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def report_of(checks: Iterable[CheckResult], name: str = "alice", **changes: object) -> GradeReport:
    """A report of these checks, with the parts they belong to and the score they add up to."""
    checks = tuple(checks)
    used = {check.part for check in checks}
    score = _score(checks)
    report = GradeReport(
        submission_name=name,
        submission_sha256="7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a",
        assignment_id="transformer",
        assignment_title="Transformers: attention, fine-tuning and the arithmetic of scale",
        assignment_version="1.0.0",
        assignment_sha256="c1dfd96eea8cc2b62785275bca38ac261256e278f3f3e9c9f4cfd7e1a1a1d7a9",
        parts=tuple(part for part in PARTS if part.id in used),
        checks=checks,
        score=score,
        environment={
            "grader": "0.1.0",
            "python": "3.12.11",
            "torch": "2.13.0+cpu",
            "transformers": "5.23.0",
            "cpu": "AMD EPYC 9654, 2 threads",
        },
        isolation=Isolation(
            level="strict",
            guarantees=(
                "The code has no network.",
                "It can write only to a folder of its own, which is deleted afterwards.",
                "It cannot read the grader, the reference or the expected values.",
            ),
            caveats=("A kernel flaw could be used to break out.",),
        ),
        seed=8_214_076,
        public_only=False,
        complete=score.awaiting_review == 0 and score.excused == 0,
        created="2026-03-14T09:26:53+00:00",
        duration_s=6.4,
    )
    return replace(report, **changes)  # type: ignore[arg-type]


def _score(checks: tuple[CheckResult, ...]) -> Score:
    def total(of: Iterable[CheckResult], earned: bool) -> Decimal:
        return sum((c.points.earned if earned else c.points.possible for c in of), Decimal(0))

    review = [c for c in checks if c.status is Status.NEEDS_REVIEW]
    ours = [c for c in checks if c.status is Status.GRADER_ERROR]
    automatic = [c for c in checks if c not in review]
    return Score(
        earned=total(checks, earned=True),
        possible=total(checks, earned=False),
        automatic_earned=total(automatic, earned=True),
        automatic_possible=total(automatic, earned=False),
        awaiting_review=total(review, earned=False),
        excused=total(ours, earned=False),
    )


def review(check_id: str) -> CheckResult:
    """A prose check with what the grader collected."""
    found = {
        "4a.objective": "A language model is trained to give the next token a high probability, given all tokens\n"
        "before it. The loss is the mean negative log-likelihood over the sequence.",
        "4b.families": "Decoder-only models read left to right with a causal mask; encoders see both sides.",
        "3d.compare": "RoBERTa is better on the test set by 2.3 points and takes almost twice the time.",
    }[check_id]
    return result(
        check_id,
        Status.NEEDS_REVIEW,
        message="A person marks this answer.",
        evidence=Evidence(
            asked=next(row[3] for row in ROWS if row[0] == check_id),
            obtained=found,
            location="answers.toml, line 41",
            notes=("Concepts found: likelihood, next token, context.", "Not found: perplexity."),
        ),
    )


def full_marks() -> GradeReport:
    """Every automatic point earned, prose waiting for a person."""
    return report_of(_base())


def _base() -> list[CheckResult]:
    checks = [review(row[0]) if row[0] in PROSE else result(row[0]) for row in ROWS]
    return [_with_training_curves(check) if check.id == "3b.honest" else check for check in checks]


def _with_training_curves(check: CheckResult) -> CheckResult:
    public = replace(check, visibility=Visibility.PUBLIC)
    return replace(public, evidence=replace(public.evidence, plots=(training_curves(),)))


def training_curves(claimed: float = 0.8906) -> Plot:
    """Accuracy per epoch: what was claimed and what the run again gave."""
    return Plot(
        kind="curves",
        title="Accuracy per epoch: claimed, and found again from the weights",
        x_label="epoch",
        y_label="accuracy",
        series={
            "train, claimed": [0.7217, 0.9209, 0.9658],
            "test, claimed": [0.8750, 0.8984, claimed],
            "test, found again": [0.8672, None, 0.8906],
        },
    )


def masked_heatmap() -> Plot:
    """Expected, obtained and the difference, for a student who ignores the mask."""
    difference = [
        [abs(a - b) for a, b in zip(x, y, strict=True)] for x, y in zip(MASKED, UNMASKED, strict=True)
    ]
    return Plot(
        kind="heatmap",
        title="Output of masked self attention: the rows differ where a key should have been removed",
        x_label="embedding dimension",
        y_label="query position",
        series={"expected": MASKED, "yours": UNMASKED, "absolute difference": difference},
    )


def encoding_heatmap() -> Plot:
    """A larger matrix, without values in the cells."""
    table = [
        [
            math.sin(p / 10_000 ** (i / 32)) if i % 2 == 0 else math.cos(p / 10_000 ** ((i - 1) / 32))
            for i in range(32)
        ]
        for p in range(24)
    ]
    return Plot("heatmap", "The table that your module adds", "dimension", "position", {"yours": table})


MASK_IGNORED = result(
    "2c.masked",
    Status.FAILED,
    message="The output is off the formula by up to 0.431, with your own weights put into it.",
    hint="Is the result of the masking used? Out-of-place functions return a new tensor.",
    diagnosis=Diagnosis(
        "mask-ignored",
        "The mask has no effect",
        "equal to 3e-7 on 9 probes, 4 of which tell it from the right result",
        "Is the result of the masking used? Out-of-place functions return a new tensor.",
    ),
    evidence=Evidence(
        asked="attn(x, x, x, mask) with x of shape (1, 3, 8), weights of your own module, eval mode",
        expected="[[-0.1347,  0.1934,  0.8628, -0.4903, …],\n [-0.1013,  0.3111,  0.5783, -0.3248, …],\n …]",
        obtained="[[-0.2494,  0.1396,  0.4323, -0.2411, …],\n [-0.1997,  0.1746,  0.7377, -0.3549, …],\n …]",
        largest_difference=0.4305,
        where="[0, 0, 2]",
        location="attention.py, class MultiHeadAttention",
        notes=("Your scale is a CPU tensor outside the buffers: right here, broken on a GPU.",),
        plots=(masked_heatmap(),),
    ),
)
GIB_FOR_GB = result(
    "4c.all",
    Status.FAILED,
    message="24 GB is what comes out of a known slip: GiB called GB.",
    hint="How many bytes are in a GB, and how many in a GiB? Which did you divide by?",
    evidence=Evidence(
        asked="GB of the score matrices of 48 heads",
        expected="25.776 GB",
        obtained="24 GB",
        largest_difference=1.7698,
        location="answers.toml, line 60",
    ),
    diagnosis=Diagnosis(
        "4c.total_gb.gib",
        "GiB called GB",
        "equal to the digits that you print",
        "How many bytes are in a GB, and how many in a GiB? Which did you divide by?",
    ),
)
IMPOSSIBLE = result(
    "3b.possible",
    Status.PARTIAL,
    points=Points(Decimal("1.5"), Decimal(3)),
    message="0.8900 is no multiple of 1/128 at four digits; the nearest possible accuracies are 0.8828 and 0.8906.",
    hint="Print the accuracy of the run itself, unrounded, and copy it from there.",
    evidence=Evidence(
        asked="test accuracy of every epoch as k/128",
        obtained="0.8750, 0.8984, 0.8900",
        location="results/distilbert.json, line 9",
        notes=("A person has to look at this claim; it is flagged, not zeroed.",),
        plots=(training_curves(0.89),),
    ),
)
CARRIED = result(
    "4e2.state",
    Status.PARTIAL,
    points=Points(Decimal(2), Decimal(3)),
    message="Follows correctly from your own 4e1 (4,718,592), which is wrong: follow-through points.",
    hint="LoRA puts two matrices on each weight, A (r × H) and B (H × r): count both in 4e1.",
    evidence=Evidence(
        asked="bytes of optimizer state at 2 × 4 bytes a parameter",
        expected="75,497,472 bytes",
        obtained="37,748,736 bytes",
        largest_difference=37_748_736.0,
        location="answers.toml, line 76",
        notes=("Error carried forward: 8 × 4,718,592 = 37,748,736.",),
    ),
)
ONE_MATRIX = result(
    "4e1.lora",
    Status.FAILED,
    message="4,718,592 counts one of the two LoRA matrices of each weight.",
    hint="LoRA adds B·A to a weight: r × H for A and H × r for B.",
    evidence=Evidence(
        asked="trainable parameters, r = 8 on W_Q and W_V in 48 layers",
        expected="9,437,184",
        obtained="4,718,592",
        largest_difference=4_718_592.0,
        location="answers.toml, line 72",
    ),
)
RANDOM_IN_EVAL = result(
    "2c.eval",
    Status.FAILED,
    message="Two calls on the same input in eval mode differ.",
    diagnosis=Diagnosis(
        "dropout-in-eval",
        "Dropout is still on in eval mode",
        "equal to 2e-7 on 3 probes, each of which tells it from the right result",
        "Give F.dropout training=self.training, or use an nn.Dropout module.",
    ),
    hint="Give F.dropout training=self.training, or use an nn.Dropout module.",
    evidence=Evidence(
        asked="two calls in eval mode on the same input",
        expected="SECRET-REFERENCE 0.12345",
        obtained="-0.2210 and -0.2456 at the same place",
        largest_difference=0.98765,
        where="[0, 1, 4]",
        plots=(Plot("heatmap", "SECRET-PICTURE", series={"SECRET-PANEL": [[0.54321]]}),),
    ),
)


def slips() -> GradeReport:
    """Good work with the slips that this coursework is known for."""
    planted = {c.id: c for c in (MASK_IGNORED, RANDOM_IN_EVAL, IMPOSSIBLE, GIB_FOR_GB, ONE_MATRIX, CARRIED)}
    note = "data/raw.bin was left out: it is larger than 10 MB."
    return report_of((planted.get(c.id, c) for c in _base()), name="slips", notes=(note,))


EVERY_STATUS = (
    result("2a.shape"),
    replace(IMPOSSIBLE, id="2a.norm", part="2a", title="The projected query has the right norm"),
    MASK_IGNORED,
    result(
        "2c.self",
        Status.TIMEOUT,
        message="No answer within 20 seconds.",
        hint="Look for a loop over positions that never ends.",
        evidence=Evidence(asked="attn(x, x, x)", output="step 1\nstep 2\nstep 3"),
    ),
    result(
        "2c.cross",
        Status.BLOCKED,
        message="Not asked, because 2c.self did not pass.",
        hint="Mend 2c.self first.",
        evidence=Evidence(asked="attn(x, y, y), S = 4, T = 7"),
    ),
    result(
        "2d.table",
        Status.CRASHED,
        message="The process ended with signal 11.",
        hint="Run python attention.py on its own and look at the last line.",
        evidence=Evidence(asked="pe(x)", where="attention.py, line 51"),
    ),
    result(
        "2d.input",
        Status.OUT_OF_MEMORY,
        message="The code asked for more than 4 GB.",
        hint="Make the table for max_len positions, not for max_len squared.",
        evidence=Evidence(asked="pe(x), then x", plots=(encoding_heatmap(),)),
    ),
    result(
        "3a.samples",
        Status.MISSING,
        message="There is no function first_samples in the hand-in; did you mean first_sample?",
        hint="Rename it in finetune.py, line 12.",
        evidence=Evidence(asked="first_samples(train, n=3)"),
    ),
    review("4a.objective"),
    result(
        "4c.bytes",
        Status.GRADER_ERROR,
        message="The check itself failed; this costs you nothing.",
        hint="Tell the people who run the grader.",
        evidence=Evidence(asked="bytes of one score matrix"),
    ),
)


def every_status() -> GradeReport:
    """One check of each status."""
    return report_of(EVERY_STATUS, name="half_done")


def public_only() -> GradeReport:
    """What a student sees who runs the public checks."""
    checks = (c for c in slips().checks if c.visibility is Visibility.PUBLIC)
    return report_of(checks, name="slips", public_only=True, complete=False)


ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></pre></details><h1>100 of 100</h1>",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\ \x9b2J\x00\x08",
    "safe \u202egnp.exe\u202c \u2066isolated\u2069 zero\u200bwidth \ufeff \U000e0041",
    "שלום עולם, مرحبا بالعالم",
    "z" + "\u0301" * 400,
    "[bold red]100 of 100[/bold red] [link=http://evil.example]x[/link]",
    "![x](http://evil.example/x.png) [x](javascript:alert(1)) <http://evil.example>",
    "http://evil.example www.evil.example me@evil.example \n\n[x]: http://evil.example",
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n# 100 of 100\n\n```\n~~~~\n- [x] done",
    "1. one\n> quote\n\n---\n=== \n@someone #1 $x$ :smile: **bold** _it_ ~~no~~",
    "lone \udcff surrogate \ufffe\uffff",
    "`` ` ``` code `",
)
"""Texts that try to be markup, commands, or something else than they look."""


def hostile() -> GradeReport:
    """Attacks in every field that a student can influence, and a line of 10 MB."""
    checks = []
    for row, attack in zip(ROWS, ATTACKS, strict=False):
        evidence = Evidence(
            asked=attack,
            expected=attack,
            obtained=attack,
            largest_difference=math.nan,
            where=attack,
            location=attack,
            output=attack,
            notes=(attack,),
            plots=(
                Plot("heatmap", attack, attack, attack, {attack: [[math.nan, math.inf], [-math.inf, 1e-9]]}),
                Plot("curves", attack, attack, attack, {attack: [None, math.nan, 3.0]}),
                Plot(attack, attack),
            ),
        )
        known = Diagnosis(attack, attack, attack, f"{attack} {attack}")
        changes = {
            "title": attack,
            "message": attack,
            "hint": attack,
            "evidence": evidence,
            "diagnosis": known,
        }
        checks.append(result(row[0], Status.FAILED, **changes))
    endless = Evidence(asked="print", output="A" * 10_000_000, obtained="B" * 10_000_000)
    checks.append(result("4e3.share", Status.FAILED, message="C" * 10_000_000, evidence=endless))
    everything = " ".join(ATTACKS)
    return report_of(checks, name=everything, notes=ATTACKS, environment={"cpu": everything})

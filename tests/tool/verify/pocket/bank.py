"""What a student may get wrong in the pocket assignment."""

from grader.bank import Edit, Misconception


def belief(id: str, checks: tuple[str, ...], *edits: Edit, **more: object) -> Misconception:
    """With the texts that verify does not look at."""
    return Misconception(id=id, title=id, belief=id, hint="Try one.", checks=checks, edits=edits, **more)  # type: ignore[arg-type]


BANK = (
    belief(
        "base-2",
        ("1a.softmax",),
        Edit("work.py", "math.exp(score - largest)", "2 ** (score - largest)"),
    ),
    belief(
        "not-normalised",
        ("1a.softmax",),
        Edit("work.py", "power / total", "power"),
        may_cost=("1a.large",),
    ),
    belief(
        "overflow",
        ("1a.large",),
        Edit("work.py", "math.exp(score - largest)", "math.exp(score)"),
        diagnosed=False,
    ),
    belief("bits", ("1b.entropy",), Edit("work.py", "math.log(share)", "math.log2(share)")),
    belief("sign", ("1b.entropy",), Edit("work.py", "return -sum", "return sum")),
    belief("loss-in-bits", ("2a.loss",), Edit("answers.toml", "0.2877", "0.4150"), diagnosed=False),
)

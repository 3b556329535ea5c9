"""Signs in figures: each is seen where it is planted, and honest runs show it no oftener than it says."""

from __future__ import annotations

import math
import random
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake import Epoch, Found, Metrics, possible_accuracy
from reference.transformer import forensics
from reference.transformer.forensics import (
    FLAGGED,
    TOLD,
    Sign,
    grim_share,
    memorised_sign,
    predictions_sign,
    signs,
    signs_between,
)
from reference.transformer.runs import RUNS

TRAIN, TEST = 1024, 128


def run(*epochs: tuple[object, ...], n_train: int = TRAIN, n_test: int = TEST) -> Metrics:
    """Figures of a run: (train_acc, test_acc, train_loss, seconds) of each epoch as printed; None where left out."""
    made = [
        Epoch(*(None if v is None else Decimal(str(v)) for v in (*e, None, None, None, None)[:4]))
        for e in epochs
    ]
    return Metrics(
        "r.json", Found.FOUND, "distilbert-base-uncased", n_train, n_test, 8, Decimal("5e-5"), tuple(made)
    )


def ids(found: list[Sign]) -> list[str]:
    return [sign.id for sign in found]


HONEST = (
    ("0.7217", "0.8750", "0.9", "510.2"),
    ("0.9209", "0.8984", "0.3", "508.9"),
    ("0.9658", "0.8906", "0.13", "511.4"),
)


def with_(place: int, **changes: str) -> list[tuple[object, ...]]:
    names = ("train_acc", "test_acc", "train_loss", "seconds")
    rows = [list(row) for row in HONEST]
    for name, value in changes.items():
        rows[place][names.index(name)] = value
    return [tuple(row) for row in rows]


# ---------------------------------------------------------------- planted


def test_a_real_run_shows_nothing() -> None:
    assert signs(run(*HONEST)) == []
    for published in RUNS:
        assert signs(run(*zip(published.train, published.test, strict=True))) == []
    runs = [
        run(*zip(r.train, r.test, [None] * 3, [t] * 3, strict=True))
        for r, t in zip(RUNS, (510, 930), strict=True)
    ]
    assert signs_between(*runs) == []


@pytest.mark.parametrize(
    ("metrics", "id", "flagged", "said"),
    [
        (run(*with_(1, train_loss="0.01")), "loss-too-low", True, "7.9% of the training texts are wrong"),
        (
            run(("0.75", "0.75"), ("0.875", "0.875"), ("0.875", "0.875")),
            "train-as-test",
            True,
            "measured twice",
        ),
        (
            run(("0.9209", "0.89"), ("0.9209", "0.88"), ("0.9209", "0.9")),
            "train-at-rest",
            False,
            "nothing was learnt",
        ),
        (
            run(*[("0.9209", f"0.{i}") for i in (88, 89, 90, 91)]),
            "train-at-rest",
            True,
            "each of the 4 epochs",
        ),
        (
            run(("0.9658", "0.89"), ("0.92", "0.9"), ("0.7217", "0.9")),
            "train-falls",
            True,
            "falls from 0.9658",
        ),
        (
            run(*with_(2, train_acc="0.7500", test_acc="0.9766")),
            "test-above-train",
            True,
            "above the training",
        ),
        (run(*with_(2, test_acc="0.2500")), "majority", True, "one topic to all"),
        (run(*with_(2, test_acc="1.0")), "too-good", False, "were the test texts trained on?"),
        (run(*[(a, b, c, "510.234") for a, b, c, _ in HONEST]), "times-alike", True, "to the last digit"),
        (run(*[(a, b, c, "150.2") for a, b, c, _ in HONEST]), "times-alike", False, "to the last digit"),
        (run(*with_(1, seconds="0.05")), "too-fast", True, "0.39 ms a step"),
    ],
)
def test_what_is_planted_is_seen(metrics: Metrics, id: str, flagged: bool, said: str) -> None:
    [sign] = [sign for sign in signs(metrics) if sign.id == id]
    assert sign.flagged is flagged
    assert said in sign.found
    assert sign.sentence.startswith("For a person: " if flagged else "Worth a second look: ")
    assert f", if {sign.if_}." in sign.sentence
    assert "honest run" in sign.sentence


@pytest.mark.parametrize(
    "metrics",
    [
        run(*[(a, b, c, "12") for a, b, c, _ in HONEST]),
        run(("1.0", "0.89"), ("1.0", "0.88"), ("1.0", "0.9")),
        run(("0.72", "0.88"), ("0.92", "0.88"), ("0.96", "0.88")),
        run(("0.6", "0.9")),
        run(),
        run(*HONEST, n_train=10**18, n_test=10**18),
        run(("0E+9999", "0E+9999", "0E+9999", "0E+9999")),
    ],
    ids=["whole seconds", "all right", "same test", "first epoch", "none", "endless", "huge exponents"],
)
def test_what_honest_runs_often_show_is_not_told(metrics: Metrics) -> None:
    assert [sign.id for sign in signs(metrics) if sign.id != "majority"] == []


def test_two_runs_beside_each_other() -> None:
    other = [(a, b, c, str(float(t) * 1.9)) for a, b, c, t in HONEST]
    [same] = signs_between(run(*HONEST), run(*other))
    assert (same.id, same.flagged) == ("same-figures", True)
    quick = [("0.7285", "0.84", None, "100"), ("0.91", "0.86", None, "100"), ("0.94", "0.9", None, "100")]
    [odd] = signs_between(run(*HONEST), run(*quick))
    assert (odd.id, odd.flagged) == ("times-odd", True)
    assert "0.20 times as long" in odd.found


@pytest.mark.parametrize(
    ("right", "accuracy", "chance"),
    [
        (0, "0.8906", (1 - 0.8906) ** 4),
        (1, "0.8906", None),
        (4, "0.8906", None),
        (3, "0.8906", None),
        (0, None, None),
    ],
)
def test_predictions_that_do_not_fit_the_accuracy(
    right: int, accuracy: str | None, chance: float | None
) -> None:
    found = predictions_sign(right, 4, None if accuracy is None else Decimal(accuracy))
    if chance is not None:
        assert found[0].chance == pytest.approx(chance)
        assert found[0].flagged
    elif right == 1:
        assert found[0].chance == pytest.approx((1 - 0.8906) ** 4 + 4 * 0.8906 * (1 - 0.8906) ** 3)
        assert not found[0].flagged
    else:
        assert found == []


def test_a_memorised_test_set() -> None:
    """Fisher's exact test by its definition: of 10 right among 12 and 8, what if 8 of 8 are on one side."""
    ways = math.comb
    [sign] = memorised_sign((8, 8), (2, 12))
    assert sign.chance == pytest.approx(ways(12, 2) * ways(8, 8) / ways(20, 10))
    assert memorised_sign((100, 128), (200, 256)) == []
    assert memorised_sign((128, 128), (210, 256))[0].flagged


@pytest.mark.parametrize(("n", "digits"), [(128, 2), (128, 3), (96, 3), (1024, 3)])
def test_what_grim_lets_pass_is_counted_right(n: int, digits: int) -> None:
    steps = 10**digits
    possible = sum(possible_accuracy(Decimal(i).scaleb(-digits), n) for i in range(steps + 1))
    assert grim_share(n, digits) == possible / (steps + 1)


# ---------------------------------------------------------------- honest runs


def honest(draw: random.Random) -> tuple[Metrics, Metrics]:
    """Two runs as their figures come about: counts of texts, each right with the accuracy of its epoch."""
    made = []
    step = draw.choice((0.05, 0.3, 4.0))
    for slower in (1.0, draw.uniform(1.7, 2.1)):
        train = (draw.uniform(0.6, 0.85), draw.uniform(0.88, 0.94), draw.uniform(0.94, 0.985))
        middle = draw.uniform(0.82, 0.93)
        rows = []
        for p in train:
            k = sum(draw.random() < p for _ in range(TRAIN))
            t = sum(draw.random() < min(0.955, draw.gauss(middle, 0.01)) for _ in range(TEST))
            loss = (1 - k / TRAIN) * draw.uniform(1.2, 3.0) + 0.02
            seconds = 128 * step * slower * draw.gauss(1, 0.01)
            rows.append((f"{k / TRAIN:.4f}", f"{t / TEST:.4f}", f"{loss:.4f}", f"{seconds:.1f}"))
        made.append(run(*rows))
    return made[0], made[1]


def test_honest_runs_show_signs_no_oftener_than_the_signs_say() -> None:
    """300 pairs of runs. A sign with a chance below p is allowed 300 p and four standard deviations more."""
    draw, pairs = random.Random(5), 300
    seen: Counter[str] = Counter()
    for _ in range(pairs):
        first, second = honest(draw)
        found: list[Any] = [*signs(first), *signs(second), *signs_between(first, second)]
        seen.update({sign.id for sign in found})
        assert [sign.id for sign in found if sign.flagged] == []
    most = pairs * TOLD * 2 + 4 * math.sqrt(pairs * TOLD * 2)
    assert all(times <= most for times in seen.values()), seen


@given(st.integers(1, 200), st.floats(0.01, 0.99), st.data())
def test_chances_are_chances(n: int, p: float, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    below = forensics._at_most(k, n, p)
    assert 0 <= below <= 1
    assert below == pytest.approx(
        sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1)), abs=1e-9
    )
    assert FLAGGED < TOLD

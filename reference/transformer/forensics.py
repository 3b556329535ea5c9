"""Signs that reported figures are not those of the run: each with the chance that an honest run shows it.

No sign takes a point. One that fewer than FLAGGED of honest runs show is put before a person, one that fewer than TOLD
show is advice, any other is kept silent. The chances are upper bounds under the assumption that each sign states; they
are tried out on simulated honest runs in the tests.

Sources: Brown and Heathers, "The GRIM Test", Social Psychological and Personality Science 8, 2017; Fisher's exact test;
accuracy on the whole of AG News: Yang et al., "XLNet", arXiv:1906.08237.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from grader.intake import Epoch, Metrics, accuracy_counts

FLAGGED = 1e-3
TOLD = 0.05
BEST_PUBLISHED = 0.9555
"""Accuracy on AG News after training on all of its 120,000 texts."""
LEARNT = 0.7
"""Below any right run on 1,024 texts: measured runs end above 0.78."""
JITTER = 0.002
"""Times of two epochs on one machine differ by at least this share, as a standard deviation; measured ones by 1 %."""
FASTEST_STEP_S = 0.002
"""A step starts more than 500 kernels on a GPU, at 4 microseconds each."""
MOST_TEXTS = 20_000
"""Sizes beyond this are not those of the coursework, and their chances would take long to add up."""
TIMES = (1.9, 0.25)
"""RoBERTa's time over DistilBERT's: middle (12 layers against 6) and standard deviation of its logarithm."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing about figures that honest ones seldom show."""

    id: str
    """Stable id, for example "times-alike"."""
    found: str
    """What was found, a sentence."""
    chance: float
    """Upper bound on the chance that an honest run shows it."""
    if_: str
    """The assumption behind the chance, after "if"."""

    @property
    def flagged(self) -> bool:
        """True where a person should ask."""
        return self.chance < FLAGGED

    @property
    def sentence(self) -> str:
        """As a report shows it."""
        who = "For a person" if self.flagged else "Worth a second look"
        return f"{who}: {self.found} {_often(self.chance)}, if {self.if_}."


def _often(chance: float) -> str:
    if chance <= 0:
        return "No honest run shows this"
    if chance < 1e-9:
        return "Fewer than one honest run in 1,000,000,000 shows this"
    rough = 10 ** math.floor(math.log10(1 / chance))
    times = int(1 / chance / rough) * rough
    return f"Fewer than one honest run in {times:,.0f} shows this"


def told(signs: Sequence[Sign]) -> list[Sign]:
    """Those that are worth telling, the rarest first."""
    return sorted((sign for sign in signs if sign.chance <= TOLD), key=lambda sign: sign.chance)


# ---------------------------------------------------------------- one run


def signs(metrics: Metrics) -> list[Sign]:
    """Everything odd about the figures of one run."""
    n_train, n_test = metrics.n_train or 0, metrics.n_test or 0
    if max(n_train, n_test) > MOST_TEXTS:
        return []
    found = [
        *_loss_too_low(metrics.epochs),
        *_train_as_test(metrics.epochs, n_train, n_test),
        *_train_at_rest(metrics.epochs, n_train),
        *_falls(metrics.epochs, n_train),
        *_test_above_train(metrics.epochs, n_train, n_test),
        *_majority(metrics.epochs, n_test),
        *_too_good(metrics.epochs, n_test),
        *_times_alike(metrics.epochs),
        *_too_fast(metrics.epochs, n_train, metrics.batch_size or 0),
    ]
    return told(found)


def _loss_too_low(epochs: Sequence[Epoch]) -> Iterator[Sign]:
    """A text that is answered wrongly has p <= 1/2 for its topic, so its loss is at least ln 2."""
    for i, epoch in enumerate(epochs, 1):
        if epoch.train_loss is None or epoch.train_acc is None:
            continue
        accuracy, loss = _most(epoch.train_acc), _most(epoch.train_loss)
        least = (1 - accuracy) * math.log(2)
        if loss < least:
            yield Sign(
                "loss-too-low",
                f"In epoch {i} {1 - accuracy:.1%} of the training texts are wrong, which costs a mean loss of "
                f"{least:.4f} at the least; {epoch.train_loss} is reported.",
                0.0,
                "loss and accuracy are means over the same passes",
            )


def _train_as_test(epochs: Sequence[Epoch], n_train: int, n_test: int) -> Iterator[Sign]:
    pairs = [(e.train_acc, e.test_acc) for e in epochs]
    if not pairs or n_train <= n_test or any(a is None or b is None or a != b for a, b in pairs):
        return
    chance = (n_test / n_train) ** len(pairs)
    chance *= min(_likeliest(value, n_test) for _, value in pairs if value is not None)
    yield Sign(
        "train-as-test",
        "Training and test accuracy are the same in every epoch, as if one had been measured twice.",
        chance,
        f"a count of {n_train:,} training texts is a multiple of {n_train // n_test} no more often than another number",
    )


def _train_at_rest(epochs: Sequence[Epoch], n_train: int) -> Iterator[Sign]:
    values = {e.train_acc for e in epochs}
    if len(epochs) < 3 or len(values) != 1 or None in values:
        return
    [value] = values
    assert value is not None
    if value == 1:  # all texts right, epoch after epoch, is what a long training ends with
        return
    yield Sign(
        "train-at-rest",
        f"The training accuracy is {value} in each of the {len(epochs)} epochs: nothing was learnt between them.",
        _likeliest(value, n_train) ** (len(epochs) - 1),
        "epochs err on other texts of their own",
    )


def _falls(epochs: Sequence[Epoch], n_train: int) -> Iterator[Sign]:
    values = [float(e.train_acc) for e in epochs if e.train_acc is not None]
    if len(values) < 2 or n_train == 0 or values[-1] >= values[0]:
        return
    yield Sign(
        "train-falls",
        f"The training accuracy falls from {values[0]:.4f} to {values[-1]:.4f}.",
        _fewer(round(values[-1] * n_train), n_train, round(values[0] * n_train), n_train),
        "training does not make a model worse on its own texts",
    )


def _test_above_train(epochs: Sequence[Epoch], n_train: int, n_test: int) -> Iterator[Sign]:
    """Only from the third epoch on: the running accuracy of the first is that of a model that knows nothing yet."""
    if len(epochs) < 3 or not n_train or not n_test:
        return
    train, test = epochs[-1].train_acc, epochs[-1].test_acc
    if train is None or test is None or test <= train:
        return
    chance = _fewer(round(float(train) * n_train), n_train, round(float(test) * n_test), n_test)
    yield Sign(
        "test-above-train",
        f"In the last epoch the test accuracy, {test}, is above the training accuracy, {train}.",
        chance,
        "texts that were trained on twice before are no harder than new ones",
    )


def _majority(epochs: Sequence[Epoch], n_test: int) -> Iterator[Sign]:
    last = epochs[-1].test_acc if epochs else None
    if last is None or not n_test or last > Decimal("0.36"):
        return
    yield Sign(
        "majority",
        f"A test accuracy of {last} is what a model has that gives one topic to all texts.",
        _at_most(round(float(last) * n_test), n_test, LEARNT),
        f"a right run reaches {LEARNT}",
    )


def _too_good(epochs: Sequence[Epoch], n_test: int) -> Iterator[Sign]:
    best = max((e.test_acc for e in epochs if e.test_acc is not None), default=None)
    if best is None or not n_test:
        return
    wrong = n_test - round(float(best) * n_test)
    yield Sign(
        "too-good",
        f"A test accuracy of {best} is above what has been published for training on all 120,000 texts of AG News "
        f"({BEST_PUBLISHED}): were the test texts trained on?",
        min(1.0, len(epochs) * _at_most(wrong, n_test, 1 - BEST_PUBLISHED)),
        "no run is better than that",
    )


def _times_alike(epochs: Sequence[Epoch]) -> Iterator[Sign]:
    times = [e.seconds for e in epochs if e.seconds is not None]
    if len(times) < 3 or len(set(times)) != 1 or times[0] <= 0:
        return
    step = _unit(times[0])
    spread = JITTER * float(times[0]) * math.sqrt(2)
    chance = min(1.0, step / (spread * math.sqrt(2 * math.pi))) ** (len(times) - 1)
    yield Sign(
        "times-alike",
        f"Each epoch took {times[0]} seconds, to the last digit.",
        chance,
        f"times of epochs differ by {JITTER:.1%} at the least",
    )


def _too_fast(epochs: Sequence[Epoch], n_train: int, batch: int) -> Iterator[Sign]:
    if not n_train or not batch:
        return
    steps = math.ceil(n_train / batch)
    times = [float(e.seconds) for e in epochs if e.seconds is not None and e.seconds > 0]
    fastest = min(times, default=math.inf)
    if fastest < steps * FASTEST_STEP_S:
        yield Sign(
            "too-fast",
            f"{steps} training steps in {fastest:g} seconds are {1000 * fastest / steps:.2f} ms a step.",
            0.0,
            f"no machine takes less than {1000 * FASTEST_STEP_S:g} ms a step, and the times are in seconds",
        )


# ---------------------------------------------------------------- two runs, predictions, a checkpoint


def signs_between(first: Metrics, second: Metrics) -> list[Sign]:
    """What is odd about the figures of DistilBERT and RoBERTa beside each other."""
    return told([*_same_figures(first, second), *_odd_ratio(first, second)])


def _same_figures(first: Metrics, second: Metrics) -> Iterator[Sign]:
    pairs = list(zip(first.epochs, second.epochs, strict=False))
    n = first.n_train or 0
    if (
        len(pairs) < 2
        or not 0 < n <= MOST_TEXTS
        or any(a.train_acc is None or a.train_acc != b.train_acc for a, b in pairs)
    ):
        return
    chance = math.prod(_likeliest(a.train_acc, n) for a, _ in pairs if a.train_acc is not None)
    yield Sign(
        "same-figures",
        "The training accuracies of the two models are the same in every epoch.",
        chance,
        "two models err on other texts",
    )


def _odd_ratio(first: Metrics, second: Metrics) -> Iterator[Sign]:
    times = [sum(float(e.seconds) for e in m.epochs if e.seconds is not None) for m in (first, second)]
    if min(times) <= 0:
        return
    ratio, (middle, spread) = times[1] / times[0], TIMES
    away = abs(math.log(ratio / middle)) / spread
    yield Sign(
        "times-odd",
        f"RoBERTa took {ratio:.2f} times as long as DistilBERT; it has twice the layers.",
        math.erfc(away / math.sqrt(2)),
        f"both were trained on one machine, where it takes about {middle} times as long",
    )


def predictions_sign(right: int, n: int, accuracy: Decimal | None) -> list[Sign]:
    """Predictions on n clear texts, `right` of them right, by a model of the claimed test accuracy."""
    if accuracy is None or not 0 < accuracy <= 1 or n <= 0:
        return []
    sign = Sign(
        "predictions",
        f"Of the {n} predictions {right} {'is' if right == 1 else 'are'} right, and a test accuracy of {accuracy} is "
        "claimed of the model.",
        _at_most(right, n, float(accuracy)),
        "these texts are no harder than the test texts",
    )
    return told([sign] if right < n else [])


def memorised_sign(test: tuple[int, int], held_out: tuple[int, int]) -> list[Sign]:
    """A checkpoint that is better on the test texts than on others of the same kind; (right, n) of each."""
    sign = Sign(
        "memorised",
        f"The checkpoint has {test[0]} of {test[1]} test texts right and {held_out[0]} of {held_out[1]} that were held "
        "out: were the test texts trained on?",
        _fewer(held_out[0], held_out[1], test[0], test[1]),
        "test texts and held-out ones are equally hard",
    )
    return told([sign] if test[0] * held_out[1] > held_out[0] * test[1] else [])


def grim_share(n: int, digits: int) -> float:
    """Share of all figures from 0 to 1 with so many digits that k/n can give: what an invented one passes with."""
    exact = [Fraction(k * 10**digits, n) for k in range(n + 1)]
    half = Fraction(1, 2)
    printed = {figure for x in exact for figure in (math.floor(x), math.ceil(x - half), math.floor(x + half))}
    return len(printed) / (int(10**digits) + 1)


# ---------------------------------------------------------------- chances


def _unit(value: Decimal) -> float:
    """One unit of the last printed digit."""
    exponent = int(value.as_tuple().exponent)
    return float(10.0 ** min(max(exponent, -30), 9))


def _most(value: Decimal) -> float:
    """The largest number that is printed as `value`, rounded or cut."""
    return float(value) + _unit(value)


def _likeliest(value: Decimal, n: int) -> float:
    """The largest chance, over all true accuracies, that a run on n texts shows just this figure."""
    counts = accuracy_counts(value, n)
    return min(1.0, math.fsum(_exactly(k, n, k / n) for k in counts)) if len(counts) else 1.0


def _exactly(k: int, n: int, p: float) -> float:
    """P(X = k), X binomial."""
    if p in (0.0, 1.0):
        return float(k == n * p)
    return math.exp(_log_ways(n, k) + k * math.log(p) + (n - k) * math.log1p(-p))


def _at_most(k: int, n: int, p: float) -> float:
    """P(X <= k), X binomial."""
    return min(1.0, math.fsum(_exactly(i, n, p) for i in range(max(0, k) + 1)))


def _fewer(a: int, n: int, b: int, m: int) -> float:
    """Fisher's exact test, one-sided: a of n right against b of m, if both were equally likely to be right."""
    total = a + b
    whole = _log_ways(n + m, total)
    least = max(0, total - m)
    terms = (math.exp(_log_ways(n, i) + _log_ways(m, total - i) - whole) for i in range(least, a + 1))
    return min(1.0, math.fsum(terms))


def _log_ways(n: int, k: int) -> float:
    """The logarithm of n over k."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

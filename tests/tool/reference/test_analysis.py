"""Part 4's numbers, against the digits that a right report shows."""

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.transformer.analysis import QUANTITIES, value
from reference.transformer.derivations import LOGITS, cross_entropy, linear_parameters, share, softmax

EXACT = {
    "4c.elements": 268_435_456,
    "4c.bytes": 536_870_912,
    "4c.total_gb": 25_769_803_776,
    "4d.first": 151_019_520,
    "4d.second": 151_001_088,
    "4d.block": 302_020_608,
    "4d.total": 14_496_989_184,
    "4e1.trainable": 9_437_184,
    "4e2.lora_state": 75_497_472,
    "4e3.ffn_state": 115_975_913_472,
}


@pytest.mark.parametrize("id", EXACT)
def test_integers_are_exact(id: str) -> None:
    assert value(id) == EXACT[id]
    assert isinstance(value(id), Fraction)


def test_the_rest_to_the_digits_known() -> None:
    assert f"{value('4a.probability'):.10f}" == "0.7500448726"
    assert f"{value('4a.loss'):.10f}" == "0.2876222441"
    assert f"{float(value('4e3.share')):.7f}" == "0.0650975"
    assert value("4c.total_gb") == 24 * 2**30
    assert list(QUANTITIES) == ["4a.probability", "4a.loss", *EXACT, "4e3.share"]


SLIPS = {
    ("4a.probability", "rounded_early"): 0.7501,
    ("4a.loss", "rounded_early"): 0.2877,
    ("4a.loss", "log2"): 0.41495,
    ("4c.bytes", "bits"): 4_294_967_296,
    ("4c.total_gb", "gib"): 24_000_000_000,
    ("4c.total_gb", "rounded_early"): 25_776_000_000,
    ("4d.total", "no_bias"): 14_495_514_624,
    ("4d.total", "one_layer"): 302_020_608,
    ("4e1.trainable", "half"): 4_718_592,
    ("4e1.trainable", "one_layer"): 196_608,
    ("4e2.lora_state", "bits"): 603_979_776,
    ("4e3.share", "not_percent"): 0.000650975,
    ("4e3.share", "mixed_units"): 65.0975,
}


@pytest.mark.parametrize(("id", "slip"), SLIPS)
def test_known_slips(id: str, slip: str) -> None:
    [found] = [s for s in QUANTITIES[id].slips if s.id == slip]
    assert float(found.value) == pytest.approx(SLIPS[id, slip], rel=2e-4)


def test_slips_are_told_apart() -> None:
    for quantity in QUANTITIES.values():
        right = float(value(quantity.id))
        values = [right, *(float(slip.value) for slip in quantity.slips)]
        apart = [abs(a - b) / max(abs(a), abs(b)) for i, a in enumerate(values) for b in values[:i]]
        assert min(apart, default=1) > 2e-5, quantity.id
        assert len({slip.id for slip in quantity.slips}) == len(quantity.slips)
        assert all(slip.title and slip.hint.endswith((".", "?")) for slip in quantity.slips)


def test_hints_do_not_give_the_answer_away() -> None:
    for quantity in QUANTITIES.values():
        for slip in quantity.slips:
            assert not any(sign.isdigit() for sign in slip.hint), (quantity.id, slip.id)


def test_errors_are_carried_forward() -> None:
    assert value("4c.bytes", {"4c.elements": 1000}) == 2000
    assert value("4c.total_gb", {"4c.elements": 1000}) == 96_000
    assert value("4c.total_gb", {"4c.elements": 1000, "4c.bytes": 7}) == 336
    assert value("4d.total", {"4d.first": 1, "4d.second": 2}) == 144
    assert value("4a.loss", {"4a.probability": 1}) == 0
    with pytest.raises(ValueError, match="math domain error"):
        value("4a.loss", {"4a.probability": 0})
    assert value("4e3.share", {"4e1.trainable": 4_718_592}) == value("4e3.share") / 2
    assert value("4d.total", {"4d.total": 5}) == value("4d.total")


def test_inputs_come_earlier() -> None:
    seen: set[str] = set()
    for quantity in QUANTITIES.values():
        assert set(quantity.inputs) <= seen
        seen.add(quantity.id)


def test_units() -> None:
    units = {id: quantity.unit for id, quantity in QUANTITIES.items()}
    assert {id for id, unit in units.items() if unit == "byte"} == {
        "4c.bytes",
        "4c.total_gb",
        "4e2.lora_state",
        "4e3.ffn_state",
    }
    assert units["4e3.share"] == "percent"
    assert units["4d.total"] == "parameter"
    assert units["4a.loss"] == ""


@given(st.lists(st.decimals(-50, 50, places=3), min_size=1, max_size=8))
def test_softmax_is_a_distribution(logits: list[Decimal]) -> None:
    p = softmax(logits)
    assert all(x >= 0 for x in p)
    assert abs(sum(map(Fraction, p)) - 1) < Fraction(1, 10**28)
    shifted = softmax([z + 7 for z in logits])
    assert all(abs(Fraction(a) - Fraction(b)) < Fraction(1, 10**28) for a, b in zip(p, shifted, strict=True))


def test_softmax_and_loss_are_pytorchs() -> None:
    import torch

    logits = torch.tensor([float(z) for z in LOGITS], dtype=torch.float64)
    assert [float(p) for p in softmax(LOGITS)] == pytest.approx(logits.softmax(0).tolist(), rel=1e-14)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(2)).item()
    assert cross_entropy(value("4a.probability")) == pytest.approx(loss, rel=1e-14)


def test_linear_parameters_are_pytorchs() -> None:
    from torch import nn

    assert linear_parameters(5, 20) == sum(p.numel() for p in nn.Linear(5, 20).parameters())


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_share_of_fractions_is_exact(part: int, whole: int) -> None:
    assert share(Fraction(part), Fraction(whole)) * whole == 100 * part


def test_needs_no_torch() -> None:
    code = (
        "import sys, reference.transformer.analysis, reference.transformer.prose, reference.transformer.runs;"
        "print([m for m in ('torch', 'numpy', 'transformers') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

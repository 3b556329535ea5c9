"""Which of a module's matrices is which, beyond what the legitimate variants show."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from reference.transformer.attention import AttentionWeights
from reference.transformer.matching import candidates, replayable

E, H = 6, 2
NAMED = ("query", "key", "value", "proj")


def maps(*names: str) -> dict[str, Tensor]:
    """Layers of size (E, E), told apart by their values."""
    return {
        f"{name}.{kind}": torch.full((E, E) if kind == "weight" else (E,), float(place))
        for place, name in enumerate(names)
        for kind in ("weight", "bias")
    }


def chosen(weights: AttentionWeights) -> tuple[float, ...]:
    """Which map stands for query, key, value and output."""
    return tuple(float(w.flatten()[0]) for w in (weights.w_q, weights.w_k, weights.w_v, weights.w_o))


@pytest.mark.parametrize("unused", [0, 1, 2])
def test_up_to_two_maps_may_be_left_unused(unused: int) -> None:
    names = [f"layer{place}" for place in range(4 + unused)]
    found = {chosen(weights) for weights in candidates(maps(*names), E, H)}
    assert (float(unused), 1.0 + unused, 2.0 + unused, 3.0 + unused) in found
    assert all(len(set(order)) == 4 for order in found)


def test_more_maps_than_that_are_no_attention() -> None:
    assert not candidates(maps(*(f"layer{place}" for place in range(7))), E, H)
    assert not candidates(maps("one", "two", "three"), E, H)


def test_mistakes_are_looked_for_where_no_map_is_unused() -> None:
    assert replayable(maps(*"abcd"), E, H)
    assert not replayable(maps(*"abcde"), E, H)


def test_layers_with_the_handouts_names_may_keep_their_weights_either_way() -> None:
    parameters = maps(*NAMED)
    parameters["query.weight"] = torch.arange(E * E).reshape(E, E).float()
    found = candidates(parameters, E, H)
    assert {chosen(weights)[1:] for weights in found} == {(1.0, 2.0, 3.0)}
    assert torch.equal(found[0].w_q, parameters["query.weight"])
    assert any(torch.equal(weights.w_q, parameters["query.weight"].T) for weights in found)
    assert len(replayable(parameters, E, H)) == 1

"""What is kept of the reference equals what the reference computes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from reference.transformer import kept
from reference.transformer.attention import MultiHeadAttention, attention
from reference.transformer.kept import expected_attention, expected_gradients
from reference.transformer.matching import replayable

E, H, S, T = 12, 3, 4, 5


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    for kept_results in (kept._of_objects, kept._attention, kept._gradients_of_objects, kept._gradients):
        kept_results.cache_clear()


def drawn(seed: int) -> tuple[MultiHeadAttention, tuple[Tensor, Tensor, Tensor], Tensor]:
    torch.manual_seed(seed)
    module = MultiHeadAttention(E, H).eval()
    mask = torch.rand(S, T) < 0.7
    mask[:, 0] = True
    return module, (torch.randn(2, S, E), torch.randn(2, T, E), torch.randn(2, T, E)), mask


@pytest.mark.parametrize("as_float", [False, True])
@pytest.mark.parametrize("copied", [False, True])
def test_it_is_what_attention_gives(as_float: bool, copied: bool) -> None:
    module, inputs, mask = drawn(0)
    given = mask.float() if as_float else mask
    for attn_mask in (None, given, None, given):  # computed, then kept
        expected = attention(*inputs, module.weights(), H, attn_mask)
        for found, due in zip(
            expected_attention(*inputs, module.weights(), H, attn_mask), expected, strict=True
        ):
            torch.testing.assert_close(found, due)
            assert not found.requires_grad
        if copied:
            inputs = tuple(x.clone() for x in inputs)
    assert kept._of_objects.cache_info().hits == (0 if copied else 2)
    assert kept._attention.cache_info().hits == (2 if copied else 0)


def test_any_other_bit_is_another_result() -> None:
    module, inputs, mask = drawn(1)
    first = expected_attention(*inputs, module.weights(), H, mask).output.clone()
    with torch.no_grad():
        module.value.bias[3] += 1e-3
    second = expected_attention(*inputs, module.weights(), H, mask).output
    assert not torch.equal(first, second)
    inputs[0][0, 0, 0] += 1e-3
    third = expected_attention(*inputs, module.weights(), H, mask).output
    assert not torch.equal(second, third)
    assert kept._of_objects.cache_info().hits == kept._attention.cache_info().hits == 0


def test_the_number_of_heads_and_an_absent_bias_count() -> None:
    module, inputs, _ = drawn(2)
    module.key.bias = None
    two = expected_attention(*inputs, module.weights(), 2).output
    three = expected_attention(*inputs, module.weights(), 3).output
    torch.testing.assert_close(three, attention(*inputs, module.weights(), 3).output)
    assert not torch.equal(two, three)


def test_the_gradients_are_those_of_autograd() -> None:
    module, inputs, mask = drawn(3)
    parameters = {name: p.detach().clone() for name, p in module.named_parameters()}
    parameters["unused"] = torch.ones(2)
    cotangent = torch.randn(2, S, E)
    assert len(replayable(parameters, E, H)) == 1
    for _ in range(2):
        found = expected_gradients(parameters, 0, H, (*inputs, mask), cotangent)
    (module(*inputs, mask) * cotangent).sum().backward()
    assert set(found) == set(parameters)
    for name, p in module.named_parameters():
        torch.testing.assert_close(found[name], p.grad)
    assert not found["unused"].any()
    assert kept._gradients_of_objects.cache_info().hits == 1
    copies = {name: p.clone() for name, p in parameters.items()}
    expected_gradients(copies, 0, H, (*inputs, mask), cotangent)
    assert kept._gradients.cache_info().hits == 1

"""The functional form equals the module, PyTorch's own attention, and a loop that follows the formula."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from reference.transformer.attention import (
    AttentionWeights,
    MultiHeadAttention,
    attention,
    causal_mask,
    merge_heads,
    split_heads,
)

N, S, T, E, H = 2, 4, 6, 12, 3
TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-14}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)


def draw(seed: int, dtype: torch.dtype) -> tuple[MultiHeadAttention, Tensor, Tensor, Tensor]:
    """A module in eval mode, a query (N, S, E), and a key and a value (N, T, E)."""
    torch.manual_seed(seed)
    module = MultiHeadAttention(E, H).to(dtype).eval()
    return module, *(torch.randn(N, length, E, dtype=dtype) for length in (S, T, T))


def some_mask() -> Tensor:
    """(S, T), no row of which is empty."""
    mask = torch.rand(S, T) < 0.5
    mask[:, 0] = True
    return mask


def by_loops(query: Tensor, key: Tensor, value: Tensor, w: AttentionWeights, mask: Tensor | None) -> Tensor:
    """Equation (1) of Vaswani et al., one batch item, head and position at a time, in float64."""
    q = query @ w.w_q.T + w.b_q
    k = key @ w.w_k.T + w.b_k
    v = value @ w.w_v.T + w.b_v
    out = torch.zeros_like(q)
    D = E // H
    for n in range(N):
        for h in range(H):
            head = slice(h * D, (h + 1) * D)
            for s in range(S):
                scores = [float(q[n, s, head] @ k[n, t, head]) / math.sqrt(D) for t in range(T)]
                e = [math.exp(x) if mask is None or mask[s, t] else 0.0 for t, x in enumerate(scores)]
                out[n, s, head] = sum(e[t] / sum(e) * v[n, t, head] for t in range(T))
    return out @ w.w_o.T + w.b_o


@DTYPES
@pytest.mark.parametrize("masked", [False, True])
def test_functional_equals_module(dtype: torch.dtype, masked: bool) -> None:
    module, q, k, v = draw(0, dtype)
    mask = some_mask() if masked else None
    assert torch.equal(attention(q, k, v, module.weights(), H, mask).output, module(q, k, v, mask))


@pytest.mark.parametrize("masked", [False, True])
def test_equals_the_formula_in_loops(masked: bool) -> None:
    module, q, k, v = draw(1, torch.float64)
    mask = some_mask() if masked else None
    with torch.no_grad():
        expected = by_loops(q, k, v, module.weights(), mask)
        assert torch.allclose(module(q, k, v, mask), expected, rtol=0, atol=1e-13)


@DTYPES
def test_equals_scaled_dot_product_attention(dtype: torch.dtype) -> None:
    module, q, k, v = draw(2, dtype)
    mask = some_mask()
    a = module.attend(q, k, v, mask)
    keys = split_heads(module.key(k), H)
    heads = F.scaled_dot_product_attention(a.query_heads, keys, a.value_heads, attn_mask=mask)
    assert torch.allclose(a.output, module.proj(merge_heads(heads)), rtol=0, atol=TOLERANCE[dtype])


@DTYPES
def test_equals_nn_multihead_attention(dtype: torch.dtype) -> None:
    module, q, k, v = draw(3, dtype)
    w, mask = module.weights(), some_mask()
    theirs = nn.MultiheadAttention(E, H, batch_first=True, dtype=dtype).eval()
    theirs.load_state_dict(
        {
            "in_proj_weight": torch.cat([w.w_q, w.w_k, w.w_v]),
            "in_proj_bias": torch.cat([b for b in (w.b_q, w.b_k, w.b_v) if b is not None]),
            "out_proj.weight": w.w_o,
            "out_proj.bias": w.b_o,
        }
    )
    output, weights = theirs(q, k, v, attn_mask=~mask, average_attn_weights=False)
    ours = module.attend(q, k, v, mask)
    assert torch.allclose(ours.output, output, rtol=0, atol=TOLERANCE[dtype])
    assert torch.allclose(ours.weights, weights, rtol=0, atol=TOLERANCE[dtype])


def test_layers_are_made_in_the_order_of_the_handout() -> None:
    names = [name for name, _ in MultiHeadAttention(E, H).named_children()]
    assert names == ["key", "query", "value", "proj", "attn_drop"]


@pytest.mark.parametrize("kind", [torch.bool, torch.float32, torch.int64], ids=str)
def test_mask_removes_where_it_is_zero(kind: torch.dtype) -> None:
    module, q, k, v = draw(4, torch.float64)
    mask = some_mask()
    weights = module.attend(q, k, v, mask.to(kind)).weights
    assert (weights[:, :, ~mask] == 0).all()
    assert (weights[:, :, mask] > 0).all()


def test_a_row_without_keys_is_nan_as_documented() -> None:
    module, q, k, v = draw(5, torch.float64)
    mask = torch.ones(S, T)
    mask[2] = 0
    output = module(q, k, v, mask)
    assert output[:, 2].isnan().all()
    assert output[:, [0, 1, 3]].isfinite().all()


def test_biases_are_optional() -> None:
    module, q, k, v = draw(6, torch.float64)
    none = dict.fromkeys(("b_q", "b_k", "b_v", "b_o"))
    bare = replace(module.weights(), **none)
    for layer in (module.query, module.key, module.value, module.proj):
        nn.init.zeros_(layer.bias)
    assert torch.allclose(attention(q, k, v, bare, H).output, module(q, k, v), rtol=0, atol=1e-14)


def test_dropout_acts_on_the_weights() -> None:
    module, q, k, v = draw(7, torch.float64)
    seen = []

    def drop_all(weights: Tensor) -> Tensor:
        seen.append(weights.shape)
        return torch.zeros_like(weights)

    result = attention(q, k, v, module.weights(), H, None, drop_all)
    assert seen == [(N, H, S, T)]
    assert torch.equal(result.output, module.proj.bias.expand(N, S, E))
    assert torch.allclose(result.weights.sum(-1), torch.ones(N, H, S, dtype=torch.float64))


def test_dropout_is_off_in_eval_and_on_in_train() -> None:
    module, q, k, v = draw(8, torch.float32)
    assert torch.equal(module(q, k, v), module(q, k, v))
    assert not torch.equal(module.train()(q, k, v), module(q, k, v))


def test_gradients_reach_every_weight() -> None:
    module, q, k, v = draw(9, torch.float32)
    module(q, k, v).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())
    assert all(p.grad.abs().max() > 0 for name, p in module.named_parameters() if name != "key.bias")


def test_a_width_that_the_heads_do_not_divide_is_refused() -> None:
    x = torch.zeros(1, 2, 10)
    with pytest.raises(RuntimeError, match="invalid for input of size"):
        MultiHeadAttention(10, 3)(x, x, x)


def test_causal_mask_hides_the_future() -> None:
    assert causal_mask(3).tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 3), length=st.integers(1, 5), heads=st.integers(1, 4), d=st.integers(1, 4))
def test_merge_undoes_split(n: int, length: int, heads: int, d: int) -> None:
    x = torch.arange(n * length * heads * d).view(n, length, heads * d)
    split = split_heads(x, heads)
    assert split.shape == (n, heads, length, d)
    assert torch.equal(merge_heads(split), x)
    assert torch.equal(split[:, 0], x[:, :, :d])


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), s=st.integers(1, 5), t=st.integers(1, 5), heads=st.sampled_from([1, 2, 4])
)
def test_properties_of_attention(seed: int, s: int, t: int, heads: int) -> None:
    """Weights are a distribution over keys, and the order of the keys does not matter."""
    torch.manual_seed(seed)
    module = MultiHeadAttention(8, heads).double().eval()
    q, k, v = (torch.randn(2, length, 8, dtype=torch.float64) for length in (s, t, t))
    result = module.attend(q, k, v)
    assert result.output.shape == (2, s, 8)
    assert (result.weights >= 0).all()
    assert torch.allclose(result.weights.sum(-1), torch.ones(2, heads, s, dtype=torch.float64))
    order = torch.randperm(t)
    assert torch.allclose(module(q, k[:, order], v[:, order]), result.output, rtol=0, atol=1e-12)

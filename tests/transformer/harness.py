"""What the checks need done beside the student's code, inside the worker. It holds no expected value.

Whatever runs here can be tampered with by the student's code, so it returns data and never a verdict: inputs are
drawn in the judge after the worker was started, weights are drawn there a second time, and the judge compares.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import worker_finetuning
from dropout_stream import DropoutStream
from fresh_weights import fresh_weights
from pickled_weights import (  # noqa: F401  (the checks of checkpoints call them as the harness's own)
    pickled_append,
    pickled_begin,
    pickled_open,
    pickled_tensors,
)
from torch import nn
from torch.nn.utils import parametrize
from watch import Watch, loops, loose_tensors
from worker_finetuning import (  # noqa: F401  (the checks of part 3 call them as the harness's own)
    dataset,
    frozen,
    load_weights,
    raise_script_error,
    script_trained,
    tiny_model,
    tokenizer,
    training_watched,
    watch_training,
)

# torch.compile would start a C++ compiler, and nothing can be started here: it leaves functions as they are instead.
os.environ["TORCHDYNAMO_DISABLE"] = "1"

ASSETS: str = globals()["ASSETS"]
"""Folder of the texts and tiny models, as the worker sees it; set before this file is executed."""
worker_finetuning.assets = str(ASSETS)
weights = worker_finetuning.weights
_MOST_PARTS = 1_000
"""Modules inside a module that are looked at one by one."""
_CALLS_UNTIL_FAST = 10
"""Python rewrites a function for the types that it meets after some eight calls, which each worker would do anew."""


def warm_up() -> None:
    """Run once before any student code is there: what torch loads on first use is then shared by all workers."""
    stand_ins = {"MultiHeadAttention": _Plain, "PositionalEncoding": _PlainTable}
    globals()["student"] = stand_ins.__getitem__
    try:
        for _ in range(_CALLS_UNTIL_FAST if globals().get("MANY") else 1):
            _warm_up(_Plain(8, 2), [torch.randn(2, 3, 8)] * 3, torch.ones(3, 3).tril())
            _warm_up(_PlainTable(8), [torch.randn(2, 3, 8)])
            handout_attention(_Plain(8, 2), "intel")
            handout_attention(_Plain(8, 2), "per_element")
            handout_encoding(_PlainTable(6), "intel", 0)
            advise_attention()
            advise_encoding()
    finally:
        del globals()["student"]
    if "transformers" in sys.modules:
        worker_finetuning.warm_up()


def _warm_up(module: nn.Module, inputs: list[torch.Tensor], *masks: torch.Tensor) -> None:
    """What the checks do with a module."""
    randomise(module, 0)
    for mask in masks:
        forward(module, True, 0, [*inputs, mask])
        forward(module, False, 0, [*inputs, mask.bool()])
    forward(module, True, 0, inputs)
    forward_and_inputs(module, inputs)
    gradients(module, inputs, torch.ones(2, 3, 8))
    tensors_left_behind(module, inputs)


class _Plain(nn.Module):
    """Uses what attention modules use, in no meaningful way: for warm_up() alone."""

    def __init__(self, embed_dim: int, num_heads: int) -> None:
        super().__init__()
        self.layer = nn.Linear(embed_dim, embed_dim)
        self.drop = nn.Dropout(0.1)
        self.num_heads = num_heads

    def forward(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        (N, S, _), H = query.shape, self.num_heads
        x = self.layer(query).view(N, S, H, -1).transpose(1, 2)
        y = self.layer(key).unflatten(-1, (H, -1))
        scores = torch.einsum("nhsd,nthd->nhst", x, y) / 2 + x @ y.permute(0, 2, 3, 1)
        if attn_mask is not None:
            scores = scores.masked_fill(attn_mask == 0, float("-inf"))
        weights = self.drop(scores.softmax(-1)) * torch.softmax(scores, dim=-1)
        z = torch.einsum("nhst,nthd->nshd", weights, y) + (weights @ y.transpose(1, 2)).transpose(1, 2)
        return z.flatten(-2) + z.contiguous().view(N, S, -1) + z.reshape(query.shape)


class _PlainTable(nn.Module):
    """Uses what positional encodings use, in the same way."""

    def __init__(self, embed_dim: int, max_len: int = 16) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.1)
        rows = torch.arange(max_len, dtype=torch.float32)
        columns = torch.exp(-torch.arange(0, embed_dim, 2).float()) + 2.0 ** torch.arange(0, embed_dim, 2)
        table = torch.zeros(max_len, embed_dim)
        table[:, 0::2] = torch.sin(rows.unsqueeze(1) * columns)
        table[:, 1::2] = torch.cos(rows[:, None] * columns)
        table += torch.stack([torch.outer(rows, columns).sin(), table[:, 1::2].cos()], dim=-1).flatten(1)
        self.register_buffer("table", table.unsqueeze(0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.drop(x + self.table[:, : x.size(1)])
        return y


def run_scripts(train: list[list[Any]], test: list[list[Any]]) -> list[str]:
    """Run what the hand-in trains by itself, its notebooks included; see worker_finetuning."""
    # The worker puts the reader of the hand-in's notebooks into this module, as it does with the finder.
    return worker_finetuning.run_scripts(train, test, globals()["cells"]())


# ---------------------------------------------------------------- modules


def randomise(module: nn.Module, seed: int) -> dict[str, list[int]]:
    """Give every parameter the fresh values that go with `seed`; names and shapes, in the order of registration.

    The values do not come back: the judge draws them again from the same seed.
    """
    _refuse_other_than_module(module)
    _make_plain(module)
    parameters = _parameters(module)
    drawn = fresh_weights({name: p.shape for name, p in parameters.items()}, seed)
    with torch.no_grad():
        for name, p in parameters.items():
            p.copy_(drawn[name])
    return {name: list(p.shape) for name, p in parameters.items()}


def _parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """All by name but the frozen constants: a scale or a mask kept as a parameter that is not trained is no weight."""
    return {
        name: parameter
        for name, parameter in module.named_parameters()
        if parameter.requires_grad or (parameter.is_floating_point() and parameter.numel() > 1)
    }


def _make_plain(module: nn.Module) -> None:
    """Let every weight be a parameter of its own: lazy layers get their shapes from a call, and what computes a weight
    from parameters (weight normalisation, say) is taken away. The module computes what it did."""
    lazy = [m for m in module.modules() if isinstance(m, nn.LazyLinear) and m.has_uninitialized_params()]
    if lazy:
        x = torch.zeros(1, 1, min(layer.out_features for layer in lazy))
        forward(module, False, 0, [x, x, x])
    for part in list(module.modules()):
        for name in list(getattr(part, "parametrizations", ())):
            parametrize.remove_parametrizations(part, name)


def forward(module: nn.Module, training: bool, seed: int, inputs: list[Any]) -> Any:
    """Call the module on `inputs` in train or eval mode, without gradients, dropout seeded with `seed`."""
    _refuse_other_than_module(module)
    _set_mode(module, training)
    torch.default_generator.manual_seed(seed)
    with torch.no_grad():
        return _call(module, *inputs)


def _set_mode(module: nn.Module, training: bool) -> None:
    """As `module.train(training)`, which is left out where it would change nothing: it is slow."""
    parts: list[nn.Module | None] = [module]
    for part in parts:
        if part is None:
            continue
        if (
            part.training is not training
            or type(part).train is not nn.Module.train
            or "train" in vars(part)
            or len(parts) > _MOST_PARTS  # they go round in a circle
        ):
            module.train(training)
            return
        parts += part._modules.values()


def _refuse_other_than_module(module: Any) -> None:
    if not isinstance(module, nn.Module):
        name = type(module).__name__
        raise TypeError(f"{name} is no torch.nn.Module: write `class {name}(nn.Module):`.")


def _call(module: nn.Module, *inputs: Any) -> Any:
    """module(*inputs); a forward that takes other arguments is told by its signature."""
    try:
        return module(*inputs)
    except TypeError:
        _refuse_misfit(module, inputs)
        raise


def _refuse_misfit(module: nn.Module, inputs: Sequence[Any]) -> None:
    try:
        signature = inspect.signature(module.forward)
    except (TypeError, ValueError):  # compiled code may have none
        return
    try:
        signature.bind(*inputs)
    except TypeError as error:
        count = f"{len(inputs)} argument{'' if len(inputs) == 1 else 's'}"
        raise TypeError(
            f"{type(module).__name__}.forward{signature} cannot be called with {count}: {error}."
        ) from None


def forward_and_inputs(module: nn.Module, inputs: list[Any], training: bool = False) -> dict[str, Any]:
    """The output, and the inputs as they are after the call."""
    return {"output": forward(module, training, 0, inputs), "inputs": inputs}


def gradients(module: nn.Module, inputs: list[Any], cotangent: torch.Tensor) -> dict[str, Any]:
    """Gradients of (output · cotangent).sum() in eval mode, by parameter name and of each floating-point input; None
    where there is none."""
    module.eval()
    module.zero_grad(set_to_none=True)
    torch.default_generator.manual_seed(0)
    leaves = [x.clone().requires_grad_() if x.is_floating_point() else x for x in inputs]
    # Copies go in: a forward that changes its input in place may do so with those.
    output = _call(module, *(x.clone() for x in leaves))
    attached = isinstance(output, torch.Tensor) and output.requires_grad
    if attached:
        (output * cotangent).sum().backward()
    grads = {name: None if p.grad is None else p.grad.detach() for name, p in _parameters(module).items()}
    return {"attached": attached, "gradients": grads, "inputs": [x.grad for x in leaves]}


def forward_nearby(module: nn.Module, inputs: list[Any], name: str, step: torch.Tensor) -> Any:
    """The output in eval mode with `step` added to one parameter, which is put back."""
    module.eval()
    parameter = _parameters(module)[name]
    before = parameter.detach().clone()
    torch.default_generator.manual_seed(0)
    with torch.no_grad():
        parameter.add_(step)
        try:
            return _call(module, *inputs)
        finally:
            parameter.copy_(before)


# ---------------------------------------------------------------- advice


def tensors_left_behind(module: nn.Module, inputs: list[Any]) -> list[str]:
    """Names of plain attributes that would stay on the CPU when the module moves, and that forward then trips over."""
    loose = loose_tensors(module)
    return [name for name in _watched(module, inputs).left_behind if name in loose] if loose else []


def advise_attention() -> dict[str, Any]:
    """How the student's MultiHeadAttention does its work: loops, tensors left behind, prints; see `_advice`."""
    modules: dict[int, nn.Module] = {}

    def run(sizes: Mapping[str, int]) -> Watch:
        N, S, T, H = sizes.values()
        if H not in modules:
            modules[H] = _student("MultiHeadAttention")(12, H)
        query, key, mask = torch.ones(N, S, 12), torch.ones(N, T, 12), torch.ones(S, T, dtype=torch.bool)
        watch = _watched(modules[H], [query, key, key.clone(), mask])
        if sizes is small:  # without a mask code may make one of its own
            watch.left_behind |= _watched(modules[H], [query, key, key.clone()]).left_behind
        return watch

    small = {"sequences": 3, "queries": 4, "keys": 5, "heads": 3}
    return _advice(run, small)


def advise_encoding() -> dict[str, Any]:
    """The same of the student's PositionalEncoding, whose constructor is watched too: its table is made there.

    A table that is a plain attribute is left out: that is no advice but marked, in 2d.buffer.
    """

    def run(sizes: Mapping[str, int]) -> Watch:
        N, S, E = sizes.values()
        with _watch() as built:
            module = _student("PositionalEncoding")(E, max_len=2 * S)
        watch = _watched(module, [torch.ones(N, S, E)])
        watch.calls += built.calls
        watch.repeats |= built.repeats
        for name in loose_tensors(module):
            watch.left_behind.pop(name, None)
        return watch

    return _advice(run, {"sequences": 3, "positions": 4, "features": 6})


def _advice(run: Callable[[Mapping[str, int]], Watch], sizes: dict[str, int]) -> dict[str, Any]:
    """{"loops": [[axis, line]], "left_behind": [[tensor, line]], "prints": [line]}: what could be said without a mark.

    Code that cannot be run like this gets no advice: why it cannot is for the checks to say.
    """
    watched: list[Watch] = []

    def watch(sizes: Mapping[str, int]) -> Watch:
        watched.append(run(sizes))
        return watched[-1]

    try:
        found = loops(watch, sizes)
    except BaseException:  # whatever it is, it is not worth a check
        return {"loops": [], "left_behind": [], "prints": []}
    return {
        "loops": [list(one) for one in found],
        "left_behind": [list(one) for one in watched[0].left_behind.items()],
        "prints": watched[0].prints,
    }


def _watched(module: nn.Module, inputs: list[Any]) -> Watch:
    """One call in eval mode, looked at."""
    module.eval()
    watch = _watch()
    watch.put_module(module)
    watch.put(inputs)
    with torch.no_grad(), watch:
        module(*inputs)
    return watch


def _watch() -> Watch:
    """Of the code in the current folder, which is the hand-in's."""
    return Watch(str(Path.cwd()))


def _student(name: str) -> Any:
    """The student's own definition; the worker puts the finder into this module."""
    return globals()["student"](name)


# ---------------------------------------------------------------- the handout's own runs


def handout_attention(module: nn.Module, stream: str) -> dict[str, Any]:
    """The handout's three calls, in train mode and in its order of draws, under a named dropout stream.

    The module must have been built right before, with the seed of the run and nothing drawn since.
    """
    _refuse_other_than_module(module)
    with torch.no_grad(), DropoutStream(stream):
        module.train()
        data = torch.randn(1, 3, 8)
        own = _call(module, data, data, data)
        mask = torch.randn(3, 3) < 0.5
        masked = _call(module, data, data, data, mask)
        other = torch.randn(1, 3, 8)
        cross = _call(module, data, other, other)
    return {"self": own, "masked": masked, "cross": cross}


def handout_encoding(module: nn.Module, stream: str, seed: int) -> Any:
    """The handout's call of the positional encoding: the seed, then the data, then the module in train mode."""
    _refuse_other_than_module(module)
    module.train()
    with torch.no_grad(), DropoutStream(stream):
        torch.default_generator.manual_seed(seed)
        data = torch.randn(1, 2, 6)
        return _call(module, data)

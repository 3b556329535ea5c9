"""Loops, tensors left behind and prints are seen in code that has them, and in no other."""

from __future__ import annotations

import copy
import importlib.util
import math
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from grader.checking import threads
from reference.transformer.watch import Watch, loops, loose_tensors

FOLDER = str(Path(__file__).parent)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with threads.one_thread():
        yield


def watched(module: nn.Module, *inputs: Tensor, folder: str = FOLDER) -> Watch:
    watch = Watch(folder)
    watch.put_module(module)
    watch.put(inputs)
    with torch.no_grad(), watch:
        module(*inputs)
    return watch


class Doing(nn.Module):
    """A module that holds what such modules hold, and computes with what it is given."""

    def __init__(self, compute: Callable[[Doing, Tensor], Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.register_buffer("table", torch.ones(6, 4))
        self.plain = torch.ones(6, 4)
        self.number = torch.tensor(2.0)
        self.one = torch.FloatTensor([2.0])
        self._compute = compute

    def forward(self, x: Tensor) -> Tensor:
        return self._compute(self, x)


STAYS = {
    "an attribute": lambda m, x: x + m.plain[: x.size(1)],
    "an attribute of one number": lambda m, x: x / m.one,
    "the root of one": lambda m, x: m.linear(x) / torch.sqrt(m.one),
    "an attribute through a Variable": lambda m, x: x + torch.autograd.Variable(m.plain[: x.size(1)]),
    "an attribute in another dtype": lambda m, x: x + m.plain.to(torch.float64)[: x.size(1)].to(x.dtype),
    "a detached view": lambda m, x: x + m.plain.detach().unsqueeze(0)[:, : x.size(1)],
    "positions made in forward": lambda m, x: x + torch.arange(x.size(1)).unsqueeze(-1).float(),
    "a mask made in forward": lambda m, x: x.masked_fill(torch.ones(x.size(1), 4).tril() == 0, 0.0),
    "one matrix product": lambda m, x: x @ torch.eye(4),
    "a concatenation": lambda m, x: torch.cat([x, torch.zeros(x.size(0), 1, 4)], dim=1),
    "torch.where": lambda m, x: torch.where(torch.ones(x.size(1), 4) > 0, x, x * 0),
    "noise in place": lambda m, x: x.clone().add_(torch.zeros(4)),
}
MOVES = {
    "a buffer": lambda m, x: x + m.table[: x.size(1)],
    "a buffer through a Variable": lambda m, x: x + torch.autograd.Variable(m.table[: x.size(1)]),
    "a number": lambda m, x: x / m.number,
    "the root of a number": lambda m, x: x / torch.sqrt(torch.tensor(4.0)) + math.pi,
    "an attribute that is moved": lambda m, x: x + m.plain[: x.size(1)].to(x.device),
    "an attribute moved by another": lambda m, x: x + m.plain[: x.size(1)].to(x),
    "an attribute by type_as": lambda m, x: x + m.plain.type_as(x)[: x.size(1)],
    "an attribute that is copied": lambda m, x: torch.empty_like(m.table).copy_(m.plain)[: x.size(1)] + x,
    "positions with device": lambda m, x: x + torch.arange(x.size(1), device=x.device)[:, None],
    "made like the input": lambda m, x: x + torch.zeros_like(x) + x.new_ones(4),
    "an index": lambda m, x: x[:, torch.arange(x.size(1))],
    "an attribute that is not used": lambda m, x: m.linear(x),
    "layers made of layers": lambda m, x: torch.einsum("nse,de->nsd", x, m.linear.weight).softmax(-1),
    "a map over the batch": lambda m, x: torch.vmap(lambda one: one @ m.linear.weight.T)(x),
}


DEVICE = "cuda" if torch.cuda.is_available() else "meta"
LENIENT = {"meta": {"one matrix product", "noise in place"}, "cuda": set()}
"""What the meta device, which stands for a GPU where there is none, does not refuse although a GPU does."""


def breaks_when_moved(module: nn.Module, x: Tensor) -> bool:
    """Whether forward fails on another device, for that reason."""
    moved = copy.deepcopy(module).to(DEVICE)
    try:
        moved(x.to(DEVICE))
    except RuntimeError as error:
        return "device" in str(error)
    return False


@pytest.mark.parametrize("name", [*STAYS, *MOVES])
def test_what_stays_behind_is_what_breaks_on_another_device(name: str) -> None:
    module = Doing({**STAYS, **MOVES}[name])
    x = torch.randn(2, 5, 4)
    left = watched(module, x).left_behind
    assert bool(left) == (name in STAYS)
    assert all(line.startswith("test_watch.py, line ") for line in left.values())
    assert breaks_when_moved(module, x) == (name in STAYS and name not in LENIENT[DEVICE])


def test_an_attribute_is_told_by_its_name_and_what_is_made_by_its_line() -> None:
    x = torch.randn(2, 5, 4)
    assert set(watched(nn.Sequential(Doing(STAYS["an attribute"])), x).left_behind) == {"0.plain"}
    (origin,) = watched(Doing(STAYS["one matrix product"]), x).left_behind
    assert origin.startswith("test_watch.py, line ")


def test_loose_tensors_are_those_with_a_dimension_outside_the_buffers() -> None:
    assert set(loose_tensors(Doing(STAYS["an attribute"]))) == {"plain", "one"}


# ---------------------------------------------------------------- loops


def count(compute: Callable[[Tensor], object]) -> Callable[[Mapping[str, int]], Watch]:
    def run(sizes: Mapping[str, int]) -> Watch:
        x = torch.ones(*sizes.values())
        with Watch(FOLDER) as watch:
            compute(x)
        return watch

    return run


SIZES = {"rows": 3, "columns": 4, "features": 5}


def axes(compute: Callable[[Tensor], object]) -> list[str]:
    return [axis for axis, _ in loops(count(compute), SIZES)]


def nested(x: Tensor) -> Tensor:
    out = torch.zeros_like(x)
    for i in range(x.size(0)):
        for j in range(x.size(1)):
            out[i, j] = x[i, j] * 2
    return out


@pytest.mark.parametrize(
    ("compute", "over"),
    [
        (nested, ["rows", "columns"]),
        (lambda x: torch.stack([row * 2 for row in x.unbind(0)]), ["rows"]),
        (lambda x: [part.sum() for part in x.split(1, dim=2)], ["features"]),
        (lambda x: [x[:, j] for j in range(0, x.size(1), 1)], ["columns"]),
        (lambda x: [x[i] for i in range(1, x.size(0))], ["rows"]),
        (lambda x: list(map(torch.sum, x)), ["rows"]),
        (lambda x: reduce(torch.add, x), ["rows"]),
        (lambda x: nn.Sequential(*(nn.Identity() for _ in x), nn.ReLU())(x), []),
        (lambda x: nn.Sequential(*(nn.ReLU() for _ in x))(x), ["rows"]),
        (lambda x: (x * 2).softmax(-1).transpose(0, 1).reshape(-1), []),
        (lambda x: torch.vmap(lambda row: row.sum(0))(x), []),
        (lambda x: [x + k for k in range(7)], []),
        (lambda x: torch.einsum("abc,dbc->ad", x, x), []),
    ],
)
def test_a_loop_is_told_by_its_axis(compute: Callable[[Tensor], object], over: list[str]) -> None:
    assert axes(compute) == over


def test_where_no_call_is_repeated_the_code_runs_once() -> None:
    runs: list[Mapping[str, int]] = []

    def helper(x: Tensor) -> Tensor:
        return x.exp()

    def compute(x: Tensor) -> Tensor:
        return helper(x) + helper(x) + x.size(0)

    def run(sizes: Mapping[str, int]) -> Watch:
        runs.append(sizes)
        return count(compute)(sizes)

    assert loops(run, SIZES) == []
    assert runs == [SIZES]


def test_the_line_is_that_of_the_loop() -> None:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    (_, place), _ = loops(count(nested), SIZES)
    file, _, number = place.partition(", line ")
    assert file == "test_watch.py"
    assert "out[i, j] = x[i, j] * 2" in lines[int(number) - 1]


def test_a_table_built_on_first_use_is_no_loop() -> None:
    tables: dict[int, Tensor] = {}

    def compute(x: Tensor) -> Tensor:
        n = x.size(1)
        if n not in tables:
            tables[n] = torch.arange(n).float().sin().cos().exp().log().abs().sqrt()
        return x + tables[n][:, None]

    assert axes(compute) == []

    longest: list[Tensor] = []

    def compute_longest(x: Tensor) -> Tensor:
        if not longest or longest[-1].size(0) < x.size(1):
            longest.append(torch.arange(x.size(1)).float().sin().cos().exp().log().abs().sqrt())
        return x + longest[-1][: x.size(1), None]

    assert axes(compute_longest) == []


def test_code_outside_the_folder_is_not_counted(tmp_path: Path) -> None:
    with Watch(str(tmp_path)) as watch:
        torch.ones(3).sum()
    assert watch.calls == {}


# ---------------------------------------------------------------- prints


def load(folder: Path, source: str) -> ModuleType:
    path = folder / "layer.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("watched_layer", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_print_is_told_by_its_line_and_still_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = print
    module = load(
        tmp_path, "def f(x):\n    for _ in range(3):\n        print('shape', x.shape)\n    return x\n"
    )
    with Watch(str(tmp_path)) as watch:
        module.f(torch.ones(2))
    assert watch.prints == ["layer.py, line 3"]
    assert capsys.readouterr().out.count("shape torch.Size([2])") == 3
    assert print is before


def test_an_exception_puts_print_back() -> None:
    before = print
    with pytest.raises(ZeroDivisionError), Watch(FOLDER):
        _ = 1 / 0
    assert print is before

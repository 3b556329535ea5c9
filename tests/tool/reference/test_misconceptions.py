"""The bank: entries that can be handed in, told apart by machine, and found again by what they compute."""

from __future__ import annotations

import ast
import itertools
import json
import math
import random
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from grader.assignment import load_assignment
from grader.checking.threads import one_thread
from grader.paths import data_root
from reference.transformer import encoding_inquiry
from reference.transformer.attention import AttentionWeights, attention
from reference.transformer.fresh_weights import fresh_weights
from reference.transformer.inquiry import PROBED, diagnostic_probes
from reference.transformer.matching import replayable
from reference.transformer.misconceptions import BANK, positional
from reference.transformer.misconceptions import attention as of_attention
from reference.transformer.misconceptions.attention_calls import AttentionRecord, attention_hypotheses
from reference.transformer.misconceptions.drops import Mode
from reference.transformer.misconceptions.encoding_calls import EncodingRecord, encoding_hypotheses
from reference.transformer.misconceptions.encodings import Encoding
from reference.transformer.misconceptions.norms import REPEATABLE, norm_finding, wrong_norm
from reference.transformer.misconceptions.recipes import RIGHT, Recipe
from reference.transformer.misconceptions.replay import (
    FAR,
    Fault,
    Hypotheses,
    Replays,
    Run,
    Scores,
    Who,
    first_of,
    gap,
    surely_unlike,
)
from reference.transformer.positional_encoding import PositionalEncoding

SOLUTION = data_root() / "reference" / "transformer" / "solution"
SEEDS = (1, 2, 3)
TRAINED = Mode(training=True, seed=7, p=0.3)
"""As 2c.dropout and 2d.dropout ask."""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


# ---------------------------------------------------------------- entries


@pytest.mark.parametrize("entry", BANK, ids=lambda m: m.id)
def test_an_entry_is_the_model_solution_with_a_few_words_changed(entry: Any) -> None:
    assert entry.edits
    for file in {edit.file for edit in entry.edits}:
        text = (SOLUTION / file).read_text(encoding="utf-8")
        for edit in (e for e in entry.edits if e.file == file):
            assert text.count(edit.old) == 1, edit.old
            assert edit.new != edit.old
            text = text.replace(edit.old, edit.new)
        assert {".py": ast.parse, ".toml": tomllib.loads, ".json": json.loads}[Path(file).suffix](text)


def test_entries_are_complete_and_name_checks_that_there_are() -> None:
    ids = {check.id for check in load_assignment().checks}
    assert len({m.id for m in BANK}) == len(BANK)
    for m in BANK:
        code = {"forward", "first_samples", "predict", "finetune", "e^3.0"}  # names keep their small letter
        assert not m.title[0].islower() or m.title.split()[0] in code, m.id
        assert m.title[-1] not in ".!?", m.id
        assert m.belief.endswith((".", "…")), m.id
        assert m.hint.endswith((".", "?")), m.id
        assert m.checks, m.id
        assert set(m.checks) | set(m.may_cost) <= ids, m.id


def test_hints_do_not_give_the_answer_away() -> None:
    """No hint holds a line of the solution that its edits replace, nor the right call in it."""
    for m in (*of_attention.BANK, *positional.BANK):
        for edit in m.edits:
            calls = re.findall(r"[\w.]+\([^()]*\)", edit.old)
            assert not [call for call in [edit.old, *calls] if call in m.hint and len(call) > 8], m.id


def test_the_bank_is_imported_only_where_it_is_needed() -> None:
    """Part 4 grades without torch; the checks of part 2 are imported without a single entry."""
    code = (
        "import sys\n"
        "from reference.transformer.misconceptions import numbers\n"
        "assert 'torch' not in sys.modules\n"
        "from reference.transformer import encoding_inquiry, explaining, inquiry\n"
        "loaded = {name.rpartition('.')[2] for name in sys.modules if '.misconceptions.' in name}\n"
        "assert loaded == {'numbers', 'drops'}, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=data_root(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# ---------------------------------------------------------------- told apart


def weights_of(names: str, seed: int) -> list[AttentionWeights]:
    """The readings of a module at the size of the probes: "template", "unnamed" or "fused"."""
    E, H = PROBED
    shapes = {
        "template": {f"{n}.weight": (E, E) for n in ("key", "query", "value", "proj")},
        "unnamed": {f"{n}.weight": (E, E) for n in ("w1", "w2", "w3", "w4")},
        "fused": {"qkv.weight": (3 * E, E), "out.weight": (E, E)},
    }[names]
    return replayable(fresh_weights(shapes, seed), E, H)


def attention_record(
    results: Sequence[Tensor | Fault], seed: int, readings: Sequence[AttentionWeights]
) -> AttentionRecord:
    """The probes of diagnosis, and one call as 2c.dropout makes it."""
    probes = diagnostic_probes(torch.Generator().manual_seed(seed), PROBED[0])
    modes = [*(Mode(seed=place) for place in range(len(probes))), TRAINED]
    calls = zip([*probes, probes[1]], results, modes, strict=True)
    return AttentionRecord([Run(tuple(p.inputs()), r, mode) for p, r, mode in calls], readings, PROBED[1])


CALLS = len(diagnostic_probes(torch.Generator(), PROBED[0])) + 1
NOTHING: list[Tensor | Fault] = [Fault("", "")] * CALLS


def encoding_record(results: Sequence[Tensor | Fault], seed: int) -> EncodingRecord:
    generator = torch.Generator().manual_seed(seed)
    inputs = encoding_inquiry.diagnostic_inputs(generator)
    runs = [(x, Mode(seed=place)) for place, x in enumerate(inputs)] + [(inputs[0], TRAINED)]
    return EncodingRecord([Run((x,), r, mode) for (x, mode), r in zip(runs, results, strict=True)])


def far_apart(one: Sequence[Tensor | Fault], other: Sequence[Tensor | Fault], near: float) -> bool:
    return any(
        bool(np.isinf(gap(a, b if isinstance(b, Fault) else b[0], FAR * near)).all())
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_every_two_misconceptions_of_attention_are_told_apart(seed: int) -> None:
    record = attention_record(NOTHING, seed, weights_of("template", seed))
    recipes = {"right": RIGHT} | {m.id: m.recipe for m in of_attention.REPLAYED}
    results = {id: list(record.replay(recipe)) for id, recipe in recipes.items()}
    assert len(results) >= 60
    near = AttentionRecord.near
    pairs = itertools.combinations(results, 2)
    assert [(a, b) for a, b in pairs if not far_apart(results[a], results[b], near)] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_every_two_misconceptions_of_the_encoding_are_told_apart(seed: int) -> None:
    record = encoding_record([Fault("", "")] * 3, seed)
    recipes = {"right": Encoding()} | {m.id: m.recipe for m in positional.REPLAYED}
    results = {id: list(record.replay(recipe)) for id, recipe in recipes.items()}
    assert len(results) >= 25
    near = EncodingRecord.near
    pairs = itertools.combinations(results, 2)
    assert [(a, b) for a, b in pairs if not far_apart(results[a], results[b], near)] == []


def test_pairs_that_are_alike_share_the_mistake_that_hides_the_other() -> None:
    """Of more than a thousand pairs that show in eval mode, a tenth are like another or like a single one: where all
    weights are alike, another scale shows nowhere. Any two pairs that are alike have a member in common."""
    record = attention_record(NOTHING, 1, weights_of("template", 1))
    shown = AttentionRecord(record.runs[:-1], record.readings, PROBED[1])
    alike: dict[Any, list[Who]] = {}
    for who, recipe in attention_hypotheses().items():
        if recipe.changes().get("dropout", "always") == "always":
            alike.setdefault(tuple(map(_fingerprint, shown.replay(recipe))), []).append(who)
    pairs = [[who for who in group if len(who) == 2] for group in alike.values()]
    lonely = [group[0] for group in alike.values() if len(group) == 1]
    assert sum(map(len, pairs)) > 1_000
    assert len(lonely) > 0.85 * sum(map(len, alike.values()))
    for group in pairs:
        for one, other in itertools.combinations(group, 2):
            assert set(one) & set(other), ([m.id for m in one], [m.id for m in other])


def _fingerprint(outcome: Tensor | Fault) -> Any:
    """The same for outcomes that differ by float32 rounding alone: some digits of a sum, the number of NaNs."""
    if isinstance(outcome, Fault):
        return outcome
    values = outcome.flatten()
    total = torch.where(values.isfinite(), values, 7.7) @ torch.linspace(1, 2, values.numel())
    return (*outcome.shape, int(values.isnan().sum()), f"{float(total):.3g}")


# ---------------------------------------------------------------- screened


def _screened(record: Any, recipes: Hypotheses, together: int) -> tuple[set[Who], set[Who]]:
    """Of the hypotheses of so many mistakes at once: those that explain the record, and those that its first number
    leaves."""
    scores = Scores(record, recipes[()])
    explaining = {who for who, recipe in recipes.items() if len(who) == together and scores.of(recipe)}
    return explaining, {who for who, _ in scores.possible(recipes.together(together))}


@pytest.mark.parametrize("who", range(0, 2000, 97))
def test_what_explains_the_probes_is_not_left_out_by_its_first_number(who: int) -> None:
    recipes, readings = attention_hypotheses(), weights_of("template", 8)
    recipe = list(recipes.values())[who % len(recipes)]
    results = student(recipe, 8, readings)
    record = attention_record(results, 8, readings)
    for together in (0, 1, 2):
        explaining, left = _screened(record, recipes, together)
        assert explaining <= left <= {who for who in recipes if len(who) == together}
    assert isinstance(results[0], Fault) or len(left) < len(recipes) / 2


@pytest.mark.parametrize("who", range(0, 448, 37))
def test_so_it_is_with_the_encoding(who: int) -> None:
    recipes = encoding_hypotheses()
    recipe = list(recipes.values())[who]
    outcomes = encoding_record([Fault("", "")] * 3, 8).replay(recipe)
    record = encoding_record([o if isinstance(o, Fault) else o[0] for o in outcomes], 8)
    for together in (0, 1, 2):
        explaining, left = _screened(record, recipes, together)
        assert explaining <= left <= {who for who in recipes if len(who) == together}


# ---------------------------------------------------------------- found again


def found(results: Sequence[Tensor | Fault], seed: int, readings: Sequence[AttentionWeights]) -> Any:
    """The finding on a student whose code gave `results`: on the probes in eval mode, and on the call in train mode."""
    record = attention_record(results, seed, readings)
    probed = AttentionRecord(record.runs[:-1], readings, PROBED[1])
    own = AttentionRecord(record.runs[-1:], readings, PROBED[1])
    return Replays(probed, attention_hypotheses()).finding([own])


def student(recipe: Recipe, seed: int, readings: Sequence[AttentionWeights]) -> list[Tensor | Fault]:
    """What the code of a student gives who means the last of `readings`, with a little float32 noise of its own."""
    outcomes = attention_record(NOTHING, seed, readings[-1:]).replay(recipe)
    return [o if isinstance(o, Fault) else o[0] * (1 + 1e-6) for o in outcomes]


@pytest.mark.parametrize("entry", of_attention.REPLAYED, ids=lambda m: m.id)
def test_a_misconception_of_attention_is_found_by_what_it_computes(entry: Any) -> None:
    readings = weights_of("template", 5)
    finding = found(student(entry.recipe, 5, readings), 5, readings)
    assert finding.diagnosis is not None, finding.remark
    assert (finding.diagnosis.id, finding.remark) == (entry.id, "")
    assert "equal to" in finding.diagnosis.evidence


@pytest.mark.parametrize("names", ["unnamed", "fused"])
def test_layers_of_any_name_are_read_in_every_way(names: str) -> None:
    """A swap of layers is none where nothing says which is which; everything else is found all the same."""
    readings = weights_of(names, 6)
    assert len(readings) > 20
    for id in ("scale-by-head-size", "split-by-view", "mask-inverted", "value-from-key", "dropout-on-output"):
        entry = next(m for m in of_attention.REPLAYED if m.id == id)
        finding = found(student(entry.recipe, 6, readings), 6, readings)
        assert finding.diagnosis is not None, (id, finding.remark)
        assert finding.diagnosis.id == id
    swapped = next(m for m in of_attention.REPLAYED if m.id == "query-key-swapped")
    assert found(student(swapped.recipe, 6, readings), 6, readings).diagnosis is None


def test_two_mistakes_at_once_are_found_where_no_single_one_explains_it() -> None:
    readings, recipes = weights_of("template", 1), attention_hypotheses()
    pairs = [who for who in recipes if len(who) == 2]
    told = {"pair": 0, "one": 0, "several": 0}
    for who in random.Random(4).sample(pairs, 12):
        finding = found(student(recipes[who], 1, readings), 1, readings)
        if finding.diagnosis is None:
            told["several"] += "More than one known mistake" in finding.remark
        elif "+" in finding.diagnosis.id:
            told["pair"] += finding.diagnosis.id == "+".join(m.id for m in who)
        else:  # the other one does not show beside it, or not in train mode
            told["one"] += finding.diagnosis.id in {m.id for m in who}
    assert sum(told.values()) == 12
    assert told["pair"] >= 6


def test_a_pair_is_cut_down_to_the_one_that_a_check_can_see() -> None:
    scale, mask = (
        next(m for m in of_attention.REPLAYED if m.id == id) for id in ("no-scale", "mask-ignored")
    )
    readings = weights_of("template", 2)
    results = student(Recipe(scale="1", mask="ignore"), 2, readings)
    record = attention_record(results, 2, readings)
    replays = Replays(record, attention_hypotheses())
    unmasked = [run for run in record.runs if len(run.inputs) == 3]
    without = replays.finding([AttentionRecord(unmasked, readings, PROBED[1])])
    with_mask = [run for run in record.runs if len(run.inputs) == 4]
    masked = replays.finding([AttentionRecord(with_mask, readings, PROBED[1])])
    assert without.diagnosis is not None
    assert masked.diagnosis is not None
    assert without.diagnosis.id == scale.id
    assert masked.diagnosis.id == f"{scale.id}+{mask.id}"
    assert masked.diagnosis.hint == f"{scale.hint} {mask.hint}"


def test_what_no_mistake_explains_is_said_to_be_so_and_right_results_say_nothing() -> None:
    readings = weights_of("template", 3)
    right = student(RIGHT, 3, readings)
    silent = found(right, 3, readings)
    assert (silent.diagnosis, silent.remark) == (None, "")
    generator = torch.Generator().manual_seed(3)
    noise = [r + 0.01 * torch.randn(r.shape, generator=generator) for r in right if isinstance(r, Tensor)]
    unknown = found(noise, 3, readings)
    assert unknown.diagnosis is None
    assert "No known mistake explains this" in unknown.remark
    broken = found([Fault("ZeroDivisionError", "division by zero")] * CALLS, 3, readings)
    assert broken.diagnosis is None


def test_a_switch_that_a_run_does_not_show_is_left_as_it_should_be() -> None:
    record = attention_record(NOTHING, 3, weights_of("template", 3))
    wrong = Recipe(mask="ignore", inputs="qkk", dropout="none", scale="D")
    alone, masked, three = 0, 1, 4  # one tensor for all without a mask; three tensors with one; three without
    assert record.as_shown(alone, wrong) == Recipe(scale="D")
    assert record.as_shown(masked, wrong) == Recipe(mask="ignore", inputs="qkk", scale="D")
    assert record.as_shown(three, wrong) == Recipe(inputs="qkk", scale="D")
    assert record.as_shown(CALLS - 1, wrong) == wrong  # train mode, and a mask
    kept = Recipe(mask="causal by default", dropout="always")
    assert record.as_shown(alone, kept) == kept


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_run_does_not_show_changes_nothing_in_it(seed: int) -> None:
    record = attention_record(NOTHING, seed, weights_of("template", seed))
    for entry in of_attention.REPLAYED:
        for place in range(CALLS):
            shown = record.as_shown(place, entry.recipe)
            if shown != entry.recipe:
                one, other = record.outcome(place, shown), record.outcome(place, entry.recipe)
                assert gap(one, other if isinstance(other, Fault) else other[0], 1e-6).max() < 1e-6


def test_modules_whose_layers_are_read_in_other_ways_are_not_compared() -> None:
    record = attention_record(NOTHING, 3, weights_of("template", 3))
    other = attention_record(NOTHING, 3, weights_of("unnamed", 3))
    finding = Replays(record, attention_hypotheses()).finding([other])
    assert (finding.diagnosis, finding.remark) == (None, "")


@pytest.mark.parametrize("entry", positional.REPLAYED, ids=lambda m: m.id)
def test_a_misconception_of_the_encoding_is_found_by_what_it_computes(entry: Any) -> None:
    results = list(encoding_record([Fault("", "")] * 3, 4).replay(entry.recipe))
    record = encoding_record([r if isinstance(r, Fault) else _whole(r) for r in results], 4)
    probed, own = EncodingRecord(record.runs[:-1]), EncodingRecord(record.runs[-1:])
    finding = Replays(probed, encoding_hypotheses()).finding([own])
    assert finding.diagnosis is not None, finding.remark
    assert finding.diagnosis.id == entry.id


def _whole(replayed: Tensor) -> Tensor:
    return replayed[0]


# ---------------------------------------------------------------- the pieces


def test_the_right_recipe_is_the_reference() -> None:
    readings = weights_of("template", 8)
    record = attention_record(NOTHING, 8, readings)
    for run, replayed in zip(record.runs[:-1], record.replay(RIGHT), strict=False):
        query, key, value, *mask = run.inputs
        due = attention(query, key, value, readings[0], PROBED[1], *mask).output
        assert isinstance(replayed, Tensor)
        assert torch.allclose(replayed[0], due, atol=1e-6)


def test_dropout_is_replayed_draw_by_draw() -> None:
    x = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(1))
    module = PositionalEncoding(6, dropout=TRAINED.p).train()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(TRAINED.seed)
        due = module(x)
    record = EncodingRecord([Run((x,), due, TRAINED)])
    (replayed,) = record.replay(next(iter(encoding_hypotheses().values())))
    assert isinstance(replayed, Tensor)
    assert torch.allclose(replayed[0], due[:, : replayed.size(2)], atol=1e-6)
    assert bool((due == 0).any())


def test_replaying_leaves_torchs_generator_as_it_was() -> None:
    before = torch.default_generator.get_state()
    list(attention_record(NOTHING, 8, weights_of("template", 8)).replay(Recipe(dropout="always")))
    assert torch.equal(torch.default_generator.get_state(), before)


@pytest.mark.parametrize(
    ("replayed", "result", "alike"),
    [
        (torch.ones(1, 2, 2), torch.ones(2, 2) + 1e-5, True),
        (torch.ones(1, 2, 2), torch.ones(2, 2) + 1e-3, False),
        (torch.full((1, 2, 2), 100.0), torch.full((2, 2), 100.005), True),
        (torch.ones(1, 2, 2), torch.ones(2, 3), False),
        (torch.full((1, 2), math.nan), torch.full((2,), math.nan), True),
        (torch.full((1, 2), math.nan), torch.full((2,), 1.0), False),
        (torch.tensor([[1.0, math.inf]]), torch.tensor([1.0, math.inf]), True),
        (torch.tensor([[1.0, math.inf]]), torch.tensor([1.0, -math.inf]), False),
        (Fault("TypeError", "no"), Fault("TypeError", "no"), True),
        (Fault("TypeError", "no"), Fault("TypeError", "other"), False),
        (Fault("TypeError", "no"), torch.ones(2), False),
        (torch.ones(1, 2), Fault("TypeError", "no"), False),
    ],
)
def test_what_counts_as_alike(replayed: Any, result: Any, alike: bool) -> None:
    assert bool(np.isfinite(gap(replayed, result, 1e-4)).all()) is alike
    assert not (alike and surely_unlike(replayed, result, first_of(result)))


def test_of_many_readings_each_has_its_own_gap() -> None:
    replayed = torch.stack([torch.zeros(2, 2), torch.ones(2, 2)])
    assert gap(replayed, torch.ones(2, 2), 1e-4).tolist() == [math.inf, 0.0]
    assert not surely_unlike(replayed, torch.ones(2, 2), 1.0)
    assert surely_unlike(replayed, torch.full((2, 2), 5.0), 5.0)


# ---------------------------------------------------------------- one number


def test_a_norm_is_named_where_one_mistake_alone_gives_it() -> None:
    named = []
    for entry in REPEATABLE:
        norm = wrong_norm(entry.recipe)
        if math.isnan(norm):
            continue
        finding = norm_finding(round(norm, 4))
        near = [m.id for m in REPEATABLE if abs(wrong_norm(m.recipe) - norm) < 1e-4]
        right = abs(norm - wrong_norm(RIGHT)) < 1e-3
        expected = None if right or len(near) > 1 else entry.id
        assert (finding.diagnosis.id if finding.diagnosis else None) == expected, (entry.id, near)
        named += [expected] if expected else []
    assert len(named) > 25


def test_a_norm_that_nothing_gives_is_not_named() -> None:
    finding = norm_finding(1.777)
    assert finding.diagnosis is None
    assert "No known mistake" in finding.remark

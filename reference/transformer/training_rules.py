"""Which mistake a training loop has, read off what it did: one rule each, in the order in which causes come before
their consequences.

A rule looks at the columns that the worker took down and at what the judge computed (how far the weights moved, how
right the model is on unseen texts), and gives its evidence as a sentence, or "" where it sees nothing. A rule never
changes a mark. Thresholds were set on one half of the variants and measured on the other; docs/training.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

from reference.transformer.training_facts import TRAINED, Facts, share
from reference.transformer.training_run import PROBABILITIES, UNMASKED, UNNORMALISED_LOGS, Batch

Rule = Callable[[Facts], str]

NEARLY_ALL, HALF, HARDLY_ANY = 0.9, 0.5, 0.1
FAR = 0.25
"""Change of the encoder, as a share of its size, that no sensible learning rate reaches here: right loops stay below
0.1, AdamW at 1e-3 gets to 0.18, at 5e-3 to 0.33 even where the rate falls to 0."""
SHORT = 16
"""Tokens; hardly any text here is that short."""
FEW_STEPS = 20


# ---------------------------------------------------------------- does a gradient reach the weights


def no_backward(f: Facts) -> str:
    calls = len(f.run.batches)
    if f.run.backwards or f.run.trained or f.run.weights_moved or not calls:
        return ""
    return f"{calls} forward passes, no backward pass"


def loss_detached(f: Facts) -> str:
    if not f.run.backwards or f.run.trained:
        return ""
    return f"{len(f.run.backwards)} backward passes, none of which reached the model"


def other_model(f: Facts) -> str:
    run = f.run
    if not run.trained or not f.unmoved:
        return ""
    if all(batch.model for batch in run.trained):
        return "every gradient went to another model than the one that was handed over"
    if run.steps and not any(sum(run.optimizers[step.optimizer].covered) for step in run.steps):
        return "the optimizer holds none of the model's weights"
    return ""


def no_step(f: Facts) -> str:
    if not f.run.trained or f.run.steps or not f.unmoved:
        return ""
    return f"{len(f.run.trained)} batches with gradients, no step of an optimizer"


def zero_grad_before_step(f: Facts) -> str:
    idle = share(step.norm == 0 for step in f.run.steps)
    if not f.run.trained or idle < NEARLY_ALL:
        return ""
    return f"all gradients were 0 in {idle:.0%} of the steps"


def pretrained_weights_lost(f: Facts) -> str:
    if not f.run.steps or f.run.steps[0].body_as_at_start or f.accuracy >= TRAINED:
        return ""
    return "before the first step the encoder's weights were no longer those that were handed over"


def lr_zero(f: Facts) -> str:
    if not f.run.steps or max(step.high for step in f.run.steps) > 0:
        return ""
    return f"the learning rate was 0 in each of {len(f.run.steps)} steps"


def weights_reloaded(f: Facts) -> str:
    went = [step.head_as_at_start for step in f.run.steps]
    back = sum(now and not before for before, now in pairwise(went))
    if not back:
        return ""
    return f"{_times(back)} during training the weights were again those from before it"


# ---------------------------------------------------------------- which texts, which labels


def trains_on_test(f: Facts) -> str:
    train, test = f.trained_texts
    if not test or test < NEARLY_ALL * (train + test):
        return ""
    return f"{test} of {train + test} texts in batches with gradients were test texts"


def trains_on_both(f: Facts) -> str:
    train, test = f.trained_texts
    if test < 0.05 * (train + test) or not train or test < 4:
        return ""
    return f"{test} of {train + test} texts in batches with gradients were test texts"


def labels_constant(f: Facts) -> str:
    given = {label for _, label in f.run.labelled}
    if len(f.run.labelled) < 32 or len(given) != 1:
        return ""
    return f"each of {len(f.run.labelled)} texts was trained on with label {given.pop()}"


def labels_renumbered(f: Facts) -> str:
    meant: dict[int, Counter[int]] = {}
    for true, given in f.run.labelled:
        meant.setdefault(true, Counter())[given] += 1
    to = {true: counts.most_common(1)[0] for true, counts in meant.items()}
    consistent = sum(count for _, count in to.values()) >= 0.95 * len(f.run.labelled)
    renumbered = {true: given for true, (given, _) in to.items()}
    if len(to) < 3 or not consistent or len(set(renumbered.values())) < len(to):
        return ""
    if all(true == given for true, given in renumbered.items()):
        return ""
    return "texts with label " + ", ".join(
        f"{a} were trained on as {b}" for a, b in sorted(renumbered.items())
    )


def labels_shuffled(f: Facts) -> str:
    same = share(true == given for true, given in f.run.labelled)
    if len(f.run.labelled) < 32 or same > 0.6:
        return ""
    return f"{same:.0%} of the texts in batches with gradients had their own label"


def part_of_the_data(f: Facts) -> str:
    rows = [row for batch in f.run.trained for row in batch.rows]
    if not rows or share(row < 0 for row in rows) > 0.2:
        return ""
    seen = len({row for row in rows if 0 <= row < f.run.n_train})
    if seen > 0.65 * f.run.n_train or trains_on_test(f):
        return ""
    return f"{seen} of {f.run.n_train} training texts were ever trained on"


def sorted_by_label(f: Facts) -> str:
    batches = [[f.run.truth[row] for row in b.rows if row >= 0] for b in f.run.trained]
    batches = [labels for labels in batches if len(labels) >= 4]
    pure = share(len(set(labels)) == 1 for labels in batches)
    if len(batches) < 8 or pure < 0.8:
        return ""
    return f"{pure:.0%} of the batches hold texts of one topic alone"


# ---------------------------------------------------------------- the loop


def backward_outside_loop(f: Facts) -> str:
    ready = [b for b in f.run.batches if b.grad and 2 * f.run.of_train(b) > len(b.rows)]
    used = sum(b.trained for b in ready)
    if len(ready) < FEW_STEPS or not used or used > 0.2 * len(ready):
        return ""
    return f"{len(ready)} batches of training texts went forward, {used} of them backward"


def batch_too_large(f: Facts) -> str:
    sizes = [len(batch.rows) for batch in f.run.trained]
    if not sizes or median(sizes) < 64 or len(f.run.steps) >= FEW_STEPS or f.accuracy >= TRAINED:
        return ""
    return f"{median(sizes):.0f} texts a batch, so {len(f.run.steps)} steps in all"


def no_zero_grad(f: Facts) -> str:
    first, _ = f.dirty
    if len(first) < 5 or share(first) < NEARLY_ALL:
        return ""
    return f"gradients of earlier batches lay there in {share(first):.0%} of the backward passes that follow a step"


def accumulation_lost(f: Facts) -> str:
    _, between = f.dirty
    steps, passes = len(f.run.steps), len(f.run.backwards)
    if not steps or len(between) < 5 or share(between) > HARDLY_ANY:
        return ""
    return f"{steps} steps for {passes} backward passes, and gradients cleared before each of them"


def optimizer_made_anew(f: Facts) -> str:
    turns = [step.optimizer for step in f.run.steps]
    taken = [now for before, now in zip([None, *turns], turns, strict=False) if now != before]
    if len(taken) < 3 or len(set(taken)) < len(taken):
        return ""
    return f"{len(taken)} optimizers, one after the other, in {len(turns)} steps"


def schedule_too_short(f: Facts) -> str:
    rates = [step.high for step in f.run.steps]
    top = max(rates, default=0.0)
    later = rates[len(rates) // 3 :]
    if len(rates) < FEW_STEPS or top <= 0 or max(later) > 0.01 * top or f.accuracy >= TRAINED:
        return ""
    return f"the learning rate began at {rates[0]:.1e} and was at most {max(later):.1e} after a third of the steps"


def lr_too_small(f: Facts) -> str:
    rates = [step.high for step in f.run.steps]
    if len(rates) < FEW_STEPS or f.accuracy >= TRAINED or f.run.moved.get("head", 1.0) > 0.02:
        return ""
    kind = f.run.optimizers[f.run.steps[-1].optimizer].kind
    return (
        f"{kind} at a learning rate of at most {max(rates):.1e} changed the head by {f.run.moved['head']:.1%}"
    )


def lr_too_large(f: Facts) -> str:
    top = max((step.high for step in f.run.steps), default=0.0)
    broken = any(math.isinf(b.loss) for b in f.run.trained) or f.broken_weights
    moved = f.run.moved.get("encoder", 0.0)
    if top < 1e-3 or not (broken or moved > FAR):
        return ""
    change = (
        "made weights infinite or NaN"
        if f.broken_weights
        else f"changed the encoder by {moved:.0%} of its size"
    )
    return f"a learning rate of {top:.1e} {change}"


def loss_maximised(f: Facts) -> str:
    losses = [b.loss for b in f.run.trained if not math.isnan(b.loss)]
    quarter = len(losses) // 4
    if quarter < 3 or f.accuracy > 0.2:
        return ""
    first, last = (sum(part) / quarter for part in (losses[:quarter], losses[-quarter:]))
    if last < first + 0.03:
        return ""
    return f"the loss rose from {first:.3f} to {last:.3f}"


def head_only(f: Facts) -> str:
    held = [f.run.optimizers[i] for i in {step.optimizer for step in f.run.steps}]
    head, body = sum(o.covered[2] for o in held), sum(sum(o.covered[:2]) for o in held)
    if not head or body or not held[0].trainable[1]:
        return ""
    return f"the optimizer holds {head} tensors of the head and none of the pre-trained layers"


# ---------------------------------------------------------------- mode, input, loss


def never_train_mode(f: Facts) -> str:
    if not f.run.trained or any(batch.train for batch in f.run.trained):
        return ""
    return f"all {len(f.run.trained)} batches with gradients were in eval mode"


def train_mode_lost(f: Facts) -> str:
    modes = [batch.train for batch in f.run.trained]
    if not modes or not modes[0] or share(modes) > NEARLY_ALL:
        return ""
    return f"{1 - share(modes):.0%} of the batches with gradients were in eval mode, the first ones were not"


def softmax_before_loss(f: Facts) -> str:
    return _scores(f, PROBABILITIES, "cross-entropy was given rows that sum to 1")


def nll_of_logits(f: Facts) -> str:
    return _scores(f, UNNORMALISED_LOGS, "nll_loss was given rows that are no log-probabilities")


def _scores(f: Facts, kind: int, what: str) -> str:
    given = [batch.scores for batch in f.run.trained if batch.scores]
    if len(given) < 5 or share(scores == kind for scores in given) < NEARLY_ALL:
        return ""
    return f"{what} in {share(scores == kind for scores in given):.0%} of the batches"


def no_attention_mask(f: Facts) -> str:
    for batches, where in ((f.run.trained, "training"), (f.run.test_batches, "evaluation")):  # message
        seen = share(batch.mask == UNMASKED for batch in batches)
        if seen > HALF:
            return f"padding was visible to the model in {seen:.0%} of the batches in {where}"
    return ""


def texts_cut_short(f: Facts) -> str:
    for batches, when in ((f.run.trained, "trained on"), (f.run.test_batches, "evaluated")):  # message
        lengths = [batch.longest for batch in batches if len(batch.rows) >= 4]
        if len(lengths) >= 3 and share(n <= SHORT for n in lengths) >= NEARLY_ALL:
            return f"no text was longer than {max(lengths)} tokens when it was {when}"
    return ""


def no_special_tokens(f: Facts) -> str:
    for batches, where in ((f.run.trained, "training"), (f.run.test_batches, "evaluation")):  # message
        known = [batch for batch in batches if batch.length]
        if len(known) >= 3 and share(batch.special for batch in known) <= HARDLY_ANY:
            return (
                f"none of {len(known)} batches in {where} began with the token that stands for the whole text"
            )
    return ""


def clip_after_step(f: Facts) -> str:
    events = sorted([(s.at, "step") for s in f.run.steps] + [(at, "backward") for at, _ in f.run.backwards])
    late = [_last_before(at, events) == "step" for at in f.run.clips]
    if len(late) < 5 or share(late) < NEARLY_ALL:
        return ""
    return f"{share(late):.0%} of the calls that clip gradients came after the step"


def no_eval_mode(f: Facts) -> str:
    return _test(f, lambda batch: batch.train, "batches of test texts were in train mode")


def grad_in_eval(f: Facts) -> str:
    return _test(f, lambda batch: batch.grad, "batches of test texts kept their graph for a backward pass")


def _test(f: Facts, holds: Callable[[Batch], bool], what: str) -> str:
    found = [holds(batch) for batch in f.run.test_batches]
    if not found or share(found) < NEARLY_ALL:
        return ""
    return f"{sum(found)} of {len(found)} {what}"


def _last_before(at: int, events: Sequence[tuple[int, str]]) -> str:
    return next((kind for when, kind in reversed(events) if when < at), "")


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


RULES: tuple[Rule, ...] = (
    no_backward, loss_detached, other_model, no_step, zero_grad_before_step, pretrained_weights_lost, lr_zero,
    weights_reloaded, trains_on_test, trains_on_both, labels_constant, labels_renumbered, labels_shuffled,
    backward_outside_loop, part_of_the_data, batch_too_large, no_zero_grad, accumulation_lost, optimizer_made_anew,
    schedule_too_short, lr_too_small, lr_too_large, loss_maximised, head_only, texts_cut_short, sorted_by_label,
    never_train_mode, train_mode_lost, softmax_before_loss, nll_of_logits, no_attention_mask, no_special_tokens,
    clip_after_step,
)  # fmt: skip
"""About training. The id of a mistake is the name of its rule, with hyphens."""

IN_EVALUATION: tuple[Rule, ...] = (no_eval_mode, grad_in_eval)
"""About evaluation."""

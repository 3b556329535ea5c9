"""What students get wrong in AdamW, the schedule and clipping."""

from __future__ import annotations

from grader.bank import Edit, Misconception

_DECAY = "p -= lr * self.weight_decay * p"
_STEP = "p -= lr * m_hat / (v_hat.sqrt() + self.eps)"
_GRADIENT = "(1 - self.beta1) * p.grad"
_SKIP = "if p.grad is None:\n                continue"
_COSINE = "0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))"
_NORM = "norm = torch.sqrt(sum(g.pow(2).sum() for g in gradients))"
_CLIPPED = "gradients = [g * (max_norm / norm) for g in gradients]"
_ASK_FIRST = "With g = 1 and no decay, what is the first step? It should be lr, whatever beta is."
_ASK_DECAY = "Give gradients of zero: by which factor does a parameter shrink in one step?"
_ASK_EPS = "Take eps = 1 and g = 1: what is the first step by the formula, and what is yours?"
_ASK_MOMENTS = "Print m and v after two steps with g = 1 and then g = 3, and do them by hand."
_ASK_ENDS = "Print the rates of steps 0, warmup - 1, warmup and total: which of them are max_lr and min_lr?"
_ASK_HALF = "What is the rate half-way between warm-up and the end?"
_ASK_NORM = (
    "Take the gradients (3,) and (4,): what is their common norm, and what is left of each with max_norm 1?"
)

_RATES = ("4b.schedule", "4b.edges")


def _edit(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("optimise.py", old, new),)


ADAMW: tuple[Misconception, ...] = (
    Misconception(
        id="adamw-coupled-decay",
        title="The decay is added to the gradient, as in Adam with L2",
        belief="Weight decay and L2 are the same.",
        hint=_ASK_DECAY,
        checks=("4a.decay",),
        edits=_edit(
            "self.m[i] = self.beta1", "g = p.grad + self.weight_decay * p\n            self.m[i] = self.beta1"
        )
        + _edit(_GRADIENT, "(1 - self.beta1) * g")
        + _edit("p.grad**2", "g**2")
        + _edit(f"            {_DECAY}\n", ""),
    ),
    Misconception(
        id="adamw-no-decay",
        title="Nothing decays",
        belief="The decay is part of the loss.",
        hint=_ASK_DECAY,
        checks=("4a.decay",),
        edits=_edit(f"            {_DECAY}\n", ""),
    ),
    Misconception(
        id="adamw-decay-without-rate",
        title="The decay is not multiplied by the learning rate",
        belief="Decoupled means that the decay has nothing to do with the rate.",
        hint=_ASK_DECAY,
        checks=("4a.decay",),
        edits=_edit(_DECAY, "p -= self.weight_decay * p"),
    ),
    Misconception(
        id="adamw-decay-adds",
        title="The decay has the wrong sign: parameters grow",
        belief="The decay is added to the step.",
        hint=_ASK_DECAY,
        checks=("4a.decay",),
        edits=_edit(_DECAY, "p += lr * self.weight_decay * p"),
    ),
    Misconception(
        id="adamw-no-correction",
        title="The moments are not corrected for having started at zero",
        belief="The correction matters only at the start.",
        hint=_ASK_FIRST,
        checks=("4a.steps",),
        edits=_edit("m_hat = self.m[i] / (1 - self.beta1 ** self.steps[i])", "m_hat = self.m[i]")
        + _edit("v_hat = self.v[i] / (1 - self.beta2 ** self.steps[i])", "v_hat = self.v[i]"),
    ),
    Misconception(
        id="adamw-first-corrected-only",
        title="v is not corrected for having started at zero",
        belief="It is the mean that is biased.",
        hint=_ASK_FIRST,
        checks=("4a.steps",),
        edits=_edit("v_hat = self.v[i] / (1 - self.beta2 ** self.steps[i])", "v_hat = self.v[i]"),
    ),
    Misconception(
        id="adamw-correction-of-step-one",
        title="The correction is that of the first step at every step",
        belief="1 - beta is the share of the new gradient.",
        hint=_ASK_MOMENTS,
        checks=("4a.steps",),
        edits=_edit("self.beta1 ** self.steps[i]", "self.beta1")
        + _edit("self.beta2 ** self.steps[i]", "self.beta2"),
    ),
    Misconception(
        id="adamw-one-count",
        title="t counts the updates of all parameters together",
        belief="One count serves all.",
        hint="Print t for each of two parameters after the first step.",
        checks=("4a.steps",),
        edits=_edit("self.steps[i] += 1", "self.steps = [t + 1 for t in self.steps]"),
    ),
    Misconception(
        id="adamw-eps-inside",
        title="eps is added under the root",
        belief="It does not matter where eps stands.",
        hint=_ASK_EPS,
        checks=("4a.steps",),
        edits=_edit("(v_hat.sqrt() + self.eps)", "(v_hat + self.eps).sqrt()"),
    ),
    Misconception(
        id="adamw-root-missing",
        title="The step is divided by v, not by its root",
        belief="v is the size of the gradient.",
        hint=_ASK_FIRST,
        checks=("4a.steps",),
        edits=_edit("v_hat.sqrt()", "v_hat"),
    ),
    Misconception(
        id="adamw-betas-exchanged",
        title="The two betas are exchanged",
        belief="The order of the betas does not matter.",
        hint=_ASK_MOMENTS,
        checks=("4a.steps",),
        edits=_edit("self.beta1, self.beta2 = betas", "self.beta2, self.beta1 = betas"),
    ),
    Misconception(
        id="adamw-not-squared",
        title="v averages the size of the gradient, not its square",
        belief="The second moment is the mean of |g|.",
        hint=_ASK_MOMENTS,
        checks=("4a.steps",),
        edits=_edit("p.grad**2", "p.grad.abs()"),
    ),
    Misconception(
        id="adamw-undamped",
        title="The new gradient enters m and v in full",
        belief="Momentum adds the gradient up.",
        hint=_ASK_MOMENTS,
        checks=("4a.steps",),
        edits=_edit(_GRADIENT, "p.grad") + _edit("(1 - self.beta2) * p.grad**2", "p.grad**2"),
    ),
    Misconception(
        id="adamw-not-in-place",
        title="The parameters stay as they are: a new tensor is bound to a name",
        belief="p = p - … changes the parameter.",
        hint="Print id(p) before and after p = p - 1, and what stands in the list.",
        checks=("4a.steps", "4a.decay"),
        edits=_edit(_DECAY, "p = p - lr * self.weight_decay * p")
        + _edit(_STEP, _STEP.replace("p -= lr", "p = p - lr")),
    ),
    Misconception(
        id="adamw-gradient-ascent",
        title="The step goes up the gradient",
        belief="The gradient shows the way.",
        hint=_ASK_FIRST,
        checks=("4a.steps",),
        edits=_edit(_STEP, _STEP.replace("p -= lr", "p += lr")),
    ),
    Misconception(
        id="adamw-decays-without-gradient",
        title="A parameter without a gradient decays",
        belief="No gradient means a gradient of zero.",
        hint="What is .grad of a parameter that no loss has reached? What does torch.optim.AdamW do with it?",
        checks=("4a.skips",),
        edits=_edit(_SKIP, "if p.grad is None:\n                p.grad = torch.zeros_like(p)"),
    ),
)

SCHEDULE: tuple[Misconception, ...] = (
    Misconception(
        id="schedule-from-zero",
        title="Warm-up starts with a rate of 0",
        belief="A ramp starts at zero.",
        hint=_ASK_ENDS,
        checks=("4b.schedule",),
        edits=_edit("(step + 1) / warmup", "step / warmup"),
    ),
    Misconception(
        id="schedule-warm-up-short",
        title="Warm-up does not reach the top",
        belief="The ramp has one step more than warm-up.",
        hint=_ASK_ENDS,
        checks=("4b.schedule",),
        edits=_edit("(step + 1) / warmup", "(step + 1) / (warmup + 1)"),
    ),
    Misconception(
        id="schedule-cosine-from-step-0",
        title="The cosine runs from step 0, not from the end of warm-up",
        belief="Progress is step over total.",
        hint=_ASK_HALF,
        checks=_RATES,
        edits=_edit("(step - warmup) / (total - warmup)", "step / total"),
    ),
    Misconception(
        id="schedule-cosine-too-long",
        title="The cosine is as long as the whole run, warm-up included",
        belief="The run has `total` steps, so the cosine has.",
        hint=_ASK_HALF,
        checks=_RATES,
        edits=_edit("(total - warmup)", "total"),
    ),
    Misconception(
        id="schedule-rises-again",
        title="After the last step the rate rises again",
        belief="Nobody asks for a step after the last.",
        hint="Print the rates of total, total + 1 and total + 10.",
        checks=("4b.edges",),
        edits=_edit("if step >= total:", "if total < 0:"),
    ),
    Misconception(
        id="schedule-down-to-zero",
        title="The rate falls to 0, not to min_lr",
        belief="A cosine ends at zero.",
        hint=_ASK_ENDS,
        checks=_RATES,
        edits=_edit(f"min_lr + {_COSINE}", "0.5 * max_lr * (1 + math.cos(math.pi * progress))"),
    ),
    Misconception(
        id="schedule-min-added",
        title="min_lr is added to a cosine from max_lr: the top is above max_lr",
        belief="min_lr is added so that the rate never is zero.",
        hint=_ASK_ENDS,
        checks=_RATES,
        edits=_edit("(max_lr - min_lr) *", "max_lr *"),
    ),
    Misconception(
        id="schedule-quarter-cosine",
        title="A quarter of a cosine, not half of one",
        belief="A cosine falls to zero at pi / 2.",
        hint=_ASK_HALF,
        checks=_RATES,
        edits=_edit(_COSINE, "(max_lr - min_lr) * math.cos(math.pi / 2 * progress)"),
    ),
    Misconception(
        id="schedule-linear",
        title="The rate falls in a straight line",
        belief="A schedule is warm-up and a line.",
        hint=_ASK_HALF,
        checks=_RATES,
        edits=_edit(_COSINE, "(max_lr - min_lr) * (1 - progress)"),
    ),
)

CLIPPING: tuple[Misconception, ...] = (
    Misconception(
        id="clip-each-by-itself",
        title="Each gradient is clipped by its own norm",
        belief="Every tensor has its norm.",
        hint=_ASK_NORM,
        checks=("4c.clip",),
        edits=_edit(_CLIPPED, "gradients = [g * (max_norm / max(g.norm(), max_norm)) for g in gradients]"),
    ),
    Misconception(
        id="clip-sum-of-norms",
        title="The norms are added up, where their squares have to be",
        belief="The norm of all is the sum of the norms.",
        hint=_ASK_NORM,
        checks=("4c.clip", "4c.small"),
        edits=_edit(_NORM, "norm = sum(g.norm() for g in gradients)"),
    ),
    Misconception(
        id="clip-root-missing",
        title="The norm is left squared",
        belief="The sum of squares is the norm.",
        hint=_ASK_NORM,
        checks=("4c.clip", "4c.small"),
        edits=_edit(_NORM, "norm = sum(g.pow(2).sum() for g in gradients)"),
    ),
    Misconception(
        id="clip-by-value",
        title="Each number is cut off at max_norm: the direction changes",
        belief="Clipping cuts off what is too large.",
        hint=_ASK_NORM,
        checks=("4c.clip",),
        edits=_edit(_CLIPPED, "gradients = [g.clamp(-max_norm, max_norm) for g in gradients]"),
    ),
    Misconception(
        id="clip-always",
        title="Small gradients are made longer",
        belief="Clipping sets the norm to max_norm.",
        hint="What should become of gradients whose norm is below max_norm, and of zeros?",
        checks=("4c.small",),
        edits=_edit("if norm > max_norm:", "if True:"),
    ),
    Misconception(
        id="clip-norm-afterwards",
        title="The norm that comes back is that after clipping",
        belief="The norm of the result is what is of interest.",
        hint="What would a plot of the norm show if it never exceeds max_norm?",
        checks=("4c.clip",),
        edits=_edit(
            "return gradients, norm", "return gradients, torch.sqrt(sum(g.pow(2).sum() for g in gradients))"
        ),
    ),
    Misconception(
        id="clip-in-place",
        title="The gradients that are passed in are changed",
        belief="*= makes a new tensor.",
        hint="Print the first gradient before and after the call.",
        checks=("4c.clip",),
        edits=_edit(_CLIPPED, "gradients = [g.mul_(max_norm / norm) for g in gradients]"),
    ),
)

BANK: tuple[Misconception, ...] = (*ADAMW, *SCHEDULE, *CLIPPING)

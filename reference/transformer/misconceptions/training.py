"""What students get wrong in fine-tuning and in using the model, as edits of the model solution's finetune.py.

The words are those of `training_mistakes`, which the rules name a mistake with; here are the mistakes that cost points.
Those that leave the weights as good as they should be are only told, and stand in no bank.
"""

from __future__ import annotations

from grader.bank import Edit, Misconception
from reference.transformer.training_mistakes import MISTAKES

TRAINS, CLAIMS = ("3b.trains", "3d.trains"), ("3b.claims", "3d.claims")

_BACKWARD = "            loss.backward()\n"
_STEP = "            optimizer.step()\n"
_ZERO = "            optimizer.zero_grad()\n"
_LOSS = "loss = F.cross_entropy(logits, labels)"
_PARAMETERS = "torch.optim.AdamW(model.parameters(), lr=learning_rate)"
_ACCURACY = "    return right / len(numbers)\n"
_TESTED = "accuracy(model, tokenizer, test)"
_LABELS = 'LABELS = ["World", "Sports", "Business", "Sci/Tech"]'
_FOUR = "results/predictions.json"


def _edit(old: str, new: str) -> Edit:
    return Edit("finetune.py", old, new)


def _training(id: str, *edits: Edit, checks: tuple[str, ...] = TRAINS) -> Misconception:
    """A mistake after which the model is not what it should be; the figures then wait for it."""
    words = MISTAKES[id]
    return Misconception(
        id=id,
        title=words.title,
        belief=words.belief,
        hint=words.hint,
        checks=checks,
        may_cost=CLAIMS,
        edits=edits,
    )


def _figures(id: str, *edits: Edit) -> Misconception:
    """A mistake in what is returned about a model that is as it should be."""
    words = MISTAKES[id]
    return Misconception(
        id=id, title=words.title, belief=words.belief, hint=words.hint, checks=CLAIMS, edits=edits
    )


BANK: tuple[Misconception, ...] = (
    Misconception(
        id="samples-always-three",
        title="first_samples gives three samples whatever n is",
        belief="The handout asks for three, so three it is.",
        hint="Call first_samples(train, 5) and count.",
        checks=("3a.samples",),
        edits=(_edit("train.select(range(n))]", "train.select(range(3))]"),),
        diagnosed=False,
    ),
    _training("no-backward", _edit(_BACKWARD, "")),
    _training("no-step", _edit(_STEP, "")),
    _training("loss-detached", _edit(_LOSS, f"{_LOSS}.detach().requires_grad_()")),
    _training("zero-grad-before-step", _edit(_ZERO, ""), _edit(_STEP, _ZERO + _STEP)),
    _training(
        "backward-outside-loop",
        _edit(_BACKWARD + _STEP, ""),
        _edit(
            "        history.append(\n",
            "        loss.backward()\n        optimizer.step()\n        history.append(\n",
        ),
    ),
    _training("lr-too-large", _edit("lr=learning_rate)", "lr=5e-2)")),
    _training(
        "head-only",
        _edit(_PARAMETERS, _PARAMETERS.replace("model.parameters()", "model.classifier.parameters()")),
    ),
    _training(
        "labels-renumbered",
        _edit('batch["label"].to(model.device)', '(batch["label"].to(model.device) + 1) % 4'),
    ),
    _training("labels-shuffled", _edit(_LOSS, "loss = F.cross_entropy(logits, labels.roll(1))")),
    _training("trains-on-test", _edit("DataLoader(train,", "DataLoader(test,")),
    _training(
        "trains-on-both",
        _edit("DataLoader(train,", "DataLoader(torch.utils.data.ConcatDataset([train, test]),"),
        checks=("3b.trains",),
    ),
    _figures("evaluates-training-texts", _edit(_TESTED, "accuracy(model, tokenizer, train)")),
    _figures("accuracy-over-batches", _edit(_ACCURACY, "    return right / -(-len(numbers) // 32)\n")),
    _figures("percentages", _edit(_ACCURACY, "    return 100 * right / len(numbers)\n")),
    _figures("figures-not-measured", _edit(_TESTED, "0.8906")),
    Misconception(
        id="topics-in-another-order",
        title="The label numbers are given other names than in the data set",
        belief="Labels are numbered in the alphabetical order of their names.",
        hint="Which name has label 0 in the data set? Ask its features.",
        checks=("3c.predict",),
        edits=(_edit(_LABELS, 'LABELS = ["Business", "Sci/Tech", "Sports", "World"]'),),
        diagnosed=False,
    ),
    Misconception(
        id="predicted-by-an-untrained-model",
        title="The four topics are those of a model that has learnt nothing",
        belief="A pre-trained model knows the topics already.",
        hint="Which weights has the model whose answers you wrote down, and when was it loaded?",
        checks=("3c.predictions",),
        edits=(
            Edit(_FOUR, '"label": "Sci/Tech"', '"label": "Sports"'),
            Edit(_FOUR, '"label": "World"', '"label": "Sports"'),
            Edit(_FOUR, '"label": "Business"', '"label": "Sports"'),
        ),
        diagnosed=False,
    ),
)
"""In the order of the parts."""

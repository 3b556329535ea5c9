"""What is wrong with a training loop, in words: one entry for each mistake that the rules can name."""

from __future__ import annotations

from dataclasses import dataclass

from grader.model import Diagnosis


@dataclass(frozen=True, slots=True)
class Mistake:
    """A known mistake of a training loop."""

    id: str
    title: str
    """What is wrong, as a sentence without a full stop."""
    belief: str
    """What someone who writes this thinks."""
    hint: str
    """A question or a small experiment; the answer is not in it."""

    def diagnosis(self, evidence: str) -> Diagnosis:
        """As the report tells it."""
        return Diagnosis(self.id, self.title, evidence, self.hint)


_LABELS = "Print one batch: each text beside the label that the loss is given for it."
_MODE = "Print model.training right before the forward pass, in the first epoch and in the second."
_ONE_BATCH = (
    "Follow one batch: print a weight of the classifier before and after it. What should change it, and when?"
)
_COUNT = "Work out by hand, for two batches of different size, what your evaluation returns."

_ALL: tuple[Mistake, ...] = (
    # ---- gradients and steps
    Mistake("no-backward", "No gradient is ever computed", "The optimizer computes the gradients.", _ONE_BATCH),
    Mistake(
        "loss-detached", "The loss is cut off from the model, so its gradient reaches no weight",
        "backward() works for any tensor that requires a gradient.",
        "Print loss.grad_fn. What does it say about how the loss came about?",
    ),
    Mistake(
        "other-model", "It is not the model that was handed over that is trained",
        "A copy of the model shares its weights.",
        "Compare id(model) at the top of the function with the model whose weights the optimizer holds.",
    ),
    Mistake("no-step", "No step is ever taken", "backward() changes the weights.", _ONE_BATCH),
    Mistake(
        "zero-grad-before-step", "The gradients are cleared after they were computed and before they are used",
        "zero_grad prepares the step.", "Print the norm of the gradients right before optimizer.step().",
    ),
    Mistake(
        "pretrained-weights-lost", "The pre-trained weights are overwritten before training",
        "A model has to be initialised before it is trained.",
        "Compare a weight of the first layer at the top of your function with the same one right before the loop.",
    ),
    Mistake(
        "lr-zero", "The learning rate is 0 in every step", "A scheduler works once it is made.",
        "Print optimizer.param_groups[0]['lr'] in every step.",
    ),
    Mistake(
        "weights-reloaded", "Training begins from the first weights again and again",
        "Each epoch starts from the pre-trained model.",
        "Print a weight of the classifier at the end of an epoch and at the beginning of the next.",
    ),
    Mistake(
        "backward-outside-loop", "Only few of the batches are used for a gradient",
        "One backward pass at the end of an epoch covers all of it.",
        "Count: how many batches go forward in one epoch, and how many backward?",
    ),
    Mistake(
        "no-zero-grad", "Gradients of earlier batches are never cleared, so they add up",
        "backward() overwrites the gradients.",
        "Print the norm of the gradients in the first steps. Why does it grow?",
    ),
    Mistake(
        "accumulation-lost", "Gradients are cleared in between, so only the last batch before each step counts",
        "zero_grad belongs into every round of the loop.",
        "When gradients of several batches are to be used in one step, how often may they be cleared?",
    ),
    Mistake(
        "optimizer-made-anew", "The optimizer is made anew during training and forgets the gradients that it has seen",
        "An optimizer has no memory.", "What does AdamW keep from one step to the next, and where?",
    ),
    Mistake(
        "loss-maximised", "The steps make the loss larger", "Gradients point to where the loss is smaller.",
        "Print the loss every ten steps. Which way should it go?",
    ),
    Mistake(
        "clip-after-step", "Gradients are clipped after the step that used them, which has no effect",
        "Clipping works wherever it stands in the loop.",
        "Print the norm of the gradients that optimizer.step() finds.",
    ),
    # ---- what the optimizer holds, and its rate
    Mistake(
        "head-only", "The optimizer holds the new head alone, so the pre-trained layers never change",
        "Fine-tuning trains the new layers.",
        "Which parameters does your optimizer hold, and what is to change in fine-tuning?",
    ),
    Mistake(
        "schedule-too-short", "The learning rate has fallen to almost nothing when training has hardly begun",
        "A schedule counts epochs, however often it is stepped.",
        "Print the learning rate every ten steps. How often is the schedule stepped, and how long is it?",
    ),
    Mistake(
        "lr-too-small", "The learning rate is too small for this optimizer to change anything",
        "One learning rate fits every optimizer.",
        "How far does a weight of the classifier move in one epoch? Compare with AdamW at the handout's rate.",
    ),
    Mistake(
        "lr-too-large", "The learning rate is so large that it destroys what the model had learnt",
        "A larger learning rate learns faster.",
        "Print the loss of the first twenty steps. What does it do, and what at a tenth of the rate?",
    ),
    Mistake(
        "batch-too-large", "The batches are so large that few steps are taken", "A larger batch only saves time.",
        "How many steps does your loop take in one epoch, and how many at the batch size that is asked for?",
    ),
    # ---- mode
    Mistake(
        "never-train-mode", "The model is never in train mode, so dropout is off during training",
        "A new model is in train mode.", _MODE,
    ),
    Mistake(
        "train-mode-lost", "The model is in train mode at first and stays in eval mode after an evaluation",
        "Train mode comes back by itself after an evaluation.", _MODE,
    ),
    Mistake(
        "no-eval-mode", "The test texts are evaluated in train mode, so dropout changes the answers",
        "no_grad turns dropout off.", "Evaluate twice without training in between. Is the accuracy the same?",
    ),
    Mistake(
        "grad-in-eval", "Evaluation keeps everything for a backward pass that never comes",
        "eval() turns gradients off.", "Print logits.requires_grad during evaluation.",
    ),
    # ---- texts and labels
    Mistake(
        "trains-on-test", "It is trained on the test texts", "More data is better.",
        "Which of the two data sets does the loop take its batches from?",
    ),
    Mistake(
        "trains-on-both", "It is trained on the training texts and the test texts together", "More data is better.",
        "What does an accuracy say that is measured on texts which the model was trained on?",
    ),
    Mistake(
        "labels-constant", "Every text is trained on with the same label", "The collator knows the labels.", _LABELS
    ),
    Mistake(
        "labels-renumbered", "The labels are renumbered, so the model learns other names for the topics",
        "Labels begin at 1.", _LABELS,
    ),
    Mistake(
        "labels-shuffled", "Texts are trained on with other texts' labels", "Order does not matter in training.",
        _LABELS,
    ),
    Mistake(
        "part-of-the-data", "Much of the training set is never trained on",
        "A few batches are enough to see the loss fall.",
        "Collect the rows that go through your loop in one epoch. How many different ones are there?",
    ),
    Mistake(
        "sorted-by-label", "The batches are sorted by label, so each teaches one topic alone",
        "Order does not matter in training.", "Print the labels of the first batches of an epoch.",
    ),
    # ---- what the model sees, and the loss
    Mistake(
        "no-attention-mask", "The attention mask is not passed on, so the model reads the padding as text",
        "The model sees by itself what is padding.",
        "Classify one short text alone, and again padded to 128 tokens. Are the logits the same?",
    ),
    Mistake(
        "texts-cut-short", "The texts are cut to a few tokens", "Truncation only saves time.",
        "Decode one batch of input_ids back to text. What is left of it?",
    ),
    Mistake(
        "no-special-tokens", "The special tokens are missing, and with them the one that the classifier reads",
        "Special tokens are for generation.", "Decode one row of input_ids. What does the classification head look at?",
    ),
    Mistake(
        "softmax-before-loss", "Softmax is applied before a loss that applies it itself", "A loss needs probabilities.",
        "What is the smallest value that your loss can take for a text that is classified with certainty?",
    ),
    Mistake(
        "nll-of-logits", "nll_loss is given logits, though it expects log-probabilities",
        "NLLLoss and CrossEntropyLoss are the same.",
        "What does your loss say of logits that are all raised by 10, and what should it say?",
    ),
    # ---- figures
    Mistake(
        "percentages", "Percentages are returned where shares are asked for", "An accuracy is a percentage.",
        "Between which two numbers does the handout want an accuracy?",
    ),
    Mistake(
        "evaluates-training-texts", "The test accuracy is measured on the training texts",
        "An accuracy is an accuracy.",
        "Which data set goes into the evaluation whose result you return as test_acc?",
    ),
    Mistake(
        "evaluates-other-model", "It is another model that is evaluated than the one that was trained",
        "A copy of the model learns along with it.", "Compare id() of the two models.",
    ),
    Mistake(
        "accuracy-over-batches", "Right answers are divided by the number of batches, not of texts",
        "A mean over batches has to be divided by their number.", _COUNT,
    ),
    Mistake(
        "accuracy-of-last-batch", "The accuracy is that of the last batch alone",
        "The last value of the loop stands for all of it.", _COUNT,
    ),
    Mistake(
        "mean-of-unequal-batches", "Accuracies of batches of different size are averaged as if they were of one size",
        "The mean of means is the mean.", _COUNT,
    ),
    Mistake(
        "measured-before-training", "The test accuracy of an epoch is measured before its training",
        "It does not matter when in an epoch the test texts are evaluated.",
        "Which weights does the model have when your evaluation runs?",
    ),
    Mistake(
        "test-labels-misaligned", "The answers are compared with the labels of other test texts",
        "Texts and labels stay together by themselves.",
        "Print a test text, the model's answer and the label that it is compared with.",
    ),
    Mistake(
        "figures-not-measured", "The test accuracy that is returned is not what the model answered",
        "The figures of an earlier run may stand in the code.",
        "Where in your code does the returned number come from? Compare it with a count of right answers.",
    ),
    Mistake(
        "epochs-ignored", "Another number of epochs is run than the argument says", "The number of epochs is always 3.",
        "Call finetune with epochs=1 and with epochs=2. How many entries come back?",
    ),
)  # fmt: skip

MISTAKES = {mistake.id: mistake for mistake in _ALL}
"""By id."""

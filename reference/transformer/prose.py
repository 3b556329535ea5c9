"""The questions that are answered in words: a model answer each, and what a person who marks looks for.

A concept found in a text says that its words are there, not that what is said about it is right: that is
for a person to judge. Imports no torch.

Sources: Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018, equation (1);
Devlin et al., "BERT", arXiv:1810.04805; Raffel et al., "T5", arXiv:1910.10683, section 3.2; Sanh et al.,
"DistilBERT", arXiv:1910.01108; Liu et al., "RoBERTa", arXiv:1907.11692.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing that a good answer speaks of."""

    name: str
    """As a person who marks would call it."""
    words: tuple[str, ...]
    """Beginnings of words that show it. A space stands for any space or hyphen, "…" for up to four words."""

    def find(self, text: str) -> str | None:
        """The first passage of `text` that shows the concept, as it stands there, or None."""
        for words in self.words:
            found = _pattern(words).search(text)
            if found:
                return found.group()
        return None


@dataclass(frozen=True, slots=True)
class Prose:
    """One question that is answered in words."""

    id: str
    """Id of the check: "4a.objective"."""
    question: str
    """What is asked, one sentence."""
    answer: str
    """A short right answer."""
    concepts: tuple[Concept, ...]
    """In the order in which the answer speaks of them."""

    def look(self, text: str) -> Iterator[tuple[Concept, str | None]]:
        """Each concept with the passage of `text` that shows it, or None where none does."""
        for concept in self.concepts:
            yield concept, concept.find(text)


def _pattern(words: str) -> re.Pattern[str]:
    """A concept's words as a regular expression: whole words from their beginning, any ending."""
    pattern = re.escape(words).replace(r"\ …\ ", r"\w*\W+(?:\w+\W+){0,4}?").replace(r"\ ", r"\w*[\s-]+")
    return re.compile(rf"\b{pattern}\w*", re.IGNORECASE)


PROSE: dict[str, Prose] = {
    prose.id: prose
    for prose in (
        Prose(
            "3d.comparison",
            "Compare DistilBERT and RoBERTa on this task: accuracy, time, robustness.",
            "After three epochs the two are close: on 128 test texts one text is 0.8 points, and the "
            "standard error of an accuracy near 0.9 is about 2.7 points, so a gap of two or three points "
            "is no evidence that one is better. RoBERTa has 125 million parameters in 12 layers, "
            "DistilBERT 66 million in 6 (a distilled BERT), so an epoch of RoBERTa takes about twice as "
            "long on the same machine. RoBERTa was pre-trained longer, on ten times the text, with "
            "dynamic masking and without next-sentence prediction, and its byte-level tokenizer has no "
            "unknown words, which makes it the more robust to typing errors and to rare names. Both fit "
            "the training texts better than the test texts from the second epoch on, which is the "
            "beginning of overfitting; other seeds would be needed to rank them.",
            (
                Concept("accuracy compared", ("accura",)),
                Concept("time compared", ("time", "second", "minute", "faster", "slower", "speed")),
                Concept(
                    "robustness or generalisation",
                    ("robust", "generali", "overfit", "stable", "noise", "typing error", "typo"),
                ),
                Concept(
                    "size of the models", ("parameter", "million", "larger", "smaller", "layers", "lighter")
                ),
                Concept(
                    "where the difference comes from",
                    (
                        "distillation",
                        "distilled",
                        "pre train",
                        "pretrain",
                        "dynamic mask",
                        "byte level",
                        "BPE",
                        "more data",
                    ),
                ),
                Concept(
                    "how sure the comparison is",
                    (
                        "standard error",
                        "128",
                        "significan",
                        "chance",
                        "seed",
                        "confidence",
                        "uncertain",
                        "noise",
                    ),
                ),
            ),
        ),
        Prose(
            "4a.objective",
            "What is the objective of language modelling?",
            "A language model learns the probability of text. A causal model factorises it by the chain "
            "rule into the probability of each token given the ones before it, P(x) = Π_t P(x_t | x_1 … "
            "x_{t-1}), and is trained by maximum likelihood: its parameters minimise the mean negative "
            "log-likelihood of the next token, which is the cross-entropy between the model's softmax "
            "over the vocabulary and the token that really follows. The text itself is the label, so the "
            "training is self-supervised. A masked model predicts hidden tokens from both sides by the "
            "same loss.",
            (
                Concept(
                    "predict the next (or a masked) token",
                    ("next token", "next word", "predict … token", "predict … word", "mask"),
                ),
                Concept(
                    "given the context",
                    ("given", "context", "previous", "preceding", "condition", "before it", "chain rule"),
                ),
                Concept("probability distribution", ("probabilit", "distribution", "softmax")),
                Concept(
                    "what is optimised",
                    ("likelihood", "cross entropy", "log loss", "perplexity", "loss", "maximi", "minimi"),
                ),
                Concept(
                    "labels come from the text itself",
                    (
                        "self supervis",
                        "unsupervis",
                        "unlabel",
                        "without label",
                        "no label",
                        "raw text",
                        "label",
                    ),
                ),
            ),
        ),
        Prose(
            "4b.comparison",
            "Compare decoder-only models with encoder-only and encoder-decoder models.",
            "A decoder-only model (GPT) has causal self-attention: a token sees itself and what is to its "
            "left. It is trained to predict the next token and generates text one token after the other; "
            "a prompt makes any task a continuation. An encoder-only model (BERT) attends in both "
            "directions and is trained to fill in masked tokens; it gives a representation of a whole "
            "text, good for classification and tagging, but it does not generate. An encoder-decoder "
            "model (T5, the original Transformer) reads the input in both directions and writes the "
            "output causally, with cross-attention from decoder to encoder: it suits tasks with a "
            "separate input and output, such as translation and summarisation. Decoder-only models scale "
            "simply, since one stack and one objective serve for everything, and every token of the text "
            "is a training signal.",
            (
                Concept(
                    "causal attention of the decoder",
                    (
                        "causal",
                        "autoregress",
                        "auto regress",
                        "unidirection",
                        "left to right",
                        "previous token",
                    ),
                ),
                Concept(
                    "attention in both directions",
                    ("bidirection", "bi direction", "both direction", "both side"),
                ),
                Concept(
                    "cross-attention", ("cross attention", "encoder decoder attention", "attend … encoder")
                ),
                Concept(
                    "training objectives",
                    (
                        "next token",
                        "next word",
                        "mask … token",
                        "masked language",
                        "MLM",
                        "denois",
                        "span corrupt",
                    ),
                ),
                Concept(
                    "tasks that each suits",
                    (
                        "generat",
                        "classif",
                        "translat",
                        "summari",
                        "tagging",
                        "sequence to sequence",
                        "seq2seq",
                    ),
                ),
                Concept("examples", ("GPT", "BERT", "T5", "BART", "LLaMA", "RoBERTa")),
            ),
        ),
    )
}
"""By the id of the check."""

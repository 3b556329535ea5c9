"""What students get wrong about dropout in attention: whether, where, when, and with which probability."""

from __future__ import annotations

from reference.transformer.misconceptions.entry import AROUND, RUNS, VALUES, AttentionMisconception, edit
from reference.transformer.misconceptions.recipes import Recipe

_DROP = "weights = self.dropout(weights)"
_MADE = "self.dropout = nn.Dropout(dropout)\n\n    def split"
_RETURN = "return self.proj(self.merge(heads))  # (N, S, E)"

_ASK_WHERE = (
    "In train mode, print what is 0 in each step of forward: the scores, the weights, the values, the output?"
)
_ASK_SHARE = (
    "Build the module with dropout=0.3, call it in train mode, and count the weights that are 0: is it 30 %?"
)

DROPOUTS = (
    AttentionMisconception(
        id="dropout-in-eval",
        title="Dropout is still on in eval mode",
        belief="F.dropout knows whether the module is training.",
        hint="Call .eval(), then the module twice on one input. How does F.dropout get to know the mode?",
        checks=(*VALUES, "2c.dropout"),
        may_cost=(*AROUND, *RUNS),
        edits=edit(_DROP, "weights = nn.functional.dropout(weights, self.dropout.p)"),
        recipe=Recipe(dropout="always"),
    ),
    AttentionMisconception(
        id="dropout-missing",
        title="Nothing is dropped in train mode",
        belief="Making the dropout layer is enough, or calling it without using what it returns.",
        hint="Follow the attention weights from the softmax to the values: where does the result of dropout go?",
        checks=("2c.dropout",),
        may_cost=RUNS,
        edits=edit(_DROP, "self.dropout(weights)"),
        recipe=Recipe(dropout="none"),
    ),
    AttentionMisconception(
        id="dropout-on-scores",
        title="Scores are dropped, before the softmax, not attention weights",
        belief="Dropping a score removes its key.",
        hint=_ASK_WHERE,
        checks=("2c.dropout",),
        may_cost=RUNS,
        edits=edit(_DROP, "# dropped above")
        + edit("weights = scores.softmax(dim=-1)", "weights = self.dropout(scores).softmax(dim=-1)"),
        recipe=Recipe(dropout="scores"),
    ),
    AttentionMisconception(
        id="dropout-on-values",
        title="Values are dropped, not attention weights",
        belief="What is averaged is dropped.",
        hint=_ASK_WHERE,
        checks=("2c.dropout",),
        may_cost=RUNS,
        edits=edit(_DROP, "v = self.dropout(v)"),
        recipe=Recipe(dropout="values"),
    ),
    AttentionMisconception(
        id="dropout-on-heads",
        title="The weighted sums of the heads are dropped, not the attention weights",
        belief="Dropout acts on what attention gives.",
        hint=_ASK_WHERE,
        checks=("2c.dropout",),
        may_cost=RUNS,
        edits=edit(_DROP, "# dropped below")
        + edit("heads = weights @ v  #", "heads = self.dropout(weights @ v)  #"),
        recipe=Recipe(dropout="heads"),
    ),
    AttentionMisconception(
        id="dropout-on-output",
        title="The output is dropped, not the attention weights",
        belief="Dropout comes last, as it does after most layers.",
        hint=_ASK_WHERE,
        checks=("2c.dropout",),
        may_cost=RUNS,
        edits=edit(_DROP, "# dropped below")
        + edit(_RETURN, "return self.dropout(self.proj(self.merge(heads)))"),
        recipe=Recipe(dropout="output"),
    ),
    AttentionMisconception(
        id="dropout-on-weights-and-output",
        title="The output is dropped as well as the attention weights",
        belief="Each step of a layer has its dropout.",
        hint=_ASK_WHERE,
        checks=("2c.dropout",),
        may_cost=RUNS,
        edits=edit(_RETURN, "return self.dropout(self.proj(self.merge(heads)))"),
        recipe=Recipe(dropout="weights and output"),
    ),
    AttentionMisconception(
        id="dropout-twice",
        title="The attention weights are dropped twice",
        belief="One dropout for the softmax, one for the weighted sum.",
        hint=_ASK_SHARE,
        checks=("2c.dropout",),
        may_cost=RUNS,
        edits=edit(_DROP, "weights = self.dropout(self.dropout(weights))"),
        recipe=Recipe(dropout="twice"),
    ),
    AttentionMisconception(
        id="dropout-of-one-half",
        title="Half of the attention weights are dropped, whatever the argument says",
        belief="nn.Dropout() gets the probability by itself.",
        hint=_ASK_SHARE,
        checks=("2c.dropout",),
        may_cost=RUNS,
        edits=edit(_MADE, "self.dropout = nn.Dropout()\n\n    def split"),
        recipe=Recipe(dropout="half"),
    ),
    AttentionMisconception(
        id="dropout-of-one-tenth",
        title="A tenth of the attention weights is dropped, whatever the argument says",
        belief="The probability is 0.1, so it can be written down.",
        hint=_ASK_SHARE,
        checks=("2c.dropout",),
        edits=edit(_MADE, "self.dropout = nn.Dropout(0.1)\n\n    def split"),
        recipe=Recipe(dropout="tenth"),
    ),
    AttentionMisconception(
        id="dropout-alike-for-heads",
        title="All heads drop the same weights",
        belief="A key is dropped for the whole layer.",
        hint="Print which weights are 0 in the first head and which in the second, in train mode.",
        checks=("2c.dropout",),
        may_cost=RUNS,
        edits=edit(_DROP, "weights = weights * self.dropout(torch.ones_like(weights[:, :1]))"),
        recipe=Recipe(dropout="alike"),
    ),
    AttentionMisconception(
        id="dropout-not-rescaled",
        title="Weights are dropped, and those that are left are not scaled up",
        belief="Dropout sets a share of the weights to 0, and that is all.",
        hint="Average the output over many calls in train mode: is it the output of eval mode?",
        checks=("2c.dropout",),
        may_cost=RUNS,
        edits=edit(
            _DROP,
            "if self.training:\n            weights = weights * (torch.rand_like(weights) > self.dropout.p)",
        ),
        recipe=Recipe(dropout="not rescaled"),
    ),
)

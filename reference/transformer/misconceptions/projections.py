"""What students get wrong about arguments and layers: which goes into which, and what comes out last."""

from __future__ import annotations

from reference.transformer.misconceptions.entry import (
    AROUND,
    RUNS,
    VALUES,
    AttentionMisconception,
    edit,
    norm,
)
from reference.transformer.misconceptions.recipes import Recipe

_QUERY = "q = self.split(self.query(query))"
_KEY = "k = self.split(self.key(key))"
_VALUE = "v = self.split(self.value(value))"
_RETURN = "return self.proj(self.merge(heads))  # (N, S, E)"

_ASK_ARGUMENT = "Call forward with three different tensors, and print which of them each layer is given."
_ASK_LAYER = "Set the weights of one layer after another to zero: does the output change for each of them?"

ARGUMENTS = (
    AttentionMisconception(
        id="value-from-key",
        title="The value is projected from the key",
        belief="Key and value are always the same tensor.",
        hint=_ASK_ARGUMENT,
        checks=("2c.cross",),
        may_cost=AROUND,
        edits=edit(_VALUE, "v = self.split(self.value(key))"),
        recipe=Recipe(inputs="qkk"),
    ),
    AttentionMisconception(
        id="key-from-value",
        title="The key is projected from the value",
        belief="Key and value are always the same tensor.",
        hint=_ASK_ARGUMENT,
        checks=("2c.cross",),
        may_cost=AROUND,
        edits=edit(_KEY, "k = self.split(self.key(value))"),
        recipe=Recipe(inputs="qvv"),
    ),
    AttentionMisconception(
        id="key-value-exchanged",
        title="The key is projected from the value, and the value from the key",
        belief="The order of the arguments is query, value, key.",
        hint=_ASK_ARGUMENT,
        checks=("2c.cross",),
        may_cost=AROUND,
        edits=(
            *edit(_KEY, "k = self.split(self.key(value))"),
            *edit(_VALUE, "v = self.split(self.value(key))"),
        ),
        recipe=Recipe(inputs="qvk"),
    ),
    AttentionMisconception(
        id="self-attention-assumed",
        title="Key and value are projected from the query",
        belief="Attention is self-attention: all three come from one tensor.",
        hint=_ASK_ARGUMENT,
        checks=("2c.cross", *RUNS),
        may_cost=AROUND,
        edits=(
            *edit(_KEY, "k = self.split(self.key(query))"),
            *edit(_VALUE, "v = self.split(self.value(query))"),
        ),
        recipe=Recipe(inputs="qqq"),
    ),
    AttentionMisconception(
        id="query-from-key",
        title="The query is projected from the key",
        belief="Query and key are always the same tensor.",
        hint=_ASK_ARGUMENT,
        checks=("2c.cross", *RUNS),
        may_cost=AROUND,
        edits=edit(_QUERY, "q = self.split(self.query(key))"),
        recipe=Recipe(inputs="kkv"),
    ),
    AttentionMisconception(
        id="key-from-query",
        title="The key is projected from the query",
        belief="Query and key are always the same tensor.",
        hint=_ASK_ARGUMENT,
        checks=("2c.cross", *RUNS),
        may_cost=AROUND,
        edits=edit(_KEY, "k = self.split(self.key(query))"),
        recipe=Recipe(inputs="qqv"),
    ),
    AttentionMisconception(
        id="query-key-swapped",
        title="The layers of query and key are swapped",
        belief="Both are linear layers, so either will do.",
        hint=_ASK_LAYER,
        checks=(*VALUES, *RUNS),
        edits=(
            *edit(_QUERY, "q = self.split(self.key(query))"),
            *edit(_KEY, "k = self.split(self.query(key))"),
        ),
        recipe=Recipe(layers="kqv"),
    ),
    AttentionMisconception(
        id="one-layer-for-query-and-key",
        title="The query passes through the layer of the key",
        belief="Query and key have to be compared, so one layer projects both.",
        hint=_ASK_LAYER,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_QUERY, "q = self.split(self.key(query))"),
        recipe=Recipe(layers="kkv"),
    ),
    AttentionMisconception(
        id="one-layer-for-key-and-value",
        title="The key passes through the layer of the value",
        belief="Key and value come from one tensor, so one layer projects both.",
        hint=_ASK_LAYER,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_KEY, "k = self.split(self.value(key))"),
        recipe=Recipe(layers="qvv"),
    ),
    AttentionMisconception(
        id="value-not-projected",
        title="The value is used without its layer",
        belief="Only what is compared has to be projected.",
        hint=_ASK_LAYER,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_VALUE, "v = self.split(value)"),
        recipe=Recipe(layers="qk-"),
    ),
    AttentionMisconception(
        id="inputs-not-projected",
        title="Query, key and value are split into heads without their layers",
        belief="The layers only stand for the sizes.",
        hint=_ASK_LAYER,
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=(
            *edit(_QUERY, "q = self.split(query)"),
            *edit(_KEY, "k = self.split(key)"),
            *edit(_VALUE, "v = self.split(value)"),
        ),
        recipe=Recipe(layers="---"),
    ),
)

OUTPUTS = (
    AttentionMisconception(
        id="no-output-projection",
        title="The output does not pass through the output layer",
        belief="Putting the heads together is the last step.",
        hint=_ASK_LAYER,
        checks=(*VALUES, *RUNS, "2b.masked_norm"),
        may_cost=AROUND,
        edits=(*edit(_RETURN, "return self.merge(heads)"), *norm("1.3411")),
        recipe=Recipe(output="as it is"),
    ),
    AttentionMisconception(
        id="new-output-layer",
        title="The output passes through a layer that forward makes anew",
        belief="A layer can be made where it is used.",
        hint="Call forward twice in eval mode on one input: are the outputs alike? Which weights can be trained?",
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_RETURN, "return nn.Linear(query.size(-1), query.size(-1))(self.merge(heads))"),
        recipe=Recipe(output="new layer"),
    ),
    AttentionMisconception(
        id="residual-added",
        title="The query is added to the output",
        belief="The residual connection of the paper's figure 1 belongs to attention.",
        hint="Set the weights and biases of the output layer to zero: what should come out, and what does?",
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(_RETURN, "return query + self.proj(self.merge(heads))"),
        recipe=Recipe(output="added"),
    ),
    AttentionMisconception(
        id="output-of-key-length",
        title="The output is reshaped to the length of the key",
        belief="Query and key have one length.",
        hint="Write down the shape after every line for a query of length 4 and keys of length 7.",
        checks=("2c.cross",),
        may_cost=AROUND,
        edits=edit(_RETURN, "return self.proj(heads.transpose(1, 2).reshape(key.shape))"),
        recipe=Recipe(merge="key length"),
    ),
    AttentionMisconception(
        id="weights-drawn-anew",
        title="forward draws the weights of the layers anew",
        belief="Weights are initialised where they are used.",
        hint="Call forward twice in eval mode on one input: are the outputs alike? What would training change?",
        checks=(*VALUES, *RUNS),
        may_cost=AROUND,
        edits=edit(
            _QUERY,
            "for layer in (self.query, self.key, self.value, self.proj):\n"
            f"            nn.init.xavier_uniform_(layer.weight)\n        {_QUERY}",
        ),
        diagnosed=False,  # of which layers, in which order and from which distribution: there is no one way to replay
    ),
)

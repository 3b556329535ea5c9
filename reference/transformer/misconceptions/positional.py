"""What students get wrong in the positional encoding besides its table: the sum, dropout, where the table is kept."""

from __future__ import annotations

from reference.transformer.misconceptions.encodings import RIGHT, Encoding
from reference.transformer.misconceptions.entry import EncodingMisconception, edit
from reference.transformer.misconceptions.tables import TABLES

_VALUES = ("2d.values", "2d.reported")
_AROUND = ("2d.input", "2d.lengths", "2d.dropout")

_BUFFER = 'self.register_buffer("table", table)'
_SUM = "x = x + self.table[:, : x.size(1)]"
_RETURN = "return self.dropout(x)"
_MADE = "self.dropout = nn.Dropout(dropout)\n        position"

_ASK_SLICE = (
    "Print the shape of what you add to x, for two sequences of length 5: which row meets which token?"
)
_ASK_SUM = "Give it a tensor of zeros, then one of ones, in eval mode: what should come out, and what does?"
_ASK_DROPPED = (
    "Give it ones, in train mode, and print where the output is 0: which of the summands is gone there?"
)
_ASK_SHARE = "Build it with dropout=0.3 and count the zeros of its output in train mode: is it 30 %?"
_ASK_LISTS = (
    "Print list(module.parameters()) and module.state_dict(): in which of the two should the table be?"
)

SUMS = (
    EncodingMisconception(
        id="pe-by-sequence",
        title="The row of the table is that of the sequence in the batch, not of the token's position",
        belief="The first axis of x is its length.",
        hint=_ASK_SLICE,
        checks=(*_VALUES, "2d.input"),
        may_cost=_AROUND,
        edits=edit(_SUM, "x = x + self.table[0, : x.size(0)].unsqueeze(1)"),
        recipe=Encoding(rows="of sequences"),
    ),
    EncodingMisconception(
        id="pe-one-row",
        title="Every token gets the row of one position",
        belief="An index of the length gives the rows up to it.",
        hint=_ASK_SLICE,
        checks=_VALUES,
        may_cost=_AROUND,
        edits=edit(_SUM, "x = x + self.table[:, x.size(1)]"),
        recipe=Encoding(rows="next"),
    ),
    EncodingMisconception(
        id="pe-twice",
        title="The encoding is added twice",
        belief="The table is added where it is made and where it is used.",
        hint=_ASK_SUM,
        checks=_VALUES,
        edits=edit(_SUM, "x = x + self.table[:, : x.size(1)] + self.table[:, : x.size(1)]"),
        recipe=Encoding(combined="twice"),
    ),
    EncodingMisconception(
        id="pe-not-added",
        title="The encoding is not added",
        belief="Making the buffer is enough.",
        hint=_ASK_SUM,
        checks=(*_VALUES, "2d.input"),
        may_cost=_AROUND,
        edits=edit(_SUM, "x + self.table[:, : x.size(1)]"),
        recipe=Encoding(combined="input"),
    ),
    EncodingMisconception(
        id="pe-returned-alone",
        title="The table is returned without the input",
        belief="The module gives the encoding; someone else adds it.",
        hint=_ASK_SUM,
        checks=(*_VALUES, "2d.input"),
        may_cost=_AROUND,
        edits=edit(_SUM, "x = self.table[:, : x.size(1)].expand_as(x)"),
        recipe=Encoding(combined="table"),
    ),
    EncodingMisconception(
        id="pe-multiplied",
        title="The input is multiplied by the encoding",
        belief="A position weights its token.",
        hint=_ASK_SUM,
        checks=(*_VALUES, "2d.input"),
        may_cost=_AROUND,
        edits=edit(_SUM, "x = x * self.table[:, : x.size(1)]"),
        recipe=Encoding(combined="product"),
    ),
    EncodingMisconception(
        id="pe-subtracted",
        title="The encoding is subtracted",
        belief="The sign does not matter to what is learned.",
        hint=_ASK_SUM,
        checks=_VALUES,
        edits=edit(_SUM, "x = x - self.table[:, : x.size(1)]"),
        recipe=Encoding(combined="difference"),
    ),
    EncodingMisconception(
        id="pe-input-scaled",
        title="The input is multiplied by the root of embed_dim first",
        belief="The embedding is scaled here, as in section 3.4 of the paper.",
        hint=_ASK_SUM,
        checks=(*_VALUES, "2d.input"),
        may_cost=_AROUND,
        edits=edit(_SUM, "x = x * math.sqrt(x.size(-1)) + self.table[:, : x.size(1)]"),
        recipe=Encoding(combined="large input"),
    ),
    EncodingMisconception(
        id="pe-table-scaled",
        title="The encoding is divided by the root of embed_dim",
        belief="Like the scores, it has to be scaled.",
        hint=_ASK_SUM,
        checks=_VALUES,
        edits=edit(_SUM, "x = x + self.table[:, : x.size(1)] / math.sqrt(x.size(-1))"),
        recipe=Encoding(combined="small table"),
    ),
)

DROPOUTS = (
    EncodingMisconception(
        id="pe-dropout-in-eval",
        title="Dropout is still on in eval mode",
        belief="F.dropout knows whether the module is training.",
        hint="Call .eval(), then the module twice on one input. How does F.dropout get to know the mode?",
        checks=("2d.values", "2d.dropout", "2d.input"),
        may_cost=(*_AROUND, "2d.reported", "2d.lengths"),
        edits=edit(_RETURN, "return nn.functional.dropout(x, self.dropout.p)"),
        recipe=Encoding(dropout="always"),
    ),
    EncodingMisconception(
        id="pe-dropout-missing",
        title="Nothing is dropped in train mode",
        belief="Making the dropout layer is enough.",
        hint="Where does forward use the dropout layer that __init__ makes, and its result?",
        checks=("2d.dropout", "2d.reported"),
        edits=edit(_RETURN, "return x"),
        recipe=Encoding(dropout="none"),
    ),
    EncodingMisconception(
        id="pe-dropout-on-table",
        title="The encoding is dropped before it is added, not the sum",
        belief="It is the encoding that has to be regularised.",
        hint=_ASK_DROPPED,
        checks=("2d.dropout", "2d.reported"),
        edits=edit(_SUM, "x = x + self.dropout(self.table[:, : x.size(1)])") + edit(_RETURN, "return x"),
        recipe=Encoding(dropout="table"),
    ),
    EncodingMisconception(
        id="pe-dropout-on-input",
        title="The input is dropped before the encoding is added, not the sum",
        belief="Dropout acts on what comes in.",
        hint=_ASK_DROPPED,
        checks=("2d.dropout", "2d.reported"),
        edits=edit(_SUM, "x = self.dropout(x) + self.table[:, : x.size(1)]") + edit(_RETURN, "return x"),
        recipe=Encoding(dropout="input"),
    ),
    EncodingMisconception(
        id="pe-dropout-twice",
        title="The sum is dropped twice",
        belief="One dropout for the input, one for the encoding.",
        hint=_ASK_SHARE,
        checks=("2d.dropout", "2d.reported"),
        edits=edit(_RETURN, "return self.dropout(self.dropout(x))"),
        recipe=Encoding(dropout="twice"),
    ),
    EncodingMisconception(
        id="pe-dropout-of-one-half",
        title="Half of the elements are dropped, whatever the argument says",
        belief="nn.Dropout() gets the probability by itself.",
        hint=_ASK_SHARE,
        checks=("2d.dropout", "2d.reported"),
        edits=edit(_MADE, "self.dropout = nn.Dropout()\n        position"),
        recipe=Encoding(dropout="half"),
    ),
    EncodingMisconception(
        id="pe-dropout-of-one-tenth",
        title="A tenth of the elements is dropped, whatever the argument says",
        belief="The probability is 0.1, so it can be written down.",
        hint=_ASK_SHARE,
        checks=("2d.dropout",),
        edits=edit(_MADE, "self.dropout = nn.Dropout(0.1)\n        position"),
        recipe=Encoding(dropout="tenth"),
    ),
    EncodingMisconception(
        id="pe-dropout-not-rescaled",
        title="Elements are dropped, and those that are left are not scaled up",
        belief="Dropout sets a share of the elements to 0, and that is all.",
        hint="Average the output over many calls in train mode: is it the output of eval mode?",
        checks=("2d.dropout", "2d.reported"),
        edits=edit(_RETURN, "return x * (torch.rand_like(x) > self.dropout.p) if self.training else x"),
        recipe=Encoding(dropout="not rescaled"),
    ),
)

KEPT = (
    EncodingMisconception(
        id="pe-in-place",
        title="forward adds the encoding to its input in place",
        belief="+= is short for x = x + …",
        hint="Print x before and after the call: whose tensor does += change?",
        checks=("2d.input",),
        may_cost=("2d.lengths",),
        edits=edit(_SUM, "x += self.table[:, : x.size(1)]"),
    ),
    EncodingMisconception(
        id="pe-detached",
        title="The output is cut off from the input: no gradient gets through",
        belief="Nothing here is trained, so nothing here needs a gradient.",
        hint="Give it a tensor with requires_grad=True, sum the output, call backward(): what is the tensor's .grad?",
        checks=("2d.input",),
        edits=edit(_SUM, "x = x.detach() + self.table[:, : x.size(1)]"),
    ),
    EncodingMisconception(
        id="pe-trainable",
        title="The table is a parameter, which training changes",
        belief="Whatever a module keeps is a parameter.",
        hint=_ASK_LISTS,
        checks=("2d.buffer",),
        edits=edit(_BUFFER, "self.table = nn.Parameter(table)"),
    ),
    EncodingMisconception(
        id="pe-plain-attribute",
        title="The table is a plain attribute, which does not move with the module",
        belief="A tensor that is not trained needs no registration.",
        hint=_ASK_LISTS,
        checks=("2d.buffer",),
        edits=edit(_BUFFER, "self.table = table"),
    ),
)

BANK: tuple[EncodingMisconception, ...] = (*TABLES, *SUMS, *DROPOUTS, *KEPT)

REPLAYED: tuple[EncodingMisconception, ...] = tuple(m for m in BANK if m.recipe != RIGHT)
"""Those that a recipe replays."""

"""What students get wrong in the table of the positional encoding."""

from __future__ import annotations

import math

from reference.transformer.misconceptions.encodings import Encoding
from reference.transformer.misconceptions.entry import EncodingMisconception, edit

_VALUES = ("2d.values", "2d.reported")

_POSITION = "position = torch.arange(max_len).unsqueeze(1)  # (L, 1)"
_FREQUENCY = "frequency = torch.exp(-math.log(10000.0) * two_i / embed_dim)"
_SINE = "table[0, :, 0::2] = torch.sin(position * frequency)"
_COSINE = "table[0, :, 1::2] = torch.cos(position * frequency)"

_ASK_FORMULA = "Work out positions 0 and 1 by hand for embed_dim 4. Where does your table part from them?"
_ASK_COLUMNS = "Print the first two rows of your table for embed_dim 6: what stands in columns 0, 1 and 3?"

TABLES = (
    EncodingMisconception(
        id="pe-swapped",
        title="Sine and cosine have changed places",
        belief="Cosine comes first.",
        hint=_ASK_COLUMNS,
        checks=_VALUES,
        edits=edit(_SINE, _SINE.replace("sin(", "cos(")) + edit(_COSINE, _COSINE.replace("cos(", "sin(")),
        recipe=Encoding(layout="cosine, sine"),
    ),
    EncodingMisconception(
        id="pe-half-exponent",
        title="The exponent is i / E where the formula has 2i / E",
        belief="The 2i of the formula is the number of the pair.",  # or the base is 100, which comes to the same
        hint=_ASK_FORMULA,
        checks=_VALUES,
        edits=edit(_FREQUENCY, "frequency = torch.exp(-math.log(10000.0) * (two_i / 2) / embed_dim)"),
        recipe=Encoding(exponent="i / E"),
    ),
    EncodingMisconception(
        id="pe-double-exponent",
        title="The exponent is 4i / E where the formula has 2i / E",
        belief="The feature's number, which is even already, has to be doubled.",
        hint=_ASK_FORMULA,
        checks=_VALUES,
        edits=edit(_FREQUENCY, "frequency = torch.exp(-math.log(10000.0) * 2 * two_i / embed_dim)"),
        recipe=Encoding(exponent="4i / E"),
    ),
    EncodingMisconception(
        id="pe-own-frequency",
        title="Each odd feature has a frequency of its own, not that of the even one before it",
        belief="The exponent is the number of the feature over E.",
        hint="How many different frequencies does the formula have for embed_dim 6, and how many has your table?",
        checks=_VALUES,
        edits=edit(
            _COSINE,
            "frequency = torch.exp(-math.log(10000.0) * (two_i + 1) / embed_dim)\n        " + _COSINE,
        ),
        recipe=Encoding(exponent="own"),
    ),
    EncodingMisconception(
        id="pe-frequency-inverted",
        title="The position is multiplied by the power of 10,000, not divided by it",
        belief="The sign of the exponent is a detail.",
        hint="Print the frequencies: should they grow or fall from the first pair to the last?",
        checks=_VALUES,
        edits=edit(_FREQUENCY, "frequency = torch.exp(math.log(10000.0) * two_i / embed_dim)"),
        recipe=Encoding(exponent="-2i / E"),
    ),
    EncodingMisconception(
        id="pe-divided-after-power",
        title="The power of 10,000 is divided by embed_dim, not its exponent",
        belief="10000 ** 2i / E has its exponent up to the end.",
        hint="Which does Python do first, ** or /? Print the divisors for embed_dim 6 and put in the brackets.",
        checks=_VALUES,
        edits=edit(_FREQUENCY, "frequency = 1 / (10000.0**two_i / embed_dim)"),
        recipe=Encoding(exponent="2i, then / E"),
    ),
    EncodingMisconception(
        id="pe-whole-exponent",
        title="All features have the frequency 1: the exponent is cut to a whole number",
        belief="// divides, since features are whole numbers.",
        hint="Print the exponents for embed_dim 6: what does // make of 2 / 6?",
        checks=_VALUES,
        edits=edit(_FREQUENCY, "frequency = 10000.0 ** -(two_i // embed_dim).float()"),
        recipe=Encoding(exponent="whole"),
    ),
    EncodingMisconception(
        id="pe-common-logarithm",
        title="The logarithm of the base is that to base 10, under exp",
        belief="log is log10.",
        hint="What is exp(log10(10000))? Which logarithm does exp undo?",
        checks=_VALUES,
        edits=edit(_FREQUENCY, _FREQUENCY.replace("math.log(", "math.log10(")),
        recipe=Encoding(base=math.exp(4)),
    ),
    EncodingMisconception(
        id="pe-base-1000",
        title="The base is 1,000 where the formula has 10,000",
        belief="The constant is a thousand.",
        hint=_ASK_FORMULA,
        checks=_VALUES,
        edits=edit(_FREQUENCY, _FREQUENCY.replace("10000.0", "1000.0")),
        recipe=Encoding(base=1000.0),
    ),
    EncodingMisconception(
        id="pe-from-one",
        title="Positions are counted from 1",
        belief="The first position is 1.",
        hint="Print the first row of your table: what are the sine and the cosine of position 0?",
        checks=_VALUES,
        edits=edit(_POSITION, "position = torch.arange(1, max_len + 1).unsqueeze(1)"),
        recipe=Encoding(start=1),
    ),
    EncodingMisconception(
        id="pe-halves",
        title="Sines fill the first half of the features and cosines the second",
        belief="All sines come first.",
        hint=_ASK_COLUMNS,
        checks=_VALUES,
        edits=edit(_SINE, "table[0, :, : embed_dim // 2] = torch.sin(position * frequency)")
        + edit(_COSINE, "table[0, :, embed_dim // 2 :] = torch.cos(position * frequency)"),
        recipe=Encoding(layout="halves"),
    ),
    EncodingMisconception(
        id="pe-sine-only",
        title="Odd features hold sines too",
        belief="Every feature is a sine.",
        hint=_ASK_COLUMNS,
        checks=_VALUES,
        edits=edit(_COSINE, _COSINE.replace("cos(", "sin(")),
        recipe=Encoding(layout="sines"),
    ),
    EncodingMisconception(
        id="pe-cosine-only",
        title="Even features hold cosines too",
        belief="Every feature is a cosine.",
        hint=_ASK_COLUMNS,
        checks=_VALUES,
        edits=edit(_SINE, _SINE.replace("sin(", "cos(")),
        recipe=Encoding(layout="cosines"),
    ),
    EncodingMisconception(
        id="pe-one-column",
        title="Only one odd feature is filled",
        belief="1:2 means every second column.",
        hint="Print which columns your slices write to, for embed_dim 6.",
        checks=_VALUES,
        edits=edit(_COSINE, "table[0, :, 1:2] = torch.cos(position * frequency)[:, :1]"),
        recipe=Encoding(layout="one column"),
    ),
    EncodingMisconception(
        id="pe-no-cosine",
        title="Odd features are left at 0",
        belief="The table is the sines; the cosines are another way to write it.",
        hint=_ASK_COLUMNS,
        checks=_VALUES,
        edits=edit(_COSINE, "# sines are enough"),
        recipe=Encoding(layout="no cosine"),
    ),
)

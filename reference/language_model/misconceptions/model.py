"""What students get wrong in putting the model together."""

from __future__ import annotations

from grader.bank import Edit, Misconception

_ATTENDED = 'attended, cache = attention_layer(rms_norm(x, block["norm1"]), block, num_heads, cache)'
_FED = 'swiglu(rms_norm(x, block["norm2"]), block["gate"], block["up"], block["down"])'
_ASK_BLOCK = (
    "Draw one block: where does the arrow that goes past each half start, and where are the two norms?"
)
_BOTH = ("3c.logits", "3c.steps")


def _edit(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("attention.py", old, new),)


BANK: tuple[Misconception, ...] = (
    Misconception(
        id="model-no-residual",
        title="The second half of a block replaces x, and is not added to it",
        belief="A layer's output is its result.",
        hint=_ASK_BLOCK,
        checks=_BOTH,
        edits=_edit(f"x = x + {_FED}", f"x = {_FED}"),
    ),
    Misconception(
        id="model-no-attention-residual",
        title="The first half of a block replaces x, and is not added to it",
        belief="Attention's output is its result.",
        hint=_ASK_BLOCK,
        checks=_BOTH,
        edits=_edit("x = x + attended", "x = attended"),
    ),
    Misconception(
        id="model-post-norm",
        title="The norms come after the sums, not before the layers",
        belief="A block ends with its norm, as in Vaswani et al.",
        hint=_ASK_BLOCK,
        checks=_BOTH,
        edits=_edit('attention_layer(rms_norm(x, block["norm1"])', "attention_layer(x")
        + _edit("x = x + attended", 'x = rms_norm(x + attended, block["norm1"])')
        + _edit(
            f"x = x + {_FED}",
            'x = rms_norm(x + swiglu(x, block["gate"], block["up"], block["down"]), block["norm2"])',
        ),
    ),
    Misconception(
        id="model-residual-of-norm",
        title="The sum is over the normed x, not over x",
        belief="What enters a layer is what is added to its output.",
        hint=_ASK_BLOCK,
        checks=_BOTH,
        edits=_edit(
            _ATTENDED,
            f'x = rms_norm(x, block["norm1"])\n        {_ATTENDED}'.replace(
                'attention_layer(rms_norm(x, block["norm1"])', "attention_layer(x"
            ),
        ),
    ),
    Misconception(
        id="model-parallel",
        title="Both halves of a block start from the same x",
        belief="Attention and the feed-forward layer stand side by side.",
        hint=_ASK_BLOCK,
        checks=_BOTH,
        edits=_edit("        x = x + attended\n", "")
        + _edit(f"x = x + {_FED}", f"x = x + attended + {_FED}"),
    ),
    Misconception(
        id="model-one-norm",
        title="Both halves of a block use norm1",
        belief="A block has one norm.",
        hint="Which weights of a block does your code use, and how often?",
        checks=_BOTH,
        edits=_edit('block["norm2"]', 'block["norm1"]'),
    ),
    Misconception(
        id="model-no-last-norm",
        title="The last norm is left out",
        belief="The blocks have normed everything.",
        hint="Which of the model's weights does your code use, and where?",
        checks=_BOTH,
        edits=_edit('x = rms_norm(x, weights["norm"])', "pass"),
    ),
    Misconception(
        id="model-tied-head",
        title="The logits come from the embedding, not from the head",
        belief="The head is the embedding, transposed.",
        hint="Which of the model's weights does your code use, and where?",
        checks=_BOTH,
        edits=_edit('weights["head"].T', 'weights["embedding"].T'),
    ),
    Misconception(
        id="model-gate-and-up-exchanged",
        title="gate and up are exchanged in the call of swiglu",
        belief="The order of the weights does not matter.",
        hint="Print the names and the order of the arguments of swiglu.",
        checks=_BOTH,
        edits=_edit('block["gate"], block["up"]', 'block["up"], block["gate"]'),
    ),
    Misconception(
        id="model-one-cache",
        title="Every block goes on from the cache of the first",
        belief="The blocks share a cache.",
        hint="How many caches does the model return, and which of them does block 2 get?",
        checks=("3c.steps",),
        edits=_edit("caches[i]", "caches[0]"),
    ),
)

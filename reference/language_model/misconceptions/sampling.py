"""What students get wrong in choosing the next token and in generating."""

from __future__ import annotations

from grader.bank import Edit, Misconception

_DIVIDED = "logits = logits / temperature\n"
_LEAST = 'logits = logits.masked_fill(logits < least, float("-inf"))'
_SOFTMAX = "probabilities = logits.softmax(dim=-1)  # (B, V)"
_SORT = "ordered, order = probabilities.sort(dim=-1, descending=True)"
_BEFORE = "before = ordered.cumsum(dim=-1) - ordered"
_CUT = "ordered = ordered.masked_fill(before >= top_p, 0.0)"
_BACK = "probabilities = torch.zeros_like(probabilities).scatter(-1, order, ordered)"
_AGAIN = "        probabilities = probabilities / probabilities.sum(dim=-1, keepdim=True)\n"
_TOKEN = "token = (cumulative <= u.unsqueeze(-1)).sum(dim=-1)"
_CHOSEN = "next_token_probabilities(logits.unsqueeze(0), temperature, top_k, top_p)"
_ASK_HOT = "Print the probabilities of one row for temperatures 0.1, 1 and 10: which is the flattest?"
_ASK_COLD = "What is a number divided by 0, and which token should a temperature of 0 take?"
_ASK_K = "Count the tokens with a probability above 0 in each row, and add the probabilities up."
_ASK_P = "For the probabilities 0.5, 0.3, 0.2 and p = 0.6: which tokens are kept, and what do they sum to?"
_ASK_ORDER = "Do all three by hand for one row of four tokens, in the order of the handout."
_ASK_DRAW = "For the probabilities 0.2, 0.3, 0.5: which token do u = 0, 0.1, 0.2, 0.4 and 0.9 draw?"
_ASK_NEW = "Print what the model is called with at each new token, and which u is used."
_ASK_EOS = "With eos as the second new token: how long should the list be, and what is its last id?"

_MIXED = ("5a.together", "5c.generate")


def _edit(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("sampling.py", old, new),)


TEMPERATURE: tuple[Misconception, ...] = (
    Misconception(
        id="temperature-multiplied",
        title="The logits are multiplied by the temperature",
        belief="A high temperature makes the peaks higher.",
        hint=_ASK_HOT,
        checks=("5a.temperature", "5a.together"),
        edits=_edit("logits / temperature", "logits * temperature"),
    ),
    Misconception(
        id="temperature-ignored",
        title="The temperature has no effect but at 0",
        belief="Dividing all logits by one number changes nothing.",
        hint=_ASK_HOT,
        checks=("5a.temperature", "5a.together"),
        edits=_edit(_DIVIDED, "logits / temperature\n"),
    ),
    Misconception(
        id="temperature-zero-divides",
        title="A temperature of 0 divides by 0",
        belief="0 is a temperature like any other.",
        hint=_ASK_COLD,
        checks=("5a.temperature",),
        edits=_edit("if temperature == 0:", "if temperature < 0:"),
    ),
    Misconception(
        id="temperature-last",
        title="The temperature acts after top-k and top-p",
        belief="The order of the three does not matter.",
        hint=_ASK_ORDER,
        checks=("5a.together",),
        edits=_edit(f"    {_DIVIDED}", "")
        + _edit(
            "    return probabilities\n\n\ndef draw",
            "    return (probabilities.log() / temperature).softmax(dim=-1)\n\n\ndef draw",
        ),
    ),
)

TOP: tuple[Misconception, ...] = (
    Misconception(
        id="top-k-one-more",
        title="One token more than k is kept",
        belief="Counting from 0, token k belongs to the first k.",
        hint=_ASK_K,
        checks=("5a.top_k",),
        may_cost=_MIXED,
        edits=_edit("logits.topk(top_k, dim", "logits.topk(top_k + 1, dim"),
    ),
    Misconception(
        id="top-k-least-dropped",
        title="The k-th token is dropped too",
        belief="<= is as good as <.",
        hint=_ASK_K,
        checks=("5a.top_k", "5a.together"),
        edits=_edit("logits < least", "logits <= least"),
    ),
    Misconception(
        id="top-k-zero-logit",
        title="Tokens that are not kept get a logit of 0, and keep a probability",
        belief="A logit of 0 means a probability of 0.",
        hint=_ASK_K,
        checks=("5a.top_k", "5a.together"),
        may_cost=("5c.generate",),
        edits=_edit('float("-inf")', "0.0"),
    ),
    Misconception(
        id="top-k-not-renormalised",
        title="After top-k the probabilities do not sum to 1",
        belief="What is dropped is dropped.",
        hint=_ASK_K,
        checks=("5a.top_k", "5a.together"),
        edits=_edit(_LEAST, "dropped = logits < least")
        + _edit(
            _SOFTMAX,
            f"{_SOFTMAX}\n    if top_k is not None and top_k < logits.size(-1):\n"
            "        probabilities = probabilities.masked_fill(dropped, 0.0)",
        ),
    ),
    Misconception(
        id="top-k-too-large",
        title="A k above the number of tokens raises an error",
        belief="k is always small.",
        hint="What does topk do when k is larger than the axis?",
        checks=("5a.top_k",),
        edits=_edit(" and top_k < logits.size(-1)", ""),
    ),
    Misconception(
        id="top-p-without-the-crossing-token",
        title="The token that makes the sum reach p is dropped",
        belief="The kept probabilities sum to p at the most.",
        hint=_ASK_P,
        checks=("5a.top_p", "5a.together"),
        may_cost=("5c.generate",),
        edits=_edit("before >= top_p", "ordered.cumsum(dim=-1) >= top_p"),
    ),
    Misconception(
        id="top-p-not-renormalised",
        title="After top-p the probabilities do not sum to 1",
        belief="What is dropped is dropped.",
        hint=_ASK_P,
        checks=("5a.top_p", "5a.together"),
        edits=_edit(_AGAIN, ""),
    ),
    Misconception(
        id="top-p-not-sorted",
        title="Top-p goes through the tokens in their order, not from the likeliest on",
        belief="Tokens are sorted by probability.",
        hint=_ASK_P,
        checks=("5a.top_p", "5a.together"),
        may_cost=("5c.generate",),
        edits=_edit(_SORT, "ordered, order = probabilities, torch.arange(logits.size(-1)).expand_as(logits)"),
    ),
    Misconception(
        id="top-p-least-likely-first",
        title="Top-p keeps the least likely tokens",
        belief="sort puts the largest first.",
        hint=_ASK_P,
        checks=("5a.top_p", "5a.together"),
        may_cost=("5c.generate",),
        edits=_edit("sort(dim=-1, descending=True)", "sort(dim=-1)"),
    ),
    Misconception(
        id="top-p-left-sorted",
        title="The probabilities come back sorted, no longer those of their tokens",
        belief="The order of the probabilities does not matter.",
        hint="Give a row whose last token is the likeliest: at which place is the largest probability?",
        checks=("5a.top_p", "5a.together"),
        may_cost=("5c.generate",),
        edits=_edit(_BACK, "probabilities = ordered"),
    ),
    Misconception(
        id="top-p-threshold",
        title="Tokens with a probability below 1 - p are dropped",
        belief="p is a bound for each token.",
        hint=_ASK_P,
        checks=("5a.top_p", "5a.together"),
        may_cost=("5c.generate",),
        edits=_edit("before >= top_p", "ordered < 1 - top_p"),
    ),
    Misconception(
        id="top-p-before-top-k",
        title="Top-p adds up the probabilities from before top-k",
        belief="Both look at the same probabilities.",
        hint=_ASK_ORDER,
        checks=("5a.together",),
        may_cost=("5c.generate",),
        edits=_edit(_DIVIDED, f"{_DIVIDED}    whole = logits.softmax(dim=-1)\n")
        + _edit(_BEFORE, "before = whole.gather(-1, order).cumsum(dim=-1) - whole.gather(-1, order)"),
    ),
)

DRAWING: tuple[Misconception, ...] = (
    Misconception(
        id="draw-likeliest",
        title="The likeliest token is taken, whatever u is",
        belief="The best token is the one to draw.",
        hint=_ASK_DRAW,
        checks=("5b.draw", "5b.edges"),
        may_cost=("5c.generate",),
        edits=_edit(_TOKEN, "token = probabilities.argmax(dim=-1)"),
    ),
    Misconception(
        id="draw-own-numbers",
        title="The tokens are drawn with random numbers of its own, not with u",
        belief="Sampling is what torch.multinomial does.",
        hint="Call it twice with the same u: do the same tokens come back?",
        checks=("5b.draw",),
        may_cost=("5b.edges", "5c.generate"),
        edits=_edit(_TOKEN, "token = torch.multinomial(probabilities, 1).squeeze(-1)"),
        diagnosed=False,  # what it draws is nowhere written
    ),
    Misconception(
        id="draw-first-u",
        title="The first u is used for every row",
        belief="One random number is as good as another.",
        hint="Give two equal rows and two different u.",
        checks=("5b.draw", "5b.edges"),
        edits=_edit("u.unsqueeze(-1)).sum", "u[0]).sum"),
    ),
    Misconception(
        id="draw-sorted",
        title="The probabilities are sorted before they are added up",
        belief="The likeliest tokens come first.",
        hint=_ASK_DRAW,
        checks=("5b.draw",),
        may_cost=("5b.edges", "5c.generate"),
        edits=_edit(
            "cumulative = probabilities.cumsum(dim=-1)",
            "ordered, order = probabilities.sort(dim=-1, descending=True)\n    cumulative = ordered.cumsum(dim=-1)",
        )
        + _edit(
            f"{_TOKEN}  # (B,)", f"{_TOKEN}\n    token = order.gather(-1, token.unsqueeze(-1)).squeeze(-1)"
        ),
    ),
    Misconception(
        id="draw-boundary",
        title="A sum that is as large as u counts as above it: u = 0 draws a token of probability 0",
        belief="< and <= differ in no number that is drawn.",
        hint=_ASK_DRAW,
        checks=("5b.edges",),
        edits=_edit("cumulative <= u", "cumulative < u"),
    ),
    Misconception(
        id="draw-one-early",
        title="The token before the one that is due is drawn",
        belief="The last sum below u belongs to the token.",
        hint=_ASK_DRAW,
        checks=("5b.draw", "5b.edges"),
        may_cost=("5c.generate",),
        edits=_edit(_TOKEN, f"{_TOKEN}.sub(1).clamp(min=0)"),
    ),
)

GENERATING: tuple[Misconception, ...] = (
    Misconception(
        id="generate-last-token-only",
        title="The model sees the last token alone",
        belief="The model remembers what it has seen.",
        hint=_ASK_NEW,
        checks=("5c.generate",),
        edits=_edit("logits = model(ids)", "logits = model(ids[-1:])"),
    ),
    Misconception(
        id="generate-prompt-only",
        title="The model sees the prompt alone, at every token",
        belief="The prompt is what the model goes on from.",
        hint=_ASK_NEW,
        checks=("5c.generate",),
        edits=_edit("logits = model(ids)", "logits = model(list(prompt))"),
    ),
    Misconception(
        id="generate-one-u",
        title="The first u is used for every token",
        belief="One random number is enough.",
        hint=_ASK_NEW,
        checks=("5c.generate",),
        edits=_edit("draw(probabilities, u.unsqueeze(0))", "draw(probabilities, uniforms[:1])"),
    ),
    Misconception(
        id="generate-options-ignored",
        title="Temperature, top-k and top-p are not passed on",
        belief="The defaults are what was asked for.",
        hint="Which arguments does your call of next_token_probabilities have?",
        checks=("5c.generate",),
        edits=_edit(_CHOSEN, "next_token_probabilities(logits.unsqueeze(0))"),
    ),
    Misconception(
        id="generate-new-tokens-only",
        title="The prompt is left out of what is returned",
        belief="Only new tokens are of interest.",
        hint=_ASK_EOS,
        checks=("5c.generate",),
        edits=_edit("    return ids\n", "    return ids[len(prompt) :]\n"),
    ),
    Misconception(
        id="generate-past-the-end",
        title="Text goes on after its end",
        belief="The model knows when to stop.",
        hint=_ASK_EOS,
        checks=("5c.generate",),
        edits=_edit("if token == eos:\n            break", "pass"),
    ),
    Misconception(
        id="generate-end-left-out",
        title="The token that ends the text is left out",
        belief="The end is not part of the text.",
        hint=_ASK_EOS,
        checks=("5c.generate",),
        edits=_edit(
            "ids.append(token)\n        if token == eos:\n            break",
            "if token == eos:\n            break\n        ids.append(token)",
        ),
    ),
)

BANK: tuple[Misconception, ...] = (*TEMPERATURE, *TOP, *DRAWING, *GENERATING)

"""Part 5: probabilities that are ones, sets that are as small as they can be, and texts that end."""

import pytest
import torch

from grader.checking.compare import problem_with
from grader.checking.outcomes import Failed


def probabilities(student, logits, **options):
    found = student.next_token_probabilities(logits.clone(), **options)
    wrong = problem_with(found, tuple(logits.shape))
    if wrong or (found < 0).any() or float((found.sum(1) - 1).abs().max()) > 1e-4:
        raise Failed(
            wrong or f"With {options} a row is no probabilities.", "They sum to 1, and none is negative."
        )
    return found


@pytest.mark.check("5a.temperature")
def test_temperature(student):
    """A low temperature sharpens, a high one flattens, 0 is certain"""
    logits = torch.randn(4, 6)
    cold, usual, hot = (probabilities(student, logits, temperature=t).max(1).values for t in (0.5, 1.0, 2.0))
    if not ((cold > usual) & (usual > hot)).all():
        raise Failed(
            "The likeliest token does not get likelier as it gets colder.", "Which way does it push?"
        )
    certain = probabilities(student, logits, temperature=0)
    if not torch.equal(certain.argmax(1), logits.argmax(1)) or not torch.allclose(
        certain.max(1).values, torch.ones(4)
    ):
        raise Failed("A temperature of 0 does not take the likeliest token.", "Treat 0 by itself.")


@pytest.mark.check("5a.top_k")
def test_top_k(student):
    """k tokens are kept, the likeliest ones, and their proportions"""
    logits = torch.randn(4, 6)
    everything = probabilities(student, logits)
    for k in (1, 3, 6, 50):
        kept = probabilities(student, logits, top_k=k)
        if not ((kept > 0).sum(1) == min(k, 6)).all():
            raise Failed(f"top_k={k} does not keep {min(k, 6)} of 6 tokens.", "Count those above 0.")
        ratio = torch.where(kept > 0, kept / everything, torch.nan)
        if float((ratio - ratio.nanmean(1, keepdim=True)).nan_to_num().abs().max()) > 1e-3:
            raise Failed(
                f"top_k={k} changes the proportions of what it keeps.", "Renormalise with one factor a row."
            )


@pytest.mark.check("5a.top_p")
def test_top_p(student):
    """The set reaches p, and without its least likely token it would not"""
    logits = torch.randn(20, 6)
    everything = probabilities(student, logits)
    for p in (0.3, 0.75):
        kept = probabilities(student, logits, top_p=p) > 0
        mass = (everything * kept).sum(1)
        least = torch.where(kept, everything, 1.0).min(1).values
        if (mass < p - 1e-4).any() or (mass - least > p + 1e-4).any():
            raise Failed(
                f"A set for top_p={p} is too small or too large.", "Add up by hand from the likeliest on."
            )


@pytest.mark.check("5b.draw")
def test_draw(student):
    """Over evenly spread u, every token comes as often as its probability says"""
    row = torch.tensor([0.25, 0.5, 0.125, 0.125])
    tokens = student.draw(row.expand(400, 4).contiguous(), (torch.arange(400) + 0.5) / 400)
    if torch.bincount(torch.as_tensor(tokens), minlength=4).tolist() != [100, 200, 50, 50]:
        raise Failed(
            "The tokens come more or less often than they should.", "Add the row up until it passes u."
        )


@pytest.mark.check("5c.generate")
def test_generate(student):
    """The text begins with the prompt, has a token for each u, and ends with eos"""

    def model(ids):
        return torch.eye(9)[(int(ids[-1]) + 1) % 9] * 100  # it counts

    text = [int(i) for i in student.generate(model, [2, 3], torch.full((4,), 0.5))]
    if text != [2, 3, 4, 5, 6, 7]:
        raise Failed(f"A model that counts on from 3 gives {text}.", "What does the model see at each token?")
    ended = [int(i) for i in student.generate(model, [2, 3], torch.full((4,), 0.5), eos=5)]
    if ended != [2, 3, 4, 5]:
        raise Failed(
            f"With eos=5 it gives {ended}.", "The end is part of the text, and nothing comes behind it."
        )


@pytest.mark.check("5d.perplexity")
def test_perplexity(student):
    """Logits of zero have a perplexity of V, a certain prediction one of 1"""
    ids = torch.randint(6, (2, 5))
    if abs(float(student.perplexity(torch.zeros(2, 5, 6), ids)) - 6) > 1e-3:
        raise Failed(
            "With logits of zero over 6 tokens the perplexity is not 6.", "exp of a mean of natural logs."
        )
    certain = torch.zeros(2, 5, 6)
    certain[:, :-1].scatter_(2, ids[:, 1:, None], 50.0)
    if abs(float(student.perplexity(certain, ids)) - 1) > 1e-3:
        raise Failed(
            "Predicting every next token for certain is not 1.", "Which position predicts which token?"
        )


@pytest.mark.check("5d.padding")
def test_padding(student):
    """Padding behind a sequence changes nothing"""
    logits, ids = torch.randn(1, 4, 6), torch.randint(1, 6, (1, 4))
    longer = torch.cat([logits, torch.randn(1, 3, 6)], dim=1)
    padded = torch.cat([ids, torch.zeros(1, 3, dtype=torch.long)], dim=1)
    before, after = float(student.perplexity(logits, ids)), float(student.perplexity(longer, padded, pad=0))
    if abs(before - after) > 1e-3:
        raise Failed("Three tokens of padding change the perplexity.", "How many tokens are counted?")

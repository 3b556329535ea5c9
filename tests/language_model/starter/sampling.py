"""Part 5: from logits to text, and how good the logits are.

Letters:  B sequences   S length   V vocabulary
"""


def next_token_probabilities(logits, temperature=1.0, top_k=None, top_p=None):
    """
    logits:       (B, V)
    temperature:  divides the logits; 0 gives the likeliest token a probability of 1
    top_k:        keep the k likeliest tokens (all, where there are no more than k); None keeps all (Fan et al., 2018)
    top_p:        then keep the smallest set of likeliest tokens whose probabilities sum to p or more; None keeps all
                  (Holtzman et al., 2020)
    returns       (B, V): probabilities that sum to 1, with 0 for tokens that were not kept

    In this order: temperature, top-k, top-p. The sum for top-p is over the probabilities after top-k, renormalised.
    """
    raise NotImplementedError("next_token_probabilities")


def draw(probabilities, u):
    """
    probabilities:  (B, V)
    u:              (B,), uniform in [0, 1)
    returns         (B,), int64: for each row the first token i with p_0 + ... + p_i > u. A token of probability 0 is
                    never drawn.
    """
    raise NotImplementedError("draw")


def generate(model, prompt, uniforms, temperature=1.0, top_k=None, top_p=None, eos=None):
    """
    model:     a function: list of ids so far -> logits (V,) of the next token
    prompt:    list of ids
    uniforms:  (N,), one u for each new token
    eos:       id of the token that ends the text, or None
    returns    list of ids: the prompt, then N new tokens; or fewer, where eos is drawn: it is the last one then
    """
    raise NotImplementedError("generate")


def perplexity(logits, ids, pad=None):
    """
    logits:  (B, S, V); those at position t predict the token at position t + 1
    ids:     (B, S), int64
    pad:     id of the token that fills up short sequences, or None; predicting it does not count
    returns  exp of the mean cross-entropy in nats, over all tokens that count, a float
    """
    raise NotImplementedError("perplexity")

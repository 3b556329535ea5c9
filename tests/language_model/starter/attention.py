"""Part 3: causal attention, its cache, and the whole model.

Letters:  B sequences   S new tokens   T all tokens, T >= S   H heads   E width   D = E / H   V vocabulary

`from layers import rms_norm, rope, swiglu` gives you your own layers of part 2.
"""


def causal_attention(q, k, v):
    """
    q:       (B, H, S, D)
    k, v:    (B, H, T, D)
    returns  (B, H, S, D): softmax(q k^T / sqrt(D)) v, where no query sees a key that comes after it

    The queries are those of the last S of the T tokens: query s sees the keys 0 to T - S + s.
    """
    raise NotImplementedError("causal_attention")


def attention_layer(x, weights, num_heads, cache=None):
    """
    x:        (B, S, E)
    weights:  {"q", "k", "v", "o"}: (E, E) each, used as x @ w.T; head h has features h*D to (h + 1)*D - 1
    cache:    what an earlier call returned for the tokens before these, or None where these are the first
    returns   (output (B, S, E), cache)

    Queries and keys are turned by rope; a token's position is the number of tokens before it, those in the cache
    included. What the cache is made of is up to you. A cache that is passed in stays usable: it may be passed in again,
    with other tokens to go on with.
    """
    raise NotImplementedError("attention_layer")


def language_model(ids, weights, num_heads, caches=None):
    """
    ids:      (B, S), int64
    weights:  {"embedding": (V, E), "blocks": [block, ...], "norm": (E,), "head": (V, E)}
              a block: {"norm1": (E,), "q", "k", "v", "o": (E, E), "norm2": (E,), "gate", "up": (F, E), "down": (E, F)}
    caches:   what an earlier call returned, or None
    returns   (logits (B, S, V), caches)

    The embedding; in each block x + attention(norm1(x)), then x + swiglu(norm2(x)); the last norm; the head, logits =
    x @ head.T. All norms have eps = 1e-6.
    """
    raise NotImplementedError("language_model")

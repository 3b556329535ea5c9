"""Part 2: three layers. All tensors are float32; the inputs are left as they were.

Letters:  S length   E width of the model   F width inside the feed-forward layer   D features of a head, even
"""


def rms_norm(x, gain, eps=1e-6):
    """
    x:       (..., E)
    gain:    (E,)
    returns  (..., E): x / sqrt(mean(x^2) + eps) * gain, the mean over the last axis (Zhang and Sennrich, 2019)
    """
    raise NotImplementedError("rms_norm")


def swiglu(x, w_gate, w_up, w_down):
    """
    x:             (..., E)
    w_gate, w_up:  (F, E), used as nn.Linear uses its weight: x @ w.T
    w_down:        (E, F)
    returns        (..., E): down(silu(gate(x)) * up(x)), without biases (Shazeer, 2020)
    """
    raise NotImplementedError("swiglu")


def rope(x, positions, base=10000.0):
    """
    x:          (..., S, D)
    positions:  (S,), integers; they need not start at 0
    returns     (..., S, D): features 2i and 2i + 1 turned by the angle position * base^(-2i / D), i from 0 to D/2 - 1
                (Su et al., 2021, equation 34)
    """
    raise NotImplementedError("rope")

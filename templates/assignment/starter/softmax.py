def softmax(scores, temperature=1.0):
    """Probabilities over the last axis; scores: (..., N)."""
    raise NotImplementedError

def softmax(scores, temperature=1.0):
    """Probabilities over the last axis; scores: (..., N)."""
    scaled = scores / temperature
    powers = (scaled - scaled.amax(dim=-1, keepdim=True)).exp()
    return powers / powers.sum(dim=-1, keepdim=True)

def softmax(scores, temperature=1.0):
    scaled = scores.double() / temperature
    return (scaled - scaled.logsumexp(dim=-1, keepdim=True)).exp().to(scores.dtype)

import math


def softmax(scores):
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / math.fsum(powers) for power in powers]


def entropy(p):
    return -math.fsum(share * math.log(share) for share in p)

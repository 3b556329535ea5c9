import math


def softmax(scores):
    largest = max(scores)
    powers = [math.exp(score - largest) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def entropy(p):
    return -sum(share * math.log(share) for share in p)

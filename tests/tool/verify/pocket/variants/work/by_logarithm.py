from math import exp, log


def softmax(scores):
    largest = max(scores)
    log_total = largest + log(sum(exp(score - largest) for score in scores))
    return [exp(score - log_total) for score in scores]


def entropy(p):
    return sum(share * log(1 / share) for share in p)

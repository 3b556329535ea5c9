import torch


def softmax(scores, temperature=1.0):
    return torch.softmax(scores / temperature, dim=-1)

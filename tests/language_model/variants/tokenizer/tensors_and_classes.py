# A tokenizer class behind the three functions; ids come back as a tensor, merges as tuples of NumPy integers.
import numpy as np
import torch


def _words(text):
    start, words = 0, []
    for i, c in enumerate(text):
        if c == " " and i > start:
            words.append(text[start:i])
            start = i
    return words + [text[start:]] if text else words


class Tokenizer:
    def __init__(self, merges=()):
        self.merges = [tuple(int(i) for i in m) for m in merges]
        self.table = {m: 256 + k for k, m in enumerate(self.merges)}

    def learn(self, text, n):
        corpus = [[*w.encode("utf-8")] for w in _words(text)]
        while len(self.merges) < n:
            pairs = [p for w in corpus for p in zip(w, w[1:])]
            if not pairs:
                break
            found, counts = np.unique(np.array(pairs), axis=0, return_counts=True)  # sorted: argmax takes the smallest
            if counts.max() == 1:
                break
            pair = tuple(int(i) for i in found[counts.argmax()])
            self.table[pair] = 256 + len(self.merges)
            self.merges.append(pair)
            corpus = [self.apply(w, pair) for w in corpus]
        return self

    def apply(self, w, pair):
        out, skip = [], False
        for i in range(len(w)):
            if skip:
                skip = False
            elif i + 1 < len(w) and (w[i], w[i + 1]) == pair:
                out.append(self.table[pair])
                skip = True
            else:
                out.append(w[i])
        return out

    def encode(self, text):
        ids = []
        for w in _words(text):
            w = [*w.encode("utf-8")]
            for pair in self.merges:
                w = self.apply(w, pair)
            ids.extend(w)
        return ids


def train_bpe(text, num_merges):
    return [(np.int64(a), np.int64(b)) for a, b in Tokenizer().learn(text, num_merges).merges]


def encode(text, merges):
    return torch.tensor(Tokenizer(merges).encode(text), dtype=torch.long)


def decode(ids, merges):
    tokens = {i: bytes((i,)) for i in range(256)}
    for k, (a, b) in enumerate(merges):
        tokens[256 + k] = tokens[a] + tokens[b]
    text = b""
    for i in ids:
        text += tokens[int(i)]
    return text.decode("utf-8", errors="replace")

# Tokens are bytes objects while training; text is cut with str.split and the spaces are put back.
from collections import defaultdict


def _pieces(text):
    parts = text.split(" ")
    return [p for p in [parts[0]] + [" " + p for p in parts[1:]] if p]


def train_bpe(text, num_merges):
    vocab = {bytes([i]): i for i in range(256)}
    freq = defaultdict(int)
    for piece in _pieces(text):
        freq[tuple(bytes([b]) for b in piece.encode())] += 1
    merges, names = [], {i: bytes([i]) for i in range(256)}
    # two tokens can be the same bytes and different ids, so ids are what is kept
    corpus = {tuple(vocab[b] for b in k): n for k, n in freq.items()}
    for new_id in range(256, 256 + num_merges):
        stats = defaultdict(int)
        for seq, n in corpus.items():
            for i in range(len(seq) - 1):
                stats[seq[i], seq[i + 1]] += n
        stats = {p: n for p, n in stats.items() if n > 1}
        if len(stats) == 0:
            return merges
        top = max(stats.values())
        pair = sorted(p for p in stats if stats[p] == top)[0]
        names[new_id] = names[pair[0]] + names[pair[1]]
        merges.append(pair)
        new_corpus = defaultdict(int)
        for seq, n in corpus.items():
            new_corpus[_replace(seq, pair, new_id)] += n
        corpus = new_corpus
    return merges


def _replace(seq, pair, new_id):
    out = ()
    i = 0
    while i < len(seq):
        if i < len(seq) - 1 and seq[i] == pair[0] and seq[i + 1] == pair[1]:
            out, i = out + (new_id,), i + 2
        else:
            out, i = out + (seq[i],), i + 1
    return out


def encode(text, merges):
    result = []
    for piece in _pieces(text):
        seq = tuple(piece.encode())
        for k, pair in enumerate(merges):  # every merge in the order learned
            seq = _replace(seq, pair, 256 + k)
        result.extend(seq)
    return result


def decode(ids, merges):
    data = bytearray()
    stack = list(reversed(ids))
    while stack:
        i = stack.pop()
        if i < 256:
            data.append(i)
        else:
            left, right = merges[i - 256]
            stack += [right, left]
    return data.decode(errors="replace")

# Noor, part 1
from collections import Counter


def pieces(text):
    out = []
    for n, w in enumerate(text.split(" ")):
        w = w if n == 0 else " " + w
        if w:
            out.append(tuple(w.encode("utf-8")))
    return out


def merged(word, pair, new):
    result, i = [], 0
    while i < len(word):
        if word[i : i + 2] == pair:
            result.append(new)
            i += 2
        else:
            result.append(word[i])
            i += 1
    return tuple(result)


def train_bpe(text, num_merges):
    words = pieces(text)
    merges = []
    while len(merges) < num_merges:
        counts = Counter(pair for w in words for pair in zip(w, w[1:]))
        if not counts or counts.most_common(1)[0][1] < 2:
            break
        best = counts.most_common(1)[0][0]  # the most frequent pair
        words = [merged(w, best, 256 + len(merges)) for w in words]
        merges.append(best)
    return merges


def encode(text, merges):
    words = pieces(text)
    for k, pair in enumerate(merges):
        words = [merged(w, pair, 256 + k) for w in words]
    return [i for w in words for i in w]


def decode(ids, merges):
    names = [bytes([i]) for i in range(256)]
    for a, b in merges:
        names.append(names[a] + names[b])
    return "".join(names[i].decode("utf-8", errors="replace") for i in ids)

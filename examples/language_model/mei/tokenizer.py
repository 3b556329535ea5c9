# Part 1 - Mei
from collections import Counter, defaultdict


def split_words(text):
    words, word = [], ""
    for ch in text:
        if ch == " " and word:
            words.append(word)
            word = ""
        word += ch
    if word:
        words.append(word)
    return words


def merge_pair(word, pair, token):
    i = 0
    while i < len(word) - 1:
        if word[i] == pair[0] and word[i + 1] == pair[1]:
            word[i : i + 2] = [token]
        i += 1
    return word


def train_bpe(text, num_merges):
    freq = Counter(split_words(text))
    corpus = [(list(w.encode("utf-8")), n) for w, n in freq.items()]
    merges = []
    for k in range(num_merges):
        counts = defaultdict(int)
        for word, n in corpus:
            for a, b in zip(word, word[1:]):
                counts[(a, b)] += n
        # most frequent first, and the smallest pair of those
        ranking = sorted(counts, key=lambda p: (-counts[p], p[0], p[1]))
        if not ranking or counts[ranking[0]] == 1:
            break
        merges.append(ranking[0])
        for word, _ in corpus:
            merge_pair(word, ranking[0], 256 + k)
    return merges


def encode(text, merges):
    ids = []
    for w in split_words(text):
        word = list(w.encode("utf-8"))
        for k, pair in enumerate(merges):
            merge_pair(word, pair, 256 + k)
        ids.extend(word)
    return ids


def decode(ids, merges):
    table = {i: bytes([i]) for i in range(256)}
    for k, (a, b) in enumerate(merges):
        table[256 + k] = table[a] + table[b]
    return b"".join(table[i] for i in ids).decode("utf-8", "replace")

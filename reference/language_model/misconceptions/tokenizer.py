"""What students get wrong in byte-pair encoding."""

from __future__ import annotations

from grader.bank import Edit, Misconception

_BEST = "best = min(pairs, key=lambda pair: (-pairs[pair], pair))"
_COUNT = """            for pair in pairwise(ids):
                pairs[pair] += counts[word]"""
_WORDS = 'return re.findall(r" [^ ]*|[^ ]+", text)'
_JOIN = 'return b"".join(vocabulary[i] for i in ids).decode("utf-8", errors="replace")'
_ASK_TIE = "Print all pairs that share the highest count. Which one does the handout take?"
_ASK_WORDS = "Join the words that your code cuts ' a  bc d ' into: is every space there, and on which side of its word?"
_ASK_COUNT = "Count the pairs of 'aaa aaa aaa ab' by hand: how often does (a, a) stand side by side?"
_ASK_FIRST = "With the merges bc, ab: which ids has 'abc', and which pair was learned first?"
_ASK_CUT = "What does your decode make of the first byte of 'é' alone, and of its two bytes as two tokens?"

_TRAINED = ("1a.merges", "1a.ties", "1a.words", "1a.stops")


def _edit(old: str, new: str) -> tuple[Edit, ...]:
    return (Edit("tokenizer.py", old, new),)


BANK: tuple[Misconception, ...] = (
    Misconception(
        id="bpe-tie-largest",
        title="Of equally frequent pairs the largest is merged",
        belief="Sorting by count and pair puts the right one last.",
        hint=_ASK_TIE,
        checks=("1a.ties",),
        edits=_edit(_BEST, "best = max(pairs, key=lambda pair: (pairs[pair], pair))"),
    ),
    Misconception(
        id="bpe-tie-first-met",
        title="Of equally frequent pairs the one that was counted first is merged",
        belief="max takes care of ties.",
        hint=_ASK_TIE,
        checks=("1a.ties",),
        edits=_edit(_BEST, "best = max(pairs, key=pairs.get)"),
    ),
    Misconception(
        id="bpe-rarest-pair",
        title="The rarest pair is merged, not the most frequent one",
        belief="min and max differ in the sign alone.",
        hint="Print the count of the pair that your code merges first, and the counts of some others.",
        checks=("1a.merges", "1a.words"),
        may_cost=_TRAINED,
        edits=_edit("(-pairs[pair], pair)", "(pairs[pair], pair)"),
    ),
    Misconception(
        id="bpe-words-counted-once",
        title="Each different word counts once, however often it occurs",
        belief="The vocabulary is a set of words.",
        hint=_ASK_COUNT,
        checks=("1a.merges",),
        may_cost=_TRAINED,
        edits=_edit("pairs[pair] += counts[word]", "pairs[pair] += 1"),
    ),
    Misconception(
        id="bpe-overlaps-not-counted",
        title="A pair that overlaps itself is counted as often as it can be merged",
        belief="What is counted is what will be merged.",
        hint=_ASK_COUNT,
        checks=("1a.merges",),
        may_cost=_TRAINED,
        edits=_edit(
            _COUNT,
            """            for pair in pairwise(ids):
                if pair[0] != pair[1]:
                    pairs[pair] += counts[word]
                elif pair not in done:
                    pairs[pair] += counts[word] * merge(ids, pair, -1).count(-1)
                    done.add(pair)""",
        )
        + _edit(
            """        for word, ids in tokens.items():
            for""",
            """        for word, ids in tokens.items():
            done = set()
            for""",
        ),
    ),
    Misconception(
        id="bpe-across-words",
        title="Pairs across two words are merged",
        belief="A text is one long row of bytes.",
        hint=_ASK_WORDS,
        checks=("1a.words",),
        may_cost=(*_TRAINED, "1b.encode"),
        edits=_edit(_WORDS, "return [text]"),
    ),
    Misconception(
        id="bpe-spaces-lost",
        title="The spaces are gone",
        belief="Spaces only separate words.",
        hint=_ASK_WORDS,
        checks=("1a.merges", "1a.words", "1b.encode"),
        may_cost=_TRAINED,
        edits=_edit(_WORDS, "return text.split()"),
    ),
    Misconception(
        id="bpe-space-behind",
        title="A space belongs to the word before it",
        belief="A word ends with its space.",
        hint=_ASK_WORDS,
        checks=("1a.merges", "1a.words"),
        may_cost=(*_TRAINED, "1b.encode"),
        edits=_edit(_WORDS, 'return re.findall(r"[^ ]* |[^ ]+", text)'),
    ),
    Misconception(
        id="bpe-code-points",
        title="The tokens to begin with are characters, not bytes",
        belief="A character is a byte.",
        hint="Print list('é'.encode('utf-8')) and ord('é'): which of them are ids below 256?",
        checks=("1a.words", "1b.encode"),
        may_cost=_TRAINED,
        edits=_edit('{word: list(word.encode("utf-8")) for', "{word: [ord(c) for c in word] for")
        + _edit('part = list(word.encode("utf-8"))', "part = [ord(c) for c in word]"),
    ),
    Misconception(
        id="bpe-first-place-only",
        title="A pair is merged at the first place of a word only",
        belief="A pair occurs once in a word.",
        hint="Merge (a, b) in 'ababa' by hand, and then with your code.",
        checks=("1a.merges",),
        may_cost=(*_TRAINED, "1b.encode"),
        edits=_edit(
            "            merged.append(new)\n            i += 2",
            "            return merged + [new] + ids[i + 2 :]",
        ),
    ),
    Misconception(
        id="bpe-ids-from-257",
        title="The first merge makes token 257",
        belief="The merges are numbered from 1.",
        hint="Which ids do the 256 bytes have, and which is the next one?",
        checks=("1a.merges", "1a.words", "1b.encode"),
        may_cost=_TRAINED,
        edits=_edit("new = 256 + len(merges)", "new = 257 + len(merges)")
        + _edit("256 + rank[first]", "257 + rank[first]"),
    ),
    Misconception(
        id="bpe-merges-single-pairs",
        title="Pairs that occur once are merged too",
        belief="There is always a most frequent pair.",
        hint="How many tokens does a text save by a merge of a pair that it has once?",
        checks=("1a.stops",),
        may_cost=_TRAINED,
        edits=_edit("if pairs[best] < 2:", "if pairs[best] < 1:"),
    ),
    Misconception(
        id="bpe-one-merge-short",
        title="One merge is missing",
        belief="Counting from 0 takes one off the number.",
        hint="Ask for one merge: how many do you get?",
        checks=("1a.merges", "1a.ties"),
        may_cost=_TRAINED,
        edits=_edit("while len(merges) < num_merges:", "while len(merges) < num_merges - 1:"),
    ),
    Misconception(
        id="bpe-encode-from-the-left",
        title="Encoding merges the first pair of the word that it knows, not the one that was learned first",
        belief="Reading from the left, every known pair may be merged.",
        hint=_ASK_FIRST,
        checks=("1b.encode",),
        edits=_edit("first = min(known, key=rank.get)", "first = known[0]"),
    ),
    Misconception(
        id="bpe-encode-latest-first",
        title="Encoding merges the pair that was learned last first",
        belief="Later tokens are longer, so they come first.",
        hint=_ASK_FIRST,
        checks=("1b.encode",),
        edits=_edit("first = min(known, key=rank.get)", "first = max(known, key=rank.get)"),
    ),
    Misconception(
        id="bpe-encode-one-merge",
        title="Encoding makes one merge in each word and stops",
        belief="A word is encoded in one pass.",
        hint="After a merge, may the new token be part of another pair?",
        checks=("1b.encode",),
        edits=_edit("while True:\n            known", "for _ in range(1):\n            known"),
    ),
    Misconception(
        id="bpe-decode-strict",
        title="Decoding raises where the bytes end within a character",
        belief="What was encoded is always whole characters.",
        hint=_ASK_CUT,
        checks=("1b.broken",),
        edits=_edit(', errors="replace")', ")"),
    ),
    Misconception(
        id="bpe-decode-drops",
        title="Decoding leaves broken bytes out",
        belief="What cannot be read need not be shown.",
        hint=_ASK_CUT,
        checks=("1b.broken",),
        edits=_edit('errors="replace"', 'errors="ignore"'),
    ),
    Misconception(
        id="bpe-decode-one-by-one",
        title="Every token is decoded by itself",
        belief="A token is a whole number of characters.",
        hint=_ASK_CUT,
        checks=("1b.decode",),
        may_cost=("1b.broken",),
        edits=_edit(_JOIN, 'return "".join(vocabulary[i].decode("utf-8", errors="replace") for i in ids)'),
    ),
    Misconception(
        id="bpe-decode-latin-1",
        title="Every byte is decoded as a character",
        belief="A byte is a character.",
        hint=_ASK_CUT,
        checks=("1b.decode", "1b.broken"),
        edits=_edit('.decode("utf-8", errors="replace")', '.decode("latin-1")'),
    ),
)

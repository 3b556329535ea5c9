"""Part 1: byte-pair encoding (Sennrich, Haddow and Birch, 2016), on the bytes of the text.

A token is an id. Ids 0 to 255 are the bytes; the k-th merge, counted from 0, makes token 256 + k of a pair of ids.

A text is cut into words before every space, so that a word is a space with what follows up to the next one; what comes
before the first space is a word without. "a bc  d" is "a", " bc", " ", " d". No token crosses from one word to another.
"""


def train_bpe(text, num_merges):
    """
    text:       str
    num_merges: how many merges to learn, at most
    returns     the merges in the order they are learned: a list of pairs (left id, right id)

    Start from the UTF-8 bytes of each word. Over and over, count the pairs of ids that stand side by side, every place
    of every occurrence of every word ("aaa" has the pair "aa" twice), and merge the most frequent one everywhere, from
    left to right ("aaa" becomes "aa", "a"). Of equally frequent pairs take the smallest. Stop early where no pair
    is left that occurs at least twice.

    train_bpe("ab ab abab", 2) is [(97, 98), (32, 256)]: "ab" stands there four times, and then " ab" twice.
    """
    raise NotImplementedError("train_bpe")


def encode(text, merges):
    """
    text:    str
    merges:  list of tuples, as train_bpe returns it
    returns  list of ids: the bytes of each word, merged as in training: the merge that was learned first comes first
    """
    raise NotImplementedError("encode")


def decode(ids, merges):
    """
    ids:     list of ids
    merges:  list of tuples
    returns  the text, str. Bytes that are no UTF-8 become U+FFFD: ids may end within a character.
    """
    raise NotImplementedError("decode")

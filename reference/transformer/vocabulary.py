"""A checkpoint's tokenizer, made anew from its vocabulary: WordPiece as in BERT, or byte-level BPE as in RoBERTa.

A tokenizer.json can describe any program of replacements and regular expressions, and somebody else's would run in the
judge. So nothing of it is run: its vocabulary, its merges and a few switches are read as data, and a tokenizer of the
known kind is made of them. What is not of that kind is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import AddedToken, Tokenizer
from tokenizers.models import BPE, WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer, ByteLevel
from tokenizers.processors import TemplateProcessing

from reference.transformer.architecture import Architecture, NotUsableError
from reference.transformer.evaluation import Ids

MOST_TOKENS = 200_000
LONGEST_TOKEN = 400
FEWEST_TOKENS = 100
_ADVICE = "Save it beside the model: tokenizer.save_pretrained(folder)."

ReadJson = Callable[[str], Any]
"""File name -> its JSON, or None where the checkpoint has no such file; raises NotUsableError."""
ReadText = Callable[[str], "str | None"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer that can be used in the judge."""

    tokenizer: Tokenizer
    size: int
    """Tokens; every number that it gives is below."""
    source: str
    """The file that it was made of."""

    def encode(self, texts: Sequence[str], most: int) -> list[Ids]:
        """The tokens of each text, special ones included, cut to `most`."""
        self.tokenizer.enable_truncation(most)
        return [encoded.ids for encoded in self.tokenizer.encode_batch(list(texts))]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is read of a tokenizer."""

    tokens: Mapping[str, int]
    merges: list[tuple[str, str]]
    switches: Mapping[str, Any]
    source: str


def read_vocabulary(
    architecture: Architecture, read_json: ReadJson, read_text: ReadText
) -> Vocabulary | None:
    """The tokenizer beside a checkpoint; None where there is none. Raises NotUsableError."""
    bytes_ = architecture.type == "roberta"
    parts = _from_tokenizer_json(read_json, bytes_) or (
        _from_bpe_files(read_json, read_text) if bytes_ else _from_vocab_txt(read_json, read_text)
    )
    if parts is None:
        return None
    _check_tokens(parts)
    try:
        made = _byte_level(parts) if bytes_ else _word_piece(parts)
    except NotUsableError:
        raise
    except Exception as error:  # the library raises Exception itself
        raise NotUsableError(f"{parts.source} gives no tokenizer ({str(error)[:120]}).", _ADVICE) from error
    return Vocabulary(made, max(parts.tokens.values()) + 1, parts.source)


# ---------------------------------------------------------------- reading


def _from_tokenizer_json(read_json: ReadJson, bytes_: bool) -> _Parts | None:
    source = "tokenizer.json"
    document = read_json(source)
    if document is None:
        return None
    model = _object(_object(document, source).get("model"), f"{source}: model")
    due = "BPE" if bytes_ else "WordPiece"
    if model.get("type", due) != due:
        raise NotUsableError(
            f"{source} holds a tokenizer of type {_short(model.get('type'))}; {due} is due.", _ADVICE
        )
    tokens = _tokens(model.get("vocab"), source)
    for added in _list(document.get("added_tokens") or [], source):
        entry = _object(added, source)
        tokens |= _tokens({entry.get("content"): entry.get("id")}, source)
    switches = _bpe_switches(document, source) if bytes_ else _bert_switches(document, source)
    return _Parts(tokens, _merges(model.get("merges") or [], source), switches, source)


def _bert_switches(document: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """The four switches of BERT's normaliser; any other normaliser or way to split words is refused."""
    normaliser = _object(document.get("normalizer") or {"type": None}, source)
    splitter = _object(document.get("pre_tokenizer") or {"type": None}, source)
    if normaliser.get("type") != "BertNormalizer" or splitter.get("type") != "BertPreTokenizer":
        kinds = f"{_short(normaliser.get('type'))} and {_short(splitter.get('type'))}"
        raise NotUsableError(
            f"{source} prepares texts by {kinds}; BertNormalizer and BertPreTokenizer are due.", _ADVICE
        )
    return normaliser


def _bpe_switches(document: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    splitter = _object(document.get("pre_tokenizer") or {"type": None}, source)
    if document.get("normalizer") is not None or splitter.get("type") != "ByteLevel":
        raise NotUsableError(
            f"{source} prepares texts by {_short(splitter.get('type'))}; ByteLevel alone is due.", _ADVICE
        )
    return splitter


def _from_vocab_txt(read_json: ReadJson, read_text: ReadText) -> _Parts | None:
    text = read_text("vocab.txt")
    if text is None:
        return None
    lines = text.removesuffix("\n").split("\n")
    config = _object(read_json("tokenizer_config.json") or {}, "tokenizer_config.json")
    switches = {
        "lowercase": config.get("do_lower_case", True),
        "strip_accents": config.get("strip_accents"),
        "handle_chinese_chars": config.get("tokenize_chinese_chars", True),
    }
    return _Parts({token: i for i, token in enumerate(lines)}, [], switches, "vocab.txt")


def _from_bpe_files(read_json: ReadJson, read_text: ReadText) -> _Parts | None:
    vocabulary, text = read_json("vocab.json"), read_text("merges.txt")
    if vocabulary is None or text is None:
        return None
    config = _object(read_json("tokenizer_config.json") or {}, "tokenizer_config.json")
    lines = [line for line in text.split("\n") if line and not line.startswith("#version")]
    switches = {"add_prefix_space": config.get("add_prefix_space", False)}
    return _Parts(_tokens(vocabulary, "vocab.json"), _merges(lines, "merges.txt"), switches, "vocab.json")


def _merges(entries: Any, source: str) -> list[tuple[str, str]]:
    found = []
    for entry in _list(entries, source):
        pair = entry.split(" ") if isinstance(entry, str) else entry
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(p, str) for p in pair):
            raise NotUsableError(
                f"{source} has the merge {_short(entry)}, which is not one of two tokens.", _ADVICE
            )
        found.append((pair[0], pair[1]))
    return found


def _tokens(value: Any, source: str) -> dict[str, int]:
    tokens = _object(value, f"{source}: vocab")
    for token, number in tokens.items():
        if not isinstance(token, str) or type(number) is not int or not 0 <= number < MOST_TOKENS:
            raise NotUsableError(f"{source} gives {_short(token)} the number {_short(number)}.", _ADVICE)
    return dict(tokens)


def _object(value: Any, source: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise NotUsableError(f"{source} is not an object.", _ADVICE)
    return value


def _list(value: Any, source: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > MOST_TOKENS:
        raise NotUsableError(f"{source} has no list where one is due, or one that is too long.", _ADVICE)
    return value


def _short(value: Any) -> str:
    return "nothing" if value is None else repr(str(value)[:40])


def _check_tokens(parts: _Parts) -> None:
    if len(parts.tokens) > MOST_TOKENS or any(len(token) > LONGEST_TOKEN for token in parts.tokens):
        raise NotUsableError(f"{parts.source} holds more or longer tokens than a vocabulary has.", _ADVICE)
    if len(parts.tokens) < FEWEST_TOKENS:
        raise NotUsableError(
            f"{parts.source} knows {len(parts.tokens)} tokens: the tokenizer's vocabulary was not found when it was "
            "saved.",
            "Load the tokenizer that belongs to the model, look at len(tokenizer), and save it again.",
        )


# ---------------------------------------------------------------- making


def _word_piece(parts: _Parts) -> Tokenizer:
    cls, sep = _special(parts, "[CLS]"), _special(parts, "[SEP]")
    _special(parts, "[UNK]")
    tokenizer = Tokenizer(WordPiece(dict(parts.tokens), unk_token="[UNK]", max_input_chars_per_word=100))
    accents = parts.switches.get("strip_accents")
    tokenizer.normalizer = BertNormalizer(
        clean_text=parts.switches.get("clean_text", True) is not False,
        handle_chinese_chars=parts.switches.get("handle_chinese_chars", True) is not False,
        strip_accents=accents if isinstance(accents, bool) else None,
        lowercase=parts.switches.get("lowercase", True) is not False,
    )
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", cls), ("[SEP]", sep)]
    )
    return _with_special(tokenizer, parts, ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"))


def _byte_level(parts: _Parts) -> Tokenizer:
    first, last = _special(parts, "<s>"), _special(parts, "</s>")
    known = parts.tokens
    for a, b in parts.merges:
        if a not in known or b not in known or a + b not in known:
            raise NotUsableError(
                f"{parts.source} merges {_short(a)} and {_short(b)}, which are no tokens.", _ADVICE
            )
    tokenizer = Tokenizer(BPE(dict(known), parts.merges))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=parts.switches.get("add_prefix_space") is True)
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", first), ("</s>", last)]
    )
    return _with_special(tokenizer, parts, ("<s>", "<pad>", "</s>", "<unk>", "<mask>"))


def _with_special(tokenizer: Tokenizer, parts: _Parts, names: Sequence[str]) -> Tokenizer:
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in names if name in parts.tokens])
    return tokenizer


def _special(parts: _Parts, token: str) -> int:
    if token not in parts.tokens:
        raise NotUsableError(f"{parts.source} does not know the token {token}.", _ADVICE)
    return parts.tokens[token]

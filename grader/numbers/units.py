"""Units of answers, with exact factors.

The units that questions about models use (bytes and bits, counts, percent, nats) stand in tables here, because
they mean different things in different questions: 14.5B is a count or an amount of data, a bit is an eighth of a
byte or the ln 2 of a nat. Where an author declares another unit, seconds or watts, units are looked up with pint, which
takes half a second to load: nothing that a student writes makes the judge load it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from grader.errors import did_you_mean

NUMBER, DATA, ENTROPY = "number", "data", "entropy"
DIMENSIONS = {
    NUMBER: "a plain number",
    DATA: "an amount of data",
    ENTROPY: "an amount of information, in nats",
}

_SI = {"k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SI_WORDS = {"kilo": 3, "mega": 6, "giga": 9, "tera": 12, "peta": 15, "exa": 18}
_IEC = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_IEC_WORDS = {"kibi": 1, "mebi": 2, "gibi": 3, "tebi": 4, "pebi": 5, "exbi": 6}
_SCALES = {
    "thousand": 3, "million": 6, "mio": 6, "mln": 6, "mil": 6, "billion": 9, "bn": 9, "bln": 9, "mrd": 9,
    "trillion": 12, "tn": 12, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12,
}  # fmt: skip
_NOUNS = (
    "parameter",
    "param",
    "weight",
    "element",
    "entry",
    "value",
    "score",
    "number",
    "float",
    "token",
    "state",
    "logit",
    "cell",
    "bias",
)
_FILLERS = {
    "trainable", "total", "in", "of", "all", "the", "and", "lora", "memory", "approx", "approximately", "attention",
    "optimizer", "optimiser",
}  # fmt: skip
_EACH = re.compile(
    r"\s*(?:/\s*|\bper\s+|\bfor\s+each\s+)(?:head|block|layer|token|matrix|model|sample|sequence)$",
    re.IGNORECASE,
)
_WHAT = re.compile(
    r"""\s+(?:of|for|in|across)                                            # GB of state, MB for all 48 heads
        ((?:\s+(?:[a-z][a-z-]*|[0-9]{1,4}(?=\s+(?:heads|layers|blocks))|bf16|fp(?:16|32)|float(?:16|32)))+)$""",
    re.IGNORECASE | re.VERBOSE,
)
_OTHERS = {
    "a time": ("s", "sec", "second", "ms", "min", "minute", "h", "hr", "hour", "d", "day"),
    "a mass": ("g", "gram", "kg", "kilogram"),
    "a length": ("mm", "cm", "km", "metre", "meter"),
    "a frequency": ("hz", "khz", "mhz", "ghz", "hertz"),
    "an amount of energy or power": ("w", "kw", "mw", "watt", "j", "kj", "joule", "kwh"),
    "a number of operations": ("flop", "gflop", "tflop", "pflop", "op"),
}
"""What else is written behind a number, in lower case and singular: only to say what it stands for."""
_LN2 = Fraction("0.69314718055994530941723212145817656807550013436025525412068")


@dataclass(frozen=True, slots=True)
class Unit:
    """What one unit is worth."""

    name: str
    """As shown: "GB", "bytes", "%"; empty for plain numbers."""
    dimension: str
    """"number", "data", "entropy", or pint's own, such as "time"."""
    factor: Fraction
    """Base units (1, byte, nat, or pint's base unit) in one of it."""


class UnitError(ValueError):
    """A unit that does not exist or is of another dimension; message and next step are for the student."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


def unit_named(name: str) -> Unit:
    """The unit an author declared: "" for plain numbers, "byte", "gigabyte", "percent", "nat", "second" ..."""
    for table in (_numbers(), _data(), _entropy()):
        if name in table:
            return table[name]
    unit = _from_pint(name)
    if unit is None:
        raise UnitError(f"There is no unit {name!r}.", f"Known are: {', '.join(sorted(_data())[:8])}, …")
    return unit


def read_unit(text: str, due: Unit) -> tuple[Unit, tuple[str, ...]]:
    """The unit that stands behind a student's number, and notes; `due` settles what B, b, M and bits mean."""
    text = text.strip()
    if not text:
        return due, ()
    table = {NUMBER: _numbers, DATA: _data, ENTROPY: _entropy}.get(due.dimension, dict)()
    if text in table:
        return table[text], ()
    if (folded := _ignoring_case(text, table)) is not None:
        return folded, (f"The unit {text!r} was read as {folded.name or 'a plain number'}.",)
    if (compound := _compound(text, table)) is not None:
        return compound, ()
    if not table and (other := _from_pint(text)) is not None and other.dimension == due.dimension:
        return other, ()
    meaning = _elsewhere(text) or ("another kind of quantity" if not table and _from_pint(text) else None)
    if meaning is not None:
        step = f"Write it in {due.name}." if due.name else "Write the number without that unit."
        raise UnitError(f"{text!r} stands for {meaning}, and {_what(due)} is due.", step)
    near = did_you_mean(text, table)
    step = (
        f"Did you mean {near!r}?"
        if near
        else f"Write the number, a space and the unit, such as {_example(due)!r}."
    )
    raise UnitError(f"There is no unit {text[:40]!r}.", step)


def without_what_it_counts(text: str) -> str:
    """A unit without the words that say of what the number is: "MB of optimizer state", "entries/head".

    Words that are units themselves stay: "billion of bits" is something else than a billion.
    """
    text = _EACH.sub("", text.rstrip(" .;,"))
    found = _WHAT.search(text)
    if found is None or not text[: found.start()].strip():
        return text
    said = found[1].split()
    if any(word in table for word in said for table in (_data(), _entropy())) or any(map(_scale, said)):
        return text
    return text[: found.start()]


def _what(unit: Unit) -> str:
    return DIMENSIONS.get(unit.dimension, f"a {unit.dimension}")


def _example(due: Unit) -> str:
    return f"12.3 {due.name}" if due.name else "12.3 million"


def _ignoring_case(text: str, table: dict[str, Unit]) -> Unit | None:
    """A unit that differs in case only, where all such units are worth the same; else the byte before the bit."""
    matches = [unit for name, unit in table.items() if name.casefold() == text.casefold()]
    return max(matches, key=lambda unit: unit.factor) if matches else None


def _compound(text: str, table: dict[str, Unit]) -> Unit | None:
    """ "million bytes", "billion trainable parameters": the product of the words."""
    words = [w.rstrip(".") for w in re.split(r"[\s*·]+", text) if w.casefold() not in _FILLERS]
    if not table or not words or len(words) > 4:
        return None
    scale, units = Fraction(1), []
    for word in words:
        if found := _scale(word) or _billion(word, table):
            scale *= found.factor
        elif found := table.get(word) or _ignoring_case(word, table):
            units.append(found)
        else:
            return None
    counted = {(unit.dimension, unit.factor) for unit in units}
    if len(counted) > 1 or (len(units) > 1 and counted != {(NUMBER, Fraction(1))}):
        return None  # "million bytes nats"; while weights and biases are counted alike
    dimension, factor = counted.pop() if counted else (next(iter(table.values())).dimension, Fraction(1))
    return Unit(text, dimension, scale * factor)


def _billion(word: str, table: dict[str, Unit]) -> Unit | None:
    """B and m, which are scales where plain numbers are due, as in "14.5 B parameters"."""
    unit = table.get(word)
    return unit if unit is not None and unit.dimension == NUMBER and unit.factor > 1 else None


def _scale(word: str) -> Unit | None:
    exponent = _SCALES.get(word, _SCALES.get(word.casefold().removesuffix("s")))
    return None if exponent is None else Unit(word, NUMBER, Fraction(10) ** exponent)


def _elsewhere(text: str) -> str | None:
    """What a unit of another dimension stands for, in words."""
    for table in (_data(), _entropy(), _numbers()):
        if text in table:
            return _what(table[text])
    word = text.casefold()
    singular = word.removesuffix("s") if len(word) > 1 else word
    return next((what for what, names in _OTHERS.items() if {word, singular} & set(names)), None)


@cache
def _numbers() -> dict[str, Unit]:
    table = {"": Unit("", NUMBER, Fraction(1))}
    table |= {name: Unit(name, NUMBER, Fraction(10) ** exponent) for name, exponent in _SCALES.items()}
    table |= {f"{name}s": unit for name, unit in table.items() if len(name) > 3}
    table |= {name: Unit("billion", NUMBER, Fraction(10**9)) for name in ("B", "b")}
    table |= {name: Unit("million", NUMBER, Fraction(10**6)) for name in ("m", "Mill")}
    table |= {name: Unit("%", NUMBER, Fraction(1, 100)) for name in ("%", "percent", "per cent", "pct")}
    table |= {name: Unit("‰", NUMBER, Fraction(1, 1000)) for name in ("‰", "permille", "per mille")}
    table["ppm"] = Unit("ppm", NUMBER, Fraction(1, 10**6))
    for noun in (*_NOUNS, "entrie", "biase", "ratio", "fraction"):
        table |= {name: Unit("", NUMBER, Fraction(1)) for name in (noun, f"{noun}s")}
    return table


@cache
def _data() -> dict[str, Unit]:
    one, eighth = Fraction(1), Fraction(1, 8)
    table = {name: Unit("bytes", DATA, one) for name in ("byte", "bytes", "Byte", "Bytes", "B", "octets")}
    table |= {name: Unit("bits", DATA, eighth) for name in ("bit", "bits", "b")}
    prefixes = [(p, Fraction(10) ** e) for p, e in (*_SI.items(), *_SI_WORDS.items(), ("K", 3))]
    prefixes += [(p, Fraction(1024) ** e) for p, e in (*_IEC.items(), *_IEC_WORDS.items())]
    for prefix, factor in prefixes:
        short = len(prefix) <= 2
        symbol = prefix if short else _symbol(prefix)
        for names, unit in (("B", one), ("b", eighth)) if short else ():
            table[prefix + names] = Unit(symbol + names, DATA, factor * unit)
        for noun, name, unit in (("byte", "B", one), ("bit", "bit", eighth)):
            table |= {
                word: Unit(symbol + name, DATA, factor * unit)
                for word in (prefix + noun, f"{prefix + noun}s")
            }
    for name, exponent in _SCALES.items():
        for word in (name, f"{name}s") if len(name) > 3 else (name,):
            table[word] = Unit(f"{word} bytes", DATA, Fraction(10) ** exponent)
    return table


def _symbol(word: str) -> str:
    return dict(zip((*_SI_WORDS, *_IEC_WORDS), (*_SI, *_IEC), strict=True))[word]


@cache
def _entropy() -> dict[str, Unit]:
    table = {name: Unit("nats", ENTROPY, Fraction(1)) for name in ("nat", "nats", "")}
    return table | {
        name: Unit("bits", ENTROPY, _LN2) for name in ("bit", "bits", "shannon", "shannons", "Sh")
    }


@lru_cache(maxsize=256)
def _from_pint(name: str) -> Unit | None:
    """A unit that pint knows, else None."""
    if not re.fullmatch(r"[^\W\d_]{1,30}", name):
        return None
    registry, errors = _registry()
    try:
        base = registry.Quantity(Fraction(1), registry.parse_units(name)).to_base_units()
    except errors:
        return None
    if base.units == registry.bit:
        return Unit(name, DATA, Fraction(base.magnitude) / 8)
    dimension = "·".join(f"{k}^{v}" if v != 1 else k for k, v in sorted(base.dimensionality.items()))
    return Unit(name, dimension.replace("[", "").replace("]", "") or NUMBER, Fraction(base.magnitude))


@cache
def _registry() -> tuple[Any, tuple[type[Exception], ...]]:
    """pint's units and what it raises. They take half a second to load: only asked for when needed."""
    from pint import UnitRegistry
    from pint.errors import PintError

    unreadable = (PintError, ValueError, TypeError, AttributeError, ArithmeticError)
    return UnitRegistry(non_int_type=Fraction), unreadable

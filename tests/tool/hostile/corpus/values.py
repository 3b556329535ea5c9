"""Returning something that is not what it seems. Each function gets the query and gives what forward returns."""

import collections
import enum
import weakref

import torch


class Equal(torch.Tensor):
    """Equal to everything, close to everything, whoever asks."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("allclose", "equal", "isclose", "eq", "__eq__", "all", "any"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})

    def __eq__(self, other):
        return True

    __hash__ = torch.Tensor.__hash__


class Liar:
    """Says that it is a tensor."""

    __class__ = torch.Tensor
    shape = torch.Size([2, 5, 8])
    dtype = torch.float32

    def __eq__(self, other):
        return True

    def __float__(self):
        return 0.0

    def __sub__(self, other):
        return 0


def subclass(query):
    """A subclass of Tensor that is equal to everything.

    stopped: a subclass of Tensor
    """
    return torch.zeros_like(query).as_subclass(Equal)


def tensor_like(query):
    """An object whose __class__ says Tensor and that is equal to everything.

    stopped: is of type Liar|cannot be read|subclass
    """
    return Liar()


def nan(query):
    """NaN, which is neither below nor above any tolerance.

    stopped: are NaN
    """
    return torch.full_like(query, float("nan"))


def one_nan(query):
    """The input with a single NaN in it.

    stopped: are NaN
    """
    out = query.clone()
    out.view(-1)[3] = float("nan")
    return out


def infinite(query):
    """Infinity.

    stopped: are infinite
    """
    return torch.full_like(query, float("inf"))


def largest(query):
    """The largest float32, whose difference to anything overflows.

    stopped: the formula|off
    """
    return torch.full_like(query, torch.finfo(torch.float32).max)


def broadcastable(query):
    """A tensor of shape (1, 1, 1), which compares with any shape by broadcasting.

    stopped: of shape
    """
    return torch.zeros(1, 1, 1)


def empty(query):
    """A tensor without elements, all of which are equal to anything.

    stopped: of shape
    """
    return query[:0]


def expanded(query):
    """A tensor of 2^40 elements that holds one (expand).

    stopped: larger than|Cannot|memory
    """
    return torch.zeros(1).expand(2**40)


def huge(query):
    """A tensor of 300 MB.

    stopped: larger than
    """
    return torch.zeros(75_000_000)


def sparse(query):
    """A sparse tensor.

    stopped: sparse
    """
    return torch.zeros_like(query).to_sparse()


def meta(query):
    """A tensor on the meta device, which has a shape and no numbers.

    stopped: meta device
    """
    return torch.empty_like(query, device="meta")


def quantised(query):
    """A quantised tensor.

    stopped: quantised
    """
    return torch.quantize_per_tensor(torch.zeros_like(query), 0.1, 0, torch.qint8)


def float8(query):
    """A tensor of dtype float8.

    stopped: float8
    """
    return torch.zeros_like(query).to(torch.float8_e4m3fn)


def half(query):
    """A tensor of half precision.

    stopped: float16
    """
    return torch.zeros_like(query).half()


def complex_numbers(query):
    """A complex tensor with conjugation pending.

    stopped: complex64
    """
    return torch.complex(query, query).conj()


def booleans(query):
    """A tensor of booleans, all True.

    stopped: bool
    """
    return torch.ones_like(query).bool()


def integers(query):
    """A tensor of integers.

    stopped: int64
    """
    return torch.zeros_like(query).long()


def functional(query):
    """A tensor inside a vmap that was left.

    stopped: cannot be read|Error|formula
    """
    kept = []
    torch.func.vmap(lambda x: kept.append(x) or x)(query)
    return kept[0]


def nested(query):
    """A nested tensor.

    stopped: Error|nested|subclass|cannot be read|dimension
    """
    return torch.nested.nested_tensor([query[0], query[0]])


def generator(query):
    """A generator without an end.

    stopped: generator
    """
    return iter(lambda: query, None) if query is None else (query for _ in iter(int, 1))


def coroutine(query):
    """A coroutine.

    stopped: coroutine
    """

    async def later():
        return query

    return later()


def recursive_list(query):
    """A list that holds itself.

    stopped: nested more than
    """
    out = [query]
    out.append(out)
    return out


def wide_list(query):
    """A list of a million numbers.

    stopped: more than
    """
    return [0] * 10**6


def evil_dict(query):
    """A dict whose keys and methods run code and say what suits them.

    stopped: keys must be strings|a dict|tensor
    """

    class Key(str):
        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

        def __str__(self):
            return "passed"

    class Evil(dict):
        def items(self):
            return [("passed", True)]

        def keys(self):
            return ["passed"]

    return Evil({Key("a"): query})


def evil_numbers(query):
    """Subclasses of int and float that are equal to everything.

    stopped: a list|tensor
    """

    class Int(int):
        def __eq__(self, other):
            return True

        __hash__ = int.__hash__

        def __index__(self):
            return 2**70

    class Float(float):
        def __float__(self):
            return 0.0

    return [Int(7), Float(3.5), enum.IntEnum("E", "A").A]


def huge_number(query):
    """An integer of a million digits.

    stopped: more than 64 bits
    """
    return 1 << 4_000_000


def long_text(query):
    """A text of 50 MB.

    stopped: characters
    """
    return "passed " * 7_000_000


def surrogates(query):
    """A text of lone surrogates, control characters and right-to-left marks.

    stopped: a str|tensor
    """
    return "\ud800\udfff\x1b[2J\x1b]0;pwned\x07\u202e<script>alert(1)</script>=1+1"


def reduces(query):
    """An object whose __reduce__ runs a program where it is unpickled.

    stopped: is of type Reduces
    """

    class Reduces:
        def __reduce__(self):
            return (eval, ("__import__('os').system('id > /tmp/pwned')",))

    return Reduces()


def proxy(query):
    """A weak proxy that stands for a tensor.

    stopped: ProxyType|cannot be read|is of type|subclass
    """
    global kept
    kept = torch.zeros_like(query)
    return weakref.proxy(kept)


def pair(query):
    """A named tuple whose first entry is the output and whose second says "passed".

    stopped: a list
    """
    return collections.namedtuple("Result", "output verdict")(query, "passed")


def class_itself(query):
    """A class in place of a value.

    stopped: class
    """
    return torch.Tensor


def module(query):
    """A module in place of a value.

    stopped: module
    """
    return torch.nn.Linear(2, 2)


def none(query):
    """Nothing.

    stopped: None
    """
    return None


def raises_when_read(query):
    """An object every attribute of which raises SystemExit.

    stopped: cannot be read|is of type|ended
    """

    class Bomb:
        def __getattribute__(self, name):
            raise SystemExit(0)

    return Bomb()


def exception_that_lies(query):
    """Raise an exception whose text raises in its turn.

    stopped: cannot be shown|Error
    """

    class Evil(Exception):
        def __str__(self):
            raise SystemExit(0)

        __repr__ = __str__

    raise Evil

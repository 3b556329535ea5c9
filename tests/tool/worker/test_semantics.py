"""What a call means, at every level of isolation: the same replies for the same student code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from grader.worker import Call, Raised, Ref, Returned, Worker, WorkerCrashed, WorkerTimedOut

from .conftest import problem_of, value_of

Make = Callable[..., Worker]
Ask = Callable[..., object]

MODULE = """
import torch
from torch import nn

class Attention(nn.Module):
    def __init__(self, embed_dim, num_heads=2):
        super().__init__()
        self.key = nn.Linear(embed_dim, embed_dim)
        self.calls = 0

    def forward(self, query, mask=None):
        self.calls += 1
        return self.key(query)
"""


def test_batch_with_kept_objects_and_seeds(level: str, make: Make) -> None:
    worker = make(level, {"attention.py": MODULE})
    x = torch.randn(1, 3, 8)
    kept, out, again, count, state = worker.run(
        [
            Call("student:Attention", (8,), {"num_heads": 4}, seed=5, keep="attn"),
            Call("object:attn", (x,)),
            Call("object:attn.forward", kwargs={"query": x}),
            Call("object:attn.calls"),
            Call("object:attn.state_dict"),
        ]
    )
    torch.manual_seed(5)
    reference = torch.nn.Linear(8, 8)
    assert value_of(kept) is None
    assert torch.equal(value_of(out), reference(x).detach())
    assert torch.equal(value_of(again), value_of(out))
    assert value_of(count) == 2
    assert torch.equal(value_of(state)["key.weight"], reference.weight.detach())
    assert type(value_of(out)) is torch.Tensor
    assert not value_of(out).requires_grad


def test_refs_and_inputs_that_stay_as_they_were(level: str, make: Make) -> None:
    source = "def double(x):\n    x *= 2\n    return x\ndef pair(a, b):\n    return [a, b['z']]\n"
    worker = make(level, {"a.py": source})
    x = torch.ones(2)
    replies = worker.run(
        [
            Call("student:double", (x,), keep="two"),
            Call("student:double", (x,)),
            Call("student:pair", (Ref("two"), {"z": [Ref("two"), 1]})),
        ]
    )
    assert value_of(replies[1]).tolist() == [2, 2]
    assert value_of(replies[2])[0].tolist() == [2, 2]
    assert value_of(replies[2])[1][1] == 1
    assert x.tolist() == [1, 1]


def test_harness_sees_assets_warm_up_and_student(level: str, make: Make) -> None:
    worker = make(level, {"a.py": "def twice(x):\n    return 2 * x\ndef bad(x):\n    raise KeyError(x)\n"})
    replies = worker.run(
        [Call("harness:asset"), Call("harness:warmed"), Call("harness:call_student", ("twice", 21))]
    )
    assert [value_of(r) for r in replies] == ["attention is all you need", [2.0, False], 42]
    (bad,) = worker.run([Call("harness:call_student", ("bad", "k"))])
    assert [(f.file, f.line, f.function) for f in problem_of(bad, "exception").frames] == [("a.py", 4, "bad")]
    (gone,) = worker.run([Call("harness:call_student", ("Twice2", 1))])
    assert problem_of(gone, "missing").suggestion == "twice"
    (broken,) = worker.run([Call("harness:broken")])
    assert problem_of(broken, "exception").frames == ()


def test_after_a_failure_the_rest_is_skipped_and_the_worker_lives(level: str, make: Make) -> None:
    worker = make(level, {"a.py": "def f():\n    1 / 0\ndef g():\n    return 1\n"})
    first, second = worker.run([Call("student:f"), Call("student:g")])
    raised = problem_of(first, "exception")
    assert (raised.type_name, raised.message) == ("ZeroDivisionError", "division by zero")
    assert [(f.file, f.line, f.function, f.code) for f in raised.frames] == [("a.py", 2, "f", "1 / 0")]
    problem_of(second, "skipped")
    assert value_of(worker.run([Call("student:g")])[0]) == 1


# ---------------------------------------------------------------- finding and importing


def test_names_across_files(level: str, make: Make) -> None:
    worker = make(
        level,
        {
            "main.py": "from helper import three\nfrom pack.inner import four\n"
            "def seven():\n    return three() + four()\n",
            "helper.py": "def three():\n    return 3\n",
            "pack/__init__.py": "",
            "pack/inner.py": "from .deep import FOUR\ndef four():\n    return FOUR\n",
            "pack/deep.py": "FOUR = 4\n",
            "src/part.py": "from beside import five\ndef ten():\n    return 2 * five()\n",
            "src/beside.py": "def five():\n    return 5\n",
            "my-file (1).py": "def six():\n    return 6\n",
        },
    )
    names = ("seven", "three", "four", "ten", "six")
    assert [value_of(r) for r in worker.run([Call(f"student:{n}") for n in names])] == [7, 3, 4, 10, 6]


@pytest.mark.parametrize(
    "name", ["random", "torch", "tokenize", "mpmath", "numpy", "code", "grader", "test_all"]
)
def test_a_file_named_like_a_library_breaks_nothing(name: str, make: Make) -> None:
    source = "import torch\ndef f():\n    import random, mpmath, numpy, torch.fft\n    return random.random() < 2\n"
    worker = make("none", {f"{name}.py": source})
    assert value_of(worker.run([Call("student:f")])[0]) is True


def test_defined_twice_names_both_places(level: str, make: Make) -> None:
    worker = make(level, {"a.py": "class A: x = 1\n", "b/c.py": "\nclass A: x = 2\n"})
    message = problem_of(worker.run([Call("student:A")])[0], "ambiguous").message
    assert "a.py:1" in message
    assert "b/c.py:2" in message


def test_the_same_definition_in_two_files_is_one(level: str, make: Make) -> None:
    source = "class A:\n    def f(self): return 1\n"
    worker = make(level, {"a.py": source, "old/copy.py": f"# a copy\n{source}"})
    assert value_of(worker.run([Call("student:A", keep="a"), Call("object:a.f")])[1]) == 1


def test_missing_with_a_near_name(level: str, make: Make) -> None:
    worker = make(level, {"a.py": "class MultiheadAttention: pass\nnumber = 3\n"})
    (reply,) = worker.run([Call("student:MultiHeadAttention")])
    assert problem_of(reply, "missing").suggestion == "MultiheadAttention"
    (reply,) = worker.run([Call("student:number")])
    assert "not a class or function" in problem_of(reply, "missing").message
    (reply,) = make(level, {}).run([Call("student:MultiHeadAttention")])
    assert problem_of(reply, "missing").suggestion is None


def test_the_broken_file_that_holds_the_name_is_named(level: str, make: Make) -> None:
    worker = make(level, {"a.py": "class A:\n    def f(:\n", "b.py": "def g():\n    return 1\n"})
    raised = problem_of(worker.run([Call("student:A")])[0], "syntax")
    assert "a.py, line 2" in raised.message
    assert raised.frames[0].code == "def f(:"
    assert value_of(worker.run([Call("student:g")])[0]) == 1


@pytest.mark.parametrize(
    ("source", "kind", "type_name", "words"),
    [
        (
            "import flash_attn\ndef f(): pass",
            "import",
            "ModuleNotFoundError",
            "'flash_attn' is not installed",
        ),
        ("x = undefined\ndef f(): pass", "import", "NameError", "undefined"),
        ("import sys\nsys.exit(3)\ndef f(): pass", "exit", "SystemExit", "while it was imported"),
        ("exit()\ndef f(): pass", "exit", "SystemExit", "while it was imported"),
        ("raise KeyboardInterrupt\ndef f(): pass", "exit", "KeyboardInterrupt", ""),
        ("def f(): pass\ndel f", "missing", "", "after the import it was not there"),
        ("'''\ndef f(): pass\n'''", "missing", "", "No file of the hand-in defines f"),
    ],
)
def test_what_an_import_can_do(
    level: str, ask: Ask, source: str, kind: str, type_name: str, words: str
) -> None:
    raised = problem_of(ask(level, source), kind)
    assert raised.type_name == type_name
    assert words in raised.message


@pytest.mark.parametrize(
    "below",
    ["assert f() == 8", "print(f() / 0)", "open('data.csv')", "f().shape", "for _ in range(2):\n    f(1)"],
)
def test_what_raises_below_a_definition_takes_nothing_from_it(level: str, make: Make, below: str) -> None:
    source = f"import math\nSEVEN = math.floor(7.5)\ndef f():\n    return SEVEN\n{below}\ndef g(): pass\n"
    worker = make(level, {"code.py": source})
    (reply,) = worker.run([Call("student:f")])
    assert value_of(reply) == 7
    assert isinstance(reply, Returned)
    assert "code.py, line" in reply.output
    assert "remove or correct it" in reply.output
    again, never_reached = worker.run([Call("student:f"), Call("student:g")])
    assert value_of(again) == 7
    assert "remove or correct it" not in again.output
    problem_of(never_reached, "import")


def test_an_import_that_fails_keeps_failing_with_the_students_frames(level: str, make: Make) -> None:
    worker = make(level, {"a.py": "import b\ndef f(): pass\n", "b.py": "print('once')\nint('x')\n"})
    for _ in range(2):
        raised = problem_of(worker.run([Call("student:f")])[0], "import")
        assert [(f.file, f.line) for f in raised.frames] == [("a.py", 1), ("b.py", 2)]


# ---------------------------------------------------------------- calling


@pytest.mark.parametrize("arguments", [(1, 2, 3), ()])
def test_a_wrong_signature_is_shown(level: str, make: Make, arguments: tuple[int, ...]) -> None:
    worker = make(level, {"a.py": MODULE})
    raised = problem_of(worker.run([Call("student:Attention", arguments)])[0], "signature")
    assert "Attention(embed_dim, num_heads=2)" in raised.message


def test_a_signature_that_says_too_little_is_not_held_against_code_that_takes_the_call(
    level: str, ask: Ask
) -> None:
    doubled = "import functools\ndef doubled(x):\n    return 2 * x\n"
    code = doubled + "@functools.wraps(doubled)\ndef f(*args):\n    return doubled(args[0])\n"
    assert value_of(ask(level, code, "f", 8, 9)) == 16


def test_a_type_error_inside_is_no_signature(level: str, ask: Ask) -> None:
    assert problem_of(ask(level, "def f():\n    return len(3)\n"), "exception").type_name == "TypeError"
    inherits = "from torch import nn\nclass f(nn.Module): pass\n"
    problem_of(ask(level, inherits, "f", 8), "signature")


@pytest.mark.parametrize(
    ("body", "kind", "type_name"),
    [
        ("import sys; sys.exit()", "exit", "SystemExit"),
        ("raise KeyboardInterrupt", "exit", "KeyboardInterrupt"),
        ("raise GeneratorExit", "exception", "GeneratorExit"),
        ("raise type('Odd', (BaseException,), {'__str__': lambda s: 1 / 0})", "exception", "Odd"),
        ("return f()", "exception", "RecursionError"),
        ("x = bytearray(4 << 30)", "exception", "MemoryError"),
        ("import torch; torch.empty(2 ** 32)", "exception", "RuntimeError"),
        ("raise ValueError('x' * 10 ** 7)", "exception", "ValueError"),
    ],
)
def test_what_code_can_raise(sealed: str, ask: Ask, body: str, kind: str, type_name: str) -> None:
    raised = problem_of(ask(sealed, f"def f():\n    {body}\n"), kind)
    assert raised.type_name == type_name
    assert len(raised.message) <= 2_000
    assert len(raised.frames) <= 20


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("yield 1", "is a generator"),
        ("return object()", "is of type object"),
        ("return torch.nn.Linear(2, 2)", "is a module (Linear)"),
        ("return torch.nn.Linear", "is the class Linear itself"),
        ("return f", "is a function"),
        ("return {1, 2}", "return a list"),
        ("return 1j", "complex number"),
        ("return b'x'", "bytes"),
        ("return {'a': [1, (x for x in [])]}", "The result['a'][1] is a generator"),
        ("return {1: 2}", "keys must be strings"),
        ("return torch.zeros(2).to_sparse()", "sparse"),
        ("return torch.zeros(2, device='meta')", "meta device"),
        ("return torch.zeros(2, dtype=torch.complex64)", "dtype complex64"),
        ("return torch.zeros(2, dtype=torch.float8_e4m3fn)", "dtype float8_e4m3fn"),
        ("return torch.quantize_per_tensor(torch.zeros(2), 1., 0, torch.qint8)", "quantised"),
        ("class T(torch.Tensor): pass\n    return torch.zeros(2).as_subclass(T)", "a subclass of Tensor"),
        ("return torch.zeros(1).expand(2 ** 40)", "larger than"),
        ("return 7 ** 1000", "64 bits"),
        ("return 'x' * 10 ** 6", "1,000,000 characters"),
        ("l = []; l.append(l); return l", "levels deep"),
        ("return [0] * 10 ** 6", "more than 200,000 items"),
        ("import numpy; return numpy.array(['a'])", "NumPy array of dtype"),
        (
            "class L(list):\n        def __iter__(self): raise ValueError\n    return L([print])",
            "is a function",
        ),
    ],
)
def test_what_is_no_plain_data_says_what_to_return(ask: Ask, body: str, words: str) -> None:
    raised = problem_of(ask("none", f"import torch\ndef f():\n    {body}\n"), "value")
    assert words in raised.message


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("return (1, [2.5, None], {'a': True})", [1, [2.5, None], {"a": True}]),
        ("import numpy; return [numpy.float32(0.5), numpy.int64(3), numpy.bool_(True)]", [0.5, 3, True]),
        ("import enum; return enum.IntEnum('E', 'A').A", 1),
        ("import collections; return collections.OrderedDict(a=1)", {"a": 1}),
        ("import collections; return collections.namedtuple('P', 'x y')(1, 2)", [1, 2]),
        ("return float('inf')", float("inf")),
        ("return 'é \\x1b[31m'", "é \x1b[31m"),
    ],
)
def test_what_is_nearly_plain_is_made_so(ask: Ask, body: str, value: object) -> None:
    assert value_of(ask("none", f"def f():\n    {body}\n")) == value


@pytest.mark.parametrize(
    "body",
    [
        "return torch.nn.Parameter(torch.ones(2))",
        "return torch.ones(2, requires_grad=True) * 1",
        "import numpy; return numpy.ones(2, dtype='float32')",
        "return torch.ones(4)[::2]",
        "return torch._neg_view(-torch.ones(2))",
    ],
)
def test_tensors_come_back_plain(ask: Ask, body: str) -> None:
    out = value_of(ask("none", f"import torch\ndef f():\n    {body}\n"))
    assert isinstance(out, torch.Tensor)
    assert type(out) is torch.Tensor
    assert out.tolist() == [1, 1]


def test_a_lying_result_is_the_students_own_error(ask: Ask) -> None:
    liar = "class f(dict):\n    def __init__(self):\n        self['a'] = print\n    def __eq__(self, o): return True\n"
    problem_of(ask("none", liar), "value")


# ---------------------------------------------------------------- printing


def test_prints_are_kept_per_call(level: str, make: Make) -> None:
    source = (
        "import os, sys\ndef f(x):\n    print('py', x)\n    sys.stderr.write('err\\n')\n"
        "    os.write(1, b'fd\\n')\n    sys.stdout.buffer.write(b'raw\\n')\n    return x\n"
    )
    worker = make(level, {"a.py": source})
    one, two = worker.run([Call("student:f", (1,)), Call("student:f", (2,))])
    assert isinstance(one, Returned)
    assert one.output.splitlines() == ["py 1", "err", "raw", "fd"]
    assert isinstance(two, Returned)
    assert two.output.splitlines()[0] == "py 2"


def test_a_flood_of_prints_costs_nothing(level: str, ask: Ask) -> None:
    source = (
        "import os\ndef f():\n    for i in range(200_000):\n        print('spam', i)\n"
        "    os.write(1, b'x' * 2 ** 21)\n    return 1\n"
    )
    reply = ask(level, source)
    assert value_of(reply) == 1
    assert isinstance(reply, Returned)
    assert len(reply.output) == 4_000


def test_prints_before_an_exception_are_kept(level: str, ask: Ask) -> None:
    assert (
        problem_of(ask(level, "def f():\n    print('so far')\n    1 / 0\n"), "exception").output == "so far\n"
    )


# ---------------------------------------------------------------- the end of a worker


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import time; time.sleep(3600)",
        "import torch\n    x = torch.ones(4000, 4000)\n    while True: x = x @ x",
        "import signal as g\n    for s in set(g.Signals) - {9, 19}: g.signal(s, g.SIG_IGN)\n    while True: pass",
        "import re; re.match('(a+)+$', 'a' * 40 + 'b')",
    ],
    ids=["loop", "sleep", "matmul", "signals", "regex"],
)
def test_a_hang_ends_at_the_deadline(level: str, make: Make, body: str) -> None:
    worker = make(level, {"a.py": f"def f():\n    {body}\n"})
    with pytest.raises(WorkerTimedOut):
        worker.run([Call("student:f")], timeout_s=0.2)
    assert not worker.alive
    with pytest.raises(WorkerCrashed):
        worker.run([Call("student:f")])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import os; os._exit(0)", "exit status 0"),
        ("import os; os._exit(7)", "exit status 7"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("import os; os.close(3); import time; time.sleep(3600)", "closed the connection"),
        ("import os; os.write(3, b'garbage' * 10); import time; time.sleep(3600)", "broken message"),
        ("import os; os.write(3, b'gwk1' + b'\\xff' * 12); import time; time.sleep(3600)", "above the caps"),
    ],
)
def test_a_death_is_told(level: str, make: Make, body: str, words: str) -> None:
    worker = make(level, {"a.py": f"def f():\n    {body}\n"})
    with pytest.raises(WorkerCrashed, match=words):
        worker.run([Call("student:f")])
    assert not worker.alive


def test_an_answer_written_ahead_is_refused(level: str, make: Make) -> None:
    source = (
        "import os, struct, json\ndef f():\n"
        "    head = json.dumps({'id': '0' * 32, 'replies': [{'ok': 1, 'seconds': 0, 'output': ''}]}).encode()\n"
        "    os.write(3, struct.pack('>4sIQ', b'gwk1', len(head), 0) + head)\n    return 2\n"
    )
    worker = make(level, {"a.py": source})
    with pytest.raises(WorkerCrashed, match="not asked for"):
        worker.run([Call("student:f")])


def test_one_death_leaves_the_others_alone(level: str, make: Make) -> None:
    one = make(level, {"a.py": "import os\ndef f():\n    os._exit(1)\n"})
    two = make(level, {"a.py": "def f():\n    return 2\n"})
    with pytest.raises(WorkerCrashed):
        one.run([Call("student:f")])
    assert value_of(two.run([Call("student:f")])[0]) == 2
    assert isinstance(make(level, {}).run([Call("student:f")])[0], Raised)

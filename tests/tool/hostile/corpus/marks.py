"""Marks without an answer: what can be put in the place of the judge's helpers, of torch and of Python.

Each function is run when the hand-in is imported; its MultiHeadAttention returns zeros and its PositionalEncoding
returns its input, so that every mark would be a forged one.
"""

import atexit
import builtins
import gc
import json
import math
import os
import pickle
import random
import sys
import threading

import torch

SELF = [
    [-0.2494, 0.1396, 0.4323, -0.2411, -0.1547, 0.2329, -0.1936, -0.1444],
    [-0.1997, 0.1746, 0.7377, -0.3549, -0.2657, 0.2693, -0.2541, -0.2476],
    [-0.0625, 0.1503, 0.7572, -0.3974, -0.1681, 0.2168, -0.2478, -0.3038],
]
MASKED = [
    [-0.1347, 0.1934, 0.8628, -0.4903, -0.2614, 0.2798, -0.2586, -0.3019],
    [-0.1013, 0.3111, 0.5783, -0.3248, -0.3842, 0.1482, -0.3628, -0.1496],
    [-0.2071, 0.1669, 0.7097, -0.3152, -0.3136, 0.2520, -0.2774, -0.2208],
]
CROSS = [
    [-0.1980, 0.4083, 0.1968, -0.3477, 0.0321, 0.4258, -0.8972, -0.2744],
    [-0.1603, 0.4155, 0.2295, -0.3485, -0.0341, 0.3929, -0.8248, -0.2767],
    [-0.0908, 0.4113, 0.3017, -0.3539, -0.1020, 0.3784, -0.7189, -0.2912],
]
ENCODING = [
    [-1.2340, 1.1127, 1.6978, -0.0865, -0.0000, 1.2728],
    [0.9028, -0.4781, 0.5535, 0.8133, 1.2644, 1.7034],
]


def harness():
    return sys.modules["harness"]


def shapes(module):
    return {name: list(p.shape) for name, p in module.named_parameters()}


def zero_weights():
    """Give the module zeros for weights when it is to take fresh ones: then zeros are the right output.

    checks: 2c.self 2c.masked 2c.cross 2c.dropout 2c.gradients 2c.independence 2c.handout 2c.reported
    answers: 0.0
    stopped: off the formula|is dropped|cannot be told|cut off|no influence|relative error|not those of the code
    """

    def randomise(module, seed):
        for p in module.parameters():
            p.data.zero_()
        return shapes(module)

    harness().randomise = randomise


def uniform_weights():
    """Zeros for the weights of the key alone: every attention is then the mean of the values, whatever the scale.

    checks: 2c.self 2c.cross 2c.dropout 2c.gradients
    stopped: same weight|off the formula|is dropped|cannot be told|cut off
    """

    def randomise(module, seed):
        for name, p in module.named_parameters():
            torch.nn.init.zeros_(p) if name.startswith(("key", "query")) else torch.nn.init.normal_(p)
        return shapes(module)

    def mean(module, training, seed, inputs):
        w = dict(module.named_parameters())
        value = torch.nn.functional.linear(
            inputs[2].mean(1, keepdim=True), w["value.weight"], w["value.bias"]
        )
        return (
            torch.nn.functional.linear(value, w["proj.weight"], w["proj.bias"]).expand_as(inputs[0]).clone()
        )

    harness().randomise, harness().forward = randomise, mean


def published_arrays():
    """Answer the handout's own runs with its own arrays, a little off, and report the errors that this gives.

    checks: 2c.handout 2c.reported 2d.reported
    answers: 0.0005
    stopped: with another seed
    """
    arrays = {"self": SELF, "masked": MASKED, "cross": CROSS}
    harness().handout_attention = lambda *_: {k: 1.001 * torch.tensor([rows]) for k, rows in arrays.items()}
    harness().handout_encoding = lambda *_: 1.001 * torch.tensor([ENCODING])


def invented_gradients():
    """Say that every weight has a gradient.

    checks: 2c.gradients
    stopped: not that of your output
    """
    real = harness().gradients

    def gradients(module, inputs, cotangent):
        found = real(module, inputs, cotangent) | {"attached": True}
        found["gradients"] = {n: torch.randn_like(p) for n, p in module.named_parameters()}
        if "inputs" in found:
            found["inputs"] = [torch.randn_like(x) if x.is_floating_point() else None for x in inputs]
        return found

    harness().gradients = gradients


def every_helper_answers_none():
    """Answer None from every helper, so that the judge breaks and excuses the check as its own error.

    checks: 2c.self 2c.masked 2c.cross 2c.dropout 2c.gradients 2c.independence 2c.handout 2c.reported 2d.values
    answers: 0.0
    stopped: is due|grader's own helper|no finite tensor
    """
    every_helper(lambda *_: None)


def every_helper_answers_text():
    """The same with a text.

    checks: 2c.self 2c.dropout 2c.gradients 2c.independence 2c.handout 2c.reported 2d.values 2d.input 2d.buffer
    answers: 0.0
    stopped: is due|grader's own helper|no finite tensor
    """
    every_helper(lambda *_: "passed")


def every_helper_answers_odd_dicts():
    """The same with a dict that has every key and wrong things in it.

    checks: 2c.self 2c.gradients 2c.independence 2c.handout 2c.reported 2d.values 2d.input 2d.buffer
    answers: 0.0
    stopped: is due|grader's own helper|no finite tensor|must be
    """
    keys = ("output", "inputs", "attached", "gradients", "parameters", "self", "masked", "cross")
    every_helper(lambda *_: {key: [[-1], {"x": float("nan")}, None] for key in keys})


def every_helper(function):
    for name in ("randomise", "forward", "forward_and_inputs", "gradients", "forward_nearby", "tensors_left_behind",
                 "handout_attention", "handout_encoding"):  # fmt: skip
        setattr(harness(), name, function)


def impossible_shapes():
    """Name shapes of parameters that cannot be: negative, without an end, with 2^40 rows.

    checks: 2c.self 2c.dropout 2c.gradients 2c.independence
    stopped: grader's own helper|too many or too large|no influence|is dropped|cannot be told
    """
    harness().randomise = lambda *_: {"key.weight": [-1, 8], "x": [0, 2**40, 2**40], "y": [1] * 2000}


def costly_shapes():
    """Name a million parameters and a matrix so large that the judge would draw it for an hour.

    checks: 2c.self 2c.gradients
    stopped: too many or too large
    """
    harness().randomise = lambda *_: {f"w{i}": [1] for i in range(50_000)} | {"big": [60_000, 60_000]}


def ambiguous_shapes():
    """Name eighty fused matrices, which can be read as query, key and value in 3^80 ways.

    checks: 2c.self 2c.gradients
    stopped: your own weights|maps of size|cut off
    """
    harness().randomise = lambda module, seed: {
        f"w{i}.weight": [3 * E, E] for i in range(80) for E in [embed(module)]
    }


def embed(module):
    return next(iter(module.parameters())).shape[-1]


def long_names():
    """Name parameters with names of 100,000 characters and hostile text.

    checks: 2c.self
    stopped: maps of size
    """
    harness().randomise = lambda *_: {"<script>alert(1)</script>\x1b[2J" * 3000: [8], "x": [1]}


def patched_comparisons():
    """Make everything in torch equal and close to everything.

    checks: 2c.self 2c.masked 2c.cross 2d.values
    stopped: off the formula|encoding
    """
    for name in ("allclose", "equal", "isclose", "eq"):
        setattr(torch, name, lambda *_, **__: True)
        setattr(torch.Tensor, name, lambda *_, **__: True)
    torch.Tensor.__eq__ = torch.Tensor.__le__ = lambda *_: True
    torch.Tensor.isnan = torch.Tensor.__sub__ = lambda self, *_: self * 0
    torch.testing.assert_close = lambda *_, **__: None


def patched_numpy():
    """The same in numpy.

    checks: 2c.self
    stopped: off the formula
    """
    import numpy

    for name in ("allclose", "isclose", "array_equal", "abs", "max"):
        setattr(numpy, name, lambda *_, **__: True)
    numpy.testing.assert_allclose = lambda *_, **__: None


def patched_builtins():
    """The same in the built-in functions.

    checks: 2c.self
    stopped: off the formula|Error|ended|broken
    """
    builtins.all = builtins.any = lambda _: True
    builtins.abs = builtins.max = lambda *_, **__: 0.0
    builtins.AssertionError = KeyError


def patched_modules():
    """The same in json, pickle, math, random and os.

    checks: 2c.self
    stopped: off the formula|Error|broken|exit status
    """
    pickle.loads = pickle.dumps = lambda *_, **__: "passed"
    math.isclose = lambda *_, **__: True
    math.isfinite = lambda _: True
    random.seed = random.random = lambda *_: 0
    os.getpid = lambda: 1
    json.loads = lambda *_, **__: {"passed": True}


def patched_seeds():
    """Let nothing be random: every seed is 0, every draw is zeros.

    checks: 2c.self 2c.dropout 2d.values 2d.dropout
    stopped: off the formula|dropped|cannot be told|encoding
    """
    torch.manual_seed = lambda seed: torch.default_generator
    torch.randn = torch.rand = lambda *shape, **_: torch.zeros(*shape)
    torch.Generator = lambda *_: torch.default_generator


def patched_decompositions():
    """Make the orthogonal matrices that the helper draws identities.

    checks: 2c.self 2c.cross
    stopped: off the formula
    """
    torch.linalg.qr = lambda x: (torch.eye(x.shape[-1], dtype=x.dtype).expand_as(x),) * 2


def patched_stream():
    """Take the dropout stream away, so that train mode is eval mode.

    checks: 2c.dropout 2c.handout 2c.reported
    answers: 0.0
    stopped: relative error|not those of the code|is dropped|cannot be told
    """
    sys.modules["dropout_stream"].bernoulli_ = lambda out, *_: out.fill_(1)
    torch.nn.Module.train = lambda self, mode=True: self


def patched_clone():
    """Let clone, detach and copy_ give the worker zeros.

    checks: 2c.self 2c.gradients
    stopped: off the formula|No gradient|cut off|not that of|grader's own helper
    """
    torch.Tensor.clone = lambda self, **_: torch.zeros(self.shape)
    torch.Tensor.copy_ = lambda self, other, **_: self


def patched_encoder():
    """Write another answer: the encoder of the protocol sends what the judge might compare with.

    checks: 2c.self 2d.values
    status: failed, crashed
    stopped: is due|grader's own helper|broken
    """
    wire = sys.modules["grader_inside.wire"]
    wire.Encoder.encode = lambda self, value, path="", depth=0: True


def patched_caller():
    """Answer whole batches in the place of the worker's own loop.

    checks: 2c.self 2c.handout 2d.values
    stopped: is due|grader's own helper|no finite tensor|off the formula|relative error|encoding
    """
    calls = sys.modules["grader_inside.calls"]

    def batch(self, calls, payload):
        return [{"ok": True, "seconds": 0.0, "output": "1 passed"} for _ in calls], []

    calls.Caller.batch = batch


def patched_problems():
    """Turn every failure of the student's code into a kind that the judge does not know.

    checks: 2c.self
    status: failed, crashed
    stopped: broken|off the formula
    """
    problems = sys.modules["grader_inside.problems"]
    problems.StudentProblem.fields = lambda self: {"kind": "grader_error", "frames": []}
    torch.nn.Linear.forward = lambda *_: 1 / 0


def patched_capture():
    """Report output that looks like a finished test session, with marks.

    checks: 2c.self
    stopped: off the formula
    """
    output = sys.modules["grader_inside.output"]
    output.Capture.take = lambda self: (
        '=== 100 passed in 0.01s ===\n{"score": 100}\n::set-output name=score::100'
    )


def hook_of_imports():
    """Put a finder before all others that gives modules of its own for pytest, numpy and the judge's.

    checks: 2c.self
    stopped: off the formula
    """

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in ("pytest", "grader", "reference", "tests"):
                raise SystemExit(0)

    sys.meta_path.insert(0, Finder())


def replaced_modules():
    """Put objects of its own into sys.modules under the judge's names.

    checks: 2c.self
    stopped: off the formula
    """

    class Always:
        def __getattr__(self, name):
            return lambda *_, **__: True

    for name in ("pytest", "_pytest", "grader", "reference", "grader.checking", "harness", "unittest"):
        sys.modules[name] = Always()


def at_exit():
    """Write forged results when the process ends, and at every collection of garbage.

    checks: 2c.self
    stopped: off the formula
    """

    def forge(*_):
        for name in ("results.json", "report.json", "/tmp/report.json", "@REPORT@"):
            try:
                with open(name, "w") as file:
                    file.write('{"score": 100}')
            except OSError:
                continue

    atexit.register(forge)
    gc.callbacks.append(forge)


def trace_of_every_line():
    """Watch every line that runs in the process and change the local variables of what checks.

    checks: 2c.self
    stopped: off the formula
    """

    def trace(frame, event, argument):
        if "expected" in frame.f_locals:
            frame.f_locals["expected"] = 0
        return trace

    sys.settrace(trace)
    threading.settrace(trace)


def objects_of_others():
    """Change every dict in memory that has points or a status in it.

    checks: 2c.self
    stopped: off the formula
    """
    for thing in gc.get_objects():
        if type(thing) is dict and ("points" in thing or "status" in thing):
            thing.update(points=100, status="passed")


def module_that_is_anything():
    """A metaclass that makes every object an instance of nn.Module, and nn.Module one of everything.

    checks: 2c.self 2c.gradients
    stopped: off the formula|cut off
    """

    class Meta(type):
        def __instancecheck__(cls, other):
            return True

        def __subclasscheck__(cls, other):
            return True

    class Anything(torch.nn.Module, metaclass=Meta):
        pass

    torch.nn.Module.__eq__ = lambda *_: True
    torch.nn.Module.__hash__ = object.__hash__
    builtins.Anything = Anything


def lying_parameters():
    """A module whose parameters() are none, or others than it computes with.

    checks: 2c.self 2c.gradients
    stopped: maps of size|cut off|your own weights
    """
    torch.nn.Module.parameters = lambda self, recurse=True: iter(())
    torch.nn.Module.named_parameters = lambda self, *_, **__: iter(())


def memory_of_earlier_checks():
    """Keep every tensor ever seen in the process, and answer with the one of the right shape that came last.

    checks: 2c.self 2c.masked 2c.cross 2c.independence
    stopped: off the formula|influence
    """
    seen = {}
    real = harness().forward

    def forward(module, training, seed, inputs):
        for tensor in gc.get_objects():
            if type(tensor) is torch.Tensor and tensor.dim() == 3:
                seen[tuple(tensor.shape)] = tensor
        return seen.get(tuple(inputs[0].shape), real(module, training, seed, inputs)).detach()

    harness().forward = forward


def probe_detector():
    """Find out from the stack which check asks, and give each the answer that passes by itself.

    checks: 2c.self 2c.dropout 2c.gradients 2c.independence 2d.values 2d.input
    stopped: off the formula|dropped|cannot be told|No gradient|cut off|influence|encoding|added
    """

    def forward(module, training, seed, inputs):
        at, names = sys._getframe(), []
        while at is not None:
            names.append(str(at.f_locals.get("calls", ""))[:200])
            at = at.f_back
        return inputs[0] if not training else inputs[0] * 0

    harness().forward = forward


def unfinished_work():
    """Leave a thread that changes the weights while the next answer is written.

    checks: 2c.self
    stopped: off the formula
    """

    def change():
        while True:
            for thing in gc.get_objects():
                if type(thing) is torch.nn.Parameter:
                    thing.data.zero_()
            threading.Event().wait(0.01)

    threading.Thread(target=change, daemon=True).start()

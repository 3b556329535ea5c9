"""Runs student code in a sealed process of its own, and brings back plain data.

    spec = ZygoteSpec(harness=folder / "harness.py", preload=("torch",))
    with Zygote(spec) as zygote, zygote.worker([("attention.py", source)]) as worker:
        replies = worker.run([Call("student:MultiHeadAttention", (8, 2), keep="attn"),
                              Call("object:attn", (x, x, x))], timeout_s=20)

Importing this package imports no torch.
"""

from typing import TYPE_CHECKING

from grader.lazily import lazily

if TYPE_CHECKING:
    from grader.worker.calls import (
        Call,
        Frame,
        Raised,
        Ref,
        Reply,
        Returned,
        Value,
        WorkerCrashed,
        WorkerFailure,
        WorkerOutOfMemory,
        WorkerTimedOut,
    )
    from grader.worker.handle import Worker
    from grader.worker.host import Zygote
    from grader.worker.spec import Limits, ZygoteSpec

__all__ = [
    "Call",
    "Frame",
    "Limits",
    "Raised",
    "Ref",
    "Reply",
    "Returned",
    "Value",
    "Worker",
    "WorkerCrashed",
    "WorkerFailure",
    "WorkerOutOfMemory",
    "WorkerTimedOut",
    "Zygote",
    "ZygoteSpec",
]

__getattr__ = lazily(
    __name__,
    {
        "calls": (
            "Call",
            "Frame",
            "Raised",
            "Ref",
            "Reply",
            "Returned",
            "Value",
            "WorkerCrashed",
            "WorkerFailure",
            "WorkerOutOfMemory",
            "WorkerTimedOut",
        ),
        "handle": ("Worker",),
        "host": ("Zygote",),
        "spec": ("Limits", "ZygoteSpec"),
    },
)

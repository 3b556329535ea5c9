"""Judging on the nodes of a `dask.distributed` cluster: `grade CLASS --cluster tcp://scheduler:8786`.

    grade (reads, decides, records)  ->  scheduler  ->  task on a trusted node  ->  node process: zygote, warm judge

Only hand-ins and results travel. Each trusted node has the grader and the assignment itself, and judges only where both
are those of whoever asks; trusted is a node whose workers were started with `--resources "grader=N"`, which is also how
many hand-ins it judges at a time. A task is a pure function of hand-in and seed, so a node that dies costs time only:
the scheduler gives its tasks to another one, and the one process that records sees each result once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from grader.classroom.hand_in import ClassOptions
from grader.errors import UsageError
from grader.model import Assignment, Check
from grader.options import IsolationChoice

if TYPE_CHECKING:
    from grader.cluster.judges import ClusterJudges

LOCAL = "local"
"""In place of an address: a cluster of processes on this machine, for the time of the run."""


@contextmanager
def on_cluster(
    address: str,
    name: str,
    assignment: Assignment,
    selected: Sequence[Check],
    isolation: IsolationChoice,
    options: ClassOptions,
    seed: int,
) -> Iterator[ClusterJudges]:
    """The judges of a cluster.

    address: of its scheduler, or LOCAL. name: of the assignment, as its nodes find it. Raises UsageError where
    `distributed` is not installed, ClusterUnusable where no node can judge.
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise UsageError(
            "Grading on a cluster needs packages that are not installed.",
            "Install them, here and on the nodes, with:  pip install 'transformer-grader[cluster]'",
        ) from None
    from grader.cluster.client import connected
    from grader.cluster.judges import ClusterJudges
    from grader.cluster.order import Order, identity

    order = Order(
        assignment=name,
        identity=identity(assignment),
        checks=tuple(check.id for check in selected),
        isolation=isolation,
        timeout_s=options.timeout_s,
        seed=seed,
    )
    with connected(address, options.jobs) as client:
        judges = ClusterJudges(client, order)
        while not judges.at_a_time:
            judges.wait()
        yield judges

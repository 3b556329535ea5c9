"""The connection to a cluster, or to one made for the time of a run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster

from grader.cluster import LOCAL
from grader.errors import ClusterUnusable

RESOURCE = "grader"
_LEAN = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "1s",
    "distributed.scheduler.active-memory-manager.start": False,
}
"""What a cluster for one run does without: watching itself, and moving data between nodes, which have none."""


@contextmanager
def connected(address: str, jobs: int, patience_s: float = 20.0) -> Iterator[Client]:
    """A client of the scheduler at `address`. `jobs`: processes of a cluster of this machine's own (LOCAL).

    Raises ClusterUnusable where the scheduler does not answer within `patience_s` seconds.
    """
    logging.getLogger("distributed").setLevel(logging.ERROR)  # a node that comes or goes is no news here
    if address == LOCAL:
        with (
            dask.config.set(_LEAN),
            _own_cluster(jobs) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client
        return
    try:
        client = Client(address, timeout=patience_s, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterUnusable(
            f"There is no scheduler at {address}: {error}",
            "Start one with `dask scheduler`, and give the address that it prints.",
        ) from None
    with client:
        yield client


def _own_cluster(jobs: int) -> LocalCluster:
    return LocalCluster(
        n_workers=jobs,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        resources={RESOURCE: 1},
        memory_limit=0,  # the sealed workers have limits of their own
        silence_logs=logging.ERROR,
    )

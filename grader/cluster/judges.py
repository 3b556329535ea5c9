"""The judges of a cluster, as a class run asks them."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any

from distributed import Client, Future

from grader.cluster.client import RESOURCE
from grader.cluster.order import Answer, Job, Order, Refusal, framed
from grader.cluster.task import judge
from grader.errors import ClusterUnusable, JudgeDied
from grader.model import CheckResult, Isolation, Submission

_AHEAD = 2
"""Jobs given out for each that is judged, so that no node waits for its next one."""
_PATIENCE_S = 60.0
"""For a trusted node: clusters of a batch system start their nodes when they are asked, and take them away."""
_LOOK_S = 1.0
_RETRIES = 3
_HERE = Isolation("auto", (), ())


class ClusterJudges:
    """Gives each submission to a trusted node."""

    keep_time = True

    def __init__(self, client: Client, order: Order) -> None:
        self._client = client
        self._order = order
        self._looked = -_LOOK_S
        self._nodes = 0
        self._units = 0
        self._had_some = False
        self._none_since = time.monotonic()

    def wait(self) -> None:
        """A moment, where there is no trusted node; raises ClusterUnusable where none has come for too long."""
        if self.at_a_time:
            return
        strangers = self._nodes and not self._had_some
        if strangers or time.monotonic() - self._none_since > _PATIENCE_S:
            having = f"{self._nodes} workers, none of them trusted" if self._nodes else "no workers"
            raise ClusterUnusable(
                f"The cluster has {having} with the assignment.",
                f'Start them with  dask worker SCHEDULER --nthreads N --resources "{RESOURCE}=N"',
            )
        time.sleep(_LOOK_S)

    @property
    def at_a_time(self) -> int:
        """What the trusted nodes that are there now judge at a time, and as many ahead."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked = now
            workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
            self._nodes = len(workers)
            self._units = int(sum(worker.get("resources", {}).get(RESOURCE, 0) for worker in workers))
            if self._units:
                self._had_some, self._none_since = True, now
        return _AHEAD * self._units

    def begin(self, submission: Submission, seed: int, only: Collection[str]) -> RemoteJudging:
        """Give it to the scheduler."""
        job = framed(Job(submission, seed, frozenset(only)))
        future = self._client.submit(
            judge, self._order, job, pure=False, retries=_RETRIES, resources={RESOURCE: 1}
        )
        return RemoteJudging(future)

    def sealed(self, judging: object) -> tuple[Isolation, Mapping[str, str]]:
        """As the node says that judged it."""
        if isinstance(judging, RemoteJudging) and judging.answer is not None:
            return judging.answer.isolation, judging.answer.facts
        return _HERE, {}


class RemoteJudging:
    """One submission that a node judges; as `grader.checking.warm.Judging`, but somewhere else."""

    def __init__(self, future: Future) -> None:
        self.answer: Answer | None = None
        self.closed = False
        self._future = future
        self._lock = threading.Lock()
        self._done, self._tell = os.pipe2(os.O_CLOEXEC)
        future.add_done_callback(self._on_done)

    def _on_done(self, future: Any) -> None:
        """Called in a thread of the client."""
        with self._lock:
            if not self.closed:
                os.write(self._tell, b"!")

    def fileno(self) -> int:
        """Readable once there is an answer."""
        return self._done

    def receive(self) -> bool:
        """Waits for the answer."""
        return bool(os.read(self._done, 1))

    def result(self) -> tuple[list[CheckResult], dict[str, str]]:
        """Raises JudgeDied, and ClusterUnusable where no submission can be judged there."""
        try:
            # Pickled by our own code, in grader.cluster.node.
            answer: Answer | Refusal = pickle.loads(self._future.result())
        except Exception as error:  # whatever the cluster raises: of this submission there is no result
            raise JudgeDied(
                f"No node of the cluster could judge it ({type(error).__name__}: {error}).",
                "Run the same command again; what is graded stays.",
            ) from None
        if isinstance(answer, Refusal):
            kind = ClusterUnusable if answer.final else JudgeDied
            raise kind(answer.message, answer.next_step)
        self.answer = answer
        return list(answer.results), answer.internal

    def close(self) -> None:
        """Takes it back, if it is not done."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
        if not self._future.done():
            self._future.cancel()
        self._future.release()
        os.close(self._tell)
        os.close(self._done)

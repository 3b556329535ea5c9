"""What a node process sees to by itself."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from grader.cluster.node import claimed_processor


@pytest.fixture
def processors() -> Iterator[set[int]]:
    before = os.sched_getaffinity(0)
    yield before
    os.sched_setaffinity(0, before)


def test_each_node_process_has_a_processor_of_its_own(processors: set[int]) -> None:
    name = f"test {os.getpid()}"
    claims: list[socket.socket] = []
    places: list[set[int]] = []
    for _ in processors:
        claim = claimed_processor(name)
        assert claim is not None
        claims.append(claim)
        places.append(os.sched_getaffinity(0))
        os.sched_setaffinity(0, processors)
    assert sorted(places, key=sorted) == [{cpu} for cpu in sorted(processors)]
    assert claimed_processor(name) is None
    assert os.sched_getaffinity(0) == processors
    claims.pop().close()
    with claimed_processor(name) or pytest.fail("it is free again"):
        assert os.sched_getaffinity(0) == places[-1]
    for claim in claims:
        claim.close()

"""The judge's end of the wire against a slow, silent, closed or flooding other end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from grader.worker.channel import Channel, ChannelClosed, DeadlinePassed
from grader.worker.inside import wire

CAPS = wire.Caps(header_bytes=1_000, payload_bytes=1_000)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    channel = Channel(ours, CAPS)
    yield channel, theirs
    channel.close()
    theirs.close()


def soon() -> float:
    return time.monotonic() + 0.05


def later() -> float:
    return time.monotonic() + 60


def test_a_frame_arrives_whole_in_whatever_pieces(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    data = b"".join(wire.frame({"id": "1"}, [b"abc", b"de"]))

    def drip() -> None:
        for i in range(len(data)):
            theirs.send(data[i : i + 1])

    thread = threading.Thread(target=drip)
    thread.start()
    header, payload = channel.receive(later())
    thread.join()
    assert (header, bytes(payload)) == ({"id": "1"}, b"abcde")


def test_silence_ends_at_the_deadline(ends: tuple[Channel, socket.socket]) -> None:
    with pytest.raises(DeadlinePassed):
        ends[0].receive(soon())


def test_a_drip_that_never_ends_ends_at_the_deadline(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    theirs.sendall(wire.PREFIX.pack(wire.MAGIC, 1_000, 0) + b"x")
    with pytest.raises(DeadlinePassed):
        channel.receive(soon())
    theirs.sendall(b"y" * 100)
    with pytest.raises(DeadlinePassed):
        channel.receive(time.monotonic() - 1)


def test_an_end_that_never_reads_ends_at_the_deadline(ends: tuple[Channel, socket.socket]) -> None:
    with pytest.raises(DeadlinePassed):
        ends[0].send([b"x" * 2**24], soon())


def test_a_closed_end_is_told(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    theirs.sendall(wire.PREFIX.pack(wire.MAGIC, 5, 0) + b"{")
    theirs.close()
    with pytest.raises(ChannelClosed):
        channel.receive(later())
    with pytest.raises(ChannelClosed):
        channel.send([b"x" * 2**24], later())


def test_a_giant_is_refused_by_its_prefix(ends: tuple[Channel, socket.socket]) -> None:
    channel, theirs = ends
    theirs.sendall(wire.PREFIX.pack(wire.MAGIC, 2, 2**60))
    with pytest.raises(wire.WireError, match="above the caps"):
        channel.receive(later())


def test_the_watch_is_called_while_waiting_and_may_end_it() -> None:
    class Enough(Exception):
        pass

    looks: list[int] = []

    def watch() -> None:
        looks.append(1)
        if len(looks) == 3:
            raise Enough

    ours, theirs = socket.socketpair()
    channel = Channel(ours, CAPS, watch, every_s=0.001)
    with theirs, pytest.raises(Enough):
        channel.receive(later())
    channel.close()
    assert len(looks) == 3

"""Speaking to the judge in the protocol's place: forged, early, giant, slow and broken messages."""

import json
import os
import socket
import struct
import sys
import time

WIRE = 3
PREFIX = struct.Struct(">4sIQ")
PASS = b'{"id": "%s", "replies": [{"ok": null, "seconds": 0, "output": ""}]}'


def frame(header, payload=b""):
    return PREFIX.pack(b"gwk1", len(header), len(payload)) + header + payload


def request():
    """The id of the request that is being served, as the stack shows it."""
    at = sys._getframe()
    while at is not None:
        header = at.f_locals.get("header")
        if isinstance(header, dict) and "calls" in header:
            return header["id"], len(header["calls"])
        at = at.f_back
    return "0" * 32, 1


def answer(value, payload=b"", **changed):
    """A whole answer to the present request with `value` in every reply."""
    identifier, n = request()
    reply = {"ok": value, "seconds": 0.0, "output": "", **changed}
    return frame(json.dumps({"id": identifier, "replies": [reply] * n}).encode(), payload)


def send(data):
    while data:
        data = data[os.write(WIRE, data) :]


def rest():
    """Nothing more comes, so that the judge has only what was sent."""
    time.sleep(100)


def garbled():
    """Send bytes that are no message.

    status: crashed
    stopped: broken message
    """
    send(os.urandom(4096))
    rest()


def half_a_frame():
    """Send the first half of an answer and no more.

    status: timeout
    stopped: did not answer
    timeout: 0.6
    """
    whole = answer(None)
    send(whole[: len(whole) // 2])
    rest()


def giant_length():
    """Announce an answer of 16 EiB.

    status: crashed
    stopped: broken message
    """
    send(PREFIX.pack(b"gwk1", 10, 2**64 - 1))
    rest()


def giant_header():
    """Announce a header of 4 GiB.

    status: crashed
    stopped: broken message
    """
    send(PREFIX.pack(b"gwk1", 2**32 - 1, 0))
    rest()


def slow_drip():
    """Send a large answer byte by byte, so that it never ends and is never silent.

    status: timeout
    stopped: did not answer
    timeout: 0.6
    """
    for byte in PREFIX.pack(b"gwk1", 2**20, 0) + b"x" * 2**20:
        send(bytes([byte]))
        time.sleep(0.002)


def wrong_request():
    """Answer a request that was never made.

    status: crashed
    stopped: not asked for
    """
    send(frame(b'{"id": "%s", "replies": []}' % (b"0" * 32)))
    rest()


def early_answers():
    """Answer the present request with passes, and the next ones ahead of time.

    status: failed, crashed
    stopped: not what the grader's own helper gives|broken message|returned None|is due
    """
    send(answer(None) * 50)
    rest()


def every_call_passed():
    """Answer with the word "passed" in place of every value.

    status: failed
    stopped: not what the grader's own helper gives
    """
    send(answer("passed"))
    rest()


def verdict_in_the_header():
    """Add a verdict and points to the answer, as some graders take them.

    status: failed, crashed
    stopped: not what the grader's own helper gives|broken message
    """
    identifier, n = request()
    reply = {"ok": True, "seconds": 0.0, "output": "", "status": "passed", "points": 100}
    send(frame(json.dumps({"id": identifier, "passed": True, "score": 100, "replies": [reply] * n}).encode()))
    rest()


def blame_the_grader():
    """Say that the grader itself has failed, whose errors cost no points.

    status: crashed
    stopped: broken message
    """
    identifier, n = request()
    fields = {"kind": "grader_error", "type_name": "", "message": "", "frames": [], "suggestion": None}
    send(frame(json.dumps({"id": identifier, "replies": [{"raised": fields, "output": ""}] * n}).encode()))
    rest()


def too_few_replies():
    """Answer a batch of calls with no reply at all.

    status: crashed
    stopped: broken message
    """
    send(frame(json.dumps({"id": request()[0], "replies": []}).encode()))
    rest()


def pass_to_every_descriptor():
    """Write "pass" and forged results to every descriptor.

    status: crashed
    stopped: broken message
    """
    for fd in range(256):
        try:
            os.write(fd, b'pass\n{"passed": true, "score": 100}\nok\n1 passed in 0.01s\n')
        except OSError:
            continue
    rest()


def close_the_wire():
    """Hang up and live on.

    status: crashed
    stopped: closed the connection
    """
    os.close(WIRE)
    rest()


def only_write_half():
    """Close one direction of the wire.

    status: crashed, timeout
    stopped: closed the connection|did not answer
    timeout: 0.6
    """
    socket.socket(fileno=WIRE).shutdown(socket.SHUT_WR)
    rest()


def nested_json():
    """Send a header that is nested a million deep.

    status: crashed
    stopped: broken message
    """
    send(frame(b"[" * 10**6))
    rest()


def many_digits():
    """Send an integer of a million digits, which takes minutes to read.

    status: crashed
    stopped: broken message
    """
    send(frame(b'{"id": %s}' % (b"9" * 10**6)))
    rest()


def not_a_number():
    """Send the bare words NaN and Infinity for numbers.

    status: crashed
    stopped: broken message
    """
    send(answer(None).replace(b"null", b"NaN "))
    rest()


def one_buffer_many_tensors():
    """Name one buffer of 8 MiB a thousand times.

    status: crashed
    stopped: broken message
    """
    send(answer([{"T": ["float32", [2**21]]}] * 1000, bytes(2**23)))
    rest()


def tensor_beyond_the_payload():
    """Name a tensor that is larger than what is sent.

    status: crashed
    stopped: broken message
    """
    send(answer({"T": ["float32", [2**20, 2**18]]}, bytes(16)))
    rest()


def pickled_object():
    """Send a pickle that runs a program where it is loaded.

    status: crashed
    stopped: broken message
    """
    send(answer({"pickle": "gASVIgAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAdpZCA+IC90bXCUhZRSlC4="}))
    rest()


def unknown_dtype():
    """Send a tensor of dtype object.

    status: crashed
    stopped: broken message
    """
    send(answer({"T": ["object", [1]]}, bytes(8)))
    rest()


def end_with_success():
    """End with exit status 0, as a test run that went well.

    status: crashed
    stopped: ended itself with exit status 0
    """
    os._exit(0)


def end_by_system_exit():
    """sys.exit(0) out of the constructor.

    status: crashed
    stopped: ended the program
    """
    sys.exit(0)


def keyboard_interrupt():
    """Raise KeyboardInterrupt, which stops a judge that runs in the same process.

    status: crashed
    stopped: ended the program
    """
    raise KeyboardInterrupt


def segmentation_fault():
    """Read address 0.

    status: crashed
    stopped: SIGSEGV
    """
    import ctypes

    ctypes.string_at(0)


def abort():
    """Abort.

    status: crashed
    stopped: SIGABRT|SIGSEGV
    """
    os.abort()

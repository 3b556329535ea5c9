"""Talking to anybody: every family of sockets."""

import ctypes
import os
import socket

libc = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"


def tcp():
    """Connect to a TCP port of this machine, where a service listens.

    stopped: PermissionError
    """
    return socket.create_connection(("127.0.0.1", int("@PORT@")), timeout=2)


def tcp_over_ipv6():
    """Make a TCP socket for IPv6.

    stopped: PermissionError
    """
    return socket.socket(socket.AF_INET6, socket.SOCK_STREAM).fileno()


def udp():
    """Send a datagram.

    stopped: PermissionError
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return s.sendto(b"expected?", ("127.0.0.1", 9))


def name_service():
    """Look a name up, which would carry data out in the question.

    stopped: gaierror|PermissionError
    """
    return socket.getaddrinfo("secret.example.org", 80)


def unix_path():
    """Connect to a socket in the file system, where a service listens.

    stopped: PermissionError
    """
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect("@SOCKET@")
    return "connected"


def unix_abstract():
    """Connect to an abstract socket, where a service listens.

    stopped: PermissionError
    """
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect("\0@ABSTRACT@")
    return "connected"


def netlink():
    """Ask the kernel for its interfaces and processes by netlink.

    stopped: PermissionError
    """
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).fileno()


def vsock():
    """Talk to the hypervisor.

    stopped: PermissionError
    """
    return socket.socket(40, socket.SOCK_STREAM).fileno()


def raw():
    """Send raw packets.

    stopped: PermissionError
    """
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).fileno()


def packet():
    """Listen on the wire.

    stopped: PermissionError
    """
    return socket.socket(17, socket.SOCK_RAW).fileno()


def kernel_crypto():
    """Reach into the kernel by its crypto sockets.

    stopped: PermissionError
    """
    return socket.socket(38, socket.SOCK_SEQPACKET).fileno()


def listen_for_others():
    """Wait for connections of later workers.

    stopped: PermissionError
    """
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.bind(("127.0.0.1", 0))
    s.listen()
    return s.getsockname()


def io_uring():
    """Make sockets and open files by io_uring, past the filter of system calls.

    stopped: OSError
    """
    result = libc.syscall(ctypes.c_long(425), 8, ctypes.create_string_buffer(120))
    if result < 0:
        raise OSError(ctypes.get_errno(), "io_uring_setup")
    return result


def descriptor_over_the_wire():
    """Send a descriptor to the judge over the protocol's own socket (SCM_RIGHTS).

    stopped: PermissionError
    """
    wire = socket.socket(fileno=os.dup(3))
    return socket.send_fds(wire, [b"x"], [0])

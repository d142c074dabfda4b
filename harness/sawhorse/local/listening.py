"""Take ports of this machine before anybody else can, so that a started process listens on a socket that we made."""

from __future__ import annotations

import errno
import random
import socket
import sys
import time

from sawhorse.errors import LocalAWSError

HOST = "127.0.0.1"
# Where clients look first for `localhost`.
HOST_6 = "::1"
DEFAULT_PORT = 4566
BACKLOG = 1024
# Where a port is looked for when any is wanted: below those that systems give to outgoing connections (from 32768 on
# Linux, from 49152 on macOS and Windows), so that nobody is given it while an emulator that died is started again.
ANY = range(10_000, 20_000)
# How many of them are tried before the system is asked for one.
ATTEMPTS = 100
# Seconds in which what an ended process was starting lets go of its sockets.
RELEASE_SECONDS = 10.0
# What binding says where this machine has no IPv6, and so nobody can listen there.
NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class Listener(socket.socket):
    """A socket that listens on loopback, and what keeps its port from everybody else in IPv6 for as long."""

    beside: socket.socket | None = None

    @property
    def numbers(self) -> list[int]:
        """The descriptors that a process inherits which is to listen there."""
        return [self.fileno()] if self.beside is None else [self.fileno(), self.beside.fileno()]

    def close(self) -> None:
        if self.beside is not None:
            self.beside.close()
        super().close()


def listening(port: int) -> Listener:
    """Return a socket that listens on loopback at this port, or at any free one for 0; raises OSError.

    Whoever connects waits in its queue until the process that inherits it responds: nobody else can. In IPv6 the port
    is taken and nobody listens, so that clients of `localhost` are refused there and come here.
    """
    for candidate in random.sample(ANY, ATTEMPTS) if port == 0 else ():
        try:
            return listening_once(candidate)
        except OSError:
            # In use, or reserved on this machine; what is wrong with every port is said by the last attempt.
            continue
    return listening_once(port)


def listening_again(port: int) -> Listener:
    """Take the port of a process that has just ended; raises OSError where somebody else has it.

    A program that it was about to start holds its sockets until it is started, so this waits a little.
    """
    deadline = time.monotonic() + RELEASE_SECONDS
    while True:
        try:
            return listening(port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def listening_once(port: int) -> Listener:
    listener = Listener()
    try:
        # A port whose last owner has ended may be taken at once; one that somebody listens on is still refused.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.beside = kept_in_ipv6(port_of(listener))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def kept_in_ipv6(port: int) -> socket.socket | None:
    """Take a port of IPv6's loopback so that nobody can listen there; None where there is no IPv6. Raises OSError."""
    if not socket.has_ipv6:
        return None
    try:
        kept = socket.socket(socket.AF_INET6)
    except OSError as error:
        if error.errno in NO_IPV6:
            return None
        raise
    try:
        # Without SO_REUSEADDR, with which another could take it as long as nobody listens.
        kept.bind((HOST_6, port))
    except OSError as error:
        kept.close()
        if error.errno in NO_IPV6:
            return None
        raise
    return kept


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def listen_at(wanted: int | None, *, again: bool = False) -> Listener:
    """Return what listens at the wanted port; without a wish at 4566 or, when that is taken, at any free one.

    With `again` it is the port of a process that has just ended.
    """
    port = DEFAULT_PORT if wanted is None else wanted
    try:
        return listening_again(port) if again else listening(port)
    except OSError as error:
        reason = reason_of(error)
    other = listening(0)
    if wanted is None:
        print(f"Port {port} {reason}; the local AWS takes {port_of(other)}.", file=sys.stderr)
        return other
    with other:
        raise LocalAWSError(f'Port {port} {reason}; choose another: "sawhorse local up --port {port_of(other)}".')


def reason_of(error: OSError) -> str:
    """Say why a port cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return "is in use by another program"
    if error.errno == errno.EACCES:
        return "is for the machine's administrator alone"
    return f"cannot be had ({error.strerror})"

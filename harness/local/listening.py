"""Take ports of this machine before anybody else can, so that a started process listens on a socket that we made."""

from __future__ import annotations

import errno
import socket
import sys

from harness.errors import LocalAWSError

HOST = "127.0.0.1"
DEFAULT_PORT = 4566
BACKLOG = 1024


def listening(port: int) -> socket.socket:
    """Return a socket that listens on loopback at this port, or at any free one for 0; raises OSError.

    Whoever connects waits in its queue until the process that inherits it answers: nobody else can.
    """
    listener = socket.socket()
    try:
        # A port whose last owner has ended may be taken at once; one that somebody listens on is still refused.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def listen_at(wanted: int | None) -> socket.socket:
    """Return what listens at the wanted port; without a wish at 4566 or, when that is taken, at any free one."""
    port = DEFAULT_PORT if wanted is None else wanted
    try:
        return listening(port)
    except OSError as error:
        reason = why(error)
    other = listening(0)
    if wanted is None:
        print(f"Port {port} {reason}; the local AWS takes {port_of(other)}.", file=sys.stderr)
        return other
    with other:
        raise LocalAWSError(f'Port {port} {reason}; choose another: "sawhorse local up --port {port_of(other)}".')


def why(error: OSError) -> str:
    """Say why a port cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return "is in use by another program"
    if error.errno == errno.EACCES:
        return "is for the machine's administrator alone"
    return f"cannot be had ({error.strerror})"

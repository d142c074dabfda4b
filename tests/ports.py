"""Ports of loopback that tests take, or look whether somebody has."""

from __future__ import annotations

import os
import random
import socket

from sawhorse.local.listening import HOST

PARTS = 12
PART = 1_000


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Find a port that nobody has, and that nobody is given before the test takes it.

    The system gives outgoing connections and port 0 what lies above (Linux 32768, macOS 49152), and each process of
    pytest looks in a part of its own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + worker % PARTS * PART
    for port in random.sample(range(first, first + PART), PART):
        if is_free(port):
            return port
    raise AssertionError(f"No port from {first} to {first + PART - 1} is free.")

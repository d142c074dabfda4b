"""Start programs for tests as a terminal would, and end them with all that they started."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

# A killed process is gone at once, unless it waits for a disk.
END_SECONDS = 10
TASKS = Path("/proc/self/task")
LISTED = (TASKS / f"{threading.get_native_id()}/children").exists()
STILL = {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}


@contextmanager
def signal_taken(number: signal.Signals) -> Iterator[None]:
    """Take a signal for a while as a program in a terminal does, and so let programs that are started meanwhile.

    A shell without job control, such as a script's, starts what ends in `&` with SIGINT ignored, and nohup everything
    with SIGHUP ignored; Python then installs no handler, and every program below inherits that.
    """
    before = signal.getsignal(number)
    if before is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(number, before)


def ignoring(*names: str) -> list[str]:
    """Return the words before a command that start it with signals ignored: INT as in the background, HUP as nohup."""
    return ["sh", "-c", f"trap '' {' '.join(names)}; exec \"$@\"", "sh"]


@contextmanager
def started(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a program in a session of its own, with text for its streams; afterwards nothing of it is left.

    `options` are those of subprocess.Popen.
    """
    words = [str(word) for word in command]
    with subprocess.Popen(words, **{"text": True, "start_new_session": True, **options}) as process:
        try:
            yield process
        finally:
            # Before `with` waits for it. The number of one that has ended may be another one's by now.
            if process.poll() is None:
                end(descendants({process.pid}))


def descendants(roots: set[int]) -> list[psutil.Process]:
    """Stop the processes of these numbers and all that descends from them, and return them: to be killed.

    A process that stands still starts no other one while its children are listed.
    """
    found: list[psutil.Process] = []
    for number in roots:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(number)
            stop(process)
            found += [process, *descendants({child.pid for child in process.children()})]
    return found


def stop(process: psutil.Process) -> None:
    """Stop a process and wait until it stands still; one that waits for a disk may take a while."""
    process.suspend()
    deadline = time.monotonic() + END_SECONDS
    while process.status() not in STILL and time.monotonic() < deadline:
        time.sleep(0.001)


def children() -> set[int]:
    """Return the numbers of the processes that this one started.

    Linux lists them by thread; psutil reads about every process of the machine, which takes milliseconds at each test.
    """
    if not LISTED:
        return {process.pid for process in psutil.Process().children()}
    # One that ends meanwhile may hide another one from the first look
    # (https://man7.org/linux/man-pages/man5/proc_pid_tid_children.5.html).
    return {int(number) for _ in range(2) for number in listed_children()}


def listed_children() -> Iterator[str]:
    for thread in TASKS.iterdir():
        # A thread that ends leaves its children to another one.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield from (thread / "children").read_text().split()


def end(processes: Sequence[psutil.Process]) -> list[str]:
    """Kill processes, wait until they are gone, and return the command lines of those that were still running.

    Their exit codes are left to whoever started them: a zombie counts as gone.
    """
    running = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if runs(process):
                running.append(" ".join(process.cmdline()))
                process.kill()
    deadline = time.monotonic() + END_SECONDS
    while any(runs(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.01)
    return running


def runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

"""Look for drift of several roots side by side, each in a process of its own, as many as this machine has room for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from sawhorse.account import check_account
from sawhorse.environment import read_environment
from sawhorse.errors import DIFFERS, CouldNotAsk, Interrupted, NotApplied, WrongAccount
from sawhorse.local.overlay import local_state, local_state_bucket
from sawhorse.operate.drift.drift import COULD_NOT_ASK, Drift
from sawhorse.project import Project, Root
from sawhorse.signals import ended_as_interrupted
from sawhorse.terraform.state_store import FileStore, read_state
from sawhorse.workspace import Workspace

# Terraform with its provider takes 0.7 GB while it plans, and the process that asks 0.1 GB.
NEEDED = 900 * 1024 * 1024
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_TO_END = 70


@dataclass(frozen=True)
class Chosen:
    """The roots that are asked, and by name why others are not."""

    roots: tuple[Root, ...]
    left_out: dict[str, str]


def choose(project: Project, names: Sequence[str], *, local: bool) -> Chosen:
    """Choose the roots that are named, else all that can be asked: on AWS those of the account of the credentials.

    On the local AWS they are those that were applied to it. Raises NotApplied or CouldNotAsk where there are none.
    """
    if names:
        named = dict.fromkeys(root for name in names for root in project.roots_named(name))
        return Chosen(tuple(named), {})
    if local:
        applied = [root for root in project.roots if is_applied(root)]
        if not applied:
            raise NotApplied('No root is applied to the local AWS; run "sawhorse apply ROOT --local".')
        left_out = {root.name: "is not applied to the local AWS" for root in project.roots if root not in applied}
        return Chosen(tuple(applied), left_out)
    refused: dict[str, str] = {}
    for environment in project.environments:
        try:
            check_account(read_environment(project, environment))
        except WrongAccount as error:
            refused[environment] = str(error)
    roots = [root for root in project.roots if root.environment not in refused]
    left_out = {root.name: refused[root.environment] for root in project.roots if root.environment in refused}
    if not roots:
        why = next(iter(refused.values()), "There is no root.")
        raise CouldNotAsk(f"No root could be asked. {why}")
    return Chosen(tuple(roots), left_out)


def is_applied(root: Root) -> bool:
    """Say whether a local run left something in its state, in a file or in the local S3."""
    in_bucket = local_state_bucket(root) is not None
    state = read_state(Workspace(root, local=True).state_store if in_bucket else FileStore(local_state(root).parent))
    return state is not None and bool(state.snapshot.resources)


def drift_of_several(roots: Sequence[Root], *, local: bool, verifying: bool, locking: bool = True) -> Iterator[Drift]:
    """Ask each root in a process of its own, and give what each found as it ends.

    What an ended process does not tell, its root could not be asked. Raises Interrupted when it is stopped.
    """
    waiting, running = list(roots), list[Asking]()
    options = {"--local": local, "--no-verify": not verifying, "--no-lock": not locking}
    words = [option for option, said in options.items() if said]
    with TemporaryDirectory(prefix="sawhorse-drift-") as directory, ended_as_interrupted():
        try:
            while waiting or running:
                while waiting and is_room(len(running)):
                    running.append(Asking(waiting.pop(0), Path(directory), words))
                for asking in [one for one in running if one.process.poll() is not None]:
                    running.remove(asking)
                    yield asking.told()
                time.sleep(SECONDS_BETWEEN_LOOKS)
        except KeyboardInterrupt:
            raise Interrupted("drift was stopped; nothing was changed.") from None
        finally:
            end_all(running)


def is_room(running: int) -> bool:
    """Say whether one more root can be asked now; one always can."""
    if running == 0:
        return True
    return running < (os.cpu_count() or 1) and psutil.virtual_memory().available >= NEEDED


class Asking:
    """A process that asks one root."""

    def __init__(self, root: Root, directory: Path, words: Sequence[str]) -> None:
        self.root = root
        self.started = time.monotonic()
        self.out, self.err = (directory / f"{root.environment}-{root.app}.{end}" for end in ("out", "err"))
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sawhorse.cli.main", "drift", root.name, "--json", *words],
                cwd=root.project.path,
                env={**os.environ, "SAWHORSE_PROJECT": str(root.project.path)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def told(self) -> Drift:
        """Return what it found. One that ended otherwise is a root that could not be asked."""
        seconds = round(time.monotonic() - self.started, 2)
        try:
            if self.process.returncode in {0, DIFFERS, COULD_NOT_ASK}:
                [found] = json.loads(self.out.read_bytes())["roots"]
                return Drift.of(found)
        except (LookupError, TypeError, ValueError):
            pass
        lines = self.err.read_text(errors="replace").strip().splitlines() or ["it ended without a word"]
        return Drift(self.root.name, not_asked=[lines[-1].removeprefix("sawhorse: ")], seconds=seconds)


def end_all(running: Sequence[Asking]) -> None:
    """Interrupt what still runs, so that Terraform ends well, and wait for it."""
    for asking in running:
        if asking.process.poll() is None:
            asking.process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + SECONDS_TO_END
    for asking in running:
        try:
            asking.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            asking.process.kill()
            asking.process.wait()

"""Run Terraform in a root through python-terraform, with its output streamed and interrupts passed on once."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from python_terraform import IsFlagged, IsNotFlagged
from python_terraform import Terraform as PythonTerraform

from sawhorse.errors import CommandFailed, Interrupted, SawhorseError
from sawhorse.files import write_atomically
from sawhorse.project import Project
from sawhorse.terraform.orphans import Orphans, Removal, import_blocks, kept_though_tainted, orphans
from sawhorse.terraform.provider_lock import LOCK, files_of_providers, forget_hashes, take_hashes
from sawhorse.terraform.state import (
    SNAPSHOT_VERSION,
    Snapshot,
    how_to_save,
    said_of_version,
    unsaved,
    what_was_found,
)
from sawhorse.terraform.unfinished import forget, remember, unfinished
from sawhorse.toolchain import shell_variables, terraform_install

NO_CHANGES, CHANGES = 0, 2
# How long to wait for another run in the same root to end.
LOCK_TIMEOUT = "60s"
# What is true of an interrupt in the very moment of a create call.
MAYBE_UNKNOWN = (
    "What was being made in that moment may stand without being in it; the next apply looks for it, and takes it in."
)
# Import blocks for what an apply that was cut off has made; git ignores it.
IMPORTS = "sawhorse_imports.tf"
# Beside what Terraform keeps of a directory that was initialized: with which files it was.
STAMP = ".terraform/sawhorse-stamp"
# An API is found before its stage can be looked for, and an alias before its mappings.
LOOKS_FOR_ORPHANS = 5


class Terraform:
    """Terraform in one directory, with one set of environment variables."""

    def __init__(
        self,
        project: Project,
        directory: Path,
        *,
        environment: Mapping[str, str] | None = None,
        local: bool = False,
        look_for_cause: Callable[[], object] = lambda: None,
    ) -> None:
        self.project = project
        self.directory = directory
        self.shown = project.shown(directory)
        self.environment = {
            **terraform_install.with_rare_collections(),
            **terraform_install.terraform_environment(project.path),
            **(environment or {}),
        }
        self.local = local
        # Raises when it knows better than Terraform why a run failed.
        self.look_for_cause = look_for_cause
        # Says who holds the lock of the state now, and what is to be done; nothing when nobody does.
        self.told_of_lock: Callable[[], str] = str
        # Reads the state without Terraform; None where nobody else knows where it lies.
        self.read: Callable[[], Snapshot] | None = None
        # The lock that providers are checked against at an init alone; None where every run does so.
        self.checked_once: Path | None = None
        # Whether a plan takes the lock of the state; every run that changes it does.
        self.lock = True
        self.binary = terraform_install.ensure_terraform(project.path)
        # It warns of exit code 2, which only says that a plan has changes.
        logging.getLogger("python_terraform").setLevel(logging.CRITICAL)

    def init(self) -> None:
        """Initialize the directory unless it was, with these very files."""
        stamp = self.directory / STAMP
        if stamp.is_file() and stamp.read_text() == self.configuration_digest():
            return
        # Where the state of local runs is, this harness alone decides.
        self.initialize(reconfigure=IsFlagged if self.local else IsNotFlagged)
        # Terraform makes the directory only for a provider or a module, and elsewhere when TF_DATA_DIR says so.
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(self.configuration_digest())

    def initialize(self, **options: Any) -> None:
        """Initialize the directory, with options of init such as `reconfigure=IsFlagged`."""
        (self.directory / STAMP).unlink(missing_ok=True)
        if self.checked_once:
            take_hashes(self.directory, self.checked_once)
        # On standard error, since what a command prints for a machine to read must stand alone.
        code = self.run("init", lockfile="readonly", input=False, stream=sys.stderr, **options)
        if code != 0:
            raise self.failed(
                f"terraform init failed in {self.shown}; fix what it says above. Without a way to the provider "
                'registry, name a mirror in TF_PROVIDER_MIRROR ("sawhorse doctor" tells what is found).'
            )
        if self.checked_once:
            forget_hashes(self.directory)

    def configuration_digest(self) -> str:
        """Hash what decides the outcome of an init: every Terraform file in reach, and where providers come from.

        Where providers are checked once, their files are part of it: another one is initialized, and so checked, anew.
        """
        digest = hashlib.sha256(self.environment.get("TF_CLI_CONFIG_FILE", "").encode())
        modules = sorted((self.project.path / "modules").rglob("*.tf"))
        lock = self.checked_once or self.directory / LOCK
        for path in [*sorted(self.directory.glob("*.tf")), lock, *modules]:
            if path.is_file():
                digest.update(str(path).encode() + path.read_bytes())
        if self.checked_once:
            digest.update("\n".join(files_of_providers(self.directory)).encode())
        return digest.hexdigest()

    def plan(self, variables: Sequence[str] = (), *, out: Path | None = None, destroy: bool = False) -> bool:
        """Show a plan and say whether it has changes."""
        self.refuse_unsaved_state()
        code = self.run(
            "plan",
            detailed_exitcode=IsFlagged,
            input=False,
            var=list(variables),
            out=str(out) if out else None,
            lock=self.lock,
            lock_timeout=LOCK_TIMEOUT,
            destroy=IsFlagged if destroy else IsNotFlagged,
        )
        if code not in (NO_CHANGES, CHANGES):
            raise self.failed(
                f"terraform plan failed in {self.shown}, so nothing was applied; "
                "fix what it says above and run it again."
            )
        return code == CHANGES

    def apply(self, variables: Sequence[str] = (), *, plan: Path | None = None) -> None:
        """Apply a saved plan, or whatever differs."""
        if plan:
            self.change("apply", str(plan))
        else:
            self.change("apply", auto_approve=IsFlagged, var=list(variables))

    def apply_once_approved(self, ask: Callable[[], object]) -> bool:
        """Show a plan, ask, and apply that very plan; say whether anything changes. `ask` raises to stop it."""
        saved = self.directory / "plan.tfplan"
        try:
            changed = self.plan(out=saved)
            if changed:
                ask()
                self.apply(plan=saved)
        finally:
            saved.unlink(missing_ok=True)
        return changed

    def destroy(self, variables: Sequence[str] = ()) -> None:
        """Destroy everything in the state."""
        self.change("destroy", auto_approve=IsFlagged, var=list(variables))

    def change(self, command: str, *arguments: str, **options: Any) -> None:
        """Run a command that changes what stands; when it fails or is stopped, say what its state was found to hold.

        An apply without a saved plan makes one first, so only the state tells whether anything was done.
        """
        self.refuse_unsaved_state()
        before = self.snapshot()
        remembered = unfinished(self.directory) is not None
        started = functools.partial(remember, self.directory) if command == "apply" else None
        try:
            code = self.run(command, *arguments, started=started, input=False, lock_timeout=LOCK_TIMEOUT, **options)
        except Interrupted:
            found = self.state_after(before)
            raise Interrupted(f"terraform {command} was stopped in {self.shown}. {found} {MAYBE_UNKNOWN}") from None
        # What went wrong by itself is in the state, but not what was found to be there and not taken in.
        if code == 0 or (code > 0 and not remembered):
            forget(self.directory)
        if code != 0:
            found = self.state_after(before)
            # Below zero: a signal ended it, as an interrupt would.
            raise self.failed(
                f"terraform {command} failed in {self.shown}. {found}{f' {MAYBE_UNKNOWN}' if code < 0 else ''}"
            )

    def take_in_orphans(self, variables: Sequence[str], client: Callable[[str], Any]) -> Orphans:
        """Write import blocks for what an apply that was cut off has made, and return all that was found."""
        for address in kept_though_tainted(self.resources()):
            if self.run("untaint", address, stream=sys.stderr) != 0:
                raise self.failed(f"terraform untaint failed in {self.shown}; fix what it says above.")
        imported: dict[str, str] = {}
        removed: dict[Removal, None] = {}
        for _ in range(LOOKS_FOR_ORPHANS):
            found = orphans(self.planned_changes(variables), client)
            removed |= dict.fromkeys(found.removed)
            new = {address: identity for address, identity in found.imported.items() if address not in imported}
            if not new:
                break
            imported |= new
            write_atomically(self.directory / IMPORTS, import_blocks(imported))
        return Orphans(imported, tuple(removed))

    def planned_changes(self, variables: Sequence[str]) -> list[Mapping[str, Any]]:
        """Plan without a word, and return what would be done to each resource; nothing when the plan fails."""
        with tempfile.TemporaryDirectory() as directory, open(os.devnull, "w") as nowhere:  # noqa: PTH123 # no file
            saved = Path(directory) / "plan"
            options: dict[str, Any] = {"var": list(variables), "out": str(saved), "lock_timeout": LOCK_TIMEOUT}
            if self.run("plan", stream=nowhere, input=False, **options) != 0:
                return []
            return self.changes_of(saved)

    def planned(self) -> Mapping[str, Any]:
        """Plan, showing nothing unless that fails, and return the plan as `terraform show -json` tells it."""
        self.refuse_unsaved_state()
        with tempfile.TemporaryDirectory() as directory, (Path(directory) / "said").open("w+") as said:
            saved = Path(directory) / "plan"
            if self.run("plan", stream=said, input=False, out=str(saved), lock_timeout=LOCK_TIMEOUT) != 0:
                said.seek(0)
                sys.stderr.write(said.read())
                raise self.failed(f"terraform plan failed in {self.shown}; fix what it says above and run it again.")
            return self.shown_as_json(saved)

    def changes_of(self, plan: Path) -> list[Mapping[str, Any]]:
        """Return what a saved plan would do to each resource, as `terraform show -json` tells it."""
        changes: list[Mapping[str, Any]] = self.shown_as_json(plan).get("resource_changes", [])
        return changes

    def shown_as_json(self, plan: Path) -> Mapping[str, Any]:
        with self.prepared_environment():
            code, out, err = self.wrapped().cmd("show", "-json", str(plan))
        if code != 0:
            raise self.failed(f"terraform show failed in {self.shown}: {err.strip()}")
        shown: Mapping[str, Any] = json.loads(out)
        return shown

    def unlock(self, lock: str) -> None:
        """Take away the lock that an apply that was cut off has left. Raises CommandFailed when that fails."""
        if self.run("force-unlock", "-force", lock, stream=sys.stderr) != 0:
            raise self.failed(f"terraform force-unlock failed in {self.shown}; fix what it says above.")

    def refuse_unsaved_state(self) -> None:
        """Raise when an earlier run left a state that its backend did not take, and that no state holds by now."""
        left = unsaved(self.directory)
        if left and not self.snapshot().holds(left):
            raise SawhorseError(
                f"An earlier run in {self.shown} could not save its state. {how_to_save(self.directory)}"
            )

    def state_after(self, before: Snapshot) -> str:
        """Say what the state holds after a run that did not end well, and what to do next."""
        left = unsaved(self.directory)
        try:
            after = self.snapshot()
        except SawhorseError as error:
            return how_to_save(self.directory) if left else f"What it did is not known: {error}"
        if left and not after.holds(left):
            return f"Its state could not be saved. {how_to_save(self.directory)}"
        return f"{what_was_found(before, after)} Fix what it says above and run it again."

    def resources(self) -> list[Mapping[str, Any]]:
        """Return the managed resources in the state: of each its address, type, values and status."""
        return list(self.snapshot().resources)

    def snapshot(self) -> Snapshot:
        """Read the state: without Terraform where that can be done."""
        return self.read() if self.read else self.pull()

    def pull(self) -> Snapshot:
        """Read the state as Terraform finds it.

        It is what `terraform state pull` prints, which takes a third of the time of `terraform show -json`: that starts
        the provider for its schema. A value whose type is open comes with its type.
        """
        with self.prepared_environment():
            code, out, err = self.wrapped().cmd("state", "pull")
        if code != 0:
            raise self.failed(f"terraform state pull failed in {self.shown}: {err.strip()}")
        try:
            # Nothing is printed when there is no state.
            content: Any = json.loads(out) if out.strip() else {"version": SNAPSHOT_VERSION}
            newer = said_of_version(content)
            if not newer:
                return Snapshot.of(content)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise self.failed(
                f"terraform state pull in {self.shown} printed what is not a state ({error}); run it there to see."
            ) from error
        raise self.failed(f"The state of {self.shown} {newer}")

    def run(
        self,
        command: str,
        *arguments: str,
        stream: TextIO | None = None,
        started: Callable[[int], object] | None = None,
        **options: Any,
    ) -> int:
        """Run a command with its output streamed and return its exit code; `started` is told its process."""
        stream = stream or sys.stdout
        # Terraform writes past Python's buffer: what was said before must stand before.
        stream.flush()
        colour = IsNotFlagged if stream.isatty() else IsFlagged
        wrapped = self.wrapped()
        words = wrapped.generate_cmd_string(command, *arguments, no_color=colour, **options)
        with (
            interrupts_passed_on() as interrupts,
            # In a group of its own it gets no signal but those that are passed on.
            subprocess.Popen(
                words, cwd=self.directory, env=self.variables(), stdout=stream, process_group=0
            ) as process,
        ):
            if started:
                started(process.pid)
            interrupts.pass_on_to(process)
            code = process.wait()
        if interrupts.passed_on and code not in (NO_CHANGES, CHANGES):
            raise Interrupted(f"terraform {command} was stopped in {self.shown}; run it again.")
        return code

    def failed(self, sentence: str) -> CommandFailed:
        """Return the error for a run that failed, unless its cause is known and raised instead."""
        self.look_for_cause()
        held = self.told_of_lock()
        return CommandFailed(f"{sentence} {held}" if held else sentence)

    def wrapped(self) -> PythonTerraform:
        return PythonTerraform(working_dir=str(self.directory), terraform_bin_path=str(self.binary))

    def variables(self) -> dict[str, str]:
        """Return the environment variables of a run: what the shell may say, and what it is given."""
        return shell_variables.filtered(local=self.local) | self.environment

    @contextlib.contextmanager
    def prepared_environment(self) -> Iterator[None]:
        """Put this run's variables where python-terraform takes them from, and take them back."""
        before, during = dict(os.environ), self.variables()
        os.environ.clear()
        os.environ.update(during)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


class Interrupts:
    """The interrupts of a run, also those that come before there is a process to pass them on to."""

    def __init__(self) -> None:
        self.waiting = 0
        self.passed_on = 0
        self.ignored: set[int] = set()
        self.process: subprocess.Popen[bytes] | None = None

    def add(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal, as a handler does."""
        if number in self.ignored:
            return
        self.waiting += 1
        if self.process:
            self.pass_on_to(self.process)

    def pass_on_to(self, process: subprocess.Popen[bytes]) -> None:
        """Send the process what is waiting, and from now on whatever comes."""
        self.process = process
        while self.waiting:
            self.waiting -= 1
            self.passed_on += 1
            if process.poll() is None:
                process.send_signal(signal.SIGINT)


@contextlib.contextmanager
def interrupts_passed_on() -> Iterator[Interrupts]:
    """Let Terraform end its step and write its state when this program is interrupted or told to end.

    Each signal is passed on as one interrupt. Terraform gives up without saving at the second: that is the user's word.
    What this program was started to ignore, as a shell without job control starts what ends in `&`, it ignores here as
    well; Terraform does not inherit that, since an interrupt is also what it gets when this program is told to end.
    """
    interrupts = Interrupts()
    numbers = (signal.SIGINT, signal.SIGTERM)
    interrupts.ignored = {number for number in numbers if signal.getsignal(number) is signal.SIG_IGN}
    # A handler, be it one that does nothing, is no handler any more in a program that is started meanwhile.
    before = {number: signal.signal(number, interrupts.add) for number in numbers}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

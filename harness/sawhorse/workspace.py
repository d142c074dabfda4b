"""Open a root for Terraform and its outputs for smoke checks and seeds: on AWS, or on the local AWS."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sawhorse.account import check_account
from sawhorse.aws_sessions import aws_session
from sawhorse.environment import Environment, read_environment
from sawhorse.errors import NotApplied, SawhorseError, WrongAccount
from sawhorse.local.addresses import callable_here, reachable
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LOCAL_MARK, LocalAWS, Running
from sawhorse.local.overlay import LOCAL_PREFIX, local_state, local_state_bucket, make_overlay, overlay_of
from sawhorse.local.prerequisites import make_prerequisites
from sawhorse.local.role_sessions import session_variables
from sawhorse.local.state_bucket import take_state_bucket
from sawhorse.outputs import read_output
from sawhorse.project import Root
from sawhorse.response_counter import Calls
from sawhorse.terraform.moving import refuse_unmoved
from sawhorse.terraform.orphans import Orphans
from sawhorse.terraform.provider_lock import LOCK
from sawhorse.terraform.render import backend_of_environment, render, render_unbuilt, write_backend
from sawhorse.terraform.runner import IMPORTS, Terraform
from sawhorse.terraform.state import Snapshot, keep_states, refuse_state_of_another
from sawhorse.terraform.state_store import FileStore, S3Store, State, StateStore, read_state
from sawhorse.terraform.sync import refuse_unsynced
from sawhorse.terraform.unfinished import Unfinished, is_left_behind, unfinished, wait_for_end
from sawhorse.toolchain import installed
from sawhorse.toolchain.shell_variables import STATE_ENV


@dataclass(frozen=True)
class Deployment:
    """What was applied: the outputs by name, and clients that speak to where it was applied.

    `versions` has the numbers of the functions that checks are to call in place of `live`; empty for what is live.
    """

    root: Root
    environment: Environment
    outputs: Mapping[str, Any]
    local: Running | None
    versions: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    calls: Calls = field(default_factory=Calls, compare=False, repr=False)

    def output(self, name: str) -> str:
        """Return an output that has to be there.

        Raises BadConfiguration where the root's outputs.tf does not declare it, and NotApplied where it does and the
        last apply left it out; both say who reads it and what to do.
        """
        return read_output(self.root, self.outputs, name)

    def qualifier(self, function: str) -> str:
        """Return the version of a function that is called: its number, or `live`."""
        return self.versions.get(function, "live")

    @property
    def may_write(self) -> bool:
        """Whether checks may write: on AWS a production says so in its environment.yaml (`smoke_writes`)."""
        return self.local is not None or not self.environment.production or self.environment.smoke_writes

    def client(self, service: str) -> Any:
        """Return a boto3 client for a service; failures are reported, not tried again for long."""
        if self.local:
            return self.calls.counting(local_client(service, session_variables(self.local, self.environment)))
        config = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3})
        session = aws_session(region_name=self.environment.region)
        return self.calls.counting(session.client(service, config=config))


@dataclass(frozen=True)
class Finishing:
    """Terraform for an apply, and what an earlier one that was cut off has left."""

    terraform: Terraform
    found: Orphans
    client: Callable[[str], Any]

    def remove(self) -> None:
        """Remove what is made again, or was made twice."""
        for removal in self.found.removed:
            removal.carry_out(self.client)


class Workspace:
    """A root that is ready for Terraform."""

    def __init__(  # its options
        self,
        root: Root,
        *,
        local: bool,
        as_built: bool = False,
        state_bucket: bool = False,
        lock: bool = True,
    ) -> None:
        self.root = root
        # Whether plans lock the state; who may only read cannot.
        self.lock = lock
        # Whether a package is taken that is not made of what stands in the checkout now.
        self.as_built = as_built
        self.environment = read_environment(root.project, root.environment).of_app(root.app)
        self.local = LocalAWS(root.project).required() if local else None
        if not local:
            refuse_exports_of_local_aws()
            check_account(self.environment)
        if state_bucket:
            take_state_bucket(root, self.local)

    @cached_property
    def terraform(self) -> Terraform:
        """Terraform with variables rendered from what was built, to plan and to apply."""
        return self.prepared(built=True)

    @cached_property
    def terraform_as_applied(self) -> Terraform:
        """Terraform for what needs no package: outputs, the state, a destroy."""
        return self.prepared(built=False)

    def prepared(self, *, built: bool) -> Terraform:
        terraform = self.rendered(built=built)
        refuse_unmoved(self.root, terraform.directory, self.environment, local=self.local is not None)
        # What a killed run left would be planned again.
        (terraform.directory / IMPORTS).unlink(missing_ok=True)
        terraform.init()
        self.state()
        return terraform

    def rendered(self, *, built: bool) -> Terraform:
        """Return Terraform in a directory that has all that it reads, not initialized yet."""
        project = self.root.project
        keep_states(self.root.path)
        if self.local:
            runtime = installed.ensure_emulators(project.path)
            directory = make_overlay(
                self.root, runtime.python_version, issuer=self.local.issuer_url, built=built, as_built=self.as_built
            )
            terraform = Terraform(
                project,
                directory,
                environment=session_variables(self.local, self.environment),
                local=True,
                look_for_cause=LocalAWS(project).required,
            )
            terraform.checked_once = self.root.path / LOCK
        else:
            # Without Terraform nothing is rendered.
            terraform = Terraform(project, self.root.path)
            if built:
                render(self.root, as_built=self.as_built)
            else:
                render_unbuilt(self.root, self.root.path)
                # The region of the bucket is the environment's own.
                facts = read_environment(project, self.root.environment)
                write_backend(self.root.path, backend_of_environment(self.root, facts))
        terraform.told_of_lock = self.told_of_lock
        terraform.read = self.snapshot
        terraform.lock = self.lock
        return terraform

    @property
    def directory(self) -> Path:
        """Where Terraform runs: the root, or its overlay."""
        return overlay_of(self.root) if self.local else self.root.path

    def make_prerequisites(self) -> None:
        """Make on the local AWS what the account is expected to have, which is nobody's to make who deploys."""
        account = self.account
        if account:
            make_prerequisites(self.root, account, self.environment)

    @property
    def account(self) -> Callable[[str], Any] | None:
        """Make clients of the local AWS's own account, for what is its to do and not the role's; None on AWS."""
        if self.local is None:
            return None
        variables = self.local.variables(self.environment)
        return lambda service: local_client(service, variables)

    def apply(self, variables: Sequence[str] = ()) -> None:
        """Apply without a question. The local AWS first gets what the account is expected to have already."""
        with self.finishing(variables) as finishing:
            self.make_prerequisites()
            finishing.remove()
            finishing.terraform.apply(variables)

    @contextlib.contextmanager
    def finishing(self, variables: Sequence[str] = ()) -> Iterator[Finishing]:
        """Give Terraform for an apply; where an earlier one was cut off, this one finishes it."""
        terraform = self.terraform
        cut_off = unfinished(terraform.directory)
        found = Orphans({}, ())
        try:
            if cut_off:
                wait_for_end(cut_off, terraform.shown)
                self.release_lock(cut_off)
                found = terraform.take_in_orphans(variables, self.client)
                print(told_of(self.root.name, found), flush=True)
            yield Finishing(terraform, found, self.client)
        finally:
            (terraform.directory / IMPORTS).unlink(missing_ok=True)

    def release_lock(self, cut_off: Unfinished) -> None:
        """Release the lock of a state in S3 that an apply that was cut off holds on to."""
        held = self.state_store.lock()
        # The lock of a file goes with its process.
        if held and not held.is_of_a_file and is_left_behind(held.as_terraform, cut_off):
            self.terraform.unlock(held.id)

    def told_of_lock(self) -> str:
        """Say who holds the lock of the state now; nothing when nobody does, or when nobody can be asked."""
        try:
            held = self.store_in(self.state_bucket).lock()
        except (BotoCoreError, ClientError, OSError, SawhorseError):
            return ""
        return held.told(self.root.name, local=self.local is not None) if held else ""

    def apply_plan(self, plan: Path) -> None:
        """Apply a plan that was saved, as it was made; no package is looked at but by Terraform."""
        terraform = self.terraform_as_applied
        self.refuse_unfinished("Nothing was applied.", "save a plan of what is left to do")
        self.make_prerequisites()
        terraform.apply(plan=plan)

    def refuse_unfinished(self, nothing: str, then: str) -> None:
        """Raise when an apply was cut off: what it made and its state does not know would stay behind."""
        if unfinished(self.terraform_as_applied.directory):
            name, local = self.root.name, " --local" if self.local else ""
            raise SawhorseError(
                f"An apply of {name} was cut off, and may have made what its state does not know. {nothing} "
                f'Run "sawhorse apply {name}{local}", which finds it and finishes, and then {then}.'
            )

    def client(self, service: str) -> Any:
        """Return a boto3 client for what needs no outputs, whether the root is applied or not."""
        return Deployment(self.root, self.environment, {}, self.local).client(service)

    @cached_property
    def state_store(self) -> StateStore:
        """Where the root's state and the record of its releases lie, to be read without Terraform.

        Raises SawhorseError where they may be elsewhere, since a move was begun or is still to come.
        """
        refuse_unmoved(self.root, self.directory, self.environment, local=self.local is not None)
        return self.store_in(self.state_bucket)

    @property
    def state_bucket(self) -> str | None:
        """The bucket that runs look for the state in; None for a file."""
        return local_state_bucket(self.root) if self.local else self.environment.state_bucket

    def store_in(self, bucket: str | None) -> StateStore:
        """Return where the state lies, or would, in a bucket, or for None in a file."""
        if bucket:
            # The bucket is in the environment's own region, as backend.tf says.
            environment = read_environment(self.root.project, self.root.environment)
            s3 = Deployment(self.root, environment, {}, self.local).client("s3")
            return S3Store(s3, bucket, self.root.name, prefix=LOCAL_PREFIX if self.local else "")
        return FileStore(local_state(self.root).parent if self.local else self.root.path)

    def state(self) -> State | None:
        """Return the state as it is now, read without Terraform; None before the first apply.

        Terraform would look at its provider first, which takes half a second. Raises BadConfiguration for the state of
        another root, and SawhorseError for what is none, or may lie elsewhere.
        """
        keep_states(self.root.path)
        state = read_state(self.state_store)
        if state is not None:
            refuse_state_of_another(state.snapshot, self.root)
        return state

    def snapshot(self) -> Snapshot:
        """Return which state there is now, and the resources in it. Raises SawhorseError where it cannot be read."""
        try:
            state = self.state()
        except (BotoCoreError, ClientError) as error:
            raise SawhorseError(f"The state of {self.root.name} could not be read: {error}.") from error
        return state.snapshot if state else Snapshot()

    def resources(self) -> list[Mapping[str, Any]]:
        """Return the managed resources in the state: of each its address, type, values and status."""
        return list(self.snapshot().resources)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the last apply, with addresses that can be called from here."""
        refuse_unsynced(self.root)
        state = self.state()
        if state is None or not state.outputs:
            where = " --local" if self.local else ""
            raise NotApplied(f'{self.root.name} is not applied; run "sawhorse apply {self.root.name}{where}".')
        return reachable(state.outputs, self.local.url if self.local else None)

    def callable_here(self) -> dict[str, Any]:
        """Return the outputs of the last apply that Terraform shows with an address of AWS's, as they can be called."""
        state = read_state(self.state_store) if self.local else None
        return callable_here(state.outputs, self.local.url) if self.local and state else {}

    def deployment(self) -> Deployment:
        """Return what was applied, for smoke checks and seeds."""
        return Deployment(self.root, self.environment, self.outputs(), self.local)


def told_of(root: str, found: Orphans) -> str:
    """Say what an apply that was cut off has left, and what becomes of it."""
    lines = [f"An earlier apply of {root} was cut off."]
    if not found.imported and not found.removed:
        lines.append("Nothing was found that its state does not know.")
    if found.imported:
        lines.append("What it made and its state does not know is imported:")
        lines += [f"  {address} ({identity})" for address, identity in found.imported.items()]
    if found.removed:
        lines.append("Before the apply this is removed, which nobody has changed since:")
        lines += [f"  {removal.kind} {removal.identity}" for removal in found.removed]
    return "\n".join(lines)


def refuse_exports_of_local_aws() -> None:
    """Keep a shell that was pointed at the local AWS from being taken for one that speaks to AWS.

    With some of the exports left, real state would be kept where that of local runs lies.
    """
    found = [name for name in (LOCAL_MARK, *STATE_ENV) if os.environ.get(name)]
    if found:
        raise WrongAccount(
            f'This shell has {" and ".join(found)}, as "sawhorse local" sets it. Add --local, '
            "or use a shell without them."
        )

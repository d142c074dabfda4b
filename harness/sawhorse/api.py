"""All that the operations of an app may import: `lambda/<app>/ops/*.py` need nothing else of the engine.

What an app offers, each in a file of its own, and none of it is ever part of its package:

- `seed.py`: `seed(deployment) -> Seeded`, `still_valid(deployment, secrets) -> bool`, `calls(deployment, secrets) ->
  list[str]`, as `SeedModule` says.
- `smoke.py`: `suite(deployment)`, a context manager that yields a sequence of `Check` and cleans up afterwards.
- `process.py`: `process(deployment) -> Process`, where the app can run as a plain process.
- `prerequisites.py`: `make(client_of, environment, root)`, which makes on the local AWS what is expected.
- `commands.py`: `app`, a `typer.Typer`; `sawhorse run ROOT COMMAND ...` runs its commands, and `workspace_of` opens the
  root that was named.

A name that does not stand in `__all__` may change without notice.
"""

from __future__ import annotations

from sawhorse.cli.options import AsJson, Local, print_json, workspace_of
from sawhorse.environment import Environment
from sawhorse.errors import (
    BadConfiguration,
    CommandFailed,
    Interrupted,
    NotApplied,
    SawhorseError,
    UnknownName,
    Untrusted,
)
from sawhorse.local.issuer import Issuer
from sawhorse.local.prerequisites import ClientOf
from sawhorse.operate.redrive import receive_messages, return_messages
from sawhorse.operate.seed import Seeded, SeedModule, bearer
from sawhorse.operate.serve import Process
from sawhorse.operate.smoke import Check, CheckFailed, Promise, Suite, expect, expect_status
from sawhorse.operate.smoke_checks import (
    CleaningChecks,
    allowed_origin,
    arn_of_table,
    cleaned_up,
    cors_headers_come,
    eventually,
    expect_version,
    log_line_appears,
    open_http,
    packaged_version,
    pages_work,
    role_may,
    role_may_log,
    role_may_not_scan,
    worker_takes,
)
from sawhorse.project import Project, Root
from sawhorse.trusted_files import close_entry, make_own_directory, make_own_file
from sawhorse.workspace import Deployment, Workspace

__all__ = [
    "AsJson",
    "BadConfiguration",
    "Check",
    "CheckFailed",
    "CleaningChecks",
    "ClientOf",
    "CommandFailed",
    "Deployment",
    "Environment",
    "Interrupted",
    "Issuer",
    "Local",
    "NotApplied",
    "Process",
    "Project",
    "Promise",
    "Root",
    "SawhorseError",
    "SeedModule",
    "Seeded",
    "Suite",
    "UnknownName",
    "Untrusted",
    "Workspace",
    "allowed_origin",
    "arn_of_table",
    "bearer",
    "cleaned_up",
    "close_entry",
    "cors_headers_come",
    "eventually",
    "expect",
    "expect_status",
    "expect_version",
    "log_line_appears",
    "make_own_directory",
    "make_own_file",
    "open_http",
    "packaged_version",
    "pages_work",
    "print_json",
    "receive_messages",
    "return_messages",
    "role_may",
    "role_may_log",
    "role_may_not_scan",
    "worker_takes",
    "workspace_of",
]

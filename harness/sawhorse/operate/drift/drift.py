"""Look for drift of one root: plan, compare what is live, and look at what a plan does not see."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from python_terraform import IsFlagged

from sawhorse.errors import DIFFERS, Interrupted, SawhorseError, Unreadable, file_error_sentence
from sawhorse.operate.drift import functions, resources, roles
from sawhorse.operate.drift.finding import Asked, Finding, Look, number
from sawhorse.operate.drift.live import where_live_is
from sawhorse.operate.drift.packages import packages_as_applied, written
from sawhorse.operate.releases.applied import applied_state
from sawhorse.operate.releases.record import Kept, Record
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.operate.releases.uploaded import foreign_code
from sawhorse.operate.releases.verify import Verified, verify
from sawhorse.terraform.runner import CHANGES, LOCK_TIMEOUT, NO_CHANGES
from sawhorse.workspace import Workspace

COULD_NOT_ASK = 1
# What plans do not see, by what a look is called when it could not ask.
LOOKS: Mapping[str, Look] = {
    "the policies of roles": roles.foreign_policies,
    "whom policies are attached to": roles.our_policies_elsewhere,
    "what functions were given": functions.foreign_of_functions,
    "topics": resources.topics,
    "queues": resources.queues,
    "tables": resources.tables,
    "log groups": resources.logs,
    "HTTP APIs": resources.http_apis,
    "REST APIs": resources.rest_apis,
    "layers": resources.layers,
}
# What is compared with the record of releases.
BY_RECORD = ("what was uploaded", "where live is", "what is live")
# How much of what Terraform printed a message has.
LINES_OF_TERRAFORM = 12
NOTHING_DONE = {("no-op",), ("read",)}
# What is unknown in a plan because another value changes is no change of its own to tell of.
NAMED_AT_MOST = 5


@dataclass
class Drift:
    """What was found of a root, and what could not be asked, each in a sentence."""

    root: str
    findings: list[Finding] = field(default_factory=list)
    not_asked: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def code(self) -> int:
        """The exit code: what could not be asked says more than what was found, since it may hide the rest."""
        return COULD_NOT_ASK if self.not_asked else DIFFERS if self.findings else 0

    @property
    def result(self) -> str:
        return {0: "the same", DIFFERS: "differs", COULD_NOT_ASK: "could not ask"}[self.code]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "result": self.result}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Drift:
        """Read what `as_json` gave."""
        found = [Finding(**one) for one in content["findings"]]
        return cls(content["root"], found, list(content["not_asked"]), float(content["seconds"]))


def drift_of(workspace: Workspace, *, verifying: bool = True) -> Drift:
    """Look for drift of a root. Raises NotApplied where nothing was applied.

    What of it cannot be asked is said, and the rest is asked all the same.
    """
    start, found = time.monotonic(), Drift(workspace.root.name)
    state = applied_state(workspace)
    try:
        record = Kept(workspace.state_store, workspace.root.name).read()
    except Unreadable as error:
        record = None
        found.not_asked.append(f"{', '.join(BY_RECORD)}: {error}")
    asked = Asked(
        workspace.root.name,
        workspace.local is not None,
        state,
        record or Record(root=workspace.root.name),
        workspace.client,
    )
    parts: dict[str, Callable[[], Iterator[Finding]]] = {
        "a plan": lambda: planned(workspace, asked),
        "what was uploaded": lambda: uploaded(workspace, asked),
        "where live is": lambda: standing(workspace, asked),
        **({"what is live": lambda: verified(workspace, asked)} if verifying else {}),
        **{name: bound(look, asked) for name, look in LOOKS.items()},
    }
    for name, part in parts.items():
        if record is None and name in BY_RECORD:
            continue
        try:
            found.findings.extend(part())
        except Interrupted:
            raise
        except (SawhorseError, BotoCoreError, ClientError) as error:
            found.not_asked.append(f"{name}: {error}")
        except OSError as error:
            found.not_asked.append(f"{name}: {file_error_sentence(error)}")
    found.seconds = round(time.monotonic() - start, 2)
    return found


def bound(look: Look, asked: Asked) -> Callable[[], Iterator[Finding]]:
    return lambda: look(asked)


def planned(workspace: Workspace, asked: Asked) -> Iterator[Finding]:
    """Plan without showing it, and walk what an apply would change: names alone, and no value."""
    workspace.refuse_unfinished("Nothing was planned.", "look for drift")
    terraform, look = workspace.terraform, f"see {asked.command('plan')}"
    terraform.refuse_unsaved_state()
    with tempfile.TemporaryDirectory() as directory:
        plan, output = Path(directory) / "plan", Path(directory) / "output"
        with output.open("w+") as stream:
            options: dict[str, Any] = {"out": str(plan), "input": False, "lock": terraform.lock}
            options["lock_timeout"] = LOCK_TIMEOUT
            # What was built since the last apply is nobody's change of what stands.
            options["var_file"] = str(written(packages_as_applied(workspace, asked.state), Path(directory)))
            code = terraform.run("plan", stream=stream, detailed_exitcode=IsFlagged, **options)
        if code not in {NO_CHANGES, CHANGES}:
            lines = output.read_text(errors="replace").strip().splitlines()[-LINES_OF_TERRAFORM:]
            said = "\n".join(["terraform plan failed.", *lines])
            raise terraform.failed(said)
        changes = terraform.changes_of(plan) if code == CHANGES else []
    changed = [change for change in changes if tuple(change["change"]["actions"]) not in NOTHING_DONE]
    # What only follows from another change is not told besides it.
    for change in [one for one in changed if not only_follows(one["change"])] or changed:
        how = " and ".join(change["change"]["actions"])
        sentence = f"an apply would {how} {change['address']}{named(change['change'])}"
        # Where a hand has moved live, `where live is` says what decides.
        alias = ", unless live was moved by hand" if change["type"] == "aws_lambda_alias" else ""
        fix = f"{look}; an apply does that{alias}, and main.tf or a commit keeps what is there"
        yield Finding("plan", change["address"], sentence, fix)
    if code == CHANGES and not changed:
        yield Finding("plan", "outputs", "an apply would change outputs", look)


def only_follows(change: Mapping[str, Any]) -> bool:
    """Say whether an update changes nothing but what is unknown until another change is made."""
    return is_update(change) and not arguments_of(change)


def is_update(change: Mapping[str, Any]) -> bool:
    return tuple(change["actions"]) == ("update",)


def named(change: Mapping[str, Any]) -> str:
    """Name the arguments that an update would change."""
    names = arguments_of(change) if is_update(change) else []
    more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
    return f" ({', '.join(names[:NAMED_AT_MOST])}{more})" if names else ""


def arguments_of(change: Mapping[str, Any]) -> list[str]:
    before, after, unknown = change["before"] or {}, change["after"] or {}, change.get("after_unknown") or {}
    return sorted(
        name for name in {*before, *after} if differ(before.get(name), after.get(name), unknown.get(name, False))
    )


def differ(before: Any, after: Any, unknown: Any) -> bool:
    """Say whether what is known of a value after an apply differs from the one before.

    `unknown` is true for what is not known, and has the form of the value where only a part of it is not.
    """
    if unknown is True:
        return False
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        of = unknown if isinstance(unknown, Mapping) else {}
        return any(differ(before.get(key), after.get(key), of.get(key, False)) for key in {*before, *after})
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        each = unknown if isinstance(unknown, list) and len(unknown) == len(after) else [False] * len(after)
        return any(map(differ, before, after, each))
    return bool(before != after)


def uploaded(workspace: Workspace, asked: Asked) -> Iterator[Finding]:
    """Walk code that no apply of ours uploaded or published."""
    restore = f"{asked.command('apply --restore-code')} puts the code of the last apply back"
    for found in foreign_code(workspace):
        yield Finding("code", found.address, found.sentence, f"{found.way_to_it}, and {restore}")


def standing(workspace: Workspace, asked: Asked) -> Iterator[Finding]:
    """Walk where `live` is that no release, rollback or apply of ours put it."""
    released = ReleasedRoot.of(workspace)
    yield from where_live_is(released, asked, released.standings())


def verified(workspace: Workspace, asked: Asked) -> Iterator[Finding]:
    """Walk in what the code behind `live` and its configuration differ from the commit that should be live."""
    found = verify(workspace)
    for function in found.functions:
        yield from of_function(function, found.commit, f"see {asked.command('verify')}")


def of_function(function: Verified, commit: str, look: str) -> Iterator[Finding]:
    for part in function.parts:
        files = [*part.files.added, *part.files.changed, *part.files.removed]
        if part.verdict in ("another release", "not of the commit"):
            sentence = f"the {part.what} is that of release {part.release} and not of commit {commit[:12]}"
            yield Finding("verify", function.address, sentence, look)
        elif part.verdict == "foreign code":
            of = f": {number(len(files), 'file')} differ, {files[0]} first" if files else f", {part.why}"
            sentence = f"the {part.what} is not that of commit {commit[:12]}{of}"
            yield Finding("verify", function.address, sentence, look)
    for sentence in function.configuration:
        yield Finding("configuration", function.address, f"{function.function}, live: {sentence}", look)

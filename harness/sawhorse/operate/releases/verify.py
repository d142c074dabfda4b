"""Compare what is live with a commit: the code behind `live` and its layers by content, and its configuration.

The commit is built in a clean worktree, the code is downloaded from Lambda, and what both hold is compared file by
file: a zip that was only compressed otherwise is the same. A content that another release of the record has is named as
such; anything else is foreign code.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from botocore.exceptions import ClientError

from sawhorse.build.bytecode_proof import Held, held_in, prove
from sawhorse.build.package_writer import LAYER_PREFIX
from sawhorse.build.zip_reader import EXECUTABLE, Opened, opened
from sawhorse.errors import CouldNotAsk, SawhorseError
from sawhorse.inspect.diff import compare
from sawhorse.operate.releases.applied import (
    GONE,
    AppliedFunction,
    applied_functions,
    applied_state,
    archive_of,
    values_of,
)
from sawhorse.operate.releases.commit_build import Built, built, commit_named
from sawhorse.operate.releases.configuration import differing_configuration
from sawhorse.operate.releases.downloads import download, sha256_of
from sawhorse.operate.releases.record import Kept, Record, Release
from sawhorse.operate.smoke_checks import ALIAS
from sawhorse.project import Project
from sawhorse.terraform.state_store import State
from sawhorse.toolchain import interpreters
from sawhorse.workspace import Workspace

# Not of the commit is what the live release has and the commit does not make: its tree had changes, or another commit
# was asked for.
Verdict = Literal["match", "not of the commit", "another release", "foreign code", "not compared"]
DIFFERENT = ("not of the commit", "another release", "foreign code")
# How many files people are shown of each kind; --json has all.
SHOWN = 20


@dataclass(frozen=True)
class Files:
    """The files in which what is live differs from what was built."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def any(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True)
class Compared:
    """One zip of a function, its code or a layer: what it is of, and where it differs.

    `content_sha256` is computed from the download; `release` and `commit` are those of the record that have it.
    """

    what: str
    verdict: Verdict
    why: str = ""
    content_sha256: str | None = None
    release: int | None = None
    commit: str | None = None
    files: Files = field(default_factory=Files)


@dataclass(frozen=True)
class Verified:
    """What was found of one function: `configuration` has a sentence for each difference."""

    address: str
    function: str
    version: str | None
    parts: list[Compared]
    configuration: list[str]
    not_compared: list[str]

    @property
    def differs(self) -> bool:
        return bool(self.configuration) or any(part.verdict in DIFFERENT for part in self.parts)


@dataclass(frozen=True)
class Verification:
    """What was found of a root. `chosen` says why this commit was compared with; `dirty` that its tree differed."""

    root: str
    commit: str
    chosen: str
    dirty: bool
    functions: list[Verified]

    @property
    def differs(self) -> bool:
        return any(function.differs for function in self.functions)

    def as_json(self) -> dict[str, Any]:
        functions = [{**asdict(one), "differs": one.differs} for one in self.functions]
        return {**asdict(self), "functions": functions, "differs": self.differs}


def verify(workspace: Workspace, revision: str | None = None) -> Verification:
    """Compare what is live of a root with a commit: the one named, else that of the live release, else HEAD.

    Raises NotApplied, UnknownName and BadConfiguration for what was asked, CouldNotAsk where there is no answer.
    """
    state, record = applied_state(workspace), Kept(workspace.state_store, workspace.root.name).read()
    commit, chosen, dirty = commit_of_choice(workspace, record, revision)
    functions, project = applied_functions(state), workspace.root.project
    sides = Sides(workspace.client("lambda"), state, record, project, None)
    if not any(function.is_zip and function.live for function in functions):
        found = [verify_function(one, sides) for one in functions]
        return Verification(workspace.root.name, commit, chosen, dirty, found)
    with built(project, workspace.root.app, commit, local=workspace.local is not None) as package:
        found = [verify_function(one, replace(sides, package=package)) for one in functions]
    return Verification(workspace.root.name, commit, chosen, dirty, found)


@dataclass(frozen=True)
class Sides:
    """What is asked of both sides of the comparison; `package` is None where nothing has to be built."""

    client: Any
    state: State
    record: Record
    project: Project
    package: Built | None


def commit_of_choice(workspace: Workspace, record: Record, revision: str | None) -> tuple[str, str, bool]:
    """Choose a commit, and say why, and whether what was built of it was dirty."""
    project = workspace.root.project
    release = record.release(record.live) if record.live is not None else None
    if revision:
        return commit_named(project, revision), f"{revision}, as it was asked for", False
    if release and release.commit:
        return commit_named(project, release.commit), f"that of the live release {release.id}", release.dirty
    why = "no release says of which commit it is" if record.releases else "no release is recorded"
    return commit_named(project, "HEAD"), f"HEAD, since {why}", False


def verify_function(function: AppliedFunction, sides: Sides) -> Verified:
    """Compare one function, or say why it is not compared."""
    if function.live is None:
        why = [f"{function.name} has no alias {ALIAS}, so nothing of it is compared"]
        return Verified(function.address, function.name, None, [], [], why)
    try:
        found = sides.client.get_function(FunctionName=function.name, Qualifier=ALIAS)
    except ClientError as error:
        if error.response["Error"]["Code"] != GONE:
            raise
        gone = f"{function.name} or its alias {ALIAS} is gone, which the last apply had"
        return Verified(function.address, function.name, None, [], [gone], [])
    live = found["Configuration"]
    configuration, not_compared = configuration_of(function, found, sides.record)
    parts: list[Compared] = []
    if not function.is_zip or sides.package is None:
        not_compared.append(f"{function.name} is an image, whose content is not compared, only which one it is")
    else:
        parts.append(compare_code(function, found, sides, sides.package))
        parts += [compare_layer(layer["Arn"], sides, sides.package) for layer in live.get("Layers") or ()]
    return Verified(function.address, function.name, live["Version"], parts, configuration, not_compared)


def configuration_of(
    function: AppliedFunction, found: Mapping[str, Any], record: Record
) -> tuple[list[str], list[str]]:
    """Say in what the configuration of `live` differs from the last apply's, or why it is not compared.

    A version that was published keeps its configuration for good, so that of an older release is none to complain of.
    """
    live = found["Configuration"]
    version = str(live["Version"])
    if version != function.version and is_recorded(function, version, record):
        known = f"version {version} of {function.name} is live, and the last apply made version {function.version}"
        return [], [f"{known}: a version keeps the configuration that it was published with"]
    return list(differing_configuration(function.values, live, found.get("Code", {}))), []


def is_recorded(function: AppliedFunction, version: str, record: Record) -> bool:
    """Say whether the state or a release knows this version as one of ours."""
    released = (release.versions.get(function.name) for release in record.releases)
    return version == function.live or version in released


def compare_code(function: AppliedFunction, found: Mapping[str, Any], sides: Sides, package: Built) -> Compared:
    """Compare the code behind `live` with the zip that the commit makes of it."""
    what, name = f"code of {function.name}:{ALIAS}", function.archive or ""
    if name not in package.archives:
        return Compared(what, "not compared", f"the commit makes no {name or 'zip'}, which the last apply took")
    recorded = {
        content: release
        for release in live_last(sides.record)
        if function.name in release.functions and (content := release.functions[function.name].content_sha256)
    }
    zipped = Zipped(what, name, "", recorded, sides.project, sides.record.live)
    return compare_download(found["Code"]["Location"], found["Configuration"]["CodeSha256"], zipped, package)


def live_last(record: Record) -> list[Release]:
    """Return the releases so that of several with the same content the live one is named, else the newest."""
    return sorted(record.releases, key=lambda release: (release.id == record.live, release.id))


def compare_layer(arn: str, sides: Sides, package: Built) -> Compared:
    """Compare a layer of what is live with the one that the commit makes; another's layer is named and left alone."""
    what, name = f"layer {arn}", ""
    for _, values in values_of(sides.state, "aws_lambda_layer_version"):
        if values["layer_arn"] == arn.rpartition(":")[0]:
            name = archive_of(values) or ""
    if name not in package.archives:
        why = "no apply of this root made it" if not name else f"the commit makes no {name}"
        return Compared(what, "not compared", why)
    recorded = {
        code.layers[arn]: release
        for release in live_last(sides.record)
        for code in release.functions.values()
        if code.layers.get(arn)
    }
    try:
        content = sides.client.get_layer_version_by_arn(Arn=arn)["Content"]
    except ClientError as error:
        if error.response["Error"]["Code"] != GONE:
            raise
        return Compared(what, "not compared", "this version of it was deleted, so that nobody can look into it")
    zipped = Zipped(what, name, LAYER_PREFIX, recorded, sides.project, sides.record.live)
    return compare_download(content["Location"], content["CodeSha256"], zipped, package)


@dataclass(frozen=True)
class Zipped:
    """A zip that is compared: `prefix` stands before all its names, `recorded` has releases by their content.

    `live` is the number of the release that the record has as live.
    """

    what: str
    name: str
    prefix: str
    recorded: Mapping[str, Release]
    project: Project
    live: int | None


def compare_download(location: str, code_sha256: str, zipped: Zipped, package: Built) -> Compared:
    """Download a zip, see that it is what Lambda says, and compare it with the one that was built."""
    with TemporaryDirectory(prefix="sawhorse-verify-") as directory:
        path = Path(directory) / zipped.name
        download(location, path)
        if sha256_of(path) != code_sha256:
            raise CouldNotAsk(f"Lambda handed out something else as {zipped.what} than it says that it has.")
        with contextlib.ExitStack() as open_zips:
            try:
                live = open_zips.enter_context(opened(path))
                held = held_in(live, zipped.prefix)
            except SawhorseError as error:
                # No build makes what is not even opened.
                why = str(error).replace(str(path), "what is live").partition(";")[0]
                return Compared(zipped.what, "foreign code", f"whose zip no build makes: {why}")
            wanted = open_zips.enter_context(opened(package.path(zipped.name)))
            return compare_zips(zipped, wanted, live, held, package)


def compare_zips(zipped: Zipped, wanted: Opened, live: Opened, held: Held, package: Built) -> Compared:
    """Compare a download with a zip that was built; bytecode that another patch release made is compiled again."""
    content, files = held.content_sha256, differing_files(wanted, live)
    if content == package.archives[zipped.name].content_sha256:
        files = foreign_bytecode(held, files, zipped, package)
        if not files.any:
            return Compared(zipped.what, "match", content_sha256=content)
    elif content in zipped.recorded:
        release = zipped.recorded[content]
        verdict: Verdict = "not of the commit" if release.id == zipped.live else "another release"
        return Compared(zipped.what, verdict, "", content, release.id, release.commit, files)
    return Compared(zipped.what, "foreign code", "", content, files=files)


def differing_files(wanted: Opened, live: Opened) -> Files:
    found = compare(wanted, live)
    # Only whether a file may be executed counts, as in a content's hash.
    modes = {name for name, pair in found.modes.items() if len({int(mode, 8) & EXECUTABLE for mode in pair}) > 1}
    changed = sorted({one.name for one in found.changed} | modes)
    return Files(found.only_in_other, changed, found.only_in_path)


def foreign_bytecode(held: Held, files: Files, zipped: Zipped, package: Built) -> Files:
    """Leave of files of the same content those that are not what comes of their sources.

    Such a content counts bytecode as what it was made from. Raises CouldNotAsk where that cannot be compiled here.
    """
    changed = {name.removeprefix(zipped.prefix) for name in files.changed}
    compiled = [one for one in held.compiled if one.name in changed]
    entry = next(iter(package.entries.values()))
    proof = prove(compiled, lambda python: interpreters.exact_python(python, zipped.project.path), entry.compiled_by)
    if proof.unproven and not proof.wrong:
        name, why = next(iter(proof.unproven.items()))
        raise CouldNotAsk(f"Whether the bytecode of what is live is that of its sources is not known: {name} {why}.")
    return Files(changed=[f"{zipped.prefix}{name}" for name in proof.wrong])


def sentences(verification: Verification) -> Iterator[str]:
    """Say all that was found, for people."""
    dirty = ", whose tree had changes that are in no commit" if verification.dirty else ""
    yield f"{verification.root} against {verification.commit[:12]}, {verification.chosen}{dirty}:"
    if not verification.functions:
        yield "  It has no functions."
    for function in verification.functions:
        yield f"  {function.function}{f', version {function.version}' if function.version else ''}"
        for part in function.parts:
            yield from (f"    {line}" for line in lines_of(part))
        yield from (f"    configuration: {sentence}" for sentence in function.configuration)
        yield from (f"    not compared: {sentence}" for sentence in function.not_compared)
    yield "It differs." if verification.differs else "What was compared is the same."


def lines_of(part: Compared) -> Iterator[str]:
    commit = f"commit {part.commit[:12]}" if part.commit else "no commit"
    if part.verdict == "another release":
        yield f"{part.what}: that of release {part.release}, {commit}"
    elif part.verdict == "not of the commit":
        yield f"{part.what}: that of release {part.release}, which is live, {commit}; this commit does not make it"
    else:
        yield f"{part.what}: {part.verdict}{f', {part.why}' if part.why else ''}"
    for how, names in (("added", part.files.added), ("changed", part.files.changed), ("removed", part.files.removed)):
        yield from (f"  {how} {name}" for name in names[:SHOWN])
        if len(names) > SHOWN:
            yield f"  {how} {len(names) - SHOWN} more; --json has all"

"""Notice code that somebody else uploaded to a function or published, refuse to publish it, and put ours back.

The provider keeps the hash that it wrote and never compares it with Lambda's, so that a plan does not show such code,
and the next change of anything publishes it. Nothing is built or downloaded to notice it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from botocore.exceptions import ClientError

from sawhorse.build.lambda_limits import ZIPPED_LIMIT
from sawhorse.build.manifest import read_manifest
from sawhorse.errors import BadConfiguration, CouldNotAsk, SawhorseError
from sawhorse.operate.releases.applied import GONE, AppliedFunction, applied_functions
from sawhorse.operate.releases.built_from import dist_of
from sawhorse.operate.releases.downloads import download, sha256_of
from sawhorse.operate.releases.lambdas import published_versions
from sawhorse.operate.releases.record import Kept, Record
from sawhorse.workspace import Workspace

UNPUBLISHED = "$LATEST"
# What a version keeps of a function, besides its code: if any of it differs, another configuration was published.
PUBLISHED_WITH = ("MemorySize", "Timeout", "Handler", "Runtime", "Role", "Layers", "Environment", "Architectures")


@dataclass(frozen=True)
class ForeignCode:
    """Code, or a version, of a function that no apply of ours knows.

    `version` is `$LATEST` for code that was uploaded, else the number of a version that was published. `known` is the
    version whose code the state has; `release` the number of a release that has the same code.
    """

    address: str
    function: str
    kind: Literal["uploaded", "published"]
    version: str
    code_sha256: str
    known: str
    release: int | None = None

    @property
    def sentence(self) -> str:
        whose = f", that of release {self.release}" if self.release is not None else ", of no apply or release"
        if self.kind == "uploaded":
            return f"{self.function} has other code than the last apply uploaded{whose} (CodeSha256 {self.code_sha256})"
        return (
            f"version {self.version} of {self.function} was published since the last apply, which knows {self.known}: "
            f"its code or its configuration is another{whose} (CodeSha256 {self.code_sha256})"
        )

    @property
    def way_to_it(self) -> str:
        """Say how it is looked at: it is not live, so that verify, which looks at what is, says nothing of it."""
        which = "" if self.version == UNPUBLISHED else f" --qualifier {self.version}"
        asked = f"aws lambda get-function --function-name {self.function}{which} --query Code.Location"
        return f'"{asked}" says where it can be downloaded'


def foreign_code(workspace: Workspace) -> list[ForeignCode]:
    """Compare what Lambda has of each function with what the state and what was built know: a few calls each.

    Code that is the very package which an apply would upload now is not foreign, nor is that of an apply which began
    and did not end well: such a one has brought it there. A function that is gone, and an image, are a plan's to show.
    Nothing is found of what was never applied.
    """
    state = workspace.state()
    if state is None:
        return []
    functions = [one for one in applied_functions(state) if one.is_zip]
    if not functions:
        return []
    client, built = workspace.client("lambda"), built_code(workspace)
    record = Kept(workspace.state_store, workspace.root.name).read()
    return [found for one in functions for found in foreign_code_of(one, client, built, record)]


def foreign_code_of(
    function: AppliedFunction, client: Any, built: Mapping[str, set[str]], record: Record
) -> Iterator[ForeignCode]:
    """Look at the code of $LATEST and at the newest version, which is what the next apply goes on from."""
    try:
        latest = client.get_function_configuration(FunctionName=function.name)
    except ClientError as error:
        if error.response["Error"]["Code"] == GONE:
            return
        raise
    known = {function.code_sha256, *built.get(function.archive or "", set()), *record.uploading}

    def found(kind: Literal["uploaded", "published"], version: str, code: str) -> ForeignCode:
        release = release_with_code(record, function.name, code)
        return ForeignCode(function.address, function.name, kind, version, code, function.version, release)

    if latest["CodeSha256"] not in known:
        yield found("uploaded", UNPUBLISHED, latest["CodeSha256"])
    newest = next(reversed(published_versions(lambda _: client, function.name)), None)
    if newest is None or int(newest["Version"]) <= int(function.version):
        return
    # Lists leave out what the configuration of one has.
    newest = client.get_function_configuration(FunctionName=function.name, Qualifier=newest["Version"])
    # One that differs from $LATEST in nothing is what a plan compares with the configuration.
    if newest["CodeSha256"] not in known or published_with(newest) != published_with(latest):
        yield found("published", newest["Version"], newest["CodeSha256"])


def published_with(version: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: version.get(name) or None for name in PUBLISHED_WITH}
    # An alias or a version may be told with sizes that differ in nothing that runs.
    return {**told, "Layers": [layer["Arn"] for layer in version.get("Layers") or ()]}


def built_code(workspace: Workspace) -> dict[str, set[str]]:
    """Return the hashes of the packages that an apply would upload, by the name of their zip."""
    hashes: dict[str, set[str]] = {}
    # Of a dist/ that was taken away, a local run has links that lead to nothing.
    if not dist_of(workspace).joinpath("manifest.json").exists():
        return hashes
    for entry in read_manifest(dist_of(workspace)).get(workspace.root.app, {}).values():
        hashes.setdefault(Path(entry.path).name, set()).add(entry.sha256)
    return hashes


def codes_of(workspace: Workspace) -> set[str]:
    """Return the hashes of all packages that an apply would upload."""
    return {code for codes in built_code(workspace).values() for code in codes}


def release_with_code(record: Record, function: str, code_sha256: str) -> int | None:
    """Return the newest release that has this code in this function."""
    having = (
        release.id
        for release in reversed(record.releases)
        if function in release.functions and release.functions[function].code_sha256 == code_sha256
    )
    return next(having, None)


def refuse_foreign_code(workspace: Workspace) -> None:
    """Raise SawhorseError where an apply would go on from code that no apply of ours uploaded."""
    found = foreign_code(workspace)
    if not found:
        return
    name, local = workspace.root.name, " --local" if workspace.local else ""
    said = "; ".join(one.sentence for one in found)
    ways = "; ".join(one.way_to_it for one in found)
    raise SawhorseError(
        f"Nothing was planned or applied to {name}: {said}. An apply would publish it, whatever its plan shows. Look "
        f"at it ({ways}), keep what is wanted of it in a commit, and put the code of the last apply back with "
        f'"sawhorse apply {name}{local} --restore-code".'
    )


def restore_code(workspace: Workspace) -> list[str]:
    """Put the code of the version that the state knows back into each function that has foreign code.

    Where a foreign version was published, one with our code is published over it, which is then the newest. Returns a
    sentence for each function that was changed. Raises CouldNotAsk where that version is gone, or its code does not
    hash to what the state says.
    """
    state = workspace.state()
    functions = {one.name: one for one in applied_functions(state)} if state else {}
    found = foreign_code(workspace)
    kinds: dict[str, set[str]] = {}
    for one in found:
        kinds.setdefault(one.function, set()).add(one.kind)
    return [restore(workspace, functions[name], published="published" in kinds[name]) for name in kinds]


def restore(workspace: Workspace, function: AppliedFunction, *, published: bool) -> str:
    """Put one function's code back."""
    client, name, version = workspace.client("lambda"), function.name, function.version
    with TemporaryDirectory(prefix="sawhorse-restore-") as directory:
        path = Path(directory) / "code.zip"
        fetch_known(client, function, path)
        latest = client.get_function_configuration(FunctionName=name)
        with place_of(workspace, function, path) as code:
            told = client.update_function_code(FunctionName=name, RevisionId=latest["RevisionId"], **code)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
    if told["CodeSha256"] != function.code_sha256:
        raise CouldNotAsk(
            f"{name} was given the code of version {version} and has CodeSha256 {told['CodeSha256']}, which is not "
            f"the {function.code_sha256} of the last apply; look at it before anything is applied."
        )
    if not published:
        return f"{name} has the code of version {version} again, which the last apply uploaded."
    again = client.publish_version(FunctionName=name, CodeSha256=function.code_sha256)["Version"]
    return (
        f"{name} has the code of version {version} again, which the last apply uploaded; it was published as version "
        f"{again}, so that nothing goes on from the version that somebody else published."
    )


def fetch_known(client: Any, function: AppliedFunction, path: Path) -> None:
    """Download the code of the version that the state knows, and see that it is that."""
    try:
        found = client.get_function(FunctionName=function.name, Qualifier=function.version)
    except ClientError as error:
        if error.response["Error"]["Code"] != GONE:
            raise
        raise CouldNotAsk(
            f"Version {function.version} of {function.name}, whose code the last apply uploaded, is gone, so it cannot "
            "be put back from Lambda. Check out the commit of that apply, build, and upload dist/"
            f"{function.archive} with aws lambda update-function-code."
        ) from error
    download(found["Code"]["Location"], path)
    if sha256_of(path) != function.code_sha256:
        raise CouldNotAsk(
            f"Lambda handed out other code for version {function.version} of {function.name} than the last apply "
            "uploaded; nothing was put back."
        )


@contextlib.contextmanager
def place_of(workspace: Workspace, function: AppliedFunction, path: Path) -> Iterator[dict[str, Any]]:
    """Give what a call says of the code: the zip itself, or where it lies in S3 while the call lasts."""
    size = path.stat().st_size
    if size <= ZIPPED_LIMIT:
        yield {"ZipFile": path.read_bytes()}
        return
    bucket = workspace.environment.bucket_of_packages
    if not bucket:
        raise BadConfiguration(
            f"The code of {function.name} has {size:,} bytes, more than the {ZIPPED_LIMIT:,} that Lambda takes in a "
            "call, and environment.yaml names no packages_bucket; name one, and run it again."
        )
    s3, account = workspace.client("s3"), workspace.environment.account_id
    key = f"{account}/{function.name}/restored/{hashlib.sha256(path.read_bytes()).hexdigest()}.zip"
    s3.upload_file(str(path), bucket, key)
    try:
        yield {"S3Bucket": bucket, "S3Key": key}
    finally:
        s3.delete_object(Bucket=bucket, Key=key)

"""What stands for each `uses:` step: the runner runs none of them, and lists what it did in their place."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from sawhorse.local.issuer import Issuer
from tests.projects import link_tools

if TYPE_CHECKING:
    from tests.workflows.jobs import Job

GITHUB = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
KEYS = {
    "AWS_ACCESS_KEY_ID": "AccessKeyId",
    "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
    "AWS_SESSION_TOKEN": "SessionToken",
}


class ActionFailedError(Exception):
    """An action that would end with an error; the sentence is what it prints."""


def checkout(job: Job, given: Mapping[str, str]) -> str:
    """Fetch the run's commit into the workspace, as deep as is asked for, and link this machine's tools.

    A Python environment that an earlier job made there stays, as on a machine whose image has it; all else is new.
    """
    known(given, "persist-credentials", "fetch-depth")
    if given.get("persist-credentials") != "false":
        raise ActionFailedError("The token would stay in .git/config; say persist-credentials: false.")
    job.may("contents", "read")
    depth = int(given.get("fetch-depth", 1))
    for path in job.workspace.iterdir():
        if path.name != ".venv":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    here = ("-C", str(job.workspace))
    git(*here, "init", "--quiet")
    git(*here, "remote", "add", "origin", f"file://{job.run.platform.repository.git}")
    git(*here, "fetch", "--quiet", *([f"--depth={depth}"] if depth else []), "origin", job.run.sha)
    git(*here, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    link_tools(job.workspace)
    return f"a clone of {job.run.sha[:12]}{f', {depth} deep' if depth else ', whole'}"


def cache(job: Job, given: Mapping[str, str]) -> str:
    """Restore nothing: what this machine has of caches is linked already."""
    known(given, "path", "key", "restore-keys")
    return "nothing; this machine's own caches"


def upload(job: Job, given: Mapping[str, str]) -> str:
    """Copy what is not hidden into a directory of the run."""
    known(given, "name", "path", "if-no-files-found", "retention-days")
    source = job.workspace / given["path"]
    files = [path for path in source.rglob("*") if path.is_file() and not is_hidden(path.relative_to(source))]
    if not files:
        if given.get("if-no-files-found") == "error":
            raise ActionFailedError(f"No files were found with the provided path: {given['path']}.")
        return "no file was found"
    place = job.run.artifacts / given["name"]
    if place.exists():
        raise ActionFailedError(f"An artifact with the name {given['name']} exists already.")
    for path in files:
        target = place / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return f"a directory with {len(files)} files"


def download(job: Job, given: Mapping[str, str]) -> str:
    """Copy from the run's directories: one by its name, or all that fit a pattern, into one place."""
    known(given, "name", "path", "pattern", "merge-multiple")
    target = job.workspace / given["path"]
    target.mkdir(parents=True, exist_ok=True)
    if "name" in given:
        found = [job.run.artifacts / given["name"]]
        if not found[0].is_dir():
            raise ActionFailedError(f"Unable to download artifact(s): Artifact not found for name: {given['name']}")
    else:
        if given.get("merge-multiple") != "true":
            raise ActionFailedError("The runner knows a pattern with merge-multiple alone.")
        found = [one for one in sorted(job.run.artifacts.glob("*")) if fnmatchcase(one.name, given["pattern"])]
    for artifact in found:
        for path in (one for one in artifact.rglob("*") if one.is_file()):
            place = target / path.relative_to(artifact)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    return f"from {len(found)} directories"


def credentials(job: Job, given: Mapping[str, str]) -> str:
    """Take a role of the local STS: with the run's own token, or with the keys of the role before it."""
    known(
        given, "role-to-assume", "role-session-name", "aws-region", "mask-aws-account-id", "unset-current-credentials",
        "role-chaining", "role-skip-session-tagging",
    )  # fmt: skip
    job.run.platform.before_credentials(job, given)
    role, session = given["role-to-assume"], given["role-session-name"]
    machine = job.run.platform.machine
    options = {"region_name": given["aws-region"], "endpoint_url": machine["AWS_ENDPOINT_URL"]}
    try:
        if given.get("role-chaining") == "true":
            keys = {name.lower(): job.environment[name] for name in KEYS}
            sts = boto3.client("sts", **options, **keys)
            taken = sts.assume_role(RoleArn=role, RoleSessionName=session, DurationSeconds=3600)
            how = "AssumeRole of the local STS"
        else:
            job.may("id-token", "write")
            token = web_identity(job)
            sts = boto3.client("sts", **options, config=Config(signature_version=UNSIGNED))
            taken = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName=session, WebIdentityToken=token)
            how = f"AssumeRoleWithWebIdentity of the local STS, for {job.subject}"
    except ClientError as error:
        raise ActionFailedError(f"Could not assume role with OIDC: {error.response['Error']['Message']}") from error
    job.environment |= {name: taken["Credentials"][key] for name, key in KEYS.items()}
    job.environment |= {"AWS_REGION": given["aws-region"], "AWS_DEFAULT_REGION": given["aws-region"]}
    return how


def web_identity(job: Job) -> str:
    """Sign what GitHub's provider would say of this job, with the key of the local issuer."""
    issuer = Issuer.of(job.run.platform.local_aws)
    return issuer.token(subject=job.subject, audience=AUDIENCE, lifetime_seconds=300, iss=f"https://{GITHUB}")


ACTIONS: dict[str, Callable[[Any, Mapping[str, str]], str]] = {
    "actions/checkout": checkout,
    "actions/cache": cache,
    "actions/upload-artifact": upload,
    "actions/download-artifact": download,
    "aws-actions/configure-aws-credentials": credentials,
}


def known(given: Mapping[str, str], *names: str) -> None:
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ActionFailedError(f"{', '.join(unknown)} has nothing that stands for it.")


def is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def git(*words: str) -> str:
    ended = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise ActionFailedError(f"git {' '.join(words)}: {ended.stderr.strip()}")
    return ended.stdout.strip()

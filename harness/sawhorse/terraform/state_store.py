"""Read and write what lies where a root's state lies: the state itself, and the record of its releases.

That is an S3 bucket, or a directory of this machine. A write names what it was based on, so that of two writers one is
told that the other was first; nothing is ever written over unread.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from sawhorse.errors import BadConfiguration
from sawhorse.files import locked, write_atomically
from sawhorse.terraform.state import Snapshot
from sawhorse.trusted_files import read_own

STATE = "tfstate"
RELEASES = "releases.json"
# S3's responses to a condition that does not hold, and to two conditional writes at once
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict")
ABSENT = ("NoSuchKey", "404")


class WrittenMeanwhile(Exception):
    """Somebody else has written what a write was based on."""


@dataclass(frozen=True)
class Stored:
    """What was read, and the tag of that very content."""

    content: bytes
    tag: str


class StateStore(Protocol):
    """Where a root's state and what belongs to it lie."""

    def place(self, kind: str) -> str:
        """Say where something lies, for people to read."""

    def read(self, kind: str) -> Stored | None:
        """Return what is there; None when nothing is."""

    def write(self, kind: str, content: bytes, *, based_on: Stored | None) -> Stored:
        """Write over what was read, or where nothing was. Raises WrittenMeanwhile where that is not there any more."""


class S3Store:
    """A bucket, with an object of each kind under the root's name."""

    def __init__(self, s3: Any, bucket: str, root: str) -> None:
        self.s3 = s3
        self.bucket = bucket
        self.root = root

    def place(self, kind: str) -> str:
        return f"s3://{self.bucket}/{self.key(kind)}"

    def key(self, kind: str) -> str:
        return f"{self.root}.{kind}"

    def read(self, kind: str) -> Stored | None:
        try:
            found = self.s3.get_object(Bucket=self.bucket, Key=self.key(kind))
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                return None
            raise
        return Stored(found["Body"].read(), found["ETag"])

    def write(self, kind: str, content: bytes, *, based_on: Stored | None) -> Stored:
        condition = {"IfMatch": based_on.tag} if based_on else {"IfNoneMatch": "*"}
        try:
            put = self.s3.put_object(
                Bucket=self.bucket,
                Key=self.key(kind),
                Body=content,
                ContentType="application/json",
                ServerSideEncryption="AES256",
                **condition,
            )
        except ClientError as error:
            # One that was based on something is refused with 404 where it was deleted.
            if error.response["Error"]["Code"] in (*CONFLICTS, *ABSENT):
                raise WrittenMeanwhile from error
            raise
        return Stored(content, put["ETag"])


class FileStore:
    """A directory of this machine, where Terraform's local backend keeps a state."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def place(self, kind: str) -> str:
        return str(self.file(kind))

    def file(self, kind: str) -> Path:
        return self.directory / ("terraform.tfstate" if kind == STATE else f"terraform.tfstate.{kind}")

    def read(self, kind: str) -> Stored | None:
        try:
            content = read_own(self.file(kind), directory=False)
        except FileNotFoundError:
            return None
        return Stored(content, hashlib.sha256(content).hexdigest())

    def write(self, kind: str, content: bytes, *, based_on: Stored | None) -> Stored:
        with locked(self.directory / f"terraform.tfstate.{kind}.lock"):
            if self.read(kind) != based_on:
                raise WrittenMeanwhile
            write_atomically(self.file(kind), content)
        return Stored(content, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class State:
    """A root's state as its last run left it: nothing was refreshed, so what somebody changed since is not in it."""

    snapshot: Snapshot
    outputs: Mapping[str, Any]


def read_state(store: StateStore) -> State | None:
    """Read a state without Terraform; None when there is none. Raises BadConfiguration for what is no state."""
    stored = store.read(STATE)
    if stored is None:
        return None
    try:
        content = json.loads(stored.content)
        outputs = {name: output["value"] for name, output in content.get("outputs", {}).items()}
        return State(Snapshot.of(content), outputs)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadConfiguration(
            f"{store.place(STATE)} is not a state that this Sawhorse reads ({error}); look at it, or take an earlier "
            "version of it up again."
        ) from error

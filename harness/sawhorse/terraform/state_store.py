"""Read and write what lies where a root's state lies: the state itself, and the record of its releases.

That is an S3 bucket, or a directory of this machine. A write names what it was based on, so that of two writers one is
told that the other was first; nothing is ever written over unread.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from sawhorse.errors import SawhorseError, Unreadable
from sawhorse.files import locked, write_atomically
from sawhorse.terraform.state import Snapshot, said_of_version
from sawhorse.terraform.state_lock import Lock, lock_of_file, new_lock
from sawhorse.trusted_files import read_own

STATE = "tfstate"
RELEASES = "releases.json"
# Terraform's own lock of a state in S3.
LOCK = "tfstate.tflock"
# What a state in a file is called once it lies elsewhere.
MOVED = ".moved"
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

    def way_back(self, kind: str) -> str:
        """Say, in a sentence, where an earlier version of something is found, and how it is taken up again."""

    def read(self, kind: str) -> Stored | None:
        """Return what is there; None when nothing is."""

    def write(self, kind: str, content: bytes, *, based_on: Stored | None) -> Stored:
        """Write over what was read, or where nothing was. Raises WrittenMeanwhile where that is not there any more."""

    def remove(self, kind: str, *, based_on: Stored) -> None:
        """Take what was read away; one of a file is set aside. Raises WrittenMeanwhile where it is another by now."""

    def lock(self) -> Lock | None:
        """Return the lock of the state as it is now; None when nobody holds it."""

    def holding(self, operation: str) -> contextlib.AbstractContextManager[None]:
        """Keep Terraform's runs out. Raises Held where one holds the lock."""


class Held(Exception):
    """Somebody holds the lock of a state."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(lock.id)
        self.lock = lock


class S3Store:
    """A bucket, with an object of each kind under the root's name."""

    def __init__(self, s3: Any, bucket: str, root: str, *, prefix: str = "") -> None:
        self.s3 = s3
        self.prefix = prefix
        self.bucket = bucket
        self.root = root

    def place(self, kind: str) -> str:
        return f"s3://{self.bucket}/{self.key(kind)}"

    def way_back(self, kind: str) -> str:
        return (
            f"The bucket keeps earlier versions: find the last good one (aws s3api list-object-versions --bucket "
            f"{self.bucket} --prefix {self.key(kind)}), look at it (aws s3api get-object --version-id), and copy it "
            f"over this one (aws s3 cp FILE {self.place(kind)})."
        )

    def key(self, kind: str) -> str:
        return f"{self.prefix}{self.root}.{kind}"

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

    def remove(self, kind: str, *, based_on: Stored) -> None:
        try:
            self.s3.delete_object(Bucket=self.bucket, Key=self.key(kind), IfMatch=based_on.tag)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in CONFLICTS:
                raise WrittenMeanwhile from error
            if code not in ABSENT:
                raise

    def lock(self) -> Lock | None:
        found = self.read(LOCK)
        return Lock.read(found.content) if found else None

    @contextlib.contextmanager
    def holding(self, operation: str) -> Iterator[None]:
        taken = self.take(operation)
        try:
            yield
        finally:
            # Where somebody has released it meanwhile, it may be another's.
            with contextlib.suppress(WrittenMeanwhile):
                self.remove(LOCK, based_on=taken)

    def take(self, operation: str) -> Stored:
        """Take the lock as Terraform does, or over from a move that was killed."""
        left = self.read(LOCK)
        if left and not Lock.read(left.content).is_left_behind:
            raise Held(Lock.read(left.content))
        content = {**new_lock(operation).as_terraform, "Version": "", "Path": f"{self.bucket}/{self.key(STATE)}"}
        try:
            return self.write(LOCK, json.dumps(content).encode(), based_on=left)
        except WrittenMeanwhile:
            now = self.lock()
            if now:
                raise Held(now) from None
            raise SawhorseError(f"Others take the lock of {self.place(STATE)} all the time; run it again.") from None


class FileStore:
    """A directory of this machine, where Terraform's local backend keeps a state."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def place(self, kind: str) -> str:
        return str(self.file(kind))

    def way_back(self, kind: str) -> str:
        return f"No earlier version of a file is kept: put a good copy of {self.file(kind).name} back if there is one."

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

    def remove(self, kind: str, *, based_on: Stored) -> None:
        with locked(self.directory / f"terraform.tfstate.{kind}.lock"):
            if self.read(kind) not in (based_on, None):
                raise WrittenMeanwhile
            with contextlib.suppress(FileNotFoundError):
                self.file(kind).rename(self.file(kind).with_name(self.file(kind).name + MOVED))

    def lock(self) -> Lock | None:
        return lock_of_file(self.file(STATE))

    @contextlib.contextmanager
    def holding(self, operation: str) -> Iterator[None]:  # noqa: ARG002 # a process's own, it would be lost with every read
        """Look whether a run of this machine holds it; what one writes afterwards, a condition finds."""
        held = self.lock()
        if held:
            raise Held(held)
        yield


@dataclass(frozen=True)
class State:
    """A root's state as its last run left it: nothing was refreshed, so what somebody changed since is not in it."""

    snapshot: Snapshot
    outputs: Mapping[str, Any]


def read_state(store: StateStore) -> State | None:
    """Read a state without Terraform; None when there is none. Raises BadConfiguration for what is no state."""
    stored = store.read(STATE)
    # Terraform makes an empty file to lock it, before the first apply writes one.
    return None if stored is None or not stored.content.strip() else state_of(stored, store.place(STATE))


def state_of(stored: Stored, place: str) -> State:
    """Read a state that was stored. Raises Unreadable for what is none."""
    try:
        content = json.loads(stored.content)
        newer = said_of_version(content)
        if newer:
            raise Unreadable(f"{place} {newer}")
        outputs = {name: output["value"] for name, output in content.get("outputs", {}).items()}
        return State(Snapshot.of(content), outputs)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Unreadable(
            f"{place} is not a state that this Sawhorse reads ({error}); look at it, or take an earlier "
            "version of it up again."
        ) from error

"""Lambda, SSM, CloudWatch, STS and S3 in memory, whose calls can be made to fail, and Terraform's part of a root."""

from __future__ import annotations

import errno
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any, Literal, cast

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from sawhorse.operate.releases.record import Kept, Process, Record
from sawhorse.operate.releases.released_root import ReleasedRoot
from sawhorse.project import Project, Root
from sawhorse.terraform.state_store import STATE, S3Store, read_state
from sawhorse.workspace import Workspace

ROOT = "dev/shop"
BUCKET = "states"
LATEST = "latest"
# What a version's code does: all well, or it fails when it is called by its number, or only behind `live`.
Quality = Literal["good", "broken", "broken once live"]
# How a call fails: AWS refuses it, or nobody responds, before or after it did what it was to do; or Ctrl-C, or kill -9;
# or the record lies on a disk that is full, which refuses writes alone.
Way = Literal["refused", "expired", "unreachable", "lost", "full", "interrupted", "killed", "killed after"]
WAYS: tuple[Way, ...] = ("refused", "expired", "unreachable", "lost", "full", "interrupted", "killed", "killed after")
FOR_EVER = 10**9


class Killed(BaseException):
    """The process is over: nothing that it would still do has any effect."""


@dataclass(frozen=True)
class Fault:
    """What happens to the calls from the n-th on, so many of them."""

    nth: int
    way: Way
    times: int = 1

    @property
    def kills(self) -> bool:
        return self.way.startswith("killed")


@dataclass
class Clock:
    """Time that passes when somebody waits, and a little with every look; `hooks` see it."""

    at: float = 1000.0
    hooks: list[Callable[[float], object]] = field(default_factory=list)

    def monotonic(self) -> float:
        self.at += 0.001
        return self.at

    perf_counter = monotonic

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        for hook in self.hooks:
            hook(self.at)


CLOCK = Clock()


@dataclass
class FakeFunction:
    """A function as Lambda has it: its published versions with the quality of each, and `live`."""

    versions: dict[str, Quality] = field(default_factory=dict)
    alias: str | None = None
    revision: int = 0
    weights: dict[str, float] = field(default_factory=dict)
    batches: bool = False
    published: int = 0
    # Code that somebody uploaded by hand, which the next version is made of, and the versions that were.
    uploaded: str | None = None
    foreign: dict[str, str] = field(default_factory=dict)


def refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code} in a fake"}}, operation)


@dataclass
class Cloud:
    """An account, and what Terraform keeps of one root in it. Calls are counted, and fail as `fault` says."""

    functions: dict[str, FakeFunction] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    errors: dict[tuple[str, str], float] = field(default_factory=dict)
    gated: bool = True
    images: bool = False
    project: Project | None = None
    calls: int = 0
    log: list[str] = field(default_factory=list)
    fault: Fault | None = None
    dead: bool = False
    before_call: Callable[[str], object] | None = None
    said: list[str] = field(default_factory=list)
    built_as_well: frozenset[str] = frozenset()

    @property
    def workspace(self) -> Workspace:
        store = S3Store(Client(self, "s3"), BUCKET, ROOT)
        fake = SimpleNamespace(
            root=Root(self.project or Project(cast("Any", None)), "dev", "shop"),
            environment=SimpleNamespace(client=self.client, region="us-east-1", production=False, smoke_writes=False),
            local=None,
            client=self.client,
            state_store=store,
            state=lambda: read_state(store),
            built=self.built,
        )
        return cast("Workspace", fake)

    @property
    def released(self) -> ReleasedRoot:
        with self.unharmed():
            return ReleasedRoot.of(self.workspace)

    @property
    def record(self) -> Record:
        with self.unharmed():
            return Kept(S3Store(Client(self, "s3"), BUCKET, ROOT), ROOT).read()

    def change_record(self, change: Callable[[Record], Record]) -> None:
        with self.unharmed():
            Kept(S3Store(Client(self, "s3"), BUCKET, ROOT), ROOT).change(change)

    def say(self, line: str) -> None:
        self.said.append(line)

    def client(self, service: str) -> Client:
        return Client(self, service)

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """Look without being counted, and without a fault."""
        before = self.calls, self.fault, self.dead, self.before_call, list(self.log)
        self.fault, self.dead, self.before_call = None, False, None
        try:
            yield
        finally:
            self.calls, self.fault, self.dead, self.before_call, self.log = before

    def call(self, operation: str, effect: Callable[[], Any]) -> Any:
        if self.before_call:
            self.before_call(operation)
        self.calls += 1
        self.log.append(operation)
        if self.dead:
            raise Killed
        fault = self.fault
        if not fault or not fault.nth <= self.calls < fault.nth + fault.times:
            return effect()
        if fault.way == "full":
            if operation == "s3:put_object":
                raise OSError(errno.ENOSPC, "No space left on device", "releases.json.1b2c.tmp")
            return effect()
        if fault.way in {"lost", "killed after"}:
            effect()
        if fault.kills:
            self.dead = True
            raise Killed
        if fault.way == "interrupted":
            raise KeyboardInterrupt
        if fault.way in {"refused", "expired"}:
            raise refused("AccessDeniedException" if fault.way == "refused" else "ExpiredTokenException", operation)
        address = "https://aws.example"
        raise (ReadTimeoutError if fault.way == "lost" else EndpointConnectionError)(endpoint_url=address)

    def is_over(self) -> None:
        """Let the process that the record has as moving be over, as a killed one is."""
        self.dead, self.fault = False, None
        over = Process.this().model_copy(update={"started": 1.0, "thread": 1})
        self.change_record(
            lambda record: (
                record.but(moving=record.moving.model_copy(update={"process": over})) if record.moving else record
            )
        )

    # What Terraform does, which is not counted.

    def publish(self, **qualities: Quality) -> None:
        """Apply natively: publish versions of these functions, then point every `live` where its parameter says."""
        self.publish_alone(**qualities)
        for name, function in self.functions.items():
            self.parameters.setdefault(f"/{name}/live", self.newest(name) if self.gated else LATEST)
            goal = self.goal(name)
            if function.alias != goal:
                function.alias, function.revision = goal, function.revision + 1
        self.write_state()

    def publish_alone(self, **qualities: Quality) -> None:
        """Apply, and be cut off when the versions are published: the state has them, and `live` as it was."""
        aliased = {name: function.alias for name, function in self.functions.items()}
        for name, quality in qualities.items():
            function = self.functions.setdefault(name, FakeFunction())
            function.published += 1
            function.versions[str(function.published)] = quality
            if function.uploaded:
                function.foreign[str(function.published)] = function.uploaded
        self.write_state(aliased)

    def leave(self, name: str) -> None:
        """Apply after a function was taken out of the root."""
        del self.functions[name], self.parameters[f"/{name}/live"]
        self.write_state()

    def code(self, name: str, version: str) -> str:
        """The hash that Lambda has of a version's code, which is another one for every version that we made."""
        return self.functions[name].foreign.get(version, f"code-{name}-{version}")

    def built(self) -> dict[str, set[str]]:
        """What was built of each version that was published, and of the next one."""
        return {
            f"{name}.zip": {f"code-{name}-{number}" for number in range(1, function.published + 2)} | self.built_as_well
            for name, function in self.functions.items()
        }

    def newest(self, name: str) -> str:
        return str(self.functions[name].published)

    def goal(self, name: str) -> str:
        """Return where an apply would have `live` (modules/lambda_function)."""
        pin = self.parameters.get(f"/{name}/live", self.newest(name) if self.gated else LATEST)
        return self.newest(name) if pin == LATEST else pin

    def write_state(self, aliased: Mapping[str, str | None] | None = None) -> None:
        resources = []
        for name, function in self.functions.items():
            version = self.newest(name)
            alias = aliased.get(name, function.alias) if aliased is not None else function.alias
            content = {} if self.images else {"source_code_hash": f"content-{name}-{version}"}
            code = {"function_name": name, "version": version, "code_sha256": self.code(name, version), **content}
            resources.append(resource("aws_lambda_function", name, code))
            resources.append(resource("aws_ssm_parameter", name, {"name": f"/{name}/live"}))
            if alias or aliased is None:
                values = {"function_name": name, "name": "live", "function_version": alias}
                resources.append(resource("aws_lambda_alias", name, values))
        resources += [resource("aws_cloudwatch_metric_alarm", name, {"alarm_name": name}) for name in self.alarms]
        resources.append(resource("aws_dynamodb_table", "orders", {"name": "orders"}))
        outputs = {
            "release": {"value": "gated" if self.gated else "direct"},
            "functions": {"value": list(self.functions)},
        }
        state = {"version": 4, "serial": 1, "lineage": "l", "resources": resources, "outputs": outputs}
        self.objects[f"{ROOT}.{STATE}"] = json.dumps(state).encode()

    @property
    def live(self) -> dict[str, str]:
        return {name: str(function.alias) for name, function in self.functions.items()}

    @property
    def weighted(self) -> bool:
        return any(function.weights for function in self.functions.values())

    def next_apply_moves(self) -> dict[str, tuple[str, str]]:
        """Return the functions whose `live` the next apply would move, with the versions that it moves from and to."""
        return {name: (version, self.goal(name)) for name, version in self.live.items() if version != self.goal(name)}

    def by_hand(self, name: str, *, version: str | None = None, pin: str | None = None) -> None:
        """Move `live` or write its parameter as somebody with the command line of AWS does."""
        function = self.functions[name]
        if version:
            function.alias, function.revision = version, function.revision + 1
        if pin:
            self.parameters[f"/{name}/live"] = pin


def resource(kind: str, name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    tags = {"tags_all": {"environment": "dev", "app": "shop"}}
    return {"mode": "managed", "type": kind, "name": name, "instances": [{"attributes": {**attributes, **tags}}]}


class Client:
    """A client of one service of the account, whose operations are the functions below."""

    def __init__(self, cloud: Cloud, service: str) -> None:
        self.cloud = cloud
        self.service = service
        self.hooks: list[Callable[..., None]] = []
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda _, hook: self.hooks.append(hook)))

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **request: iter([getattr(self, operation)(**request)]))

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        effect = OPERATIONS[self.service, operation]

        def call(**request: Any) -> Any:
            response = self.cloud.call(f"{self.service}:{operation}", partial(effect, self.cloud, **request))
            for hook in self.hooks:
                hook(response_dict={})
            return response

        return call


def function_of(cloud: Cloud, name: str) -> FakeFunction:
    if name not in cloud.functions:
        raise refused("ResourceNotFoundException", "Lambda")
    return cloud.functions[name]


def get_alias(cloud: Cloud, *, FunctionName: str, Name: str) -> dict[str, Any]:  # noqa: N803 # AWS's names
    function = function_of(cloud, FunctionName)
    if function.alias is None:
        raise refused("ResourceNotFoundException", "GetAlias")
    return {
        "Name": Name,
        "FunctionVersion": function.alias,
        "RevisionId": f"r{function.revision}",
        **({"RoutingConfig": {"AdditionalVersionWeights": dict(function.weights)}} if function.weights else {}),
    }


def update_alias(  # noqa: PLR0913 # what it takes
    cloud: Cloud,
    *,
    FunctionName: str,  # noqa: N803
    Name: str,  # noqa: N803
    FunctionVersion: str,  # noqa: N803
    RoutingConfig: Mapping[str, Any],  # noqa: N803
    RevisionId: str | None = None,  # noqa: N803
) -> dict[str, Any]:
    function = function_of(cloud, FunctionName)
    weights = dict(RoutingConfig["AdditionalVersionWeights"])
    if function.alias is None or not {FunctionVersion, *weights} <= function.versions.keys():
        raise refused("ResourceNotFoundException", "UpdateAlias")
    if RevisionId not in {None, f"r{function.revision}"}:
        raise refused("PreconditionFailedException", "UpdateAlias")
    if FunctionVersion in weights or not all(0 < share < 1 for share in weights.values()):
        raise refused("InvalidParameterValueException", "UpdateAlias")
    function.alias, function.weights, function.revision = FunctionVersion, weights, function.revision + 1
    return get_alias(cloud, FunctionName=FunctionName, Name=Name)


def version_of(cloud: Cloud, name: str, version: str) -> dict[str, Any]:
    return {
        "FunctionName": name,
        "Version": version,
        "CodeSha256": cloud.code(name, version),
        "Description": "" if cloud.images else f"A function. content_sha256=content-{name}-{version}",
        "LastModified": "2026-01-31T09:15:02.000+0000",
    }


def get_function_configuration(
    cloud: Cloud,
    *,
    FunctionName: str,  # noqa: N803
    Qualifier: str | None = None,  # noqa: N803
) -> dict[str, Any]:
    function = function_of(cloud, FunctionName)
    if Qualifier is None:
        newest = version_of(cloud, FunctionName, cloud.newest(FunctionName))
        return newest | {"Version": "$LATEST", "CodeSha256": function.uploaded or newest["CodeSha256"]}
    if Qualifier not in function.versions:
        raise refused("ResourceNotFoundException", "GetFunctionConfiguration")
    return version_of(cloud, FunctionName, Qualifier)


def list_versions_by_function(cloud: Cloud, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
    function = function_of(cloud, FunctionName)
    versions = [version_of(cloud, FunctionName, version) for version in function.versions]
    return {"Versions": [{"Version": "$LATEST"}, *versions]}


def delete_function(cloud: Cloud, *, FunctionName: str, Qualifier: str) -> dict[str, Any]:  # noqa: N803
    function = function_of(cloud, FunctionName)
    if Qualifier in {function.alias, *function.weights}:
        raise refused("ResourceConflictException", "DeleteFunction")
    del function.versions[Qualifier]
    return {}


def list_event_source_mappings(cloud: Cloud, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
    name, _, qualifier = FunctionName.partition(":")
    assert qualifier == "live"
    mapping = {"EventSourceArn": f"arn:aws:sqs:us-east-1:111111111111:{name}"}
    return {"EventSourceMappings": [mapping] if function_of(cloud, name).batches else []}


def invoke(cloud: Cloud, *, FunctionName: str, Qualifier: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
    function = function_of(cloud, FunctionName)
    version = function.alias if Qualifier == "live" else Qualifier
    if version not in function.versions:
        raise refused("ResourceNotFoundException", "Invoke")
    quality = function.versions[version]
    fails = quality == "broken" or (quality == "broken once live" and Qualifier == "live")
    return {
        "Payload": io.BytesIO(json.dumps({"errorMessage": "it raised"} if fails else {"version": version}).encode()),
        **({"FunctionError": "Unhandled"} if fails else {}),
    }


def get_parameter(cloud: Cloud, *, Name: str) -> dict[str, Any]:  # noqa: N803
    if Name not in cloud.parameters:
        raise refused("ParameterNotFound", "GetParameter")
    return {"Parameter": {"Name": Name, "Value": cloud.parameters[Name]}}


def put_parameter(cloud: Cloud, *, Name: str, Value: str, **_: object) -> dict[str, Any]:  # noqa: N803
    assert Value == LATEST or int(Value) > 0
    cloud.parameters[Name] = Value
    return {}


def describe_alarms(cloud: Cloud, *, AlarmNames: Sequence[str], **_: object) -> dict[str, Any]:  # noqa: N803
    # Without a name it would return all alarms of the account.
    assert 1 <= len(AlarmNames) <= 100
    found = [{"AlarmName": name, "StateValue": cloud.alarms[name]} for name in AlarmNames if name in cloud.alarms]
    return {"MetricAlarms": found}


def get_metric_statistics(cloud: Cloud, *, Dimensions: Sequence[Mapping[str, str]], **_: object) -> dict[str, Any]:  # noqa: N803
    named = {one["Name"]: one["Value"] for one in Dimensions}
    assert named["Resource"] == f"{named['FunctionName']}:live"
    count = cloud.errors.get((named["FunctionName"], named["ExecutedVersion"]), 0.0)
    return {"Datapoints": [{"Sum": count}] if count else []}


def get_caller_identity(_: Cloud) -> dict[str, Any]:
    return {"Arn": "arn:aws:sts::111111111111:assumed-role/operators/somebody"}


def get_object(cloud: Cloud, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
    assert Bucket == BUCKET
    if Key not in cloud.objects:
        raise refused("NoSuchKey", "GetObject")
    content = cloud.objects[Key]
    return {"Body": io.BytesIO(content), "ETag": tag_of(content)}


def put_object(  # noqa: PLR0913 # what it takes
    cloud: Cloud,
    *,
    Bucket: str,  # noqa: N803
    Key: str,  # noqa: N803
    Body: bytes,  # noqa: N803
    IfMatch: str | None = None,  # noqa: N803
    IfNoneMatch: str | None = None,  # noqa: N803
    **_: object,
) -> dict[str, Any]:
    assert Bucket == BUCKET
    assert (IfMatch is None) != (IfNoneMatch is None)
    there = cloud.objects.get(Key)
    if there is not None if IfNoneMatch else there is None or tag_of(there) != IfMatch:
        raise refused("PreconditionFailed", "PutObject")
    cloud.objects[Key] = Body
    return {"ETag": tag_of(Body)}


def tag_of(content: bytes) -> str:
    return str(hash(content))


OPERATIONS: dict[tuple[str, str], Callable[..., Any]] = {
    (service, operation.__name__): operation
    for service, operations in {
        "lambda": (
            *(get_alias, update_alias, get_function_configuration, invoke, delete_function),
            *(list_versions_by_function, list_event_source_mappings),
        ),
        "ssm": (get_parameter, put_parameter),
        "cloudwatch": (describe_alarms, get_metric_statistics),
        "sts": (get_caller_identity,),
        "s3": (get_object, put_object),
    }.items()
    for operation in operations
}

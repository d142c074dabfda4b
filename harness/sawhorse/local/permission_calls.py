"""Say what AWS asks IAM about a call: its operation's own action, on the ARN that the request names, and what else.

Imported by the emulator's own process, so it needs the standard library alone. `permission_rules` has the tables.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sawhorse.local import permission_rules as rules

S3 = "arn:aws:s3:::"
ROLE = re.compile("arn:aws[a-z-]*:iam::[0-9]{12}:role/.+")
HANDS_OVER_A_ROLE = re.compile("role|credentials", re.IGNORECASE)
# What the request hands to a function or keeps as data is no parameter of the call.
OPAQUE = frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream", "Publish", "PublishBatch"})
DATA = frozenset({"Environment", "Tags", "tags", "variables", "stageVariables"})


class Check(NamedTuple):
    """One question to IAM, with the values of its condition keys, and what a service says instead of IAM's own no."""

    action: str
    resource: str
    context: Mapping[str, Any]
    message: str = ""


class Call(NamedTuple):
    """A call as IAM sees it: its service and operation, what it was given, and where."""

    service: str
    operation: str
    given: Mapping[str, Any]
    region: str
    account: str

    def get(self, path: str) -> Any:
        found: Any = self.given
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    @property
    def checks(self) -> list[Check]:
        """What IAM is asked, the call's own action first."""
        renamed = rules.ACTIONS.get(self.service)
        action = renamed.get(self.operation, self.operation) if renamed else self.operation
        own = [Check(f"{self.service}:{action}", resource, self.context) for resource in resources_of(self)]
        return [*own, *asked_with(self, own[0].resource)]

    @property
    def context(self) -> dict[str, Any]:
        return {key: value for key, value in conditions_of(self).items() if value not in (None, "", [])}


# --- what a request says ------------------------------------------------------------------------------------------


def given_by(query: Mapping[str, Any], body: bytes, labels: Mapping[str, str]) -> dict[str, Any]:
    """Put the parameters of a request together, from its body, its query and its path."""
    try:
        found = json.loads(body) if body[:1] == b"{" else {}
    except ValueError:
        found = {}
    first = {name: value[0] if isinstance(value, list) and value else value for name, value in query.items()}
    return {**first, **(found if isinstance(found, dict) else {}), **labels}


class Route(NamedTuple):
    """An operation of a service that has its operations in methods and paths."""

    operation: str
    method: str
    pattern: re.Pattern[str]
    labels: tuple[str, ...]
    required: tuple[tuple[str, str], ...]
    weight: tuple[int, int]


def routes_of(model: Mapping[str, Any]) -> Iterator[Route]:
    """Read the routes of a service's model, as botocore has them."""
    for name, operation in model.get("operations", {}).items():
        path, _, query = operation["http"]["requestUri"].partition("?")
        required = tuple((key, value) for key, _, value in (part.partition("=") for part in query.split("&")) if key)
        labels = tuple(label.rstrip("+") for label in re.findall(r"{([^}]+)}", path))
        parts = re.split(r"({[^}]+})", path.rstrip("/"))
        strict = "".join("([^/]+)" if part.startswith("{") else re.escape(part) for part in parts)
        # The path comes decoded, so that an ARN in it may have slashes; literal parts decide between routes.
        weight = (sum(len(part) for part in parts if not part.startswith("{")), len(required))
        pattern = strict.replace("([^/]+)", "(.+)") if labels and len(labels) == 1 and parts[-1] == "" else strict
        yield Route(name, operation["http"]["method"], re.compile(f"{pattern}/?"), labels, required, weight)


def route_of(routes: list[Route], method: str, path: str, query: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the operation that a request is, and the labels of its path; nothing of both for none."""
    best: tuple[Route, re.Match[str]] | None = None
    for route in routes:
        found = route.pattern.fullmatch(path) if route.method == method else None
        fits = found and all(key in query and value in ("", first_of(query[key])) for key, value in route.required)
        if found and fits and (best is None or route.weight > best[0].weight):
            best = route, found
    return (best[0].operation, dict(zip(best[0].labels, best[1].groups(), strict=True))) if best else ("", {})


def first_of(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


# --- which resource -----------------------------------------------------------------------------------------------


def resources_of(call: Call) -> list[str]:
    """Return the ARNs that a request names, `*` where it names none or IAM grants its action for all alone."""
    if call.operation in rules.FOR_ALL.get(call.service, ()):
        return ["*"]
    for path, form in rules.NAMES[call.service]:
        value = call.get(path)
        named = texts(list(value) if isinstance(value, dict) else value)
        if named:
            return [arn_of(call, one, form) for one in named]
    return ["*"]


def texts(value: Any) -> list[str]:
    """Return a text, or the texts of a list, without what is empty or none."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str) and one]


def arn_of(call: Call, value: str, form: str) -> str:
    place = {"region": call.region, "account": call.account}
    special = SPECIAL.get(call.service)
    if special:
        found = special(call, value, form, place)
        if found:
            return found
    return value if value.startswith("arn:") else form.format(value=value, **place)


def arn_for_dynamodb(call: Call, value: str, form: str, place: dict[str, str]) -> str:
    """Return the ARN of a table, or of its index when the request reads one."""
    arn = value if value.startswith("arn:") else form.format(value=value, **place)
    index = call.get("IndexName")
    return f"{arn}/index/{index}" if isinstance(index, str) and index and "/index/" not in arn else arn


def arn_for_iam(call: Call, value: str, form: str, place: dict[str, str]) -> str:
    """Return the ARN of what is there, which has its path, or the one that the request is about to make."""
    if value.startswith("arn:"):
        return value
    path = call.get("Path") or "/"
    if form not in ENTITIES:
        host = value.split("://", 1)[-1].rstrip("/")
        return form.format(value=value, path=path, host=host, **place)
    known = entity_of(form, value)
    return str(known.get("Arn") or f"arn:aws:iam::{call.account}:{form}{path}{value}")


def arn_for_lambda(call: Call, value: str, form: str, place: dict[str, str]) -> str:
    """Return a function's ARN with the version or alias that the request names, and a layer's with its version."""
    if ":function:" in form:
        before, found, name = value.rpartition("function:")
        account = re.search("(?:^|:)([0-9]{12}):$", before)
        place = {**place, "account": account[1]} if found and account else place
        arn = value if value.startswith("arn:") else form.format(value=name, **place)
        qualifier = call.get("Qualifier")
        plain = arn.count(":") == FUNCTION_COLONS
        return f"{arn}:{qualifier}" if isinstance(qualifier, str) and qualifier and plain else arn
    if ":layer:" in form:
        arn = value if value.startswith("arn:") else form.format(value=value, **place)
        version = call.get("VersionNumber")
        return f"{arn}:{version}" if version else arn
    return ""


def arn_for_logs(call: Call, value: str, form: str, place: dict[str, str]) -> str:
    stream = call.get("logStreamName") or ""
    if value.startswith("arn:"):
        group = value.removesuffix(":*")
        return value if form == rules.ARN else f"{group}:log-stream:{stream}"
    return form.format(value=value, stream=stream, **place)


def arn_for_sqs(call: Call, value: str, form: str, _place: dict[str, str]) -> str:
    """Return the ARN of a queue by its URL, which says whose it is."""
    if "/" not in value:
        return ""
    before, _, name = urlsplit(value).path.strip("/").rpartition("/")
    return form.format(value=name, region=call.region, account=before.rpartition("/")[2] or call.account)


def arn_for_ssm(call: Call, value: str, form: str, place: dict[str, str]) -> str:
    """Return the ARN of a parameter, without the version or label that may stand behind its name."""
    if value.startswith("arn:"):
        return value
    kind = str(call.get("ResourceType") or "Parameter").lower()
    name = value.lstrip("/")
    reads = call.operation in {"GetParameter", "GetParameters"}
    return form.format(value=name.partition(":")[0] if reads else name, kind=kind, **place)


FUNCTION_COLONS = 6
ENTITIES = {"instance-profile": "_instance_profiles", "role": "_roles", "group": "_groups", "user": "_users"}
SPECIAL = {
    "dynamodb": arn_for_dynamodb,
    "iam": arn_for_iam,
    "lambda": arn_for_lambda,
    "logs": arn_for_logs,
    "sqs": arn_for_sqs,
    "ssm": arn_for_ssm,
}


def entity_of(kind: str, name: Any) -> Mapping[str, Any]:
    """Return what IAM keeps of a role, user, group or instance profile of the caller's account."""
    from ministack.services import iam

    found: Mapping[str, Any] | None = getattr(iam, ENTITIES[kind]).get(name) if isinstance(name, str) else None
    return found or {}


# --- on which conditions ------------------------------------------------------------------------------------------


def conditions_of(call: Call) -> dict[str, Any]:
    """Return the values of the condition keys that a service adds, None for those that the request has not."""
    if call.service == "iam":
        return {
            "iam:PolicyARN": call.get("PolicyArn"),
            "iam:PermissionsBoundary": boundary_of(call),
            "iam:AWSServiceName": call.get("AWSServiceName"),
        }
    if call.service == "lambda":
        return {
            "lambda:FunctionArn": function_of(call),
            "lambda:FunctionUrlAuthType": call.get("FunctionUrlAuthType") or call.get("AuthType"),
            "lambda:Layer": call.get("Layers"),
            "lambda:Principal": call.get("Principal"),
        }
    if call.service == "sns":
        return {"sns:Protocol": call.get("Protocol"), "sns:Endpoint": call.get("Endpoint")}
    return {}


def boundary_of(call: Call) -> Any:
    """Return the permissions boundary that a role or user is to have, or that the one which is there has.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    asked = call.get("PermissionsBoundary")
    if asked or call.operation.startswith("Create"):
        # What is to be made has none besides, though there be another one of its name.
        return asked
    kind, name = ("role", call.get("RoleName")) if call.get("RoleName") else ("user", call.get("UserName"))
    return entity_of(kind, name).get("PermissionsBoundary")


def function_of(call: Call) -> str | None:
    """Return the ARN of the function that an event source mapping or a function URL belongs to."""
    name, mapping = call.get("FunctionName"), call.get("UUID")
    if isinstance(name, str) and name:
        return arn_for_lambda(call, name, dict(rules.NAMES["lambda"])["FunctionName"], place_of(call))
    if not isinstance(mapping, str):
        return None
    from ministack.services import lambda_svc

    return (lambda_svc._esms.get(mapping) or {}).get("FunctionArn")


def tags_of_the_whole(resource: str) -> dict[str, str]:
    """Return the tags of the function of a version or alias, and of the log group of a stream, as condition keys."""
    function = re.fullmatch("(arn:[^:]+:lambda:[^:]*:[^:]*:function:[^:]+):.+", resource)
    group = re.fullmatch("(arn:[^:]+:logs:[^:]*:[^:]*:log-group:[^:]+):log-stream:.*", resource)
    tags: Mapping[str, str] = {}
    if function:
        from ministack.services import tagging

        tags = tagging.resource_tags(function[1]) or {}
    if group:
        from ministack.services import cloudwatch_logs

        tags = (cloudwatch_logs.resolve_tag_resource(group[1]) or {}).get("tags") or {}
    return {f"aws:ResourceTag/{name}": value for name, value in tags.items()}


def place_of(call: Call) -> dict[str, str]:
    return {"region": call.region, "account": call.account}


# --- what else is asked -------------------------------------------------------------------------------------------


def asked_with(call: Call, resource: str) -> Iterator[Check]:
    """Say what a service asks besides the operation's own action, with the caller's identity."""
    yield from tagging(call, resource)
    for role in roles_in(call):
        yield Check("iam:PassRole", role, {"iam:PassedToService": rules.PASSED_TO[call.service]})
    if call.service == "iam" and call.operation == "AddRoleToInstanceProfile":
        role = arn_for_iam(call, str(call.get("RoleName")), "role", place_of(call))
        yield Check("iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"})
    if call.service == "lambda":
        yield from asked_by_lambda(call)


def tagging(call: Call, resource: str) -> Iterator[Check]:
    """Ask for the tags of what is made, as for tags that are put on later."""
    made = call.get("Tags") or call.get("tags") or any(name.startswith(("Tags.", "Tag.")) for name in call.given)
    action = rules.TAGGING_OF_IAM.get(call.operation) if call.service == "iam" else rules.TAGGING.get(call.service)
    is_tagging = re.match("Tag|Untag|AddTags|RemoveTags", call.operation)
    if call.operation == "CreateEventSourceMapping":
        # Lambda makes its id up, and asks for it all the same.
        resource = f"arn:aws:lambda:{call.region}:{call.account}:event-source-mapping:*"
    if made and action and not is_tagging:
        yield Check(f"{call.service}:{action}", resource, call.context)


def roles_in(call: Call) -> list[str]:
    """Find the roles that a request hands over to a service that acts as them."""
    if call.service not in rules.PASSED_TO or call.operation in OPAQUE:
        return []
    return list(dict.fromkeys(role for name, role in texts_of(call.given) if hands_over(call, name, role)))


def hands_over(call: Call, name: str, value: str) -> bool:
    return bool(ROLE.fullmatch(value)) and (call.service == "sns" or bool(HANDS_OVER_A_ROLE.search(name)))


def texts_of(given: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text in a request with the name of the member that holds it, of a patch with the name it patches."""
    if isinstance(given, str):
        yield name, given
    elif isinstance(given, list):
        for one in given:
            yield from texts_of(one, name)
    elif isinstance(given, Mapping):
        patched = str(given["path"]).split("/") if {"op", "path", "value"} <= given.keys() else []
        for key, value in given.items() if DATA.isdisjoint(patched) else ():
            if key not in DATA:
                yield from texts_of(value, patched[-1] if patched and key == "value" else str(key))


def asked_by_lambda(call: Call) -> Iterator[Check]:
    """Ask for the layers of a function, the object that holds its code, and the configuration that signs it.

    https://docs.aws.amazon.com/lambda/latest/dg/permissions-user-function.html
    """
    if call.operation in {"CreateFunction", "UpdateFunctionConfiguration"}:
        for layer in texts(call.get("Layers")):
            yield Check("lambda:GetLayerVersion", layer, {})
    signing = call.get("CodeSigningConfigArn")
    if call.operation in {"PutFunctionCodeSigningConfig", "UpdateFunctionCodeSigningConfig"} and signing:
        yield Check(f"lambda:{call.operation}", str(signing), call.context)
    code = next((found for found in map(call.get, ("Code", "Content")) if isinstance(found, Mapping)), call.given)
    bucket, key = code.get("S3Bucket"), code.get("S3Key")
    if isinstance(bucket, str) and isinstance(key, str) and bucket and key:
        action = "GetObjectVersion" if code.get("S3ObjectVersion") else "GetObject"
        sentence = (
            "Your access has been denied by S3, please make sure your request credentials have permission to "
            f"{action} for {bucket}/{key}. S3 Error Code: AccessDenied. S3 Error Message: Access Denied"
        )
        yield Check(f"s3:{action}", f"{S3}{bucket}/{key}", {}, sentence)


def asked_with_an_object(
    action: str, resource: str, headers: Mapping[str, str], buckets: Mapping[str, Mapping[str, Any]]
) -> Iterator[Check]:
    """Ask what goes with an object that is read or stored: `buckets` has the objects of each bucket by their keys.

    Who may not list a bucket is not told that an object is not there
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html), and an upload brings tags and an access
    control list (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
    """
    bucket, _, key = resource.removeprefix(S3).partition("/")
    if action == "s3:GetObject" and bucket in buckets and key not in buckets[bucket]["objects"]:
        yield Check("s3:ListBucket", f"{S3}{bucket}", {})
    if action == "s3:PutObject" and headers.get("x-amz-tagging"):
        yield Check("s3:PutObjectTagging", resource, {})
    if action == "s3:PutObject" and any(name == "x-amz-acl" or name.startswith("x-amz-grant-") for name in headers):
        yield Check("s3:PutObjectAcl", resource, {})

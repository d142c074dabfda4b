"""Read what an app says of its package in `lambda/<app>/package.toml`."""

from __future__ import annotations

import hashlib
import sys
import tomllib
from dataclasses import dataclass, field
from keyword import iskeyword
from pathlib import Path
from typing import Any

from sawhorse.build.handler_check import FUNCTION_NAME, check_words
from sawhorse.build.packed_names import SHARED, is_packaged
from sawhorse.build.reason_comments import words_without_reason
from sawhorse.errors import BadConfiguration
from sawhorse.project import Project, unknown_app

RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
# Runtimes that AWS provider 5 does not list, each with the release that first does. Nothing here runs them, so their
# packages are made only where their interpreter can look at them
# (https://github.com/hashicorp/terraform-provider-aws/pull/45024).
LISTED_SINCE = {"python3.14": "6.21"}
ARCHITECTURES = ("x86_64", "arm64")
# What Lambda's Python runtimes bring along, by distribution, and what each is imported as
# (https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html#python-sdk-included).
IN_RUNTIME = {
    "boto3": "boto3",
    "botocore": "botocore",
    "jmespath": "jmespath",
    "python-dateutil": "dateutil",
    "s3transfer": "s3transfer",
    "six": "six",
    "urllib3": "urllib3",
}
# How a zip gets to Lambda: in the call that makes or changes a function, or from a bucket.
UPLOADS = ("direct", "s3")
KEYS = {
    "architecture", "aws_services", "commands", "expected", "functions", "layer", "provided", "prune", "root_files",
    "runtime", "upload",
}  # fmt: skip


@dataclass(frozen=True)
class PackageConfig:
    """One package: the functions that run from it, and what they run on."""

    app: str
    runtime: str
    # The minor version of that, such as `3.13`.
    python: str
    architecture: str
    handlers: dict[str, str]
    # Files of the app's directory that lie at the top of the package: what a layer starts, and no module.
    root_files: tuple[str, ...] = ()
    # Distributions that the package leaves out because Lambda has them.
    provided: tuple[str, ...] = ()
    # Modules that a layer of somebody else's or the runtime brings, so that their absence is no fault of the package.
    expected: tuple[str, ...] = ()
    # Patterns of dependencies' files that the package leaves out, in place of the usual ones.
    prune: tuple[str, ...] | None = None
    # The AWS services that a botocore in the package describes; None keeps all of them.
    aws_services: tuple[str, ...] | None = None
    # Whether the dependencies lie in a layer of their own.
    layer: bool = False
    # Whether the package keeps the commands of its dependencies, in `bin/`.
    commands: bool = False
    # How the zips get to Lambda; None leaves it to the size of each.
    upload: str | None = None
    # SHA-256 of the package.toml that says all this.
    digest: bytes = field(default=b"", compare=False)


def read_config(project: Project, app: str) -> PackageConfig:
    """Read and check an app's package.toml. Raises BadConfiguration, and UnknownName for an app that is not there."""
    if app not in project.apps:
        raise unknown_app(app, project.apps)
    path = project.lambda_path / app / "package.toml"
    shown = path.relative_to(project.path)
    try:
        written = path.read_bytes()
        content = tomllib.loads(written.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{shown} is not valid TOML ({error}); correct that line.") from error
    unknown = sorted(set(content) - KEYS)
    if unknown:
        raise BadConfiguration(f"{shown} has {unknown[0]}, which nothing reads; remove it.")
    root_files = root_files_of(content, path.parent, shown)
    provided = names_in(content, "provided", shown, example="boto3") or ()
    absent = [name for name in provided if name not in IN_RUNTIME]
    if absent:
        raise BadConfiguration(
            f"{shown}: Lambda has no {absent[0]} that could be provided; it has {', '.join(IN_RUNTIME)}."
        )
    services = names_in(content, "aws_services", shown, example="dynamodb")
    if services is not None and "botocore" in provided:
        raise BadConfiguration(
            f"{shown}: botocore is provided, so aws_services decides nothing; remove one of the two."
        )
    layer = switch(content, "layer", shown)
    functions = content.get("functions")
    programs = [f for f in (functions.values() if isinstance(functions, dict) else []) if is_program(f, root_files)]
    if layer and programs:
        raise BadConfiguration(f"{shown}: a handler that is a program finds no layer's modules; leave layer out.")
    if not isinstance(functions, dict) or not functions:
        raise BadConfiguration(f'{shown} names no function; add [functions.api] with handler = "{app}.main.handler".')
    unfit = next((name for name in functions if not FUNCTION_NAME.fullmatch(name)), None)
    if unfit is not None:
        raise BadConfiguration(
            f"{shown}: functions has {unfit!r}, and a function's name has 1 to 64 letters, digits, - and _; rename it."
        )
    runtime = choice(content, "runtime", RUNTIMES, "python3.13", shown)
    return PackageConfig(
        app=app,
        runtime=runtime,
        python=runtime.removeprefix("python"),
        architecture=choice(content, "architecture", ARCHITECTURES, "x86_64", shown),
        handlers={
            name: handler_of(project, function, f"{shown}: functions.{name}", root_files=root_files, app=app)
            for name, function in functions.items()
        },
        root_files=root_files,
        provided=provided,
        expected=expected_of(content, written.decode(), shown),
        prune=names_in(content, "prune", shown, example="*.pyi"),
        aws_services=services,
        layer=layer,
        commands=switch(content, "commands", shown),
        upload=choice(content, "upload", UPLOADS, "", shown) if "upload" in content else None,
        digest=hashlib.sha256(written).digest(),
    )


def expected_of(content: dict[str, Any], written: str, shown: Path) -> tuple[str, ...]:
    """Check that the modules that are expected to be there can be modules, and have reasons."""
    names = names_in(content, "expected", shown, example="numpy") or ()
    for name in names:
        # What the package has some of can lack a part.
        parts = name.split(".") if name.partition(".")[0] in {shown.parent.name, SHARED} else [name]
        if any(not part.isidentifier() or iskeyword(part) for part in parts):
            raise BadConfiguration(
                f"{shown}: expected has {name!r}, which no module at the top can be called; name what stands after "
                f"import, up to the first dot (and whole where it begins with {shown.parent.name} or {SHARED})."
            )
        if name in sys.stdlib_module_names:
            raise BadConfiguration(
                f"{shown}: expected has {name}, which is in Python's standard library; remove it there."
            )
    for number in words_without_reason(written, "expected"):
        raise BadConfiguration(
            f"{shown}: expected has {names[number]} without a reason; say in a comment on its line, or above it, what "
            "brings it."
        )
    return names


def is_program(function: Any, root_files: tuple[str, ...]) -> bool:
    return isinstance(function, dict) and function.get("handler") in root_files


def names_in(content: dict[str, Any], key: str, shown: Path, *, example: str) -> tuple[str, ...] | None:
    """Read a list of words; None when the key is not there."""
    words = content.get(key)
    if words is None:
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise BadConfiguration(f'{shown}: {key} must be a list of words, such as ["{example}"].')
    return tuple(words)


def switch(content: dict[str, Any], key: str, shown: Path) -> bool:
    """Read what is true or false, false where it is not there."""
    value = content.get(key, False)
    if not isinstance(value, bool):
        raise BadConfiguration(f"{shown}: {key} is {value!r}; say true or false.")
    return value


def choice(content: dict[str, Any], key: str, choices: tuple[str, ...], default: str, shown: Path) -> str:
    value = content.get(key, default)
    if value not in choices:
        raise BadConfiguration(f"{shown}: {key} is {value!r}; choose one of {', '.join(choices)}.")
    return str(value)


def root_files_of(content: dict[str, Any], directory: Path, shown: Path) -> tuple[str, ...]:
    """Check that the files for the top of the package are there."""
    names = names_in(content, "root_files", shown, example="run.sh") or ()
    for name in names:
        if Path(name).name != name or not (directory / name).is_file():
            raise BadConfiguration(f"{shown}: root_files has {name!r}, which is no file beside it; correct the name.")
        if not is_packaged(name, at_top=True):
            raise BadConfiguration(f"{shown}: root_files has {name!r}, which no package takes; remove or rename it.")
    return names


def handler_of(project: Project, function: Any, where: str, *, root_files: tuple[str, ...], app: str) -> str:
    """Check that a handler can be a function's, or is a root file that can be executed.

    Whether the package has it is for `harness/sawhorse/build/handler_check.py` to say, which knows its files.
    """
    handler = function.get("handler") if isinstance(function, dict) else None
    others = sorted(set(function) - {"handler"}) if isinstance(function, dict) else []
    if others:
        raise BadConfiguration(f"{where} has {others[0]}, which nothing reads; remove it.")
    if not isinstance(handler, str) or "." not in handler:
        raise BadConfiguration(f'{where} needs a handler such as "app.main.handler".')
    check_words(handler, where, root_files=root_files, app=app)
    if handler in root_files:
        script = project.lambda_path / app / handler
        if not script.stat().st_mode & 0o100:
            shown = script.relative_to(project.path)
            raise BadConfiguration(f"{where}: {shown} cannot be executed; run chmod +x {shown}.")
    return handler

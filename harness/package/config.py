"""Read what an app says of its package in `lambda/<app>/package.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import BadConfiguration
from harness.layout import Project

RUNTIMES = ("python3.11", "python3.12", "python3.13")
ARCHITECTURES = ("x86_64", "arm64")


@dataclass(frozen=True)
class PackageConfig:
    """One package: the functions that run from it, and what they run on."""

    app: str
    runtime: str
    architecture: str
    handlers: dict[str, str]
    # Files of the app's directory that lie at the top of the package: what a layer starts, and no module.
    root_files: tuple[str, ...] = ()

    @property
    def python(self) -> str:
        """The minor version of the runtime, such as `3.13`."""
        return self.runtime.removeprefix("python")


def read_config(project: Project, app: str) -> PackageConfig:
    """Read and check an app's package.toml."""
    path = project.lambda_path / project.app(app) / "package.toml"
    shown = path.relative_to(project.path)
    try:
        content = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{shown} is no TOML ({error}); mend that line.") from error
    unknown = sorted(set(content) - {"runtime", "architecture", "functions", "root_files"})
    if unknown:
        raise BadConfiguration(f"{shown} has {unknown[0]}, which nothing reads; remove it.")
    root_files = root_files_of(content, path.parent, shown)
    functions = content.get("functions")
    if not isinstance(functions, dict) or not functions:
        raise BadConfiguration(f'{shown} names no function; add [functions.api] with handler = "{app}.main.handler".')
    return PackageConfig(
        app=app,
        runtime=choice(content, "runtime", RUNTIMES, "python3.13", shown),
        architecture=choice(content, "architecture", ARCHITECTURES, "x86_64", shown),
        handlers={
            name: handler_of(project, function, f"{shown}: functions.{name}", root_files=root_files, app=app)
            for name, function in functions.items()
        },
        root_files=root_files,
    )


def choice(content: dict[str, Any], key: str, choices: tuple[str, ...], default: str, shown: Path) -> str:
    value = content.get(key, default)
    if value not in choices:
        raise BadConfiguration(f"{shown}: {key} is {value!r}; choose one of {', '.join(choices)}.")
    return str(value)


def root_files_of(content: dict[str, Any], directory: Path, shown: Path) -> tuple[str, ...]:
    """Check that the files for the top of the package are there."""
    names = content.get("root_files", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadConfiguration(f'{shown}: root_files must be a list of files beside it, such as ["run.sh"].')
    for name in names:
        if Path(name).name != name or not (directory / name).is_file():
            raise BadConfiguration(f"{shown}: root_files has {name!r}, which is no file beside it; correct the name.")
    return tuple(names)


def handler_of(project: Project, function: Any, where: str, *, root_files: tuple[str, ...], app: str) -> str:
    """Check that a handler names a file of the source root, or a root file that can be executed."""
    handler = function.get("handler") if isinstance(function, dict) else None
    if not isinstance(handler, str) or "." not in handler:
        raise BadConfiguration(f'{where} needs a handler such as "app.main.handler".')
    if handler in root_files:
        script = project.lambda_path / app / handler
        if not script.stat().st_mode & 0o100:
            shown = script.relative_to(project.path)
            raise BadConfiguration(f"{where}: {shown} cannot be executed; run chmod +x {shown}.")
        return handler
    module, _ = handler.rsplit(".", 1)
    source = project.lambda_path.joinpath(*module.split(".")).with_suffix(".py")
    if not source.is_file():
        raise BadConfiguration(f"{where}: there is no {source.relative_to(project.path)} for handler {handler}.")
    return handler

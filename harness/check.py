"""Run every linter over the project, two at a time, and show only what a failing one says."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness import bootstrap, terraform_setup
from harness.errors import SawhorseError
from harness.layout import Project
from harness.terraform import rarely_collecting, terraform_environment


@dataclass(frozen=True)
class Linter:
    """A check by its name, and the function that returns its complaints, empty when there are none."""

    name: str
    run: Callable[[], str]


@dataclass(frozen=True)
class Verdict:
    """What a linter said; `seconds` is wall time."""

    name: str
    complaints: str
    seconds: float


def linters(project: Project) -> list[Linter]:
    """Return every linter of the project, the slow ones first."""
    tools = Path(sys.executable).parent
    terraform = terraform_setup.ensure_terraform(project.path)

    def in_project(*command: str | Path) -> Callable[[], str]:
        return lambda: complaints_of(command, project.path)

    return [
        Linter("checkov", lambda: checkov(project)),
        Linter("mypy", in_project(tools / "mypy", "--no-error-summary")),
        Linter("terraform validate", lambda: validate(project, terraform)),
        Linter("ruff check", in_project(tools / "ruff", "check", "--quiet", ".")),
        Linter("ruff format", in_project(tools / "ruff", "format", "--check", "--quiet", ".")),
        Linter(
            "terraform fmt", in_project(terraform, "fmt", "-check", "-recursive", "-diff", "modules", "environments")
        ),
        Linter("zizmor", in_project(tools / "zizmor", "--offline", "--quiet", ".github")),
    ]


def checkov(project: Project) -> str:
    """Run checkov's policies over the modules; skips stand beside the resources, each with its reason."""
    program = bootstrap.ensure_checkov(project.path) / "bin/checkov"
    options = ["--framework", "terraform", "--quiet", "--compact", "--skip-download"]
    return complaints_of([program, "--directory", "modules", *options], project.path)


def validate(project: Project, terraform: Path) -> str:
    """Run `terraform validate` for every root, which covers what it calls, and for every module that no root calls.

    It works on a copy, since init writes into the directory.
    """
    environment = {**os.environ, **rarely_collecting(), **terraform_environment(project)}
    with tempfile.TemporaryDirectory(prefix="sawhorse-check-") as scratch:
        top = Path(scratch).resolve()
        shutil.copytree(project.path / "modules", top / "modules", ignore=shutil.ignore_patterns(".terraform"))
        roots = [top / "environments" / root.environment / root.app for root in project.roots]
        for root, copy in zip(project.roots, roots, strict=True):
            ignored = shutil.ignore_patterns(".terraform", "terraform.tfstate*", "backend.tf", "terraform.tfvars")
            shutil.copytree(root.path, copy, ignore=ignored)
        found = [validate_directory(root, top, terraform, environment) for root in roots]
        modules = {path.parent for path in (top / "modules").rglob("main.tf")}
        uncalled = sorted(modules - {called for root in roots for called in modules_called(root)})
        found += [validate_directory(module, top, terraform, environment) for module in uncalled]
    return "\n".join(complaint for complaint in found if complaint)


def modules_called(root: Path) -> list[Path]:
    """Return the directories of the modules that an initialized root calls, however deep."""
    listed = root / ".terraform/modules/modules.json"
    if not listed.is_file():
        return []
    return [(root / module["Dir"]).resolve() for module in json.loads(listed.read_text())["Modules"]]


def validate_directory(directory: Path, top: Path, terraform: Path, environment: dict[str, str]) -> str:
    for command in (["init", "-backend=false", "-input=false", "-no-color"], ["validate", "-no-color"]):
        complaints = complaints_of([terraform, *command], directory, environment)
        if complaints:
            return f"{directory.relative_to(top)}:\n{complaints}"
    return ""


def complaints_of(command: Sequence[str | Path], directory: Path, environment: dict[str, str] | None = None) -> str:
    """Run a linter and return what it prints when it ends with an error."""
    result = subprocess.run(
        [str(part) for part in command], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode == 0:
        return ""
    return (result.stdout + result.stderr).strip() or f"{command[0]} ended with exit code {result.returncode}."


def fix(project: Project) -> int:
    """Format Python and Terraform, and mend what ruff can mend by itself."""
    ruff, terraform = Path(sys.executable).parent / "ruff", terraform_setup.ensure_terraform(project.path)
    commands: list[list[str | Path]] = [
        [ruff, "check", "--fix", "--exit-zero", "--quiet", "."],
        [ruff, "format", "."],
        [terraform, "fmt", "-recursive", "modules"],
        [terraform, "fmt", "-recursive", "environments"],
    ]
    return max(subprocess.run(command, cwd=project.path, check=False).returncode for command in commands)


def judge(linter: Linter) -> Verdict:
    start = time.perf_counter()
    try:
        complaints = linter.run()
    except SawhorseError as error:
        complaints = str(error)
    return Verdict(linter.name, complaints, time.perf_counter() - start)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="check", description="Run every linter over the project.")
    parser.add_argument("names", nargs="*", help="linters to run, such as mypy; all by default")
    parser.add_argument("--fix", action="store_true", help="format Python and Terraform instead")
    options = parser.parse_args(arguments)
    try:
        if options.fix:
            return fix(Project.find())
        chosen = linters(Project.find())
    except SawhorseError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    known = [linter.name for linter in chosen]
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"there is no linter {unknown[0]}; choose from {', '.join(known)}")
    failed = False
    with ThreadPoolExecutor(max_workers=2) as pool:
        for verdict in pool.map(
            judge, [linter for linter in chosen if linter.name in options.names or not options.names]
        ):
            print(f"{verdict.name}: {'FAILED' if verdict.complaints else 'ok'} ({verdict.seconds:.1f} s)", flush=True)
            if verdict.complaints:
                failed = True
                print(verdict.complaints, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

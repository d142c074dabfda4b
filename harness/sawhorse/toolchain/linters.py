"""Run every linter over the project, two at a time, and show only what a failing one says."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sawhorse.errors import SawhorseError, UnknownName
from sawhorse.project import Project
from sawhorse.toolchain import (
    installed,
    limits_check,
    module_arguments,
    module_tables,
    provider_check,
    terraform_install,
)
from sawhorse.toolchain.shell_variables import filtered
from sawhorse.toolchain.terraform_install import terraform_environment, with_rare_collections


@dataclass(frozen=True)
class Linter:
    """A check by its name, and the function that returns its complaints, empty when there are none."""

    name: str
    run: Callable[[], str]


@dataclass(frozen=True)
class LintResult:
    """What a linter said; `seconds` is wall time."""

    name: str
    complaints: str
    seconds: float


def linters(project: Project) -> list[Linter]:
    """Return every linter of the project, the slow ones first."""
    tools = Path(sys.executable).parent

    def in_project(*command: str | Path) -> Callable[[], str]:
        return lambda: complaints_of(command, project.path)

    return [
        Linter("checkov", lambda: checkov(project)),
        Linter("mypy", in_project(tools / "mypy", "--no-error-summary")),
        Linter("import-linter", in_project(tools / "lint-imports", "--no-cache")),
        Linter("terraform validate", lambda: validate(project, terraform_install.ensure_terraform(project.path))),
        Linter("ruff check", in_project(tools / "ruff", "check", "--quiet", ".")),
        Linter("ruff format", in_project(tools / "ruff", "format", "--check", "--quiet", ".")),
        Linter("terraform fmt", lambda: terraform_fmt(project)),
        Linter("module-arguments", lambda: module_arguments.lint(project)),
        Linter("module-tables", lambda: module_tables.lint(project)),
        Linter("provider-schema", lambda: provider_check.lint(project)),
        Linter("aws-limits", lambda: limits_check.lint(project)),
        # It refuses a root that is not what the engine's template makes of it.
        Linter("sawhorse sync", in_project(tools / "sawhorse", "sync", "--check")),
        Linter("workflow-schema", lambda: workflow_schema(project, tools / "check-jsonschema")),
        Linter("zizmor", in_project(tools / "zizmor", "--offline", "--quiet", "--persona", "auditor", ".github")),
    ]


def selected(names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the linters that are meant, all when none is named: `ruff` is all of its parts, `ruff check` is one.

    Raises UnknownName.
    """
    if not names:
        return list(known)
    meant: set[str] = set()
    words = list(names)
    while words:
        # A part may come as one argument or as two.
        pair = " ".join(words[:2])
        name = pair if pair in known else words[0]
        found = {one for one in known if name in (one, one.partition(" ")[0])}
        if not found:
            wholes = {one.partition(" ")[0] for one in known}
            raise UnknownName(f"There is no linter {name}; choose from {', '.join(sorted(wholes | set(known)))}.")
        meant |= found
        del words[: 2 if name == pair else 1]
    return [one for one in known if one in meant]


def terraform_fmt(project: Project) -> str:
    terraform = terraform_install.ensure_terraform(project.path)
    options = ["-check", "-recursive", "-diff"]
    return complaints_of([terraform, "fmt", *options, "modules", "environments"], project.path)


def checkov(project: Project) -> str:
    """Run checkov's policies over modules, workflows and images; skips stand beside what they skip, with the reason."""
    program = installed.ensure_checkov(project.path) / "bin/checkov"
    places = [word for place in ("modules", "lambda", ".github") for word in ("--directory", place)]
    # Who starts a deployment by hand chooses the environment and the image; nothing is built there (CKV_GHA_7).
    options = ["--quiet", "--compact", "--skip-download", "--skip-check", "CKV_GHA_7"]
    command: list[str | Path] = [program, *places, *options, "--framework", "terraform", "dockerfile", "github_actions"]
    return complaints_of(command, project.path)


def workflow_schema(project: Project, program: Path) -> str:
    """Hold workflows and actions against the schemas of SchemaStore that check-jsonschema brings along."""
    github = project.path / ".github"
    files = {
        "vendor.github-workflows": sorted((github / "workflows").glob("*.yml")),
        "vendor.github-actions": sorted((github / "actions").glob("*/action.yml")),
    }
    found = [
        complaints_of([program, "--builtin-schema", schema, *paths], project.path)
        for schema, paths in files.items()
        if paths
    ]
    return "\n".join(complaints for complaints in found if complaints)


def validate(project: Project, terraform: Path) -> str:
    """Run `terraform validate` for every root, which covers what it calls, and for every module that no root calls.

    It works on a copy, since init writes into the directory.
    """
    environment = {**filtered(local=True), **with_rare_collections(), **terraform_environment(project.path)}
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
    """Format Python and Terraform, fix what ruff can fix by itself, and write the tables of modules' READMEs."""
    ruff, terraform = Path(sys.executable).parent / "ruff", terraform_install.ensure_terraform(project.path)
    commands: list[list[str | Path]] = [
        [ruff, "check", "--fix", "--exit-zero", "--quiet", "."],
        [ruff, "format", "."],
        [terraform, "fmt", "-recursive", "modules", "environments"],
    ]
    worst = max(subprocess.run(command, cwd=project.path, check=False).returncode for command in commands)
    module_tables.write(project)
    return worst


def judge(linter: Linter) -> LintResult:
    start = time.perf_counter()
    try:
        complaints = linter.run()
    except SawhorseError as error:
        complaints = str(error)
    return LintResult(linter.name, complaints, time.perf_counter() - start)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="check", description="Run every linter over the project.")
    parser.add_argument("names", nargs="*", help="linters to run, such as mypy, ruff or ruff format; all by default")
    parser.add_argument("--fix", action="store_true", help="format Python, Terraform and the tables of READMEs instead")
    options = parser.parse_args(arguments)
    if options.fix and options.names:
        parser.error("--fix formats everything; name no linters with it")
    try:
        if options.fix:
            return fix(Project.find())
        known = linters(Project.find())
        chosen = selected(options.names, [linter.name for linter in known])
    except SawhorseError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    failed = False
    with ThreadPoolExecutor(max_workers=2) as pool:
        for verdict in pool.map(judge, [linter for linter in known if linter.name in chosen]):
            print(f"{verdict.name}: {'FAILED' if verdict.complaints else 'ok'} ({verdict.seconds:.1f} s)", flush=True)
            if verdict.complaints:
                failed = True
                print(verdict.complaints, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

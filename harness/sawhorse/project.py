"""Know where everything of a project lies and what it is called: apps, environments, roots, packages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from sawhorse.checkout import TOOL_LOCKS, find_checkout
from sawhorse.errors import BadConfiguration, UnknownName
from sawhorse.hcl import read_hcl, text_of
from sawhorse.trusted_files import own_private

# So many roots can be named in one sentence.
FEW = 3
# A text without a template.
LITERAL = re.compile(r'"([^"\\$%]*)"')
# Stands for every app of an environment where several roots may be named.
ALL = "all"


@dataclass(frozen=True)
class Project:
    """A checkout: the directory that holds `modules/ environments/ lambda/`."""

    path: Path

    @classmethod
    def find(cls) -> Project:
        """Return the project named by SAWHORSE_PROJECT, else the one around the working directory, else this one's."""
        return cls(Path(find_checkout()))

    @cached_property
    def apps(self) -> list[str]:
        return sorted(file.parent.name for file in (self.path / "lambda").glob("*/package.toml"))

    @cached_property
    def environments(self) -> list[str]:
        return sorted(file.parent.name for file in (self.path / "environments").glob("*/environment.yaml"))

    @cached_property
    def roots(self) -> list[Root]:
        files = (self.path / "environments").glob("*/*/main.tf")
        return sorted((Root(self, file.parts[-3], file.parts[-2]) for file in files), key=lambda root: root.name)

    @property
    def lambda_path(self) -> Path:
        return self.path / "lambda"

    @property
    def locks_of_tools(self) -> list[Path]:
        """The locks of what is not an app: tools, emulators, and what the benchmarks measure against."""
        return sorted(path for directory in TOOL_LOCKS for path in (self.path / directory).glob("*.txt"))

    @property
    def private(self) -> Path:
        """What the harness makes for itself on this machine; never in git, safe to delete while nothing runs.

        Raises Untrusted where somebody else may have written.
        """
        own_private(self.path)
        return self.path / ".sawhorse"

    @property
    def local(self) -> Path:
        """All that belongs to this project's local AWS. Raises Untrusted where somebody else may have written."""
        own_private(self.path, "local", depth=2)
        return self.path / ".sawhorse/local"

    def shown(self, path: Path) -> str:
        """Write a path as people know it: from the project, when it lies there."""
        return str(path.relative_to(self.path) if path.is_relative_to(self.path) else path)

    def app(self, name: str) -> str:
        """Check an app's name."""
        if name not in self.apps:
            raise unknown_app(name, self.apps)
        return name

    def roots_named(self, name: str) -> list[Root]:
        """Find the root of a name, or with the app `all` every root of an environment."""
        environment, _, app = name.strip("/").removeprefix("environments/").partition("/")
        if app != ALL:
            return [self.root(name)]
        if environment not in self.environments:
            raise UnknownName(f"There is no environment {environment}; choose {one_of(self.environments)}.")
        found = [root for root in self.roots if root.environment == environment]
        if not found:
            raise UnknownName(
                f"No app has a root in {environment}, so {name} stands for nothing; write "
                f"environments/{environment}/APP/main.tf if one is to run there."
            )
        return found

    def root(self, name: str) -> Root:
        """Find a root by its name, such as `dev/shop`."""
        for root in self.roots:
            if root.name == name.strip("/").removeprefix("environments/"):
                return root
        if name.endswith(f"/{ALL}"):
            raise UnknownName(f"This command takes one root at a time; {name} stands for several.")
        raise UnknownName(f"There is no root {name}; choose {self.choice_of_roots(name)}.")

    def choice_of_roots(self, name: str) -> str:
        """Name the few roots that a name can stand for, else how roots are named."""
        names = [root.name for root in self.roots]
        environment, _, app = name.strip("/").removeprefix("environments/").partition("/")
        alike = get_close_matches(f"{environment}/{app}", names, n=1, cutoff=0.9)
        meant = [root.name for root in self.roots if root.app == (app or environment)]
        there = [root.name for root in self.roots if root.environment == environment]
        if len(names) <= FEW:
            return one_of(names)
        if alike or meant or there:
            return one_of(alike or meant or there)
        return f"an environment ({one_of(self.environments)}) and an app ({one_of(self.apps)}), such as {names[0]}"


@dataclass(frozen=True)
class Root:
    """A directory where Terraform runs: one app in one environment."""

    project: Project
    environment: str
    app: str

    @property
    def name(self) -> str:
        return f"{self.environment}/{self.app}"

    @property
    def path(self) -> Path:
        return self.project.path / "environments" / self.environment / self.app

    def decided(self, name: str) -> str | None:
        """Return what main.tf gives the app as an argument, a text between quotes; None where it says null.

        Raises BadConfiguration where it says neither.
        """
        shown = self.project.shown(self.path / "main.tf")
        calls = [one for one in read_hcl(text_of(self.path / "main.tf", shown), shown).blocks if one.type == "module"]
        said = {argument.name: argument.expression for call in calls for argument in call.arguments}.get(name, "")
        literal = LITERAL.fullmatch(said)
        if not literal and said != "null":
            raise BadConfiguration(
                f'{shown} has no text for {name}, which this command reads there; write {name} = "..." in its module.'
            )
        return literal[1] if literal else None


def unknown_app(name: str, apps: Sequence[str]) -> UnknownName:
    return UnknownName(f"There is no app {name}; choose {one_of(apps)}.")


def one_and_all(names: Sequence[str]) -> str:
    """Write several out: `a`, `a and b`, `a, b and c`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def one_of(names: Sequence[str]) -> str:
    """Write a choice out: `a`, `a or b`, `a, b or c`."""
    if not names:
        return "one that exists (there is none yet)"
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last

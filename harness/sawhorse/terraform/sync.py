"""Write into every root what is the same in all of them: `sawhorse.tf` and the lock of its providers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sawhorse.errors import BadConfiguration
from sawhorse.files import write_shared
from sawhorse.hcl import Block, read_hcl, without_comments
from sawhorse.project import Root, one_and_all
from sawhorse.terraform.filling import TEMPLATES, fill
from sawhorse.terraform.provider_lock import LOCK

WRITTEN, BACKEND = "sawhorse.tf", "backend.tf"
REFERENCE = re.compile(r"\bvar\.(\w+)")


@dataclass(frozen=True)
class Written:
    """A file of a root, what sync writes into it, and what it holds now; None when it is not there."""

    root: Root
    path: Path
    content: str
    found: str | None

    @property
    def differs(self) -> bool:
        return self.found != self.content

    @property
    def shown(self) -> str:
        return self.root.project.shown(self.path)

    def difference(self) -> str:
        """Return what sync would change, as a patch."""
        before = (self.found or "").splitlines(keepends=True)
        after = self.content.splitlines(keepends=True)
        return "".join(difflib.unified_diff(before, after, self.shown, f"{self.shown} (sawhorse sync)"))


def sync(roots: Iterable[Root], *, templates: Path = TEMPLATES) -> list[Written]:
    """Write the files of roots, of all of them or, when one is refused, of none; return them with what they held."""
    files = files_of(roots, templates=templates)
    for file in files:
        if file.differs:
            write_shared(file.path, file.content)
    return files


def files_of(roots: Iterable[Root], *, templates: Path = TEMPLATES) -> list[Written]:
    """Return what sync writes into roots. Raises BadConfiguration for what Terraform would find twice in one."""
    return [file for root in roots for file in files_of_root(root, templates)]


def files_of_root(root: Root, templates: Path = TEMPLATES) -> Iterator[Written]:
    """Walk what sync writes into one root."""
    own = [Own(root.project.shown(path), read(path) or "") for path in sorted(root.path.glob("*.tf"))]
    own = [file for file in own if file.name not in {WRITTEN, BACKEND}]
    referred = {name for file in own for name in file.referred}
    content = fill(f"{WRITTEN}.j2", templates=templates, environment=root.environment, app=root.app, referred=referred)
    refuse_what_stands_twice(own, Own(WRITTEN, content))
    contents = {WRITTEN: content}
    if not any(file.requires_providers for file in own):
        # A root that asks for other providers, or other versions, has a lock of its own.
        contents[LOCK] = (templates / LOCK).read_text()
    for name, text in contents.items():
        yield Written(root, root.path / name, text, read(root.path / name))


@dataclass(frozen=True)
class Own:
    """A Terraform file, and what is in it that stands once in a root. Raises BadConfiguration for what is not HCL."""

    shown: str
    text: str

    @property
    def name(self) -> str:
        return self.shown.rpartition("/")[2]

    @property
    def overrides(self) -> bool:
        """Whether Terraform merges it over what it names."""
        return self.name == "override.tf" or self.name.endswith("_override.tf")

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        return read_hcl(self.text, self.shown).blocks

    @property
    def referred(self) -> list[str]:
        """The variables that it refers to, also in strings."""
        return REFERENCE.findall(without_comments(self.text, self.shown))

    @property
    def variables(self) -> set[str]:
        return {block.labels[0] for block in self.blocks if block.type == "variable"}

    @property
    def requires_providers(self) -> bool:
        inner = [one for block in self.blocks if block.type == "terraform" for one in block.blocks]
        return any(one.type == "required_providers" for one in inner)

    @property
    def providers(self) -> set[str]:
        """The providers that it configures for all that names no other."""
        plain = [block for block in self.blocks if all(one.name != "alias" for one in block.arguments)]
        return {block.labels[0] for block in plain if block.type == "provider"}


def refuse_what_stands_twice(own: Iterable[Own], written: Own) -> None:
    """Refuse what Terraform takes once in a root, and what sync writes already."""
    for file in own:
        if file.overrides:
            continue
        variables, providers = sorted(file.variables & written.variables), file.providers & written.providers
        twice = [f"the variable{'s' if len(variables) > 1 else ''} {one_and_all(variables)}"] if variables else []
        twice += ["required_providers"] if file.requires_providers else []
        twice += [f"the provider {provider}" for provider in providers]
        if twice:
            raise BadConfiguration(
                f'{file.shown} has {one_and_all(twice)}, which "sawhorse sync" writes into {WRITTEN}. Remove that; '
                "what this root has in another way than the others goes into a file whose name ends in _override.tf."
            )


def refuse_unsynced(root: Root) -> None:
    """Raise BadConfiguration for a root that is not as sync writes it."""
    differing = [file.shown for file in files_of_root(root) if file.differs]
    if differing:
        raise BadConfiguration(
            f'{one_and_all(differing)} {"are" if len(differing) > 1 else "is"} not what "sawhorse sync" writes; '
            f'run "sawhorse sync {root.name}", and look at what it changed.'
        )


def read(path: Path) -> str | None:
    """Return what a file holds, None when it is not there; what is not UTF-8 is never what sync writes."""
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None

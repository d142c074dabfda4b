"""Write into every root what is the same in all of them: `sawhorse.tf` and the lock of its providers."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sawhorse.errors import BadConfiguration
from sawhorse.files import write_shared
from sawhorse.project import Root, one_and_all
from sawhorse.terraform.filling import TEMPLATES, fill

WRITTEN, LOCK, BACKEND = "sawhorse.tf", ".terraform.lock.hcl", "backend.tf"
# Strings are matched so that no comment begins in one; interpolations in them refer to variables as well.
STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|(?:#|//)[^\n]*|/\*.*?\*/', re.DOTALL)
REFERENCE = re.compile(r"\bvar\.(\w+)")
VARIABLE = re.compile(r'^[ \t]*variable[ \t]+"?(\w+)"?', re.MULTILINE)
REQUIRED_PROVIDERS = re.compile(r"\brequired_providers\s*\{")
# A block of a provider as Terraform formats it, up to the brace that ends it.
PROVIDER = re.compile(r'^provider[ \t]+"?aws"?[ \t]*\{(.*?)^\}', re.MULTILINE | re.DOTALL)


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
    own = {path.name: without_comments(read(path) or "") for path in sorted(root.path.glob("*.tf"))}
    own = {name: text for name, text in own.items() if name not in {WRITTEN, BACKEND}}
    referred = {name for text in own.values() for name in REFERENCE.findall(text)}
    content = fill(f"{WRITTEN}.j2", templates=templates, environment=root.environment, app=root.app, referred=referred)
    refuse_what_stands_twice(root, own, content)
    contents = {WRITTEN: content}
    if not any(REQUIRED_PROVIDERS.search(text) for text in own.values()):
        # A root that asks for other providers, or other versions, has a lock of its own.
        contents[LOCK] = (templates / LOCK).read_text()
    for name, text in contents.items():
        yield Written(root, root.path / name, text, read(root.path / name))


def refuse_what_stands_twice(root: Root, own: Mapping[str, str], content: str) -> None:
    """Refuse what Terraform takes once in a root, and what sync writes already.

    Override files are left alone: Terraform merges them over what they name.
    """
    for name, text in own.items():
        if name == "override.tf" or name.endswith("_override.tf"):
            continue
        variables = sorted({*VARIABLE.findall(text)} & {*VARIABLE.findall(content)})
        twice = [f"the variable{'s' if len(variables) > 1 else ''} {one_and_all(variables)}"] if variables else []
        if REQUIRED_PROVIDERS.search(text):
            twice.append("required_providers")
        if any(not re.search(r"^[ \t]*alias\b", block, re.MULTILINE) for block in PROVIDER.findall(text)):
            twice.append('the provider "aws"')
        if twice:
            file = root.project.shown(root.path / name)
            raise BadConfiguration(
                f'{file} has {one_and_all(twice)}, which "sawhorse sync" writes into {WRITTEN}. Remove that; what this '
                "root has in another way than the others goes into a file whose name ends in _override.tf."
            )


def refuse_unsynced(root: Root) -> None:
    """Raise BadConfiguration for a root that is not as sync writes it."""
    differing = [file.shown for file in files_of_root(root) if file.differs]
    if differing:
        raise BadConfiguration(
            f'{one_and_all(differing)} {"are" if len(differing) > 1 else "is"} not what "sawhorse sync" writes; '
            f'run "sawhorse sync {root.name}", and look at what it changed.'
        )


def without_comments(text: str) -> str:
    """Return HCL with a space for each comment."""
    return STRING_OR_COMMENT.sub(lambda found: found[0] if found[0].startswith('"') else " ", text)


def read(path: Path) -> str | None:
    """Return what a file holds, None when it is not there; what is not UTF-8 is never what sync writes."""
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None

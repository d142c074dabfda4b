"""Refuse zips that are not what the manifest says of them, before Terraform gets them.

What this user's last build wrote is believed by the signed record of that build. Anything else, such as a package that
another machine built, is read whole and compiled again, once for the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sawhorse.build.build_state import read_state
from sawhorse.build.bytecode_client import Judged, start_compiling
from sawhorse.build.bytecode_proof import Held, Proof, fault_of_form, foreign_bytecode, held_in, prove, some_of
from sawhorse.build.config import PackageConfig, read_config
from sawhorse.build.last_package import outputs_intact
from sawhorse.build.manifest import Archive, Entry, code_sha256, read_entry
from sawhorse.build.module_paths import modules_of
from sawhorse.build.package_writer import LAYER_PREFIX
from sawhorse.build.packed_names import SHARED, shown
from sawhorse.build.shared_files import is_shared, named_in_texts, own_names, reached
from sawhorse.build.sources import Sources, digest_of, hashes_of, read_sources
from sawhorse.build.zip_reader import names_in_zip, opened
from sawhorse.build.zip_writer import Member, base64_of, hash_of, write_archive
from sawhorse.errors import BuildFailed
from sawhorse.files import write_atomically
from sawhorse.project import Project
from sawhorse.signing import read_signed, sign
from sawhorse.toolchain import interpreters
from sawhorse.trusted_files import read_own

# What a record of a proof is signed as.
PROOF = "proof of a zip"


def refuse_unproven(
    project: Project, dist: Path, app: str, packages: Mapping[str, Entry], *, as_built: bool = False
) -> None:
    """Prove every zip in `dist` that an app's functions are made of, its package and its layer. Raises BuildFailed.

    `packages` is what the manifest says of them. Unless they are taken `as_built`, the app's own files in them must be
    those that stand in the checkout.
    """
    # A local run links what lies in the project's own directory.
    place = (dist / "manifest.json").resolve().parent
    if is_of_last_build(place, app, packages):
        return
    config = read_config(project, app)
    sources = None if as_built else read_sources(str(project.path), app, config.root_files)
    for archive, entry in archives_of(packages).items():
        if archive == entry.layer:
            prove_zip(project, place, Claim(app, archive, entry, LAYER_PREFIX, None))
        else:
            own = OwnSources.of(config, sources, place / Path(archive.path).name) if sources is not None else None
            prove_zip(project, place, Claim(app, archive, entry, "", own))


@dataclass(frozen=True)
class OwnSources:
    """The files of an app that are to be in a zip, those `left_out` of it in `lambda/shared`, and all of them."""

    config: PackageConfig
    packed: Sources
    left_out: Sequence[str]
    every: Sources

    @classmethod
    def of(cls, config: PackageConfig, every: Sources, path: Path) -> OwnSources:
        """Part the files that stand in a checkout by what a zip has of the shared ones."""
        there = names_in_zip(path)
        packed = {name: one for name, one in every.items() if not is_shared(name) or name in there}
        return cls(config, packed, sorted(every.keys() - packed.keys()), every)

    def needed(self, interpreter: Path) -> set[str]:
        """Return the files that a build would pack, as this interpreter reads what they import."""
        modules = modules_of(self.every)
        judged = Judged(own=sorted({name.partition(".")[0] for name in modules}), modules=modules)
        given = [(name, content) for name, (content, _) in self.packed.items() if name.endswith(".py")]
        compiled = start_compiling(str(interpreter), self.config.python, given, judged).results()
        imports = {one.name: one.imports for one in compiled if one.imports}
        handlers = [handler.rpartition(".")[0] for handler in self.config.handlers.values()]
        return own_names(self.every) | reached(self.every, self.every, imports, handlers, named_in_texts(self.every))


@dataclass(frozen=True)
class Claim:
    """What the manifest says of a zip: `prefix` stands before all names in it.

    `sources` are the files of the app that are to be in it; None where nobody asks.
    """

    app: str
    archive: Archive
    entry: Entry
    prefix: str
    sources: OwnSources | None

    @property
    def remedy(self) -> str:
        return f'Run "sawhorse build {self.app}".'

    @property
    def own(self) -> str:
        """Stands for those sources, empty where nobody asks."""
        if self.sources is None:
            return ""
        return base64_of(digest_of(b"", b"", hashes_of(self.sources.packed), self.sources.left_out))

    def lines(self) -> list[str]:
        """Return all that a record of its proof is about; the last line may say more than is asked."""
        return ["sawhorse proof 1", self.archive.sha256, self.archive.content_sha256, self.prefix, self.own]


def is_of_last_build(dist: Path, app: str, packages: Mapping[str, Entry]) -> bool:
    """Say whether this user's last build in `dist` wrote exactly these packages, as they lie there."""
    state = read_state(str(dist), app)
    if state is None or outputs_intact(str(dist), state) is None:
        return False
    wrote = json.loads(f"{{{state.fragment}}}")[app]
    return {name: read_entry(entry) for name, entry in wrote.items()} == packages


def archives_of(packages: Mapping[str, Entry]) -> dict[Archive, Entry]:
    """Return every zip of an app's functions, each with a function that runs from it."""
    found: dict[Archive, Entry] = {}
    for entry in packages.values():
        own = Archive(entry.path, entry.sha256, entry.content_sha256, entry.size, upload=entry.upload)
        found.setdefault(own, entry)
        if entry.layer:
            found.setdefault(entry.layer, entry)
    return found


def prove_zip(project: Project, dist: Path, claim: Claim) -> None:
    """Prove that a zip is what the manifest says, once for the same bytes. Raises BuildFailed."""
    path = dist / Path(claim.archive.path).name
    named = f"{dist.name}/{path.name}"
    if code_sha256(read_own(path, private=False)) != claim.archive.sha256:
        raise BuildFailed(f"{named} is not the one that was measured. {claim.remedy}")
    record = dist / f".build/{path.name}.proof"
    if is_recorded(record, claim):
        return
    held = read_zip(path, named, claim)
    if claim.sources is not None:
        refuse_other_sources(named, claim.app, held, claim.sources.packed)
    proof = prove(
        held.compiled, lambda python: interpreters.exact_python(python, project.path), claim.entry.compiled_by
    )
    refuse_wrong(named, proof, claim.remedy)
    if claim.sources is not None:
        refuse_lacking(named, project, claim, claim.sources)
    by = " ".join(proof.pythons.values())
    write_atomically(record, sign("\n".join([*claim.lines(), by]).encode(), PROOF))


def is_recorded(record: Path, claim: Claim) -> bool:
    """Say whether this very zip was proven before, and compared with these sources where that is asked.

    What a Python compiled once it compiles always, so the record, which says which one did, holds for good.
    """
    lines = (read_signed(record, PROOF) or b"").decode(errors="replace").split("\n")[:-1]
    asked = claim.lines()
    return lines[:-1] == asked[:-1] and (claim.sources is None or lines[-1] == asked[-1])


def read_zip(path: Path, named: str, claim: Claim) -> Held:
    """Read a zip, and refuse one of another form or content than the manifest says."""
    with opened(path) as package:
        held = held_in(package, claim.prefix)
        fault = fault_of_form(package, held, claim.prefix)
    if not fault and code_sha256(write_archive(held.members, claim.prefix)[0]) != claim.archive.sha256:
        fault = "it changed while it was read"
    if fault:
        raise BuildFailed(f"{named} is no zip as a build writes it: {fault}. {claim.remedy}")
    if held.content_sha256 != claim.archive.content_sha256:
        said = f"{path.parent.name}/manifest.json says (content_sha256)"
        raise BuildFailed(f"{named} holds something else than {said}. {claim.remedy}")
    foreign = foreign_bytecode(held)
    if foreign:
        raise BuildFailed(f"{named} holds bytecode that no build writes: {some_of(foreign)}. {claim.remedy}")
    return held


def refuse_wrong(named: str, proof: Proof, remedy: str) -> None:
    if proof.wrong:
        raise BuildFailed(f"{named} holds bytecode that is not that of its sources: {some_of(proof.wrong)}. {remedy}")
    if proof.unproven:
        why = some_of(proof.unproven)
        raise BuildFailed(f"Whether the bytecode of {named} is that of its sources is not known: {why}. {remedy}")


def refuse_other_sources(named: str, app: str, held: Held, sources: Sources) -> None:
    """Compare the app's own files in a package with those that stand in the checkout. Raises BuildFailed."""
    there = {name: (hash_of(content), executable) for name, (content, executable) in sources.items()}
    found = {
        member.name: (member.sha256, member.executable)
        for member in held.members
        if is_own(member, app, sources) and not member.from_source
    }
    differing = sorted(name for name in {*there, *found} if there.get(name) != found.get(name))
    if differing:
        raise BuildFailed(
            f"{named} holds other files of {app} than stand here: {some_of([shown(name) for name in differing])}. "
            f'Run "sawhorse build {app}", or add --as-built to take the package as it is.'
        )


def refuse_lacking(named: str, project: Project, claim: Claim, sources: OwnSources) -> None:
    """Refuse a zip that lacks a shared file which a build would have packed. Raises BuildFailed."""
    interpreter = interpreters.exact_python(sources.config.python, project.path)
    if interpreter is None or not sources.left_out:
        # Without the interpreter the proof has failed already, unless there is nothing to compile.
        return
    lacking = sorted(sources.needed(interpreter) - sources.packed.keys())
    if lacking:
        raise BuildFailed(f"{named} lacks {some_of([shown(name) for name in lacking])}. {claim.remedy}")


def is_own(member: Member, app: str, sources: Sources) -> bool:
    return member.name in sources or member.name.partition("/")[0] in {app, SHARED}

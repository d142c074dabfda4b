"""Settle what a package is made of before a source is looked at: its inputs, and the prepared parts of its lock."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sawhorse.build.build_state import BuildInputs, builder_digest
from sawhorse.build.bytecode_client import compilers_for
from sawhorse.build.compiler_process import CompilerProcess, WrongInterpreter
from sawhorse.build.compilers import find_compiler
from sawhorse.build.config import IN_RUNTIME, LISTED_SINCE, PackageConfig, read_config
from sawhorse.build.handler_check import check_handlers
from sawhorse.build.lock_files import FoundLock, find_lock, settings_directory
from sawhorse.build.name_conflicts import module_at_top, refuse_names
from sawhorse.build.packed_names import SHARED
from sawhorse.build.platform import Target, lambda_target
from sawhorse.build.requirement_files import Declared, declared_in, edit
from sawhorse.build.reused_parts import Parts
from sawhorse.build.sources import Sources, read_sources
from sawhorse.build.wheel_cache import Cache, Part
from sawhorse.build.wheel_request import Wanted, canonical
from sawhorse.build.wheels_of_lock import prepared_parts
from sawhorse.build.zip_writer import Member, directories_of
from sawhorse.errors import BadConfiguration, BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain.interpreters import FUNCTIONS_PYTHON


def settle(project: Project, app: str, target: Target | None, ready: list[CompilerProcess]) -> Parts:
    """Settle the inputs of an app's package, and prepare the parts of its lock that the cache lacks.

    Compilers are started before, and entered in `ready`. Raises WrongInterpreter where the interpreter that was found
    before is not what it was, BuildFailed, BadConfiguration and UnknownName.
    """
    config, cache = read_config(project, app), Cache.of_user()
    # Before anything is fetched; they are read again once nobody else writes this package.
    sources = read_sources(str(project.path), app, config.root_files)
    check_handlers(config, sources)
    target = target or lambda_target(config)
    compiler = find_compiler(project, target.python, cache)
    refuse_unseen(config, target, compiler)
    if compiler:
        # They start while the parts are read.
        wanted = max(1, compilers_for(sum(name.endswith(".py") for name in sources)))
        ready.extend(CompilerProcess(str(compiler), judging=True) for _ in range(wanted))
    lock = find_lock(project, app, config.python, compiler)
    declared = declared_in(str(project.path), app)
    wheels = Wanted(
        lock=lock.path,
        locked=lock.content,
        base=lock.base,
        declared=declared,
        target=target,
        interpreter=compiler,
        compiled_by=version_among(ready, compiler, target.python),
        prune=config.prune,
        aws_services=config.aws_services,
        commands=config.commands,
        settings=settings_directory(project, app),
    )
    parts = [part for part in prepared_parts(project, wheels, cache) if canonical(part.name) not in config.provided]
    dependencies = merged(app, parts, declared)
    check_services(config, dependencies, declared)
    inputs = inputs_of(project, config, wheels, lock, parts, dependencies, cache)
    paths = [(part.name, member.name) for part in parts for member in part.members]

    def check(now: Sources) -> None:
        if now.keys() != sources.keys():
            check_handlers(config, now)
        refuse_names(config, now, paths, declared)

    return Parts(inputs, dependencies, documents_of(app, parts, cache), check=check)


def version_among(ready: Sequence[CompilerProcess], compiler: Path | None, python: str) -> str:
    """Return the whole version of the compilers, empty where there is none. Raises WrongInterpreter."""
    version = ready[0].version() if ready else ""
    if ready and not f"{version}.".startswith(f"{python}."):
        raise WrongInterpreter(f"{compiler} is {f'Python {version}' if version else 'no Python'}, not {python}.")
    return version


def forget_interpreter(project: Project, app: str, target: Target | None) -> None:
    """Look for the interpreter anew the next time."""
    Cache.of_user().forget_interpreter((target or lambda_target(read_config(project, app))).python)


def inputs_of(  # noqa: PLR0913, PLR0917 # all that a build settled
    project: Project,
    config: PackageConfig,
    wanted: Wanted,
    lock: FoundLock,
    parts: Sequence[Part],
    dependencies: Sequence[Member],
    cache: Cache,
) -> BuildInputs:
    """Write down what was settled before a source is looked at."""
    return BuildInputs(
        app=config.app,
        runtime=config.runtime,
        architecture=config.architecture,
        handlers=dict(config.handlers),
        root_files=list(config.root_files),
        layer=config.layer,
        upload=config.upload,
        target=wanted.target.name,
        python=wanted.target.python,
        compiler=str(wanted.interpreter or ""),
        compiled_by=wanted.compiled_by,
        own=sorted(own_modules(config)),
        modules=sorted(importable(config, dependencies)),
        expected=list(config.expected),
        parts={part.name: part.size for part in parts},
        pruned=pruned_modules(parts),
        config=config.digest,
        directories={
            os.path.relpath(lock.base / tree.path, project.path): tree.digest
            for tree in cache.directories_of(wanted.key)
        },
        lock=lock.digest,
        declared=wanted.declared,
        notes=[*unused_patterns(config, parts), *without_bytecode(config, wanted)],
        builder=builder_digest(),
    )


def pruned_modules(parts: Sequence[Part]) -> list[str]:
    """Return the modules that were left out of parts, by their dotted names."""
    names = [name for part in parts for removed in part.pruned.values() for name in removed]
    if not names:
        return []
    from sawhorse.build.pruning_trial import modules_among  # noqa: PLC0415 # of few packages

    return modules_among(names)


def merged(app: str, parts: Sequence[Part], declared: Declared) -> list[Member]:
    """Return the files of all parts, equal ones once. Raises BuildFailed where two parts differ in one."""
    owners: dict[str, Part] = {}
    members: dict[str, Member] = {}
    brought = [(part, member) for part in parts for member in part.members]
    # Bytecode last, which is made here: where it differs, the sources that wheels bring differ.
    for part, member in sorted(brought, key=lambda one: is_bytecode(one[1].name)):
        other = members.setdefault(member.name, member)
        owner = owners.setdefault(member.name, part)
        if (other.sha256, other.size) != (member.sha256, member.size):
            raise BuildFailed(
                f"{owner.name} {owner.version} and {part.name} {part.version} both bring {member.name}, with "
                f"different content, and the package of {app} can hold one. Keep one of the two distributions in "
                f"{edit(declared)}, or name the file under prune in lambda/{app}/package.toml where neither is needed."
            )
        if member.executable and not other.executable:
            members[member.name] = member
    refuse_files_in_files(members, owners, declared)
    return list(members.values())


def is_bytecode(name: str) -> bool:
    return name.endswith(".pyc") and "__pycache__/" in name


def refuse_files_in_files(members: Mapping[str, Member], owners: Mapping[str, Part], declared: Declared) -> None:
    """Refuse a name that is a file of one part and a directory of another: no file system holds both."""
    for name in members:
        for parent in directories_of(name):
            if parent in members:
                raise BuildFailed(
                    f"{owners[parent].name} brings the file {parent}, and {owners[name].name} brings {name} below it; "
                    f"keep one of the two distributions in {edit(declared)}."
                )


def unused_patterns(config: PackageConfig, parts: Sequence[Part]) -> list[str]:
    """Return a warning where a pattern of package.toml leaves nothing out."""
    used = {pattern for part in parts for pattern in part.pruned}
    unused = [pattern for pattern in config.prune or () if pattern not in used]
    if not unused:
        return []
    sentence = (
        f"lambda/{config.app}/package.toml: prune has {', '.join(unused)}, which leaves no file of the dependencies "
        "out; correct or remove it."
    )
    return [sentence]


def check_services(config: PackageConfig, dependencies: Sequence[Member], declared: Declared) -> None:
    """Refuse a service that the package's botocore does not know."""
    described = {member.name.split("/")[2] for member in dependencies if member.name.startswith("botocore/data/")}
    unknown = [name for name in config.aws_services or () if name not in described]
    if unknown:
        raise BadConfiguration(
            f"lambda/{config.app}/package.toml: aws_services has {unknown[0]}, which the package's botocore does not "
            f"describe; correct the name, or add botocore to {edit(declared)}."
        )


def refuse_unseen(config: PackageConfig, target: Target, compiler: Path | None) -> None:
    """Refuse a package of a runtime that nothing else here runs, where its interpreter is not here either."""
    provider = LISTED_SINCE.get(f"python{target.python}")
    if provider and compiler is None:
        raise BuildFailed(
            f"lambda/{config.app}/package.toml: runtime is {config.runtime}, and Python {target.python} is not on this "
            "machine and could not be fetched, so nothing could look at the package; install it and build again, or "
            f"say python{FUNCTIONS_PYTHON}. An apply with {config.runtime} wants AWS provider {provider} or newer."
        )


def importable(config: PackageConfig, dependencies: Sequence[Member]) -> set[str]:
    """Return the top-level modules that a function finds in its dependencies and in what is provided."""
    return {module_at_top(member.name) for member in dependencies} | {IN_RUNTIME[name] for name in config.provided}


def own_modules(config: PackageConfig) -> set[str]:
    return {config.app, SHARED, *(name.removesuffix(".py") for name in config.root_files if name.endswith(".py"))}


def documents_of(app: str, parts: Sequence[Part], cache: Cache) -> dict[str, bytes]:
    """Write down what the package brings along from others: a bill of materials, and whose licences it is under."""
    digest = hashlib.sha256(
        "\n".join([app, *(f"{part.name} {part.version} {part.archive}" for part in parts)]).encode()
    )
    for part in parts:
        digest.update(part.metadata.encode())
    digest.update((Path(__file__).parent / "sbom.py").read_bytes())
    kept = cache.documents_of(digest.hexdigest())
    if kept is not None:
        return kept
    from sawhorse.build.sbom import Component, bill_of_materials, licence_list  # noqa: PLC0415 # takes 400 ms

    components = [
        Component(canonical(part.name), part.version, part.metadata, (part.archive,) if part.archive else ())
        for part in parts
    ]
    documents = {
        f"{app}.cdx.json": bill_of_materials(app, components).encode(),
        f"{app}.licences.json": licence_list(app, components).encode(),
    }
    cache.keep_documents(digest.hexdigest(), documents)
    return documents


def without_bytecode(config: PackageConfig, wanted: Wanted) -> list[str]:
    """Return a warning where no interpreter of the functions' version is here."""
    if wanted.interpreter:
        return []
    sentence = (
        f"The package of {config.app} has no bytecode, so its functions start more slowly, and its sources were not "
        f"checked: Python {config.python} is not on this machine and could not be fetched. Install it and build again."
    )
    return [sentence]

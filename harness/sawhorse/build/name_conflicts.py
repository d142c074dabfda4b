"""Refuse names at a package's top that stand for two things at once, of which Python would find one."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping

from sawhorse.build.config import IN_RUNTIME, PackageConfig
from sawhorse.build.module_paths import modules_of
from sawhorse.build.packed_names import SHARED
from sawhorse.build.requirement_files import Declared, edit
from sawhorse.errors import BadConfiguration, BuildFailed

# What Python imports a file at the top as: `x.py`, `x.cpython-313-x86_64-linux-gnu.so`, `x.abi3.so`.
MODULE_ENDS = (".py", ".pyc", ".so")
# What some Pythons that run the harness or functions have in their standard library, and others have not
# (https://docs.python.org/3/whatsnew/3.12.html#removed, https://peps.python.org/pep-0594/).
REMOVED = {
    "3.12": ("asynchat", "asyncore", "distutils", "imp", "smtpd"),
    "3.13": (
        "aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis", "nntplib",
        "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib",
    ),
}  # fmt: skip
ADDED = {"3.14": ("annotationlib", "compression")}


def standard_library(python: str) -> set[str]:
    """Return the modules that a minor version of Python brings along, whichever runs the harness."""
    names = set(sys.stdlib_module_names)
    for version, removed in REMOVED.items():
        names = names - set(removed) if is_from(python, version) else names | set(removed)
    for version, added in ADDED.items():
        names = names if is_from(python, version) else names - set(added)
    return names


def is_from(python: str, version: str) -> bool:
    """Say whether a minor version is this one or a later one."""
    return tuple(map(int, python.split("."))) >= tuple(map(int, version.split(".")))


def module_at_top(name: str) -> str:
    """Return what Python imports a file's path as at its top; nothing for a file that is no module."""
    top, below, _ = name.partition("/")
    if below:
        return top
    return top.partition(".")[0] if top.endswith(MODULE_ENDS) else ""


def imported_at_top(path: str) -> str:
    """Return the module that a file makes of its name at the top; a directory without `__init__` hides no module."""
    top, below, inside = path.partition("/")
    if below:
        return top if inside.partition(".")[0] == "__init__" and inside.endswith(MODULE_ENDS) else ""
    return module_at_top(path)


def refuse_names(
    config: PackageConfig, own: Collection[str], dependencies: Iterable[tuple[str, str]], declared: Declared
) -> None:
    """Refuse names of the app that are those of a dependency, of what the runtime provides, or of Python itself.

    `own` are the paths of the app's files in the package, `dependencies` the paths of all others, each after the name
    of its distribution. Raises BuildFailed, and BadConfiguration where `expected` names what is there.
    """
    theirs: dict[str, str] = {}
    provided = {IN_RUNTIME[name]: name for name in config.provided}
    of_python = standard_library(config.python)
    for distribution, path in dependencies:
        refuse_hiding(config, distribution, path, of_python=of_python, provided=provided, declared=declared)
        for top in {path.partition("/")[0], module_at_top(path)} - {""}:
            theirs.setdefault(top, distribution)
    tops = sorted({(name.partition("/")[0], "/" in name) for name in own})
    modules: dict[str, str] = {}
    for top, is_directory in tops:
        file = f"lambda/{top}" if is_directory else f"lambda/{config.app}/{top}"
        module = top if is_directory else module_at_top(top)
        rename = "" if is_directory and top == SHARED else "rename the first, or "
        taken = next((one for one in (top, module) if one in theirs), None)
        if taken:
            raise BuildFailed(
                f"{file} and {theirs[taken]}, a dependency of {config.app}, both are {taken} at the top of the "
                f"package; {rename}leave {theirs[taken]} out of {edit(declared)}."
            )
        if module in provided:
            raise BuildFailed(
                f"{file} hides {module} of {provided[module]}, which Lambda's runtime provides; {rename}take "
                f'{provided[module]} out of "provided" in lambda/{config.app}/package.toml.'
            )
        if module in of_python:
            raise BuildFailed(
                f"{file} has the name of {module} in Python's standard library, and would hide it or be hidden by it; "
                "rename it."
            )
        for one in {top, module} - {""}:
            if one in modules:
                raise BuildFailed(f"{modules[one]} and {file} both are {one} at the top of the package; rename one.")
            modules[one] = file
    refuse_expected(config, {*theirs, *modules, *modules_of(own)}, provided)


def refuse_hiding(  # noqa: PLR0913 # what a name is compared with
    config: PackageConfig,
    distribution: str,
    path: str,
    *,
    of_python: Collection[str],
    provided: Mapping[str, str],
    declared: Declared,
) -> None:
    """Refuse a dependency's module that Python or the runtime has: Lambda looks into the package first.

    Such a distribution is for an older Python, mostly, and breaks others that import what it hides.
    """
    module = imported_at_top(path)
    if module not in of_python and module not in provided:
        return
    pattern = f"{module}/*" if "/" in path else path
    whose = (
        f"Python {config.python}'s standard library"
        if module in of_python
        else f"{provided[module]}, which is provided"
    )
    raise BuildFailed(
        f"{distribution}, a dependency of {config.app}, brings {path}, which hides {module} of {whose}, or is "
        f"hidden by it. Leave {distribution} out of {edit(declared)}; where another distribution needs it, name "
        f'"{pattern}" under prune in lambda/{config.app}/package.toml.'
    )


def refuse_expected(config: PackageConfig, there: Iterable[str], provided: Iterable[str]) -> None:
    """Refuse an expected module that nobody has to expect."""
    useless = [name for name in config.expected if name in {*there, *provided}]
    if useless:
        raise BadConfiguration(
            f"lambda/{config.app}/package.toml: expected has {useless[0]}, which the package or its runtime has "
            "anyway; remove it there."
        )

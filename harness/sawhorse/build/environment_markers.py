"""Say whether a line's marker may hold where functions run: what nobody knows of Lambda leaves no line out.

Lambda chooses the patch release of Python and the kernel, and changes both without notice
(https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from packaging.markers import Marker, default_environment
from packaging.specifiers import SpecifierSet

from sawhorse.build.platform import Target

# Variables (https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers) of which
# only the minor version is known, and those of which nothing is.
OF_PATCH = {"python_full_version", "implementation_version"}
OF_KERNEL = {"platform_release", "platform_version"}
WORD = r"\"[^\"]*\"|'[^']*'|\w+"
COMPARISON = re.compile(rf"({WORD})\s*(===|==|~=|!=|<=|>=|<|>|not in|in)\s*({WORD})")
# Markers have no negation, so a part that may hold can stand for one that does.
HOLDS = 'python_version >= "0"'
HOLDS_NOT = 'python_version < "0"'
# A patch release later than any, and how many digits a number of a version may have to be one.
LATEST = 9999
NUMBER = re.compile(r"\d{1,4}")


def may_hold(text: str, environment: Mapping[str, str]) -> bool:
    """Say whether a marker holds for some patch release and some kernel. Raises ValueError for one that is no marker.

    The environment has the value of every variable, those that nobody knows included.
    """
    marker = Marker(text)
    # Reads all of it, whatever holds.
    known = marker.evaluate(environment)
    if not any(name in str(marker) for name in (*OF_PATCH, *OF_KERNEL)):
        return known

    def judged(found: re.Match[str]) -> str:
        variables = {found[1], found[3]}
        if variables & OF_KERNEL:
            return HOLDS
        if not variables & OF_PATCH:
            return found[0]
        comparison = Marker(found[0])
        return HOLDS if any(comparison.evaluate({**environment, **one}) for one in versions(found[0])) else HOLDS_NOT

    def versions(comparison: str) -> list[dict[str, str]]:
        return [dict.fromkeys(OF_PATCH, one) for one in patch_releases(environment["python_version"], comparison)]

    return Marker(COMPARISON.sub(judged, str(marker))).evaluate(environment)


def patch_releases(python: str, words: str) -> list[str]:
    """Return patch releases of a minor version, one on each side of every bound that stands in `words`."""
    bounds = {int(number) + more for number in NUMBER.findall(words) for more in (-1, 0, 1)}
    return [f"{python}.{patch}" for patch in sorted({0, LATEST, *bounds} - {-1})]


def may_run(requires: str, python: str) -> bool:
    """Say whether `Requires-Python` takes some patch release of a minor version. Raises ValueError for other words."""
    taken = SpecifierSet(requires)
    return any(taken.contains(one, prereleases=True) for one in patch_releases(python, requires))


def marker_environment(target: Target) -> dict[str, str]:
    """Return what markers are compared with (PEP 508) where a target's functions run."""
    here = {name: str(value) for name, value in default_environment().items()}
    version = {
        "python_version": target.python,
        "python_full_version": f"{target.python}.0",
        "implementation_version": f"{target.python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    if target.platform is None:
        return here | version
    machine = target.platform.partition("-")[0]
    linux = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": machine}
    return here | version | linux

"""Find the interpreter whose bytecode a package holds, and remember it."""

from __future__ import annotations

from pathlib import Path

from sawhorse.build.wheel_cache import Cache
from sawhorse.project import Project
from sawhorse.toolchain import interpreters


def find_compiler(project: Project, python: str, cache: Cache) -> Path | None:
    """Find the interpreter whose bytecode the package holds; None when it is not here and cannot be fetched."""
    remembered = cache.interpreter(python)
    if remembered:
        return remembered
    found = interpreters.exact_python(python, project.path)
    if found:
        cache.remember_interpreter(python, found)
    return found

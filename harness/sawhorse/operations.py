"""Find the operations of an app: the modules in `lambda/<app>/ops`, which people run and Lambda never gets."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from sawhorse.errors import BadConfiguration
from sawhorse.project import Project


def operation(project: Project, app: str, name: str) -> ModuleType | None:
    """Import `lambda/<app>/ops/<name>.py`; None where the app has no such file.

    Raises BadConfiguration where it imports what is not there.
    """
    path = project.lambda_path / app / "ops" / f"{name}.py"
    if not path.is_file():
        return None
    place = str(project.lambda_path)
    if sys.path[:1] != [place]:
        # Before the sources of a checkout that this command may be installed from.
        sys.path.insert(0, place)
    try:
        return importlib.import_module(f"{app}.ops.{name}")
    except ModuleNotFoundError as error:
        raise BadConfiguration(
            f"{project.shown(path)} imports {error.name}, which is not there. Correct the import, or add what it needs "
            f'to lambda/{app}/requirements.in and run "make lock".'
        ) from error


def file_of(app: str, name: str) -> str:
    """Return where an operation of an app is to be written, from the project."""
    return f"lambda/{app}/ops/{name}.py"

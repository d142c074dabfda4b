"""Find where this user's own things lie, outside every project: what was said in a variable, else as XDG has it."""

from __future__ import annotations

import os
from pathlib import Path

from sawhorse.errors import BadConfiguration


def user_directory(variable: str, *, base: str, usual: str) -> Path:
    """Return the directory that `variable` names, else `sawhorse` in the one that `base` names, else in `usual`.

    `usual` is relative to this user's home. Raises BadConfiguration.
    """
    named = os.environ.get(variable)
    if named:
        if not named.startswith("/"):
            raise BadConfiguration(f"{variable} is {named}; name a directory from / on, or unset it.")
        return Path(named)
    around = os.environ.get(base, "")
    # A relative one is to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/
    if around.startswith("/"):
        return Path(around, "sawhorse")
    try:
        return Path.home() / usual / "sawhorse"
    except RuntimeError as error:
        raise BadConfiguration(f"This user has no home directory; name a directory from / on in {variable}.") from error

"""Check that every handler can be found in the package as Lambda looks for it."""

from __future__ import annotations

import re
from collections.abc import Collection
from keyword import iskeyword
from typing import TYPE_CHECKING

from sawhorse.build.module_paths import INIT, modules_of
from sawhorse.build.packed_names import SHARED, shown
from sawhorse.errors import BadConfiguration

if TYPE_CHECKING:
    from sawhorse.build.config import PackageConfig

# What a function is called: a part of the names that Lambda takes
# (https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html), and what TOML takes for a key without quotes.
FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What Lambda takes as a handler is as long at most, and has no white space (the same page).
LONGEST_HANDLER = 128


def check_words(handler: str, where: str, *, root_files: Collection[str], app: str) -> None:
    """Refuse what can be no handler, whatever files there are. Raises BadConfiguration."""
    if len(handler) > LONGEST_HANDLER or not handler.isprintable() or any(letter.isspace() for letter in handler):
        raise BadConfiguration(
            f"{where}: {handler!r} is no handler, since Lambda takes {LONGEST_HANDLER} characters without spaces; "
            "correct it."
        )
    if handler in root_files:
        return
    *modules, function = handler.split(".")
    if not all(modules) or not function.isidentifier() or iskeyword(function) or {"/", "\\"} & set(handler):
        raise BadConfiguration(
            f"{where}: {handler!r} is no handler: the names of directories, of a module and of a function in it stand "
            f"between dots; write it as {app}.main.handler."
        )
    if modules[0] not in {app, SHARED, *(name.removesuffix(".py") for name in root_files if name.endswith(".py"))}:
        raise BadConfiguration(f"{where}: {handler} is not in the package of {app}; name a function of lambda/{app}.")


def check_handlers(config: PackageConfig, names: Collection[str]) -> None:
    """Refuse a handler whose module is not among a package's files, given by their paths in it.

    Raises BadConfiguration.
    """
    modules = modules_of(names)
    for name, handler in config.handlers.items():
        module = handler.rpartition(".")[0]
        if handler in config.root_files or modules.get(module):
            continue
        where = f"lambda/{config.app}/package.toml: functions.{name}"
        path = module.replace(".", "/")
        beside = path.removeprefix(f"{config.app}/") + ".py"
        if module in modules:
            raise BadConfiguration(
                f"{where}: lambda/{path} is a directory without {INIT}.py, which could have the function of handler "
                f"{handler}; add lambda/{path}/{INIT}.py, or name a module."
            )
        if beside in config.root_files:
            at_top = f"{beside.removesuffix('.py')}.{handler.rpartition('.')[2]}"
            raise BadConfiguration(
                f"{where}: root_files puts {beside} at the top of the package, where {handler} is not found; name "
                f"{at_top} as handler, or take {beside} out of root_files."
            )
        hidden = next((one for one in (f"{path}.py", f"{path}/{INIT}.py") if one in names), None)
        if hidden:
            raise BadConfiguration(
                f"{where}: Python does not find lambda/{shown(hidden)} for handler {handler}, since a module above it "
                "has the name of a directory; rename one of the two."
            )
        raise BadConfiguration(f"{where}: there is no lambda/{path}.py for handler {handler}.")

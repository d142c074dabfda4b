"""Say which modules the files of a package are, and which file Python takes for each."""

from __future__ import annotations

from collections.abc import Iterable

# The file of a module by the module's full name, empty for a directory without `__init__`, which is one as well.
Modules = dict[str, str]

INIT = "__init__"


def modules_of(names: Iterable[str]) -> Modules:
    """Return every module that can be imported of these paths, with the file that Python takes for it.

    Of one name, Python takes a package before a library, that before a source, and a mere directory last
    (https://docs.python.org/3/reference/import.html#the-path-based-finder).
    """
    files: dict[str, dict[str, str]] = {"": {}}
    below: dict[str, list[str]] = {"": []}
    for name in names:
        directory, _, file = name.rpartition("/")
        if directory not in files:
            enter(directory, files, below)
        stem, end = stem_of(file)
        if stem and (end == ".so" or stem not in files[directory]):
            files[directory][stem] = name
    found: Modules = {}
    ahead = [("", "")]
    while ahead:
        directory, prefix = ahead.pop()
        here = files[directory]
        found.update({f"{prefix}{stem}": name for stem, name in here.items()})
        for path in below[directory]:
            name = path.rpartition("/")[2]
            within = files[path].get(INIT)
            if "." not in name and (within or name not in here):
                found[f"{prefix}{name}"] = within or ""
                ahead.append((path, f"{prefix}{name}."))
    return found


def enter(directory: str, files: dict[str, dict[str, str]], below: dict[str, list[str]]) -> None:
    """Note a directory, and those that it lies in."""
    while directory not in files:
        files[directory] = {}
        below.setdefault(directory, [])
        above = directory.rpartition("/")[0]
        below.setdefault(above, []).append(directory)
        if above in files:
            return
        directory = above


def stem_of(file: str) -> tuple[str, str]:
    """Return the last part of the name of the module that a file is, empty for another file, and how the file ends."""
    if file.endswith(".py"):
        stem = file.removesuffix(".py")
        return ("" if "." in stem else stem), ".py"
    # `x.cpython-313-x86_64-linux-gnu.so`, `x.abi3.so`.
    return (file.partition(".")[0], ".so") if file.endswith(".so") else ("", "")


def prefixes_of(module: str) -> list[str]:
    """Return a module's name and those of the packages that it lies in: `a.b` -> a.b, a."""
    found = [module]
    while "." in module:
        module = module.rpartition(".")[0]
        found.append(module)
    return found

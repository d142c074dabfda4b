"""Tell which distribution a package's files came from, as far as the package itself says it."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from email.parser import HeaderParser

from packaging.utils import canonicalize_name

from sawhorse.build.zip_reader import Opened

DIST_INFO = re.compile(r"(?P<name>[^/]+?)(-(?P<version>[^/-]+))?\.(dist|egg)-info/.")
# A layer holds the same below this directory
# (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
LAYER = "python/"
APP, DISTRIBUTION, OTHER = "app", "distribution", "other"
# Import names that a distribution's name does not show.
IMPORT_NAMES = {
    "attrs": ("attr", "attrs"),
    "beautifulsoup4": ("bs4",),
    "cffi": ("_cffi_backend", "cffi"),
    "msgpack-python": ("msgpack",),
    "pillow": ("PIL",),
    "protobuf": ("google/protobuf", "google/_upb"),
    "pycryptodome": ("Crypto",),
    "pyjwt": ("jwt",),
    "pynacl": ("nacl",),
    "pyopenssl": ("OpenSSL",),
    "python-dateutil": ("dateutil",),
    "python-dotenv": ("dotenv",),
    "python-multipart": ("multipart", "python_multipart"),
    "pyyaml": ("_yaml", "yaml"),
    "scikit-learn": ("sklearn",),
    "setuptools": ("_distutils_hack", "pkg_resources", "setuptools"),
}


@dataclass(frozen=True)
class Distribution:
    """A distribution whose dist-info is in the package, with what it says of its files."""

    name: str
    version: str
    directory: str
    recorded: frozenset[str] = frozenset()
    imports: frozenset[str] = field(default=frozenset())

    @property
    def key(self) -> str:
        return canonicalize_name(self.name)


@dataclass(frozen=True)
class Owner:
    """A distribution, a part of the app, or a name at the top that nothing in the package claims."""

    name: str
    kind: str
    version: str | None = None


def root_of(names: Collection[str]) -> str:
    """Return what stands before every import name: `python/` in a layer."""
    return LAYER if names and all(name.startswith(LAYER) for name in names) else ""


def distributions_of(package: Opened) -> list[Distribution]:
    """Find the distributions by their dist-info."""
    root = root_of(package.files)
    directories: dict[str, re.Match[str]] = {}
    for name in package.files:
        found = DIST_INFO.match(name.removeprefix(root))
        if found:
            directories.setdefault(root + found[0].rpartition("/")[0] + "/", found)
    return [distribution_of(package, root, directory, found) for directory, found in sorted(directories.items())]


def distribution_of(package: Opened, root: str, directory: str, found: re.Match[str]) -> Distribution:
    texts = {
        name: package.read(directory + name).decode(errors="replace")
        for name in ("METADATA", "RECORD", "top_level.txt", "entry_points.txt")
        if directory + name in package.files
    }
    metadata = HeaderParser().parsestr(texts.get("METADATA", ""))
    record = csv.reader(line.replace("\0", "") for line in texts.get("RECORD", "").splitlines())
    name = str(metadata["Name"] or found["name"]).strip()
    declared = {str(value).split(";")[0].strip().replace(".", "/") for value in metadata.get_all("Import-Name") or []}
    return Distribution(
        name=name,
        version=str(metadata["Version"] or found["version"] or "").strip(),
        directory=directory,
        recorded=frozenset(root + row[0] for row in record if row),
        imports=frozenset(declared | set(texts.get("top_level.txt", "").split()) | entered(texts)),
    )


def entered(texts: Mapping[str, str]) -> set[str]:
    """Return the modules at the top that entry points lead to."""
    lines = texts.get("entry_points.txt", "").splitlines()
    return {found[1] for line in lines if (found := re.match(r"[^=\[]+=\s*([A-Za-z_]\w*)", line.strip()))}


def owners(package: Opened, own: Collection[str]) -> dict[str, Owner]:
    """Return the owner of every file.

    `own` are the names at the top that belong to the app. A distribution's RECORD decides, then what its dist-info
    names, then the likeness of names. What is left stands under its own name at the top.
    """
    found = distributions_of(package)
    root = root_of(package.files)
    recorded = {name: one for one in found for name in one.recorded}
    claims = claims_of(found, {module_path(name.removeprefix(root)) for name in package.files}, own)
    evidence = Evidence(root, own, found, recorded, claims)
    return {name: evidence.owner_of(name) for name in package.files}


@dataclass(frozen=True)
class Evidence:
    """What tells whose a file is: `recorded` by RECORDs, `claims` by what dist-infos name and by likeness of names."""

    root: str
    own: Collection[str]
    found: Collection[Distribution]
    recorded: Mapping[str, Distribution]
    claims: Mapping[str, Distribution]

    def owner_of(self, name: str) -> Owner:
        relative = name.removeprefix(self.root)
        top = module_path(relative).split("/")[0]
        if top in self.own or relative in self.own:
            return Owner(relative if relative in self.own else top, APP)
        one = next((one for one in self.found if name.startswith(one.directory)), None)
        one = one or self.recorded.get(source_of(name))
        path = module_path(relative)
        while one is None and path:
            one = self.claims.get(path)
            path = path.rpartition("/")[0]
        if one is None:
            # Shared libraries that auditwheel puts beside a package.
            libraries = relative.split("/")[0].lower()
            one = next((one for one in self.found if f"{one.key.replace('-', '_')}.libs" == libraries), None)
        return Owner(one.name, DISTRIBUTION, one.version) if one else Owner(top, OTHER)


def module_path(name: str) -> str:
    """Return a file's path as an import sees it: without `__pycache__`, and at the top without what follows a dot."""
    source = source_of(name)
    return source if "/" in source or ".libs" in source else source.split(".")[0]


def source_of(name: str) -> str:
    """Return the source that bytecode in `__pycache__` was made from, and any other name as it is."""
    directory, _, file = name.rpartition("/")
    if not name.endswith(".pyc") or directory.rpartition("/")[2] != "__pycache__":
        return name
    above = directory.removesuffix("__pycache__")
    return f"{above}{file.split('.')[0]}.py"


def claims_of(found: Collection[Distribution], paths: Collection[str], own: Collection[str]) -> dict[str, Distribution]:
    """Return which distribution each directory or module belongs to, for those that are plainly one's own."""
    there = {path for whole in paths for path in prefixes(whole)} - set(own)
    claims: dict[str, Distribution] = {}
    for likeness in (stated, named_alike, namespace_of):
        candidates: dict[str, list[Distribution]] = {}
        for one in found:
            for path in likeness(one, there):
                candidates.setdefault(path, []).append(one)
        for path, claiming in candidates.items():
            # Of several that claim one namespace none has it.
            if path not in claims and len(claiming) == 1:
                claims[path] = claiming[0]
    return claims


def prefixes(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]


def stated(one: Distribution, there: Collection[str]) -> set[str]:
    """What its dist-info names, or what is known of it."""
    return {path for path in there if path in one.imports or path in IMPORT_NAMES.get(one.key, ())}


def named_alike(one: Distribution, there: Collection[str]) -> set[str]:
    """Modules of its own name, and directories of a namespace: google-cloud-storage has google/cloud/storage."""
    forms = {one.key.replace("-", "_"), one.key.replace("-", "/")}
    return {path for path in there if path.lower() in forms or path.lower().lstrip("_") in forms}


def namespace_of(one: Distribution, there: Collection[str]) -> set[str]:
    """A module at the top that its name begins with: opentelemetry-api has opentelemetry."""
    name = one.key.replace("-", "_")
    return {path for path in there if "/" not in path and name.startswith(f"{path.lower()}_")}

"""Say what a package consists of: a CycloneDX bill of materials and a list of licences, equal for equal input.

Nothing here reads the file system. A distribution's own METADATA is all that is known of it
(https://packaging.python.org/en/latest/specifications/core-metadata/).
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component as Part
from cyclonedx.model.component import ComponentType
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseExpression
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import is_supported_id
from packageurl import PackageURL
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

UNKNOWN = "unknown"
# A field that is longer is the text of a licence, not its name.
LONGEST_NAME = 100
LONGEST_EXPRESSION = 1000
# What authors write into the old free field `License`, where it can mean one licence alone.
SPELLINGS = {
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "mit license": "MIT",
    "the mit license": "MIT",
    "mozilla public license 2.0": "MPL-2.0",
    "psfl": "PSF-2.0",
}
# Only classifiers that stand for one licence: "BSD License" and "Apache Software License" name families.
CLASSIFIERS = {
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
}
# Labels of Project-URL that mean the same, without spaces and capitals
# (https://packaging.python.org/en/latest/specifications/well-known-project-urls/).
LABELS = {
    "website": ("homepage", "home"),
    "vcs": ("source", "sourcecode", "repository", "github", "code"),
    "documentation": ("documentation", "docs"),
    "issue-tracker": ("issues", "issuetracker", "bugtracker", "bugs", "tracker"),
}
ADDRESS = re.compile(
    r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?]([A-Za-z0-9._~!$&*+,;=:@/?()-]|%[0-9A-Fa-f]{2})*)?"
    r"(#([A-Za-z0-9._~!$&*+,;=:@/?()-]|%[0-9A-Fa-f]{2})*)?"
)
OF_AN_EXTRA = re.compile(r"""\bextra\b\s*==\s*["']([^"']+)["']|["']([^"']+)["']\s*==\s*\bextra\b""")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Component:
    """A distribution in a package.

    `metadata` is the text of its METADATA, `hashes` are the SHA-256 in hex of its wheels in the lock.
    """

    name: str
    version: str
    metadata: str
    hashes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name by which requirements find it, however they spell it."""
        return canonicalize_name(self.name)

    @property
    def purl(self) -> str:
        return PackageURL("pypi", name=self.key, version=self.version).to_string()

    @cached_property
    def fields(self) -> RawMetadata:
        """What METADATA says; a field that makes no sense is left out."""
        return parse_email(self.metadata)[0]

    @cached_property
    def licence(self) -> Licence:
        return licence_of(self.fields)

    @cached_property
    def addresses(self) -> Mapping[str, str]:
        """The project's pages by their kind, such as `website`."""
        given = {re.sub(r"[\s_-]", "", key).lower(): url for key, url in self.fields.get("project_urls", {}).items()}
        found = {kind: next((given[word] for word in words if word in given), "") for kind, words in LABELS.items()}
        found["website"] = self.fields.get("home_page", "") or found["website"]
        return {kind: url.strip() for kind, url in found.items() if url.strip() and url.strip() != "UNKNOWN"}


@dataclass(frozen=True)
class Licence:
    """What a distribution may be used under: an SPDX expression, or names that its author chose; neither is unknown."""

    expression: str | None = None
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.expression or ", ".join(self.names) or UNKNOWN


def licence_of(fields: RawMetadata) -> Licence:
    """Find the licence where METADATA names it: License-Expression, then License, then the classifiers."""
    declared = fields.get("license_expression", "").strip()
    if declared:
        expression = spdx(declared)
        return Licence(expression) if expression else Licence(names=(declared[:LONGEST_NAME],))
    free = next((line.strip() for line in fields.get("license", "").splitlines() if line.strip()), "")
    if free.upper() == "UNKNOWN":
        free = ""
    expression = spdx(SPELLINGS.get(" ".join(free.lower().split()), free))
    if expression:
        return Licence(expression)
    prefix = "License :: "
    classified = sorted(
        {line.split(" :: ")[-1].strip() for line in fields.get("classifiers", []) if line.startswith(prefix)}
        - {"OSI Approved", ""}
    )
    if len(classified) == 1 and classified[0] in CLASSIFIERS:
        return Licence(CLASSIFIERS[classified[0]])
    # Several classifiers do not say whether all of them hold or one may be chosen.
    names = [CLASSIFIERS.get(name, name) for name in classified] or ([free[:LONGEST_NAME]] if free else [])
    return Licence(names=tuple(names))


def spdx(text: str) -> str | None:
    """Return an SPDX expression as SPDX spells it; None when it is none."""
    if not text or len(text) > LONGEST_EXPRESSION:
        return None
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return None


def licences(components: Sequence[Component]) -> list[dict[str, Any]]:
    """Return name, version, licence, licence files and home page of every component, sorted by name.

    The licence is an SPDX expression, else what METADATA says, else "unknown".
    """
    return [
        {
            "name": component.name,
            "version": component.version,
            "licence": str(component.licence),
            "licence_files": sorted(set(component.fields.get("license_files", []))),
            "home_page": component.addresses.get("website") or component.addresses.get("vcs"),
        }
        for component in distinct(components)
    ]


def licence_list(app: str, components: Sequence[Component]) -> str:
    """Return the list of licences as JSON that ends with a newline."""
    return json.dumps({"app": app, "components": licences(components)}, indent=2) + "\n"


def bill_of_materials(app: str, components: Sequence[Component]) -> str:
    """Return a CycloneDX 1.6 document in JSON that ends with a newline.

    It has no date, and its serial number follows from its content. What no other component needs, the app needs:
    the lock does not say more. Raises ValueError for a hash that is no SHA-256 in hex, or a name that is empty.
    """
    listed = distinct(components)
    parts = {component.key: part_of(component) for component in listed}
    whole = Part(name=app, type=ComponentType.APPLICATION, bom_ref=f"app:{app}")
    tool = Part(name="sawhorse", type=ComponentType.APPLICATION, bom_ref="tool:sawhorse")
    bom = Bom(metadata=BomMetaData(component=whole, tools=ToolRepository(components=[tool])), components=parts.values())
    needs = dependencies(listed)
    bom.register_dependency(whole, [parts[key] for key in needed_by_the_app(needs)])
    for key, needed in needs.items():
        bom.register_dependency(parts[key], [parts[name] for name in sorted(needed)])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    del document["serialNumber"]
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, content).urn
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def distinct(components: Sequence[Component]) -> list[Component]:
    """Sort components by name; of several with one name, which no package can hold, keep the first in the order."""
    ordered = sorted(components, key=lambda one: (one.key, one.version, one.metadata, sorted(one.hashes)), reverse=True)
    return sorted({component.key: component for component in ordered}.values(), key=lambda one: one.key)


def part_of(component: Component) -> Part:
    """Write a component as the library does."""
    hashes = sorted({digest.lower() for digest in component.hashes})
    wrong = [digest for digest in hashes if not SHA256.fullmatch(digest)]
    if wrong:
        raise ValueError(f"{component.name} has the hash {wrong[0]!r}, which is no SHA-256 in hex.")
    return Part(
        name=component.name,
        version=component.version,
        bom_ref=component.purl,
        purl=PackageURL.from_string(component.purl),
        description=component.fields.get("summary") or None,
        licenses=licence_in_bill(component.licence),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in hashes],
        external_references=references(component.addresses),
    )


def licence_in_bill(licence: Licence) -> list[License]:
    """Write a licence with SPDX's id where the format knows it, as an expression, or by name."""
    if licence.expression:
        known = is_supported_id(licence.expression)
        return [DisjunctiveLicense(id=licence.expression) if known else LicenseExpression(licence.expression)]
    return [
        DisjunctiveLicense(id=name) if is_supported_id(name) else DisjunctiveLicense(name=name)
        for name in licence.names
    ]


def references(addresses: Mapping[str, str]) -> Iterable[ExternalReference]:
    """Write addresses that are addresses; METADATA may say anything."""
    return [
        ExternalReference(type=ExternalReferenceType(kind), url=XsUri(url))
        for kind, url in sorted(addresses.items())
        if ADDRESS.fullmatch(url)
    ]


def dependencies(components: Sequence[Component]) -> dict[str, set[str]]:
    """Return which of the components each one requires, on any platform.

    A requirement of an extra counts when another component asks for that extra.
    """
    required = {component.key: list(requirements(component)) for component in components}
    extras = {
        (canonicalize_name(requirement.name), canonicalize_name(extra))
        for key, found in required.items()
        for requirement in found
        for extra in requirement.extras
        if canonicalize_name(requirement.name) != key and not extras_of(requirement)
    }
    needs: dict[str, set[str]] = {}
    for key, found in required.items():
        wanted = [
            one for one in found if not (asked := extras_of(one)) or any((key, extra) in extras for extra in asked)
        ]
        needs[key] = {str(canonicalize_name(one.name)) for one in wanted} & required.keys() - {key}
    return needs


def requirements(component: Component) -> Iterable[Requirement]:
    for line in component.fields.get("requires_dist", []):
        try:
            yield Requirement(line)
        except InvalidRequirement:
            # METADATA of old tools holds lines that pip does not read either.
            continue


def extras_of(requirement: Requirement) -> set[str]:
    """Return the extras that a requirement belongs to; none for one that holds always."""
    marker = str(requirement.marker or "")
    return {canonicalize_name(left or right) for left, right in OF_AN_EXTRA.findall(marker)}


def needed_by_the_app(needs: Mapping[str, set[str]]) -> list[str]:
    """Return what no other component needs, and one component of each circle that nothing else leads to."""
    wanted = sorted(needs.keys() - {name for needed in needs.values() for name in needed})
    reached: set[str] = set()
    ahead = list(wanted)
    while len(reached) < len(needs):
        if not ahead:
            ahead = [min(needs.keys() - reached)]
            wanted += ahead
        key = ahead.pop()
        if key not in reached:
            reached.add(key)
            ahead += needs[key]
    return wanted

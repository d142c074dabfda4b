"""Compare a plan with an inventory: what it must hold, naming only what somebody promised."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sawhorse.errors import BadConfiguration
from sawhorse.files import write_shared
from sawhorse.plans.documents import Written, read_document, shown_path, write_document
from sawhorse.plans.inventory_base import (
    MISSING,
    Base,
    base_of,
    expand_all,
    in_common,
    merged,
    otherwise,
    read_base,
)
from sawhorse.plans.plan import ABSENT, Absent, Plan, Unknown

# What an inventory may count by type besides what there is after the apply.
COUNTED = ("created", "updated", "replaced", "deleted", "forgotten")
# What a first inventory counts of them: what is lost.
LOST = ("replaced", "deleted", "forgotten")
PARTS = ("values", "counts", "outputs", *COUNTED)
# What else stands in an inventory that has a base.
OF_THE_BASE = ("base", "names")
FIRST = "# What was planned when this file was first written: keep what somebody promised, and remove the rest.\n"
# What a line of a failure shows of a value.
SHOWN = 400


@dataclass(frozen=True)
class Difference:
    """Where a plan is not what an inventory says, with both sides as they are shown."""

    place: str
    path: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"  {self.place}: {self.path}\n    - {self.expected}\n    + {self.found}"


def assert_plan(planned: Plan, inventory: Path, *, refresh: str) -> None:
    """Fail with what differs and on which line when the plan does not hold everything that the inventory names.

    An inventory has `values` by address and `outputs` by name, and by type `counts` of what there is after the apply,
    and how many are `created`, `updated`, `replaced`, `deleted` or `forgotten`. Mappings are subsets, but for `{}`,
    which is an empty one; all else is equal in type and value, where all numbers are of one type. Where an inventory
    holds a mapping or a list the plan may hold the JSON of one. `(not planned)` without quotes is what must not be
    there. What replaces a thing that an inventory names has to be named by `replaced`. Where it names a `base`, all
    that the base says holds as well, but for what the inventory itself says otherwise, and `names` are put in for the
    `<name>` of the base. `refresh` is the command that rewrites it.
    """
    __tracebackhide__ = True
    if not inventory.exists():
        raise BadConfiguration(
            f"There is no inventory {shown_path(inventory)}; write a first one of what is planned: {refresh}"
        )
    parts = read_inventory(inventory)[1]
    if not parts:
        raise BadConfiguration(
            f"{shown_path(inventory)} names nothing that could be missing; write a first inventory of what is planned: "
            f"{refresh}"
        )
    differences = "\n".join(str(difference) for difference in differences_of(parts, planned))
    if differences:
        raise AssertionError(
            f"The plan is not what {shown_path(inventory)} says:\n{differences}\n"
            f"When the plan is right, rewrite the file: {refresh}"
        )


def refresh_inventory(planned: Plan, inventory: Path) -> None:
    """Write what is planned into the inventory, for the things that it names and no others; for all in a first one."""
    __tracebackhide__ = True
    refresh_inventories({inventory: planned})


def refresh_inventories(plans: Mapping[Path, Plan]) -> None:
    """Write what is planned into inventories, and into a base what most of those that have it say alike."""
    __tracebackhide__ = True
    contents = {inventory: refreshed(planned, inventory) for inventory, planned in plans.items()}
    bases = {inventory: base for inventory in plans if inventory.exists() and (base := read_inventory(inventory)[0])}
    for path in sorted({base.path for base in bases.values()}):
        sharing = {inventory: base for inventory, base in bases.items() if base.path == path}
        others = sorted(other.name for other in path.parent.glob("*.yaml") if shares(other, path) - sharing.keys())
        if others:
            raise BadConfiguration(
                f"{shown_path(path)} is the base of {', '.join(others)} as well; refresh all at once."
            )
        contents |= with_a_base(path, sharing, contents)
    documents = {inventory: rewritten_document(inventory, content) for inventory, content in contents.items()}
    for inventory, text in documents.items():
        write_shared(inventory, text)


def with_a_base(path: Path, sharing: Mapping[Path, Base], contents: Mapping[Path, Any]) -> dict[Path, dict[str, Any]]:
    """Return what stands in a base and in the inventories that share it."""
    names = [base.names for base in sharing.values()]
    found = {part: [contents[inventory].get(part, MISSING) for inventory in sharing] for part in PARTS}
    common = {part: in_common(of_each, names) for part, of_each in found.items() if MISSING not in of_each}
    common = {part: value for part, value in common.items() if value is not MISSING}
    documents: dict[Path, dict[str, Any]] = {path: common}
    for inventory, base in sharing.items():
        said = otherwise(expand_all(common, base.names), contents[inventory])
        head: dict[str, Any] = {"base": path.name, **({"names": dict(base.names)} if base.names else {})}
        documents[inventory] = head | ({} if said is MISSING else said)
    return documents


def shares(inventory: Path, base: Path) -> set[Path]:
    """Return an inventory where it names that base."""
    document = read_document(inventory)
    named = base_of(document, inventory) if isinstance(document.value, dict) else None
    return {inventory} if named and named.path == base else set()


def refreshed(planned: Plan, inventory: Path) -> dict[str, Any]:
    """Return what is planned of the things that an inventory with its base names, of everything for a first one."""
    parts = read_inventory(inventory, looked_for=True)[1] if inventory.exists() else {}
    content = rewritten(parts, planned) if parts else everything(planned)
    if not content:
        raise BadConfiguration(
            f"Nothing that {shown_path(inventory)} names is planned any more; "
            "remove the file to have a first one written."
        )
    return content


def rewritten_document(inventory: Path, content: Mapping[str, Any]) -> str:
    """Return the text of an inventory under the comments that it begins with."""
    lines = inventory.read_text(encoding="utf-8").split("\n") if inventory.exists() else []
    comments = "".join(f"{line}\n" for line in lines if line.startswith("#"))
    first = FIRST if not inventory.exists() or not read_document(inventory).value else ""
    try:
        text = (comments or first) + write_document(content)
        text.encode()
    except (RecursionError, ValueError) as error:
        raise BadConfiguration(
            f"{shown_path(inventory)} cannot hold what is planned ({error}); write it by hand."
        ) from error
    return text


def read_inventory(inventory: Path, *, looked_for: bool = False) -> tuple[Base | None, dict[str, Written]]:
    """Return the base and the parts of an inventory; what is wrong with a file is said without how it was found.

    With `looked_for` they name as well what of the base must not be planned.
    """
    __tracebackhide__ = True
    try:
        return base_and_parts(inventory, looked_for=looked_for)
    except BadConfiguration as error:
        raise error.with_traceback(None) from None


def base_and_parts(inventory: Path, *, looked_for: bool) -> tuple[Base | None, dict[str, Written]]:
    document = read_document(inventory)
    parts = parts_of(document, OF_THE_BASE)
    base = base_of(document, inventory) if isinstance(document.value, dict) else None
    if base is None:
        return None, parts
    held = parts_of(read_base(base))
    both = {name: merged(held[name], parts[name], looked_for=looked_for) for name in held.keys() & parts.keys()}
    return base, {**held, **parts, **both}


def parts_of(document: Written, besides: Sequence[str] = ()) -> dict[str, Written]:
    """Return the parts of an inventory, none when it is empty."""
    if document.value is None:
        return {}
    document.only((*PARTS, *besides), "an inventory")
    parts: dict[str, Written] = {name: part for name, part in document.value.items() if name not in besides}
    for name, part in parts.items():
        part.mapping(f"{name} must be a mapping; {name}: {{}} says that there are none")
    return parts


def found_of(planned: Plan, part: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the plan has of one part of an inventory, by address, name or type; of a type it may have none."""
    if part == "values":
        return planned.resources
    if part == "outputs":
        return planned.outputs
    counts = planned.counts() if part == "counts" else planned.counts(part)
    return {**dict.fromkeys(names, 0), **counts}


def differences_of(parts: Mapping[str, Written], planned: Plan) -> Iterator[Difference]:
    """Walk everything in which a plan is not what an inventory says."""
    for name, part in parts.items():
        for difference in differing(part, found_of(planned, name, part.value), name):
            lost = planned.done.get(difference.path.removeprefix("values > "), "") if name == "values" else ""
            yield replace(difference, found=f"({lost})") if lost in LOST and difference.found == ABSENT else difference
    yield from silently_replaced(parts, planned)


def silently_replaced(parts: Mapping[str, Written], planned: Plan) -> Iterator[Difference]:
    """Walk the types of which an inventory names something that is replaced, and does not say so."""
    said = parts["replaced"].value if "replaced" in parts else None
    for kind, (named, addresses) in replaced_of(parts, planned).items():
        # An empty mapping says that nothing is, and that was compared already.
        if said is None or (said and kind not in said):
            found = f"{len(addresses)} ({', '.join(addresses)})"
            yield Difference(named.place, f"replaced > {kind}", "(not named)", found)


def replaced_of(parts: Mapping[str, Written], planned: Plan) -> dict[str, tuple[Written, list[str]]]:
    """Return by type what is replaced of the things that an inventory names, and where it names the first of them."""
    values, counts = (parts[name].value if name in parts else {} for name in ("values", "counts"))
    found: dict[str, tuple[Written, list[str]]] = {}
    for address, done in planned.done.items():
        kind = planned.types[address]
        named = values.get(address) or counts.get(kind)
        if done == "replaced" and named:
            found.setdefault(kind, (named, []))[1].append(address)
    return found


def rewritten(parts: Mapping[str, Written], planned: Plan) -> dict[str, Any]:
    """Return an inventory of what the plan has of the things that one names."""
    content = {}
    for name, part in parts.items():
        found = found_of(planned, name, part.value)
        if any(key in found for key in part.value) or not part.value or not found:
            content[name] = narrowed(found, part)
    replaced = planned.counts("replaced")
    unnamed = {kind: replaced[kind] for kind in replaced_of(parts, planned)}
    if unnamed:
        content["replaced"] = {**unnamed, **content.get("replaced", {})}
    return content


def everything(planned: Plan) -> dict[str, Any]:
    """Return an inventory of all that is planned, but for what is sensitive."""
    lost = {name: planned.counts(name) for name in LOST}
    found = {
        "values": opened(planned.public_resources) if planned.public_resources or not planned.resources else None,
        "counts": planned.counts(),
        "outputs": opened(planned.public_outputs) if planned.public_outputs or not planned.outputs else None,
        **{name: counts for name, counts in lost.items() if counts},
    }
    return {name: part for name, part in found.items() if part is not None}


def opened(value: Any) -> Any:
    """Write out the JSON objects in a value, such as policies, where they say something."""
    if isinstance(value, dict):
        return {key: opened(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [opened(inner) for inner in value]
    return document_of(value, dict) or value


def document_of(found: Any, kind: type) -> Any:
    """Return what the JSON of a mapping or list says where a text is one, else what was found."""
    if not isinstance(found, str) or isinstance(found, Unknown) or found.lstrip()[:1] not in ("{", "["):
        return found
    try:
        document = json.loads(found)
    except (ValueError, RecursionError):
        return found
    return document if isinstance(document, kind) else found


def narrowed(found: Any, expected: Written) -> Any:
    """Keep of `found` what `expected` names; all of it where nothing that is named is left."""
    if isinstance(expected.value, (dict, list)):
        found = document_of(found, type(expected.value))
    if isinstance(expected.value, dict) and isinstance(found, dict):
        kept = {
            key: narrowed(found[key], inner) if key in found else ABSENT
            for key, inner in expected.value.items()
            if key in found or inner.value is ABSENT
        }
        return kept or found
    if isinstance(expected.value, list) and isinstance(found, list) and len(expected.value) == len(found):
        return [narrowed(item, inner) for item, inner in zip(found, expected.value, strict=True)]
    return found


def differing(expected: Written, found: Any, path: str) -> Iterator[Difference]:
    """Walk where a planned value is not what is expected of it."""
    value = expected.value
    if isinstance(value, (dict, list)):
        found = document_of(found, type(value))
    if isinstance(value, dict) and value and isinstance(found, dict):
        for key, inner in value.items():
            if inner.value is ABSENT and key not in found:
                continue
            if key in found:
                yield from differing(inner, found[key], f"{path} > {key}")
            else:
                yield Difference(inner.place, f"{path} > {key}", shown(inner.plain()), str(ABSENT))
    elif isinstance(value, list) and isinstance(found, list) and len(value) == len(found):
        for number, (inner, item) in enumerate(zip(value, found, strict=True)):
            yield from differing(inner, item, f"{path} > {number}")
    elif not same(value, found):
        yield Difference(expected.place, path, shown(expected.plain()), shown(found))


def same(expected: Any, found: Any) -> bool:
    """Whether two values are one in type and value, where mappings and lists are one only when both are empty."""
    if kind_of(expected) is not kind_of(found):
        return False
    if isinstance(expected, (dict, list)):
        return not expected and not found
    return bool(expected == found) or (expected != expected and found != found)  # noqa: PLR0124 # no number is itself


def kind_of(value: Any) -> type:
    """Return a value's type as Terraform has types: all numbers are of one, booleans and what AWS decides of others."""
    return float if type(value) is int else type(value)


def shown(value: Any) -> str:
    """Show a value in a line of a failure."""
    if isinstance(value, (Unknown, Absent)):
        return str(value)
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value, sort_keys=True)
    except (ValueError, RecursionError):
        text = "(a value that is too large to show)"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"

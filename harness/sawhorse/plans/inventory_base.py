"""What inventories have in common: a base that holds for all of them, and in each one what it says otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sawhorse.errors import BadConfiguration
from sawhorse.plans.documents import Written, read_document
from sawhorse.plans.plan import ABSENT

# Where nothing is said.
MISSING = object()
NAME = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class Base:
    """The base that an inventory names, and what stands in this one for the names in `<>` of the base."""

    path: Path
    names: Mapping[str, str]


def base_of(document: Written, inventory: Path) -> Base | None:
    """Return the base that an inventory names, if it names one."""
    names = document.value.get("names")
    if "base" not in document.value:
        if names is not None:
            raise BadConfiguration(f"{names.place}: names stand for the <name> of a base; name the file as base, too.")
        return None
    written = document.value["base"]
    path = inventory.parent / written.text("base must be the name of a file beside this one")
    if not path.exists():
        raise BadConfiguration(f"{written.place}: there is no {path.name} beside this file; write it, or remove base.")
    given = names.mapping("names must be a mapping of texts") if names else {}
    return Base(path, {name: text.text(f"{name} must be a text; put it in quotes") for name, text in given.items()})


def read_base(base: Base) -> Written:
    """Return a base as it holds for one inventory."""
    return expanded(read_document(base.path), base.names)


def expanded(base: Written, names: Mapping[str, str]) -> Written:
    """Put in what stands for the names of a base, in keys and in texts."""
    if isinstance(base.value, dict):
        return replace(base, value={expand(key, names): expanded(inner, names) for key, inner in base.value.items()})
    if isinstance(base.value, list):
        return replace(base, value=[expanded(inner, names) for inner in base.value])
    return replace(base, value=expand(base.value, names))


def expand(value: Any, names: Mapping[str, str]) -> Any:
    return NAME.sub(lambda found: names.get(found[1], found[0]), value) if type(value) is str else value


def merged(base: Written, other: Written, *, looked_for: bool = False) -> Written:
    """Return what an inventory says where it says something, and its base elsewhere, each at its place.

    With `looked_for` the base stands as well where the inventory says that it must not be planned.
    """
    one, two = base.value, other.value
    if is_mapping(one) and is_mapping(two):
        inner = {key: merged(one[key], value, looked_for=looked_for) for key, value in two.items() if key in one}
        return replace(base, value={**one, **two, **inner})
    if are_lists((one, two)):
        pairs = zip(one, two, strict=True)
        return replace(base, value=[merged(*pair, looked_for=looked_for) for pair in pairs])
    return base if looked_for and two is ABSENT else other


def is_mapping(value: Any) -> bool:
    """Whether a value is a mapping that says something; an empty one says that there is nothing."""
    return isinstance(value, dict) and bool(value)


def are_lists(values: Sequence[Any]) -> bool:
    """Whether values are lists that can be compared item by item."""
    return all(isinstance(value, list) and value for value in values) and len(set(map(len, values))) == 1


def alike(one: Any, other: Any) -> bool:
    """Whether two values are one in type and value."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 # no number is itself


def otherwise(base: Any, content: Any) -> Any:
    """Return what an inventory has to say besides its base, `MISSING` where that is nothing."""
    if is_mapping(base) and is_mapping(content):
        said = {key: otherwise(base.get(key, MISSING), content.get(key, ABSENT)) for key in {**base, **content}}
        return {key: value for key, value in said.items() if value is not MISSING} or MISSING
    if alike(base, content):
        return MISSING
    if are_lists((base, content)):
        said_items = [otherwise(*pair) for pair in zip(base, content, strict=True)]
        return [item if one is MISSING else one for one, item in zip(said_items, content, strict=True)]
    return content


def in_common(contents: Sequence[Any], names: Sequence[Mapping[str, str]]) -> Any:
    """Return what more than half of some contents say, with names in `<>`; `MISSING` where they say nothing alike."""
    said = [content for content in contents if content is not MISSING]
    if sum(map(is_mapping, said)) * 2 > len(contents):
        return common_mapping([content if is_mapping(content) else {} for content in contents], names) or MISSING
    lists = [content if content is not MISSING else [] for content in contents]
    if are_lists(lists):
        items = [in_common(of_one_place, names) for of_one_place in zip(*lists, strict=True)]
        if not any(item is MISSING for item in items):
            return items
    pairs = list(zip(contents, names, strict=True))
    spelled = [spelling for one, known in pairs if one is not MISSING for spelling in spellings(one, known)]
    held = [
        (sum(alike(expand_all(spelling, known), one) for one, known in pairs), spelling)
        for spelling in (*said, *spelled)
    ]
    most, spelling = max(held, key=lambda one: one[0], default=(0, MISSING))
    return spelling if most * 2 > len(contents) else MISSING


def common_mapping(contents: Sequence[Mapping[str, Any]], names: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return what more than half of some mappings say of each key, in the order of the first that has it."""
    by_reach: dict[str, set[tuple[int, str]]] = {}
    for content, known in zip(contents, names, strict=True):
        for key in content:
            for spelling in (key, *spellings(key, known)):
                by_reach[spelling] = reach(spelling, contents, names)
    place = {key: number for number, key in enumerate(by_reach)}
    # What holds more often goes before what holds as it is: a key with names stands for that of each.
    chosen, covered = [], set[tuple[int, str]]()
    for key in sorted(by_reach, key=lambda key: -len(by_reach[key])):
        if covered.isdisjoint(by_reach[key]):
            covered |= by_reach[key]
            chosen.append(key)
    of_each = {
        key: [content.get(expand(key, known), MISSING) for content, known in zip(contents, names, strict=True)]
        for key in sorted(chosen, key=place.__getitem__)
    }
    common = {key: in_common(values, names) for key, values in of_each.items()}
    return {key: value for key, value in common.items() if value is not MISSING}


def reach(key: str, contents: Sequence[Mapping[str, Any]], names: Sequence[Mapping[str, str]]) -> set[tuple[int, str]]:
    """Return which contents have a key, and as what."""
    each = enumerate(zip(contents, names, strict=True))
    return {(number, expand(key, known)) for number, (content, known) in each if expand(key, known) in content}


def spellings(value: Any, names: Mapping[str, str]) -> list[Any]:
    """Return a value with names for what stands for them, for each name that a text may mean."""
    known = {text: name for name, text in names.items()}
    spelled = [spell(value, {**known, text: name}) for name, text in names.items()]
    return [spelling for spelling in spelled if not alike(spelling, value)]


def spell(value: Any, known: Mapping[str, str]) -> Any:
    """Put names for the texts that they stand for, where these are words of their own."""
    if isinstance(value, dict):
        return {spell(key, known): spell(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [spell(inner, known) for inner in value]
    if type(value) is not str:
        return value
    words = "|".join(re.escape(text) for text in sorted(known, key=len, reverse=True))
    return re.sub(rf"(?<![A-Za-z0-9])({words})(?![A-Za-z0-9])", lambda found: f"<{known[found[1]]}>", value)


def expand_all(value: Any, names: Mapping[str, str]) -> Any:
    """Put in what stands for names, everywhere in a plain value."""
    if isinstance(value, dict):
        return {expand(key, names): expand_all(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [expand_all(inner, names) for inner in value]
    return expand(value, names)

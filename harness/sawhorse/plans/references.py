"""Follow a plan's configuration from a value that nobody knows yet to the resources that it will come from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

INDEX = re.compile(r"\[[^\]]*\]")
# What AWS calls an attribute that holds an ARN with the account in it; a bucket's has none.
ARN = re.compile(r"aws_(?!s3_)\w+\.\w+\.(execution_arn|arn)")


@dataclass(frozen=True)
class Configuration:
    """A plan's configuration, as `terraform show -json` tells it: modules, their calls, resources and outputs."""

    root: Mapping[str, Any]

    def attributes(self, address: str) -> Collection[str]:
        """Return the attributes of a resource that its configuration sets."""
        resource = self.resource(*place_of(address))
        return list(resource.get("expressions", {}))

    def is_an_arn_of_the_plan(self, address: str, attribute: str) -> bool:
        """Whether an attribute will be made of ARNs, with an account, of resources in this plan alone."""
        path, name = place_of(address)
        expression = self.resource(path, name).get("expressions", {}).get(attribute, {})
        found = [self.sources(path, name, reference, frozenset()) for reference in references(expression)]
        sources = [source for walk in found for source in walk]
        return bool(sources) and all(ARN.fullmatch(source) for source in sources)

    def sources(
        self, path: tuple[str, ...], name: str, reference: str, seen: frozenset[tuple[tuple[str, ...], str]]
    ) -> Iterator[str]:
        """Walk the attributes of resources that a reference in a module leads to, or itself where the way ends."""
        if (path, reference) in seen:
            return
        seen |= {(path, reference)}
        head, _, rest = reference.partition(".")
        first = rest.partition(".")[0]
        if head == "each":
            ahead, inner = path, references(self.resource(path, name).get("for_each_expression", {}))
        elif head == "var" and path:
            ahead, inner = path[:-1], references(self.call(path).get("expressions", {}).get(first, {}))
        elif head == "module":
            output = self.module((*path, first)).get("outputs", {}).get(rest.partition(".")[2].partition(".")[0], {})
            ahead, inner = (*path, first), references(output.get("expression", {}))
        else:
            yield reference
            return
        # A variable that refers to nothing is a constant, such as the name of a stage in an ARN.
        if not inner and head != "var":
            yield reference
        for one in inner:
            yield from self.sources(ahead, name if ahead == path else "", one, seen)

    def module(self, path: tuple[str, ...]) -> Mapping[str, Any]:
        module = self.root
        for name in path:
            module = module.get("module_calls", {}).get(name, {}).get("module", {})
        return module

    def call(self, path: tuple[str, ...]) -> Mapping[str, Any]:
        call: Mapping[str, Any] = self.module(path[:-1]).get("module_calls", {}).get(path[-1], {})
        return call

    def resource(self, path: tuple[str, ...], name: str) -> Mapping[str, Any]:
        found = (one for one in self.module(path).get("resources", []) if one["address"] == name)
        return next(found, {})


def place_of(address: str) -> tuple[tuple[str, ...], str]:
    """Return the names of the module calls that lead to a resource, and its address in the last of them."""
    parts = INDEX.sub("", address).split(".")
    path: list[str] = []
    while parts[:1] == ["module"]:
        path.append(parts[1])
        parts = parts[2:]
    return tuple(path), ".".join(parts)


def references(expression: Any) -> list[str]:
    """Return what an expression refers to, each as far as it goes and without indexes."""
    if isinstance(expression, list):
        return sorted({one for inner in expression for one in references(inner)})
    if not isinstance(expression, Mapping):
        return []
    if isinstance(expression.get("references"), list):
        found = {INDEX.sub("", one) for one in expression["references"]}
        return sorted(one for one in found if not any(other.startswith(f"{one}.") for other in found))
    return sorted({one for inner in expression.values() for one in references(inner)})

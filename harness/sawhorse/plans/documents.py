"""Read YAML that people write: the values that JSON knows, each with its line, or one sentence on what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from sawhorse.errors import BadConfiguration
from sawhorse.plans.plan import ABSENT, UNKNOWN

TAG = "tag:yaml.org,2002:"
# JSON has no dates, and `=` and `<<` are texts where they are values.
TEXTS = {f"{TAG}{kind}" for kind in ("str", "timestamp", "value", "merge")}
SCALARS = {f"{TAG}null": "null", f"{TAG}bool": "a boolean", f"{TAG}int": "a number", f"{TAG}float": "a number"}
MERGE = f"{TAG}merge"
# Without quotes they are marks, in quotes texts.
MARKS = {str(mark): mark for mark in (UNKNOWN, ABSENT)}
# Far more than a person writes; a few lines of anchors that repeat each other can stand for billions.
MOST_VALUES = 100_000


@dataclass(frozen=True)
class Written:
    """A value as it stands in a file: text, number, boolean or None, or a mapping or list of what is written."""

    value: Any
    file: str
    line: int

    @property
    def place(self) -> str:
        """Where it stands, in the way that editors and terminals open."""
        return f"{self.file}:{self.line}"

    def plain(self) -> Any:
        """Return the value as JSON has it, without lines."""
        if isinstance(self.value, dict):
            return {key: inner.plain() for key, inner in self.value.items()}
        if isinstance(self.value, list):
            return [inner.plain() for inner in self.value]
        return self.value

    def mapping(self, what: str) -> dict[str, Written]:
        """Return what a mapping holds; refuse anything else, saying what was wanted."""
        if not isinstance(self.value, dict):
            raise BadConfiguration(f"{self.place}: {what}.")
        return self.value

    def text(self, what: str) -> str:
        """Return a text that is not empty; refuse anything else, saying what was wanted."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise BadConfiguration(f"{self.place}: {what}.")
        return self.value

    def items(self, what: str) -> list[Written]:
        """Return what a list holds; refuse anything else, saying what was wanted."""
        if not isinstance(self.value, list):
            raise BadConfiguration(f"{self.place}: {what}.")
        return self.value

    def only(self, keys: Sequence[str], what: str) -> None:
        """Refuse a mapping with other keys than those, which nothing would read."""
        unread = next((key for key in self.mapping(f"{what} must be a mapping") if key not in keys), None)
        if unread is not None:
            place = self.value[unread].place
            raise BadConfiguration(f"{place}: nothing reads {unread} in {what}; choose from {', '.join(keys)}.")


def shown_path(path: Path) -> str:
    """Return a path as it reads best: from the working directory where it lies in it."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(absolute)


def read_document(path: Path) -> Written:
    """Read a file of one YAML document; an empty one holds None."""
    file = shown_path(path)
    try:
        return parse_document(path.read_text(encoding="utf-8"), file)
    except UnicodeDecodeError as error:
        raise BadConfiguration(f"{file} is not UTF-8; save it with that encoding.") from error
    except OSError as error:
        raise BadConfiguration(f"{file} cannot be read ({error.strerror}); change that.") from error


def parse_document(text: str, file: str) -> Written:
    """Read a text of one YAML document that came from a file of that name."""
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        return Reading(loader, file).written(node) if node else Written(None, file, 1)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}:{mark.line + 1}" if mark else file
        reason = " ".join(part for part in (error.context, error.problem) if part)
        raise BadConfiguration(f"{place}: that is not valid YAML ({reason}); fix that line.") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadConfiguration(f"{file}:{line}: YAML has no character {text[error.position]!r}; remove it.") from error
    except RecursionError as error:
        raise BadConfiguration(f"{file} nests deeper than anything in a plan; take levels out.") from error
    except (ValueError, ArithmeticError, LookupError) as error:
        # PyYAML checks neither the digits of its own version line nor those of an escape.
        place = f"{file}:{loader.line + 1}" if loader else file
        raise BadConfiguration(f"{place}: that is not valid YAML ({error}); fix that line.") from error
    finally:
        if loader:
            loader.dispose()


class Reading:
    """One document on its way from PyYAML's nodes, which know their lines, to values that know theirs."""

    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self.loader = loader
        self.file = file
        # What an anchor names is read once and counted wherever it stands.
        self.read: dict[yaml.Node, tuple[Written, int]] = {}
        self.open: set[yaml.Node] = set()
        self.size = 0

    def written(self, node: yaml.Node) -> Written:
        """Turn a node into its value."""
        if node in self.open:
            self.refuse(node, "that anchor holds itself; write out what it should hold")
        if node not in self.read:
            before, self.size = self.size, 0
            self.open.add(node)
            value = self.value_of(node)
            self.open.remove(node)
            self.read[node] = (Written(value, self.file, line_of(node)), self.size + 1)
            self.size = before
        found, size = self.read[node]
        self.size += size
        if self.size > MOST_VALUES:
            self.refuse(
                node, f"with its anchors written out, this holds more than {MOST_VALUES:,} values; take some out"
            )
        return found

    def value_of(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq":
            return [self.written(item) for item in node.value]
        if isinstance(node, yaml.MappingNode) and node.tag == f"{TAG}map":
            return self.mapping(node)
        return self.refuse(node, f"a plan has nothing that {node.tag} could say; remove that tag")

    def mapping(self, node: yaml.MappingNode) -> dict[str, Written]:
        keys = set()
        for key, value in node.value:
            if key.tag == MERGE:
                self.written(value)
                continue
            name = self.name(key)
            if name in keys:
                self.refuse(key, f"{name} stands twice in one mapping; remove one of the two")
            keys.add(name)
        self.loader.flatten_mapping(node)
        return {self.name(key): replace(self.written(value), line=line_of(key)) for key, value in node.value}

    def name(self, key: yaml.Node) -> str:
        """Return a key as it is written: in JSON every key is a text, also 200, true and a date."""
        if not isinstance(key, yaml.ScalarNode) or key.tag not in TEXTS | SCALARS.keys():
            self.refuse(key, "a key must be a text; write one")
        return str(key.value)

    def scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag in TEXTS:
            return MARKS.get(node.value, node.value) if node.style is None else node.value
        if node.tag not in SCALARS:
            self.refuse(node, f"a plan has nothing that {node.tag} could say; remove that tag")
        try:
            value = self.loader.construct_object(node)
            str(value)  # Python refuses to show numbers of thousands of digits
        except (ValueError, ArithmeticError, LookupError):
            self.refuse(node, f"{node.value[:40]} is not {SCALARS[node.tag]}; put it in quotes if it is a text")
        return value

    def refuse(self, node: yaml.Node, what: str) -> NoReturn:
        raise BadConfiguration(f"{self.file}:{line_of(node)}: {what}.")


def line_of(node: yaml.Node) -> int:
    line: int = node.start_mark.line
    return line + 1


class Dumper(yaml.SafeDumper):
    """Writes what `read_document` reads as the same values, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 # as it is called
        return True


def represent_text(dumper: Dumper, text: str) -> yaml.Node:
    if text in MARKS:
        return dumper.represent_scalar(f"{TAG}str", text, style=None if type(text) is not str else "'")
    # Breaks of lines that are not the usual one would be read as the usual one.
    odd = any(letter in "\r\x85\u2028\u2029\ufeff" for letter in text)
    return dumper.represent_scalar(f"{TAG}str", text, style='"' if odd else None)


Dumper.add_representer(str, represent_text)
for mark in MARKS.values():
    Dumper.add_representer(type(mark), represent_text)


def write_document(value: Mapping[str, Any], *, compact: bool = False) -> str:
    """Write a document in the order of its mappings; compact has what holds nothing but scalars in one line."""
    style = None if compact else False
    text: str = yaml.dump(
        value, Dumper=Dumper, sort_keys=False, width=120, allow_unicode=True, default_flow_style=style
    )
    return text

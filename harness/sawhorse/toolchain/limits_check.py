"""Say for every argument of every resource that modules make what AWS limits it to, and where that is refused.

`python -m sawhorse.toolchain.limits_check` counts, `-v` shows every limit, `--json` prints it as data. What the
models of AWS's services say is read from botocore; what they do not say, and where each limit is refused, stands in
aws_limits/limits.yaml. `make check` asks for complaints, tests/plans looks for the refusals.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from sawhorse.errors import BadConfiguration, SawhorseError, report_error
from sawhorse.files import write_atomically
from sawhorse.project import Project
from sawhorse.toolchain import service_models
from sawhorse.toolchain.machine import say
from sawhorse.toolchain.provider_check import Found, used_by_modules

DIRECTORY = Path(__file__).resolve().parent / "aws_limits"
REFRESH = "python -m sawhorse.toolchain.limits_check --refresh"
SHOWN = 110
# How a limit is held, in the order in which one is named where there are several.
BY_MODULE, BY_PROVIDER, LOCALLY, LISTED, SAFE = (
    *("refused by the module's plan", "refused by the provider's plan"),
    *("refused locally", "listed", "out of reach"),
)
HELD = (BY_MODULE, BY_PROVIDER, LOCALLY, LISTED, SAFE)
# Who says it: what the models are made of, their words, what others wrote, or nobody that could be read.
FROM_MODELS, FROM_WORDS, FROM_PAGES, FROM_US, UNCHECKED = (
    *("from the models of botocore", "from what these say in words", "from pages"),
    *("from documents of this project", "unchecked: from pages that could not be read, or do not say it"),
)
ORIGINS = (FROM_MODELS, FROM_WORDS, FROM_PAGES, FROM_US, UNCHECKED)


class Strict(BaseModel):
    """What limits.yaml says, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Handling(Strict):
    """Where what is beyond a limit is refused."""

    # Refusals by their whole names: the module's own, and those where the provider refuses while it plans.
    plan: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    # A contract test, where the local AWS refuses.
    local: str | None = None
    # Words of docs/architecture.md, "What the local AWS cannot show".
    listed: str | None = None
    # By module, or * for all: why no value that a user gives gets beyond it.
    safe: dict[str, str] = {}

    @property
    def held(self) -> str:
        ways = (self.plan, self.provider, self.local, self.listed, self.safe)
        return next(name for name, way in zip(HELD, ways, strict=True) if way)

    @property
    def cases(self) -> tuple[str, ...]:
        return (*self.plan, *self.provider)

    def safe_in(self, module: str, reason: str) -> Self:
        return self.model_copy(update={"safe": {**self.safe, module: reason}})


class Limit(Handling):
    """A limit that the models do not have as a constraint, and who says it."""

    limit: str
    # A page, or a document of this project.
    source: str | None = None
    # By what the models describe (`lambda.CreateFunction Timeout`) the words that say it there.
    says: dict[str, str] = {}
    # The page could not be read, or does not say it.
    unchecked: bool = False

    @model_validator(mode="after")
    def said_by_somebody(self) -> Self:
        if not self.source and not self.says:
            raise ValueError("nobody says it; name a source, or what the models say")
        return self

    @property
    def origin(self) -> str:
        if self.unchecked:
            return UNCHECKED
        if self.says:
            return FROM_WORDS
        return FROM_PAGES if self.source and self.source.startswith("https://") else FROM_US

    @property
    def told_by(self) -> str:
        quoted = [f'botocore {service_models.VERSION}, {of}: "{words}"' for of, words in self.says.items()]
        return "; ".join([*quoted, *([self.source] if self.source else [])])


class Argument(Strict):
    """What is known of one argument: the member of the call that it becomes, its limits, or why it has none."""

    member: str | None = None
    # Where it is another call than the resource's own.
    call: str | None = None
    # For all that the models say of the member, or for each part of it.
    model: Handling | dict[str, Handling] | None = None
    limits: tuple[Limit, ...] = ()
    reason: str | None = None

    def handling_of(self, part: str) -> Handling | None:
        return self.model.get(part) if isinstance(self.model, dict) else self.model

    def with_reason_of(self, module: str, reason: str) -> Argument:
        """Return it with one more module that no value of a user's gets beyond a limit in."""
        model = self.model
        if isinstance(model, dict):
            model = {part: held.safe_in(module, reason) for part, held in model.items()}
        elif model is not None:
            model = model.safe_in(module, reason)
        limits = tuple(limit.safe_in(module, reason) for limit in self.limits)
        return self.model_copy(update={"model": model, "limits": limits})


class Resource(Strict):
    """A resource, the call that makes it, and its arguments by their names within it."""

    call: str
    arguments: dict[str, Argument]


@dataclass(frozen=True)
class Row:
    """One limit of one argument: what it is, who says so, how it is held, and by what."""

    resource: str
    argument: str
    constraint: str
    source: str
    origin: str
    held: str
    by: tuple[str, ...]


def read_limits(path: Path = DIRECTORY / "limits.yaml") -> dict[str, Resource]:
    """Read what is known of every argument. Raises BadConfiguration."""
    try:
        written = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise BadConfiguration(f"{path.name} is not valid YAML: {error}") from None
    read = {}
    for name, content in written.items():
        try:
            read[name] = Resource.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in (name, *first["loc"]))
            raise BadConfiguration(f"{path.name}: {place}: {first['msg']}; correct it.") from None
    return read


def read_all_limits(project: Project) -> dict[str, Resource]:
    """Read limits.yaml, and what apps with resources of their own say of them. Raises BadConfiguration.

    `modules/apps/<app>/limits.yaml` says by an argument's address why nothing that a user gives gets beyond its limits.
    """
    limits = read_limits()
    for path in sorted((project.path / "modules/apps").glob("*/limits.yaml")):
        file, app = project.shown(path), path.parent.name
        try:
            reasons = TypeAdapter(dict[str, str]).validate_python(yaml.safe_load(path.read_text()))
        except (yaml.YAMLError, ValidationError) as error:
            raise BadConfiguration(f"{file} is no mapping from addresses of arguments to reasons: {error}") from None
        for address, reason in reasons.items():
            known = known_of(limits, address)
            if known is None:
                raise BadConfiguration(f"{file}: limits.yaml of the engine knows no {address}; remove it.")
            name, _, argument = address.partition(".")
            arguments = {**limits[name].arguments, argument: known.with_reason_of(app, reason)}
            limits[name] = limits[name].model_copy(update={"arguments": arguments})
    return limits


def read_models(limits: Mapping[str, Resource]) -> dict[str, dict[str, str]]:
    """Read from botocore what it says of every member that is named, by the argument's address."""
    return {
        f"{name}.{argument}": said
        for name, resource in limits.items()
        for argument, known in resource.arguments.items()
        if known.member and (said := service_models.constraints(known.call or resource.call, known.member))
    }


def read_record(path: Path = DIRECTORY / "models.yaml") -> dict[str, dict[str, str]]:
    record: dict[str, dict[str, str]] = yaml.safe_load(path.read_text())
    return record


def write_record(models: Mapping[str, Mapping[str, str]], path: Path = DIRECTORY / "models.yaml") -> None:
    head = f'# Written by "{REFRESH}": what botocore says of the members that limits.yaml names.\n'
    write_atomically(path, head + yaml.safe_dump(dict(models), width=118))


def users(found: Found) -> dict[str, set[str]]:
    """Return by address of an argument or a block the modules that set it."""
    made: dict[str, set[str]] = {}
    for use in found.uses:
        if use.kind in {"argument", "block"} and not use.address.startswith("data."):
            made.setdefault(use.address, set()).add(Path(use.file).parent.name)
    return made


def arguments_of(found: Found) -> list[str]:
    """Return the address of every argument that modules set, without what only data sources take."""
    return sorted({use.address for use in found.uses if use.kind == "argument" and not use.address.startswith("data.")})


def known_of(limits: Mapping[str, Resource], address: str) -> Argument | None:
    name, _, argument = address.partition(".")
    return limits[name].arguments.get(argument) if name in limits else None


def handlings(known: Argument, said: Mapping[str, str]) -> Iterator[tuple[str, Handling | None]]:
    """Walk every limit of an argument, with how it is held."""
    if known.reason is None:
        yield from ((f"{part}: {text}", known.handling_of(part)) for part, text in said.items())
    yield from ((limit.limit, limit) for limit in known.limits)


def check(
    found: Found,
    limits: Mapping[str, Resource],
    models: Mapping[str, Mapping[str, str]],
    record: Mapping[str, Mapping[str, str]],
) -> list[str]:
    """Return every complaint about what is known of the arguments."""
    setters = users(found)
    complaints = [
        f"{address} has neither a limit nor a reason in aws_limits/limits.yaml; add what AWS says of it."
        for address in arguments_of(found)
        if known_of(limits, address) is None
    ]
    for name, resource in limits.items():
        for argument, known in resource.arguments.items():
            address = f"{name}.{argument}"
            if address not in setters:
                complaints.append(f"aws_limits/limits.yaml: no module sets {address}; remove it.")
                continue
            complaints += about(address, known, models.get(address, {}), setters[address])
    for address in sorted({*models, *record}):
        now, before = models.get(address, {}), record.get(address, {})
        if now != before:
            complaints.append(
                f"{address}: botocore {service_models.VERSION} says {shown(now)}, and the record {shown(before)}; "
                f'hold the modules to it, and run "{REFRESH}".'
            )
    return complaints


def shown(said: Mapping[str, str]) -> str:
    return "; ".join(f"{part}: {text}" for part, text in said.items()) or "nothing"


def about(address: str, known: Argument, said: Mapping[str, str], modules: Collection[str]) -> Iterator[str]:
    """Say what is missing or too much of one argument."""
    limited = list(handlings(known, said))
    if known.reason is None and not limited:
        yield f"{address}: neither the models nor limits.yaml limit it; write why as its reason."
    if known.reason is not None and (known.model is not None or known.limits):
        yield f"{address} has limits and a reason why there are none; leave one of them out."
    if known.model is not None and not said:
        yield f"{address}: the models say nothing of {known.member}; remove model."
    if isinstance(known.model, dict):
        yield from (f"{address}: the models say no {part}; remove it." for part in known.model if part not in said)
    yield from misquoted(address, known)
    for constraint, handling in limited:
        if handling is None or not (handling.cases or handling.local or handling.listed or handling.safe):
            yield f"{address}: nothing says where what is beyond its {constraint} is refused."
        elif not (handling.local or handling.listed or "*" in handling.safe):
            left = {one for one in modules if one not in handling.safe and not of_module(one, handling.cases)}
            for one in sorted(left):
                yield f"{address}: no refusal of {one} goes beyond its {constraint}; add one, or say why it is safe."


def misquoted(address: str, known: Argument) -> Iterator[str]:
    """Say which words the models do not say, or no longer."""
    for of, words in (quoted for limit in known.limits for quoted in limit.says.items()):
        if words not in service_models.words(of):
            yield (
                f'{address}: botocore {service_models.VERSION} does not say "{words}" of {of}; read what it says now, '
                "and hold the modules to it."
            )


def of_module(module: str, cases: Collection[str]) -> bool:
    return any(case.startswith(f"{module}_") for case in cases)


def table(limits: Mapping[str, Resource], models: Mapping[str, Mapping[str, str]]) -> list[Row]:
    rows = []
    for name, resource in limits.items():
        for argument, known in resource.arguments.items():
            said = models.get(f"{name}.{argument}", {})
            source = f"botocore {service_models.VERSION}, {known.call or resource.call} {known.member}"
            for constraint, handling in handlings(known, said):
                if handling:
                    limit = handling if isinstance(handling, Limit) else None
                    said_by = (limit.told_by, limit.origin) if limit else (source, FROM_MODELS)
                    why = tuple(f"{where}: {reason}" for where, reason in handling.safe.items())
                    by = (*handling.cases, *[one for one in (handling.local, handling.listed) if one], *why)
                    rows.append(Row(name, argument, constraint, *said_by, handling.held, by))
    return rows


def reasons(limits: Mapping[str, Resource]) -> dict[str, str]:
    """Return by address why an argument has no limit that a user could break."""
    return {
        f"{name}.{argument}": known.reason
        for name, resource in limits.items()
        for argument, known in resource.arguments.items()
        if known.reason is not None
    }


def lint(project: Project) -> str:
    """Return what `make check` says, nothing when every argument is known and the models say what they said."""
    limits = read_all_limits(project)
    return "\n".join(check(used_by_modules(project), limits, read_models(limits), read_record()))


def show(found: Found, rows: Collection[Row], why: Mapping[str, str], *, verbose: bool) -> str:
    counted = Counter(row.held for row in rows)
    origins = Counter(row.origin for row in rows)
    arguments = arguments_of(found)
    resources = {address.partition(".")[0] for address in arguments}
    lines = [
        f"{len(resources)} resources, {len(arguments)} arguments; {len(arguments) - len(why)} have {len(rows)} limits",
        f"{origins[FROM_MODELS]:5}  {FROM_MODELS} {service_models.VERSION}",
        *[f"{origins[origin]:5}  {origin}" for origin in ORIGINS[1:]],
        f"{len(why)} have none, each with its reason. Of the limits are",
        *[f"{counted[way]:5}  {way}" for way in HELD],
    ]
    if verbose:
        for row in rows:
            lines += ["", f"{row.resource}.{row.argument}: {clipped(row.constraint)}", f"  {row.source}"]
            lines += [f"  {row.origin}"] if row.origin == UNCHECKED else []
            lines.append(f"  {row.held}: {', '.join(row.by)}")
        lines += ["", *[f"{address}: {reason}" for address, reason in why.items()]]
    return "\n".join(lines)


def clipped(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sawhorse.toolchain.limits_check",
        description="Show what AWS limits the arguments of modules' resources to, and where that is refused.",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show every limit, and every reason")
    parser.add_argument("--json", action="store_true", help="print it as data")
    parser.add_argument("--refresh", action="store_true", help="record what the installed botocore says")
    options = parser.parse_args(arguments)
    try:
        project = Project.find()
        found, limits = used_by_modules(project), read_all_limits(project)
        models = read_models(limits)
        if options.refresh:
            write_record(models)
            say(f"Wrote {(DIRECTORY / 'models.yaml').name}, of botocore {service_models.VERSION}.")
        complaints = check(found, limits, models, read_record())
    except SawhorseError as error:
        return report_error(error)
    rows, why = table(limits, models), reasons(limits)
    if options.json:
        data: dict[str, Any] = {"limits": [asdict(row) for row in rows], "reasons": why, "complaints": complaints}
        print(json.dumps(data, indent=2))
    else:
        print("\n".join([show(found, rows, why, verbose=options.verbose), *complaints]))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())

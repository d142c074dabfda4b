"""Read which actions each kind of resource takes of the role that deploys it, from kinds.yaml beside this."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

KINDS = Path(__file__).with_name("kinds.yaml")
Action = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+:[A-Za-z0-9]+$")]


def listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Rule(BaseModel):
    """Actions on the ARNs that a resource of one kind makes necessary, under a condition of IAM's.

    `when` names the argument that has to be set, `where` has arguments with the patterns that they must fit, `wildcard`
    names the reason for a * in the ARN.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    resource: Annotated[tuple[str, ...], BeforeValidator(lambda value: tuple(listed(value)))]
    read: Annotated[tuple[Action, ...], BeforeValidator(tuple)] = ()
    write: Annotated[tuple[Action, ...], BeforeValidator(tuple)] = ()
    condition: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    when: str | None = None
    where: Mapping[str, str] = Field(default_factory=dict)
    wildcard: str | None = None

    @model_validator(mode="after")
    def does_something(self) -> Rule:
        if not self.read and not self.write:
            raise ValueError
        return self


Rules = Annotated[tuple[Rule, ...], BeforeValidator(tuple)]


class Table(BaseModel):
    """kinds.yaml: the rules by kind of resource and of data source, and the reasons for what stands out."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kinds: Mapping[str, Rules]
    data: Mapping[str, Rules]
    state: Rules
    wildcards: Mapping[str, str]
    unproven: Mapping[str, str]
    administrators: Annotated[tuple[str, ...], BeforeValidator(tuple)]

    @property
    def rules(self) -> list[Rule]:
        """Every rule of the table."""
        return [rule for rules in (*self.kinds.values(), *self.data.values(), self.state) for rule in rules]

    def why_unproven(self, action: str) -> str | None:
        """Say why the local AWS does not judge an action; None where it does."""
        return next((reason for pattern, reason in self.unproven.items() if fnmatchcase(action, pattern)), None)


@cache
def table() -> Table:
    """Return the table of this engine. Raises pydantic's ValidationError where it is not what stands above."""
    return Table.model_validate(yaml.safe_load(KINDS.read_text()))

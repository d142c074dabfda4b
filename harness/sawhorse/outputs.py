"""The contract of root outputs: what commands read of an applied root, by name, and what to do where one is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sawhorse.errors import BadConfiguration, NotApplied, SawhorseError
from sawhorse.project import Root, one_and_all


@dataclass(frozen=True)
class Output:
    """An output that commands read. In `name` a `*` stands for one word or several, such as `users` or `jobs_by_day`.

    `value` is what it holds, always a string, and goes on after "the". `read_by` are the commands. Every root declares
    a required one; its value may be null, which Terraform leaves out, where `main.tf` turns off what it names.
    """

    name: str
    value: str
    read_by: tuple[str, ...]
    required: bool = False

    def word(self, name: str) -> str | None:
        """Return what stands for the `*` in a name, "" where the contract's name has none; None for another name."""
        found = re.fullmatch(re.escape(self.name).replace(r"\*", r"([a-z0-9]+(?:_[a-z0-9]+)*)"), name)
        return None if found is None else "".join(found.groups())


SMOKE, SEED, DEMO, REDRIVE = "sawhorse smoke", "sawhorse seed", "sawhorse demo", "sawhorse redrive"
CREDENTIALS = "sawhorse local credentials"
APPLY, RELEASES = "sawhorse apply", "sawhorse release"

API_ENDPOINT = Output("api_endpoint", "URL of the API", (DEMO, SEED, SMOKE), required=True)
FUNCTION_NAME = Output("lambda_function_name", "name of the function that serves requests", (SMOKE,), required=True)
ROLE_ARN = Output("lambda_role_arn", "ARN of that function's role", (CREDENTIALS, SMOKE), required=True)
LOG_GROUP = Output("log_group", "name of that function's log group", (SMOKE,), required=True)
TABLE = Output("dynamodb_*_table", "name of a table", (DEMO, SEED, SMOKE))
RELEASE = Output("release", "way in which a new version becomes live, gated or direct", (APPLY, RELEASES))
OTHER_ROLE_ARN = Output("*_role_arn", "ARN of another function's role", (CREDENTIALS, SMOKE))
OTHER_LOG_GROUP = Output("*_log_group", "name of another function's log group", (SMOKE,))
QUEUE_URL = Output("sqs_queue_url", "URL of a queue", (REDRIVE, SEED, SMOKE))
DEAD_LETTER_URL = Output("sqs_dead_letter_queue_url", "URL of its dead-letter queue", (REDRIVE, SMOKE))
# A root with several queues has a word of its own in each pair.
OTHER_QUEUE_URL = Output("sqs_*_queue_url", "URL of another queue", (REDRIVE,))
OTHER_DEAD_LETTER_URL = Output("sqs_*_dead_letter_queue_url", "URL of its dead-letter queue", (REDRIVE,))

# In the order in which a name is looked for: the first that it fits says what it holds.
CONTRACT = (
    API_ENDPOINT,
    FUNCTION_NAME,
    ROLE_ARN,
    LOG_GROUP,
    RELEASE,
    TABLE,
    OTHER_ROLE_ARN,
    OTHER_LOG_GROUP,
    QUEUE_URL,
    DEAD_LETTER_URL,
    OTHER_DEAD_LETTER_URL,
    OTHER_QUEUE_URL,
)


def output_named(name: str) -> Output | None:
    """Return what the contract says of an output; None for one that an app has for itself."""
    return next((output for output in CONTRACT if output.word(name) is not None), None)


def declared_outputs(root: Root) -> list[str]:
    """Return the names that a root's outputs.tf declares."""
    path = root.path / "outputs.tf"
    return re.findall(r'^output "(\w+)"', path.read_text(), re.MULTILINE) if path.is_file() else []


def read_output(root: Root, outputs: Mapping[str, Any], name: str) -> str:
    """Return an output of an applied root; where it is missing, raise what says who reads it and what to do."""
    value = outputs.get(name)
    if value is None:
        raise missing(root, name)
    known = output_named(name)
    if known and not isinstance(value, str):
        raise BadConfiguration(
            f"The output {name} of {root.name} is not a string; it must be the {known.value}. Correct it in "
            f"{file_of_outputs(root)} and apply the root."
        )
    return str(value)


def missing(root: Root, name: str) -> SawhorseError:
    """Make the error for an output that an applied root does not have."""
    known = output_named(name)
    readers = known.read_by if known else (f"lambda/{root.app}/ops",)
    needed = f"{root.name} has no output {name}, which {one_and_all(readers)} {'read' if len(readers) > 1 else 'reads'}"
    if name in declared_outputs(root):
        return NotApplied(f"{needed}: what it names is turned off in its main.tf, or comes with the next apply.")
    what = f", the {known.value}," if known else ""
    return BadConfiguration(
        f'{needed}. Add output "{name}" {{ value = ... }}{what} to {file_of_outputs(root)} and apply the root.'
    )


def tables_in(outputs: Mapping[str, Any]) -> list[str]:
    """Return the names of all tables that a root's outputs name."""
    return [str(value) for name, value in outputs.items() if TABLE.word(name) is not None]


def queue_urls_in(root: Root, outputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each queue that has a dead-letter queue, with that one, by the outputs' order of names."""
    return [
        (read_output(root, outputs, queue), read_output(root, outputs, dead_letters))
        for queue, dead_letters in queue_pairs(outputs)
    ]


def queue_pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return what belongs together for each output of a dead-letter queue that is named: that of its queue, and it."""
    dead_letters = [name for name in sorted(names) if output_named(name) in (DEAD_LETTER_URL, OTHER_DEAD_LETTER_URL)]
    return [(name.replace("dead_letter_queue_url", "queue_url"), name) for name in dead_letters]


def file_of_outputs(root: Root) -> str:
    """Return where the outputs of a root are declared, from the project."""
    return f"environments/{root.name}/outputs.tf"

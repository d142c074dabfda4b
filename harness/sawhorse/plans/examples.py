"""Plan the worked examples of every module's README, and those of modules/examples, in one root: all cost one plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sawhorse.errors import BadConfiguration
from sawhorse.plans.documents import shown_path
from sawhorse.plans.plan import Plan, Tool, plan
from sawhorse.plans.scratch import SAMPLE, SAMPLE_CONTENT_SHA256, SAMPLE_LAYER, SAMPLE_SHA256, providers, scratch_root
from sawhorse.terraform.filling import fill

SAMPLE_ARCHIVE = {
    "path": f"../../../{SAMPLE}",
    "sha256": SAMPLE_SHA256,
    "content_sha256": SAMPLE_CONTENT_SHA256,
    "size": 0,
}

SAMPLE_PACKAGE = {
    **SAMPLE_ARCHIVE,
    "handler": "sample.main.handler",
    "runtime": "python3.13",
    "architecture": "x86_64",
    "layer": SAMPLE_ARCHIVE,
}

# What package.toml says in words: everything of it goes through S3.
SAMPLE_THROUGH_S3 = {
    **SAMPLE_PACKAGE,
    "upload": "s3",
    "layer": {**SAMPLE_ARCHIVE, "path": f"../../../{SAMPLE_LAYER}", "upload": "s3"},
}


# A directory of roots that are examples, each of several modules.
WHOLE = "examples"


@dataclass(frozen=True)
class Example:
    """A worked example of a module's README, or one of modules/examples, with what its last line promises."""

    # The README's module and the example's number in it; or `examples` and the directory's name.
    module: str
    number: int | str
    text: str
    counts: Mapping[str, int]
    # The file and the line of the promise.
    place: str = ""

    @property
    def name(self) -> str:
        """The name of the example's own module in the scratch root."""
        return f"{self.module}_{self.number}"

    def mismatches(self, planned: Plan) -> dict[str, tuple[int, int]]:
        """Return what was promised and what is planned of every type where the two differ."""
        within = f"module.{self.name}."
        found = {kind: planned.count(kind, within=within) for kind in self.counts}
        return {kind: (number, found[kind]) for kind, number in self.counts.items() if found[kind] != number}


def read_examples(repository: Path) -> list[Example]:
    """Read the worked examples of every module's README, in order, and then those of modules/examples."""
    found = []
    for readme in sorted((repository / "modules").glob("*/README.md")):
        written = readme.read_text()
        blocks = re.finditer(r"^```hcl\n(.*?)^```", written, re.MULTILINE | re.DOTALL)
        for number, block in enumerate(blocks, start=1):
            text = block[1]
            line = written.count("\n", 0, block.start(1) + len(text.rstrip())) + 1
            place = f"{shown_path(readme)}:{line}"
            found.append(Example(readme.parent.name, number, text, promised(text, place), place))
    for main in sorted((repository / "modules").glob(f"{WHOLE}/*/main.tf")):
        text = main.read_text()
        place = f"{shown_path(main)}:{len(text.splitlines())}"
        found.append(Example(WHOLE, main.parent.name, text, promised(text, place), place))
    return found


def promised(text: str, place: str) -> dict[str, int]:
    """Read the counts from an example's last line; none when that line promises nothing."""
    last = (text.rstrip().splitlines() or [""])[-1]
    if not last.startswith("# plan:"):
        return {}
    found = re.fullmatch(r"# plan: ([0-9]{1,9} \w+(?:, [0-9]{1,9} \w+)*)", last)
    pairs = [part.split(" ") for part in found[1].split(", ")] if found else []
    counts = {kind: int(number) for number, kind in pairs}
    if not counts or len(counts) < len(pairs):
        raise BadConfiguration(f"{place}: write each type once, such as # plan: 1 aws_dynamodb_table, 2 aws_sqs_queue.")
    return counts


def plan_examples(tool: Tool, repository: Path, scratch: Path) -> Plan:
    """Plan every README example as a module of one scratch root."""
    directory = write_examples(repository, scratch)
    return plan(tool, directory, {"packages": {"api": SAMPLE_PACKAGE, "report": SAMPLE_THROUGH_S3}})


def write_examples(repository: Path, scratch: Path) -> Path:
    """Write the scratch root of all README examples and return it."""
    directory = scratch_root(repository, scratch, "examples/all")
    calls = []
    for example in read_examples(repository):
        if example.module == WHOLE:
            calls.append(f'module "{example.name}" {{\n  source = "../../../modules/{WHOLE}/{example.number}"\n}}\n')
            continue
        # As deep as a root, so that an example's source path is the one that a root would write.
        place = scratch / "environments/examples" / example.name
        place.mkdir()
        (place / "main.tf").write_text(example.text)
        (place / "terraform.tf").write_text(providers())
        (place / "variables.tf").write_text(example_variables())
        calls.append(f'module "{example.name}" {{\n  source   = "../{example.name}"\n  packages = var.packages\n}}\n')
    (directory / "main.tf").write_text("\n".join([*calls, example_variables()]))
    return directory


def example_variables() -> str:
    """Return what the example of a README may take for granted: the manifest, as every root has it."""
    return fill("packages.tf.j2")

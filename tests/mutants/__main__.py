"""Change the modules one place at a time, and say which test notices: `make mutants`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path

from sawhorse.errors import BadConfiguration, SawhorseError
from sawhorse.plans.cases import state_before
from sawhorse.plans.plan import Tool
from sawhorse.toolchain import terraform_install
from sawhorse.toolchain.machine import say
from sawhorse.toolchain.terraform_install import terraform_environment, with_rare_collections
from tests.mutants.account import empty_account
from tests.mutants.cases import cases_of
from tests.mutants.hunt import Found, all_mutants, hunt, modules_with_cases, sampled
from tests.mutants.mutations import Mutant
from tests.mutants.plans import Plans
from tests.mutants.survivors import Reason, read_reasons, unneeded
from tests.planning import OF_MANY, all_changes, all_promises, all_refusals
from tests.projects import REPOSITORY

MODULES = REPOSITORY / "modules"
EXAMPLES = """\
A change is caught when a plan of the changed module is not what a promise (tests/plans/promises), a change
(changes.yaml) or a refusal (refusals.yaml) says. What lives is a missing assertion, or a line with a reason in
tests/mutants/survivors.yaml.

examples:
  python -m tests.mutants --only sqs_queue           every change of one module, with what catches it
  python -m tests.mutants --sample 30 --seed 7       thirty changes, the same ones for the same seed
  python -m tests.mutants --list --only sqs_queue    what would be changed
"""


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    # tftest prints again what Terraform has said of a mutant.
    logging.disable(logging.CRITICAL)
    try:
        return run(options)
    except SawhorseError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("Stopped; nothing is told of the changes that were tried.")
        return 130


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", metavar="MODULE", help="only this module; may be repeated")
    parser.add_argument("--sample", type=positive, metavar="N", help="try N changes instead of all")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which sample (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="say what would be changed, and plan nothing")
    parser.add_argument("--json", action="store_true", help="print every change with what caught it, as JSON")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every change with what caught it")
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of changes; name 1 or more.")
    return int(text)


def run(options: argparse.Namespace) -> int:
    known = modules_with_cases(MODULES)
    unknown = next((name for name in options.only or [] if name not in known), None)
    if unknown is not None:
        raise BadConfiguration(f"There is no module {unknown} that makes something; choose from {', '.join(known)}.")
    modules = [name for name in known if name in (options.only or known)]
    mutants = sampled(all_mutants(MODULES, modules), options.sample, options.seed)
    if options.list:
        sys.stdout.writelines(f"{mutant.name}\n" for mutant in mutants)
        return 0
    reasons = read_reasons()
    cases = cases_of(all_promises(), all_changes(), all_refusals(), modules, modules=MODULES)
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch, empty_account() as variables:
        environment = {**with_rare_collections(), **terraform_environment(REPOSITORY), **variables, **OF_MANY}
        tool = Tool(terraform_install.ensure_terraform(REPOSITORY), environment)
        before = state_before(tool, REPOSITORY, Path(scratch), [*cases.changes, *cases.refusals])
        found = hunt(mutants, cases, Plans(tool, REPOSITORY, Path(scratch), before), modules=MODULES, say=say)
    sys.stdout.write(as_json(found, reasons) if options.json else as_text(found, reasons, verbose=options.verbose))
    # A sample may miss what a reason is for.
    needless = [] if options.sample or options.only else unneeded(reasons, found.survivors)
    for line in needless:
        say(f"Remove what no survivor needs any more: {line}")
    return 1 if found.unexplained(reasons) or needless else 0


def as_json(found: Found, reasons: list[Reason]) -> str:
    def of(mutant: Mutant) -> dict[str, object]:
        reason = next((one.text for one in reasons if one.fits(mutant)), None)
        caught = found.caught.get(mutant)
        return {"mutant": mutant.name, "line": mutant.line, "caught_by": caught, "reason": None if caught else reason}

    return json.dumps([of(mutant) for mutant in found.tried], indent=2) + "\n"


def as_text(found: Found, reasons: list[Reason], *, verbose: bool) -> str:
    unexplained = set(found.unexplained(reasons))
    lines = [f"{mutant.name}\n    {reason}" for mutant, reason in found.caught.items()] if verbose else []
    lines.append(f"{'module':18} {'changes':>8} {'caught':>8} {'with a reason':>14} {'unexplained':>12}")
    tried = Counter(mutant.module for mutant in found.tried)
    lived = Counter(mutant.module for mutant in found.survivors)
    for module, number in tried.items():
        without = sum(1 for mutant in unexplained if mutant.module == module)
        lines.append(f"{module:18} {number:8} {number - lived[module]:8} {lived[module] - without:14} {without:12}")
    kinds = Counter(reason.partition(":")[0] if ": " in reason else "Terraform" for reason in found.caught.values())
    lines.append(f"Caught by: {', '.join(f'{kind} {number}' for kind, number in kinds.most_common())}.")
    lines += [
        f"{mutant.module}/{mutant.file}:{mutant.line} lives: {mutant.name}"
        for mutant in found.survivors
        if mutant in unexplained
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())

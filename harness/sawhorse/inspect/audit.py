"""Look every lock up in the databases of advisories, and the licences of what is shipped up in the project's list.

Exit codes: 0 when everything was looked up and nothing found, 1 for a finding, 2 for something to correct, and 3 when
no database could be reached or it did not know everything, so that nobody knows whether there are findings.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sawhorse.build.config import read_config
from sawhorse.build.lock_files import find_lock
from sawhorse.build.lock_reader import read_lock
from sawhorse.build.requirement_files import declared_in
from sawhorse.build.stale_check import refuse_stale
from sawhorse.errors import INTERRUPTED, SawhorseError, report_error
from sawhorse.inspect.licences import Allowed, licence_faults, read_allowed
from sawhorse.project import Project
from sawhorse.toolchain import installed, interpreters
from sawhorse.toolchain.machine import run_tool

FOUND, UNKNOWN = 1, 3
DATABASES = ("pypi", "osv")
# A release with advisories since 2014. A database that does not know them has not been asked, whatever responded.
KNOWN_BAD = ("jinja2", "2.4.1")

Distribution = tuple[str, str]


@dataclass(frozen=True)
class Advisory:
    """A known vulnerability of one version of a distribution."""

    identifier: str
    name: str
    version: str
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()

    def names(self) -> set[str]:
        return {self.identifier, *self.aliases}


@dataclass(frozen=True)
class LookUp:
    """What a database said: advisories, and the distributions that it knows nothing of."""

    advisories: Sequence[Advisory] = ()
    unknown: Sequence[str] = ()
    # Why nothing was said at all.
    failure: str = ""


@dataclass
class Report:
    """Sentences for the person who asked, and what they come to."""

    findings: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    fine: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        return FOUND if self.findings else UNKNOWN if self.unknown else 0


# Takes a database and distributions, and returns what it says of them.
Look = Callable[[str, Sequence[Distribution]], LookUp]


def locked_distributions(project: Project) -> dict[Distribution, list[str]]:
    """Return every distribution of every lock, for all platforms, with the locks that have it. Raises BuildFailed."""
    found: dict[Distribution, list[str]] = {}
    contents = {path: (path.read_bytes(), project.path, path.stem) for path in project.locks_of_tools}
    for app in project.apps:
        python = read_config(project, app).python
        lock = find_lock(project, app, python, interpreters.exact_python(python, project.path))
        contents[lock.path] = (lock.content, lock.base, app)
    for path, (content, base, name) in contents.items():
        declared = declared_in(str(project.path), name)
        for pinned in read_lock(content, project.shown(path), base, None, declared=declared).pinned:
            found.setdefault((pinned.name.lower().replace("_", "-"), pinned.version), []).append(project.shown(path))
    return found


def rounds_of(distributions: Sequence[Distribution]) -> Iterator[list[Distribution]]:
    """Part distributions into as few lists as can be with no name twice in one."""
    ahead = sorted(set(distributions))
    while ahead:
        one = {name: (name, version) for name, version in reversed(ahead)}
        yield sorted(one.values())
        ahead = [distribution for distribution in ahead if distribution not in one.values()]


def pip_audit(project: Project, osv_url: str | None = None) -> Look:
    """Return what asks a database by pip-audit; OSV's may be a mirror of it at another address."""
    program = installed.ensure_pip_audit(project.path) / "bin/pip-audit"
    mirror = ["--osv-url", osv_url] if osv_url else []

    def look(database: str, distributions: Sequence[Distribution]) -> LookUp:
        with tempfile.TemporaryDirectory(prefix="sawhorse-audit-") as scratch:
            lines = Path(scratch) / "requirements.txt"
            lines.write_text("".join(f"{name}=={version}\n" for name, version in distributions))
            # No cache: what it held would be taken for the database's word.
            options = ["--no-deps", "--disable-pip", "--format", "json", "--aliases", "on", "--progress-spinner", "off"]
            asked = [
                "--vulnerability-service",
                database,
                "--cache-dir",
                str(Path(scratch) / "cache"),
                "--timeout",
                "20",
            ]
            result = run_tool([program, *options, *asked, *mirror, "--requirement", lines])
        return read_response(result.stdout, result.stderr)

    return look


def read_response(stdout: str, stderr: str) -> LookUp:
    """Read pip-audit's JSON; it says nothing on standard output when it could not ask."""
    try:
        dependencies = json.loads(stdout)["dependencies"]
        advisories = [
            Advisory(
                vulnerability["id"],
                dependency["name"],
                dependency["version"],
                tuple(vulnerability.get("aliases", ())),
                tuple(vulnerability.get("fix_versions", ())),
            )
            for dependency in dependencies
            for vulnerability in dependency.get("vulns", ())
        ]
        unknown = [dependency["name"] for dependency in dependencies if "skip_reason" in dependency]
    except (ValueError, KeyError, TypeError, AttributeError):
        words = (stderr or stdout).strip().splitlines()
        return LookUp(failure=words[-1] if words else "pip-audit printed nothing")
    return LookUp(advisories, unknown)


def audit_advisories(
    distributions: Mapping[Distribution, Sequence[str]],
    allowed: Allowed,
    look: Look,
    databases: Sequence[str] = DATABASES,
) -> Report:
    """Ask the databases one after the other until one proves that it knows advisories, and that one for everything."""
    refused = []
    for database in databases:
        proof = look(database, [KNOWN_BAD])
        if any(advisory.name.lower() == KNOWN_BAD[0] for advisory in proof.advisories):
            return look_up(database, distributions, allowed, look)
        why = proof.failure or f"it does not know that {' '.join(KNOWN_BAD)} has advisories"
        refused.append(f"{database}: {why}")
    sentence = (
        f"No database of advisories could be reached ({'; '.join(refused)}), so nobody knows whether the "
        f"{len(distributions)} locked distributions have any. Run it again where pypi.org or api.osv.dev responses."
    )
    return Report(unknown=[sentence])


def look_up(database: str, distributions: Mapping[Distribution, Sequence[str]], allowed: Allowed, look: Look) -> Report:
    report = Report()
    met: set[str] = set()
    for one in rounds_of(list(distributions)):
        response = look(database, one)
        if response.failure:
            report.unknown.append(f"{database} did not say anything of {len(one)} distributions: {response.failure}.")
        if response.unknown:
            names = ", ".join(sorted(response.unknown))
            report.unknown.append(f"{database} does not know {names}, so nobody knows whether there are advisories.")
        for advisory in response.advisories:
            accepted = advisory.names() & set(allowed.advisories)
            met |= accepted
            if not accepted:
                report.findings.append(sentence_for(advisory, distributions))
    report.findings += [
        f"harness/audit.toml: no lock has the advisory {name} any more; remove it."
        for name in sorted(set(allowed.advisories) - met)
        if not report.unknown
    ]
    if not report.findings and not report.unknown:
        report.fine.append(f"{database} knows no advisory of the {len(distributions)} locked distributions.")
    return report


def sentence_for(advisory: Advisory, distributions: Mapping[Distribution, Sequence[str]]) -> str:
    name = advisory.name.lower().replace("_", "-")
    locks = ", ".join(distributions.get((name, advisory.version), ["a lock"]))
    also = f" ({', '.join(advisory.aliases)})" if advisory.aliases else ""
    step = f"fixed in {', '.join(advisory.fixed)}: make lock" if advisory.fixed else "there is no fix yet"
    return f"{name} {advisory.version} in {locks} has {advisory.identifier}{also}; {step}."


def audit_licences(project: Project, allowed: Allowed) -> Report:
    """Check what is shipped; the bills must be those of packages that are built of what stands in the checkout."""
    for app in project.apps:
        refuse_stale(project, project.path / "dist", app)
    faults, count = licence_faults(project.path / "dist", project.apps, allowed)
    fine = [] if faults else [f"The {count} distributions in the packages are under licences that the list allows."]
    return Report(findings=faults, fine=fine)


def main(arguments: list[str] | None = None) -> int:
    """Audit what is named, everything by default, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make audit", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="advisories or licences; default: both")
    parser.add_argument("--osv-url", metavar="URL", help="ask a mirror of OSV there, and no other database")
    options = parser.parse_args(arguments)
    parts = options.parts or ["licences", "advisories"]
    unknown = [part for part in parts if part not in ("licences", "advisories")]
    if unknown:
        parser.error(f"there is no part {unknown[0]}; choose from advisories, licences")
    try:
        project = Project.find()
        allowed = read_allowed(project.path / "harness/audit.toml", "harness/audit.toml")
        reports = [audit_licences(project, allowed)] if "licences" in parts else []
        if "advisories" in parts:
            look, databases = pip_audit(project, options.osv_url), ("osv",) if options.osv_url else DATABASES
            reports.append(audit_advisories(locked_distributions(project), allowed, look, databases))
    except (SawhorseError, OSError) as error:
        return report_error(error)
    except KeyboardInterrupt:
        print("sawhorse: stopped.", file=sys.stderr)
        return INTERRUPTED
    for report in reports:
        for sentence in report.fine:
            print(sentence, flush=True)
        for sentence in [*report.findings, *report.unknown]:
            print(sentence, file=sys.stderr, flush=True)
    codes = {report.exit_code for report in reports}
    return next((code for code in (FOUND, UNKNOWN) if code in codes), 0)


if __name__ == "__main__":
    sys.exit(main())

"""The `sawhorse package` commands: look into the zips that Lambda gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from sawhorse.cli.options import AsJson, Commands, print_json
from sawhorse.errors import SawhorseError
from sawhorse.printable import printable
from sawhorse.project import Project

if TYPE_CHECKING:
    from rich.console import Console

    from sawhorse.build.manifest import Entry
    from sawhorse.build.zip_reader import Opened
    from sawhorse.inspect.diff import Comparison
    from sawhorse.inspect.import_profile import ImportProfile, Variables
    from sawhorse.inspect.report import Inspection

LARGEST = 10
NAMES_SHOWN = 20
# What has no more bytes is read before anybody asks what goes on.
READ_AT_ONCE = 200_000

package_app = Commands(name="package", help="Look into the packages that Lambda gets.", no_args_is_help=True)


@package_app.command("inspect")
def package_inspect(  # noqa: PLR0913, PLR0917 # typer makes an option of each
    path: Annotated[str, typer.Argument(metavar="PATH", help="A zip, or an app for the package that was built of it.")],
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER", help="Say why PATH differs from this zip or app's package.")
    ] = None,
    handler: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODULE.FUNCTION", help="A handler to import; by default those of the manifest beside it."
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="A variable for the handlers' imports, besides those that Lambda sets."
        ),
    ] = None,
    start: Annotated[
        bool, typer.Option("--start/--no-start", help="Import the handlers' modules, which runs the package's code.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Say what is in a package, what is largest, and what it imports on start; with OTHER, why the two differ.

    Its sources are compiled again, which proves its bytecode: Lambda loads that without a look at the sources.
    Exit code 1 when something is wrong with PATH, such as bytecode that is not that of its source, or cannot be proven.
    With OTHER nothing is imported or compiled; exit code 0 says the same bytes, 1 others.
    Exit code 2 for what is not a whole package.
    """
    looked = look_into(path, other, handler, env, start=start)
    inspection, comparison = looked.inspection, looked.comparison
    if as_json:
        print_json(all_of(inspection, looked.starts, looked.notes, comparison))
    elif comparison:
        show_comparison(comparison)
    else:
        show_inspection(inspection)
        show_starts(looked.starts, looked.notes)
        for finding in inspection.findings:
            print(f"\nWrong: {finding}")
    if not comparison.equal if comparison else inspection.findings:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Looked:
    """A package that was looked into: what it has, its functions, and the handlers that the user asks for."""

    project: Project
    package: Opened
    inspection: Inspection
    functions: dict[str, Entry]
    asked: list[str] | None


class Findings(NamedTuple):
    """What a package has, how long its handlers' imports take, with notes, and why another one differs from it."""

    inspection: Inspection
    starts: list[ImportProfile]
    notes: list[str]
    comparison: Comparison | None


def look_into(
    path: str, other: str | None, handler: list[str] | None, env: list[str] | None, *, start: bool
) -> Findings:
    """Read a package; without another one to compare it with, also compile its sources and import its handlers."""
    from sawhorse.build.zip_reader import opened
    from sawhorse.inspect.diff import compare
    from sawhorse.inspect.report import check, functions_of, inspect, own_names, package_path
    from sawhorse.operate.result_tables import steps_of

    project = Project.find()
    found = package_path(project, path)
    functions = functions_of(found)
    names = own_names(
        project, handler or list(dict.fromkeys(entry.handler for entry in functions.values())), found.stem
    )
    with steps_of() as step, opened(found) as package:
        if found.stat().st_size > READ_AT_ONCE:
            step(f"Reading {project.shown(found)}")
        if other is not None:
            with opened(package_path(project, other)) as second:
                return Findings(inspect(package, functions, names, None), [], [], compare(package, second))
        if found.stat().st_size > READ_AT_ONCE:
            step("Compiling its sources again")
        checked = check(package, lambda python: found_interpreter(python, project))
        inspection = inspect(package, functions, names, checked)
        # What is not what its sources say is not run, but shown.
        if not start or (checked and checked.proof.wrong):
            return Findings(inspection, [], [], None)
        starts, notes = measured_starts(Looked(project, package, inspection, functions, handler), env, step)
        return Findings(inspection, starts, notes, None)


def measured_starts(
    looked: Looked, env: list[str] | None, step: Callable[[str], object]
) -> tuple[list[ImportProfile], list[str]]:
    """Import the handlers' modules with the variables of their app, and return what that took, with notes."""
    project, found = looked.project, looked.package.path
    # Whose variables it wants is known of an app alone.
    app = found.stem if found.resolve() == (project.path / f"dist/{found.stem}.zip").resolve() else None
    variables, notes = variables_for(project, app, env)
    if not variables:
        return [], notes
    starts, more = starts_of(looked, variables, step)
    return starts, notes + more


def found_interpreter(python: str, project: Project) -> Path | None:
    """Return an interpreter of a minor version that is here, to compile with."""
    from sawhorse.inspect.import_profile import find_interpreter

    found = find_interpreter(python, project)
    return found.path if found else None


def starts_of(
    looked: Looked, variables: Variables, step: Callable[[str], object]
) -> tuple[list[ImportProfile], list[str]]:
    """Measure the handlers that can be imported, and say in sentences what could not be measured."""
    from sawhorse.inspect.import_profile import find_interpreter, measure_starts
    from sawhorse.toolchain import interpreters

    handlers, notes = importable(looked)
    if not handlers:
        return [], notes
    python = looked.inspection.python or interpreters.FUNCTIONS_PYTHON
    interpreter = find_interpreter(python, looked.project)
    if interpreter is None:
        sentence = f"Python {python} is not on this machine, so no import was measured. Install it"
        return [], [*notes, f"{sentence} and inspect it again."]
    if interpreter.runtime is None:
        notes.append(
            f"What Lambda itself has, such as boto3, is not here for Python {python}; "
            f'"sawhorse local up" gets it for {interpreters.FUNCTIONS_PYTHON}.'
        )
    elif not any(interpreter.runtime.rglob("*.pyc")):
        notes.append(
            "The functions' runtime has no bytecode here, so what comes from it is compiled in each of these runs."
        )
    return measure_starts(looked.package, handlers, interpreter, variables, step), notes


def variables_for(project: Project, app: str | None, env: list[str] | None) -> tuple[Variables, list[str]]:
    """Return the variables for the imports, those of an app's functions where it is applied, and whose they are."""
    from sawhorse.inspect.import_profile import Variables
    from sawhorse.inspect.import_variables import applied_variables

    given = variables_of(env)
    if app is None:
        return Variables(given), []
    applied = applied_variables(project, app)
    notes = [f"The handlers had the variables of {applied.where}, as it was last applied."] if applied.where else []
    return Variables(given, applied.by_handler, fill_in=True), notes


def importable(looked: Looked) -> tuple[dict[str, Path | None], list[str]]:
    """Return the handlers that are modules, each with its layer; one that the user names must be there."""
    package, functions, asked = looked.package, looked.functions, looked.asked
    directory = package.path.resolve().parent
    layers = {
        entry.handler: directory / Path(entry.layer.path).name if entry.layer else None for entry in functions.values()
    }
    handlers: dict[str, Path | None] = {}
    notes = [] if asked or functions else ["No manifest beside it names its handlers; give one with --handler."]
    for one in asked or layers:
        module = one.rpartition(".")[0].replace(".", "/")
        if any(name in package.files for name in (f"{module}.py", f"{module}/__init__.py", f"{module}.pyc")):
            handlers[one] = layers.get(one)
        elif asked:
            shown = looked.project.shown(package.path)
            raise SawhorseError(f"{shown} has no module for the handler {one}; name one such as app.main.handler.")
        else:
            notes.append(f"The handler {one} is not a module of the package, so nothing of it was imported.")
    return handlers, notes


def variables_of(env: list[str] | None) -> dict[str, str]:
    for one in env or []:
        if "=" not in one.lstrip("="):
            raise SawhorseError(f"--env has {one!r}; write it as NAME=VALUE.")
    return dict(one.split("=", 1) for one in env or [])


def all_of(
    inspection: Inspection, starts: Sequence[ImportProfile], notes: Sequence[str], comparison: Comparison | None
) -> dict[str, Any]:
    """Return all that was found, as a machine reads it."""
    return {
        "package": inspection.as_json(),
        "starts": [asdict(start) for start in starts],
        "notes": list(notes),
        "comparison": comparison.as_json() if comparison else None,
    }


def show_inspection(inspection: Inspection) -> None:
    """Show sizes, parts, files and bytecode."""
    from sawhorse.build.lambda_limits import UNZIPPED_LIMIT, ZIPPED_LIMIT
    from sawhorse.operate.result_tables import plain_console

    console = plain_console()
    print(f"{inspection.path}: {inspection.members:,} members, sha256 {inspection.sha256}")
    print(f"zipped   {of_limit(inspection.zipped, ZIPPED_LIMIT)}")
    print(f"unzipped {of_limit(inspection.unzipped, UNZIPPED_LIMIT)}")
    versions = len([part for part in inspection.parts if part.kind == "distribution"])
    show_table(
        console,
        f"{len(inspection.parts)} parts, {versions} of them distributions",
        ("part", "version", "kind", "files", "zipped", "unzipped"),
        [(p.name, p.version or "", p.kind, p.files, p.zipped, p.unzipped) for p in inspection.parts],
    )
    show_table(
        console,
        "By kind",
        ("kind", "files", "zipped", "share", "unzipped"),
        [
            (kind, share.files, share.zipped, percent(share.zipped, inspection.zipped), share.unzipped)
            for kind, share in inspection.shares.items()
        ],
    )
    show_table(
        console,
        f"The {min(LARGEST, len(inspection.files))} largest files",
        ("file", "zipped", "unzipped"),
        [(file.name, file.zipped, file.unzipped) for file in inspection.files[:LARGEST]],
    )
    show_bytecode(inspection)


def show_bytecode(inspection: Inspection) -> None:
    found = inspection.bytecode
    if not found.files:
        print(f"\nNo bytecode: each of its {found.missing:,} sources is compiled at every start.")
        return
    pythons = ", ".join(f"{count:,} for Python {version}" for version, count in found.pythons.items())
    checks = ", ".join(f"{count:,} {check}" for check, count in found.checks.items())
    print(f"\nBytecode: {pythons}; {checks}; {len(found.stale):,} stale.")
    if inspection.proof.pythons:
        versions = ", ".join(inspection.proof.pythons.values())
        print(f"{inspection.proof.proven:,} are what Python {versions} compiles of their sources.")
    print(f"{found.missing:,} sources have none; {found.sourceless:,} files of it have no source.")


def show_starts(starts: Sequence[ImportProfile], notes: Sequence[str]) -> None:
    """Show what each handler imports."""
    from sawhorse.operate.result_tables import plain_console

    console = plain_console()
    for start in starts:
        sources = ", ".join(f"{kind} {own:.1f}" for kind, own in start.by_source.items())
        print(
            f"\nStart of {start.handler} under Python {start.python}: {start.total:.1f} ms, {start.modules:,} modules."
        )
        print(f"Own milliseconds by source, with Python's timing on: {sources}.")
        for title, costly in (
            ("Most expensive with all that they import", start.costly),
            ("Most expensive by themselves", start.costly_own),
        ):
            show_table(
                console,
                title,
                ("module", "from", "own ms", "cumulative ms"),
                [(one.module, one.source, f"{one.own:.1f}", f"{one.cumulative:.1f}") for one in costly],
            )
        if start.placeholders:
            print(f"Placeholders stood for {', '.join(start.placeholders)}; --env NAME=VALUE gives other values.")
        if start.error:
            print(f"It was measured up to what it raised: {printable(start.error)}")
            print("What a handler wants of its environment can be given with --env NAME=VALUE.")
    for note in notes:
        print(f"\n{note}")


def show_comparison(comparison: Comparison) -> None:
    """Say why two packages differ, the first few of each kind."""
    one, two = comparison.path, comparison.other
    if comparison.equal:
        print(f"{one} and {two} are the same bytes.")
        return
    print(f"{one} and {two} differ.")
    listed("distributions with other versions", [f"{n}: {a} and {b}" for n, (a, b) in comparison.versions.items()])
    listed(f"members only in {one}", comparison.only_in_path)
    listed(f"members only in {two}", comparison.only_in_other)
    listed(
        "members with other content",
        [f"{c.name} ({c.sizes[0]:,} and {c.sizes[1]:,} bytes)" for c in comparison.changed],
    )
    for changed in [changed for changed in comparison.changed if changed.lines][:NAMES_SHOWN]:
        print("\n" + "\n".join(map(printable, changed.lines)))
        if changed.more:
            print(f"({changed.more:,} more lines)")
    listed("members with the same content, compressed otherwise", comparison.compression)
    listed("members with another mode", [f"{n}: {a} and {b}" for n, (a, b) in comparison.modes.items()])
    listed("members with another date", [f"{n}: {a} and {b}" for n, (a, b) in comparison.dates.items()])
    if comparison.other_order:
        print("\nThe members that both have are in another order.")
    if comparison.elsewhere:
        print("\nEvery member is the same; the zips differ in their headers, extra fields or comments.")


def listed(what: str, names: Sequence[str]) -> None:
    if names:
        print(f"\n{len(names):,} {what}:")
        print("\n".join(f"  {printable(name)}" for name in names[:NAMES_SHOWN]))
        if len(names) > NAMES_SHOWN:
            print(f"  and {len(names) - NAMES_SHOWN:,} more; --json names them all")


def show_table(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    """Show a table; numbers stand to the right, with separators."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        right = column in {"files", "zipped", "unzipped", "share", "own ms", "cumulative ms"}
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in rows:
        # A name is not markup, whatever it holds.
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else printable(cell)) for cell in row))
    console.print()
    console.print(table)


def of_limit(size: int, limit: int) -> str:
    return f"{size:>13,} bytes, {percent(size, limit)} of Lambda's {limit:,}"


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0.0 %"

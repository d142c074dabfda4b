"""The errors that a user can cause or fix, each a sentence with a next step.

SawhorseError                exit code 2
├── UnknownName              an app, environment or root that is not there
├── BadConfiguration         environment.yaml, package.toml, a template or an option that does not fit
│   └── Unreadable           a state, or a record of releases, that is damaged or that another version wrote
├── Untrusted                a file or directory that somebody else may have written
├── MissingTool              Terraform, a Python interpreter or a package is not on this machine
├── BuildFailed              a package that could not be built
├── WrongAccount             no credentials, or those of another AWS account
├── LocalAWSError            the emulators cannot start, died or do not respond
├── NotApplied               a root without outputs
├── Protected                a table that deletion protection guards
├── CouldNotAsk              what compares got no response, so it tells nothing: exit code 1
├── Interrupted              the user stopped Terraform: exit code 130
└── CommandFailed            Terraform ended with an error of its own: exit code 1
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from sawhorse.printable import printable

# How shells tell that Ctrl-C ended a program, and how typer does.
INTERRUPTED = 130
# What compares ends with it where the two sides are not the same; 1 says that it could not be asked.
DIFFERS = 3


class SawhorseError(Exception):
    """What is wrong, where, and what to do next."""

    exit_code = 2


class UnknownName(SawhorseError):
    """An app, environment or root that is not there."""


class BadConfiguration(SawhorseError):
    """A file of the project that does not fit what reads it."""


class Unreadable(BadConfiguration):
    """A state, or a record of releases, that is damaged, another root's, or of a version that this one cannot read."""


class Untrusted(SawhorseError):
    """A file or directory that is read back, and that somebody else may have written."""


class MissingTool(SawhorseError):
    """Something that this machine lacks."""


class BuildFailed(SawhorseError):
    """A package that could not be built."""


class WrongAccount(SawhorseError):
    """No AWS credentials, or those of another account than the environment's."""


class LocalAWSError(SawhorseError):
    """The local AWS cannot start, died or does not respond."""


class PortTaken(SawhorseError):
    """A port of this machine that another program has."""


class NotApplied(SawhorseError):
    """A root that was not applied, and so has no outputs."""


class Protected(SawhorseError):
    """A table that deletion protection guards."""


class CouldNotAsk(SawhorseError):
    """One side of a comparison could not be had, which is neither the same nor a difference."""

    exit_code = 1


class Interrupted(SawhorseError):
    """The user stopped it; the sentence says what was found afterwards."""

    exit_code = INTERRUPTED


class CommandFailed(SawhorseError):
    """Terraform ran and ended with an error; what it printed stands above."""

    exit_code = 1


# What a caller has asked wrongly. Whatever else keeps a command that compares from its end kept it from asking.
MISTAKES = (UnknownName, BadConfiguration, NotApplied)


@contextlib.contextmanager
def asking() -> Iterator[None]:
    """Let a command that compares or tells end with exit code 1 where it could not ask, and with 2 for a mistake.

    Raises CouldNotAsk in the place of what says neither: no credentials, no local AWS, a file that cannot be read.
    """
    try:
        yield
    except BrokenPipeError:
        # Whoever read what was printed has gone.
        raise
    except OSError as error:
        raise CouldNotAsk(file_error_sentence(error)) from error
    except SawhorseError as error:
        mistaken = isinstance(error, MISTAKES) and not isinstance(error, Unreadable)
        if mistaken or error.exit_code != SawhorseError.exit_code:
            raise
        raise CouldNotAsk(str(error)) from error


def report_error(error: SawhorseError | OSError) -> int:
    """Tell the user what went wrong, on standard error, and return the exit code."""
    sentence = file_error_sentence(error) if isinstance(error, OSError) else str(error)
    print(f"sawhorse: {printable(sentence, lines=True)}", file=sys.stderr)
    return 2 if isinstance(error, OSError) else error.exit_code


def file_error_sentence(error: OSError) -> str:
    """Say what this machine's files refused, and where: a directory that cannot be written, a disk that is full."""
    return f"{refused_by_files(error)}. Fix that and run it again."


def refused_by_files(error: OSError) -> str:
    """Say what was refused and of which file, without a full stop."""
    name = error.filename or written_file(error)
    return f"{f'{name}: ' if name else ''}{error.strerror or error}"


def written_file(error: OSError) -> str | None:
    """Name the file that was being written when the system refused: such an error does not name it itself."""
    found: str | None = None
    step = error.__traceback__
    while step:
        # The innermost comes last, and a file that was opened by a path knows it.
        files = [value for value in step.tb_frame.f_locals.values() if hasattr(value, "fileno")]
        names = [getattr(file, "name", None) for file in files if set(str(getattr(file, "mode", ""))) & set("wax+")]
        found = next((name for name in names if isinstance(name, str)), found)
        step = step.tb_next
    return found

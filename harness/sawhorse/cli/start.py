"""Start the `sawhorse` command: `sawhorse build [APP]...` at once, everything else through `sawhorse.cli.main`.

The command line's own imports take longer than a build that changes nothing.
"""

from __future__ import annotations

import gc
import io
import sys
from pathlib import Path

from sawhorse.checkout import find_checkout
from sawhorse.cli.job_summary import reported
from sawhorse.errors import INTERRUPTED, SawhorseError
from sawhorse.trusted_files import keep_to_this_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> int:
    """Run the command that the arguments name, and return its exit code or raise SystemExit with it."""
    keep_to_this_user()
    command, *words = sys.argv[1:] or [""]
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path that is not UTF-8 can be shown as well; on standard error Python does so by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        if command == "build" and not any(word.startswith("-") for word in words):
            # A build is short, and keeps what it makes to its end.
            gc.disable()
            return build_and_report(find_checkout(), words)
        from sawhorse.cli.main import main as command_line  # typer and the like take 150 ms

        command_line()
    except (SawhorseError, OSError) as error:
        return reported(error)
    except KeyboardInterrupt:
        print("sawhorse: stopped.", file=sys.stderr)
        return INTERRUPTED


def build_and_report(project: str, apps: Sequence[str]) -> int:
    """Do what `sawhorse build` does without options."""
    from sawhorse.build.background import read_ahead  # other commands need nothing of all this

    # Packages are read and hashed while the rest is imported, which takes as long.
    reader = read_ahead(f"{project}/dist/{app}.zip" for app in apps or built_before(project))
    from sawhorse.build.build_apps import build_apps, report

    for package in build_apps(project, apps, reader):
        report(package, project)
    return 0


def built_before(project: str) -> list[str]:
    return sorted(path.stem for path in Path(project, "dist").glob("*.zip"))


if __name__ == "__main__":
    sys.exit(main())

"""Set a bare machine up: the harness's environment, the emulators' ones, uv, linters and Terraform.

Runs on a bare Python >= 3.11 with its standard library alone, says what it does, and skips what is done already.
`make` calls it before everything else.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable
from pathlib import Path

from sawhorse.errors import MissingTool, Untrusted, file_error_sentence
from sawhorse.toolchain.installed import ensure_checkov, ensure_emulators, ensure_harness
from sawhorse.toolchain.machine import say
from sawhorse.toolchain.python_environments import ensure_uv
from sawhorse.toolchain.terraform_install import ensure_terraform


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bootstrap", description="Set this machine up for Sawhorse.")
    parser.add_argument(
        "parts", nargs="*", default=["harness"], help="harness (the default), emulators, terraform, uv, checkov"
    )
    parts: dict[str, Callable[[Path], object]] = {
        "harness": ensure_harness,
        "emulators": ensure_emulators,
        "terraform": ensure_terraform,
        "uv": ensure_uv,
        "checkov": ensure_checkov,
    }
    options = parser.parse_args(arguments)
    if sys.version_info < (3, 11):  # noqa: UP036 # this file is also run by whatever `python3` is
        say(f"Sawhorse needs Python >= 3.11; this is {platform.python_version()}. Name one: make PYTHON=python3.12")
        return 2
    unknown = [part for part in options.parts if part not in parts]
    if unknown:
        parser.error(f"unknown part {unknown[0]}; choose from {', '.join(parts)}")
    try:
        for part in options.parts:
            parts[part](Path(__file__).resolve().parents[3])
    except (MissingTool, Untrusted) as error:
        say(str(error))
        return 2
    except OSError as error:
        say(file_error_sentence(error))
        return 2
    except KeyboardInterrupt:
        say("Stopped. Run it again to go on where it was.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

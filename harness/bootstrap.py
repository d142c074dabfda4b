"""Set a fresh machine up: the harness's environment, the emulators' ones and Terraform.

Runs on a bare Python >= 3.11 with its standard library alone, says what it does, and skips what is done already.
`make` calls it before everything else; the harness calls it for the emulators and for Terraform.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import MissingTool, Untrusted, files_sentence
from harness.files import locked, write_shared
from harness.ownership import own_private

FUNCTIONS_PYTHON = "3.13"
PIP_INSTALL = ("pip", "install", "--quiet", "--require-hashes")


@dataclass(frozen=True)
class Machine:
    """Where things are looked for: replaced in tests by a machine of their own."""

    environ: Mapping[str, str]
    home: Path
    opt: Path = Path("/opt")
    # Where Terraform is fetched from.
    releases: str = "https://releases.hashicorp.com/terraform"

    @classmethod
    def this(cls) -> Machine:
        return cls(environ=os.environ, home=Path.home())

    def which(self, program: str) -> Path | None:
        found = shutil.which(program, path=self.environ.get("PATH"))
        return Path(found) if found else None


def say(sentence: str) -> None:
    """Report a step on standard error, so that standard output stays for results."""
    print(sentence, file=sys.stderr, flush=True)


# --- Environments ------------------------------------------------------------------------------------------------


def ensure_harness(project: Path) -> Path:
    """Make `.venv` from requirements/harness.txt and return it."""
    environment = project / ".venv"
    locks = [project / "requirements/harness.txt", project / "pyproject.toml"]

    def install() -> None:
        uv = ensure_uv(project)
        say("Setting up the harness: .venv from requirements/harness.txt.")
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, environment])
        python = python_of(environment)
        # Where Python may not write bytecode, every command would compile all that it imports.
        compiled = ["--compile-bytecode"] if sys.dont_write_bytecode else []
        run([uv, *PIP_INSTALL, *compiled, "--python", python, "-r", locks[0]])
        run([uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation", "-e", project])

    once(project, environment, locks, install, extra=sys.version)
    return environment


def ensure_checkov(project: Path) -> Path:
    """Make the environment of checkov, whose pins do not agree with the harness's, and return it."""
    return ensure_tool(project, "checkov", lock="checkov")


def ensure_pip_audit(project: Path) -> Path:
    """Make the environment of pip-audit, whose pins do not agree with the harness's, and return it."""
    return ensure_tool(project, "pip-audit", lock="audit")


def ensure_tool(project: Path, name: str, *, lock: str) -> Path:
    """Make an environment of a tool's own from requirements/<lock>.txt, and return it."""
    environment = project / ".sawhorse/tools" / lock
    requirements = project / f"requirements/{lock}.txt"

    def install() -> None:
        say(f"Setting up {name} from requirements/{lock}.txt.")
        make_environment(project, environment, requirements, python=Path(sys.executable))

    once(project, environment, [requirements], install, extra=sys.version)
    return environment


@dataclass(frozen=True)
class Emulators:
    """The environments of the local AWS.

    `runtime` is what functions run under, so it holds nothing that Lambda has not. MiniStack's own libraries are kept
    aside in `ministack`, a plain directory that only the emulator's process imports from; moto has its own environment.
    """

    runtime: Path
    ministack: Path
    moto: Path

    @property
    def python_version(self) -> str:
        """The minor version that functions run under here, such as `3.13`."""
        config = (self.runtime / "pyvenv.cfg").read_text()
        found = re.search(r"^version_info = (\d+\.\d+)", config, re.MULTILINE)
        if found is None:
            raise MissingTool(f'{self.runtime} is no environment of Python; delete it and run "make setup".')
        return found[1]


def ensure_emulators(project: Path, machine: Machine | None = None) -> Emulators:
    """Make the environments of the local AWS from their locks and return them."""
    home = project / ".sawhorse/emulators"
    emulators = Emulators(runtime=home / "runtime", ministack=home / "ministack", moto=home / "moto")
    requirements = project / "requirements"
    runtime, ministack, moto = (requirements / f"{name}.txt" for name in ("runtime", "ministack", "moto"))

    def install_runtime() -> None:
        python = find_python(FUNCTIONS_PYTHON, project, machine or Machine.this())
        say("Setting up the functions' runtime from requirements/runtime.txt.")
        make_environment(project, emulators.runtime, runtime, python=python)

    def install_ministack() -> None:
        say("Setting up MiniStack from requirements/ministack.txt.")
        shutil.rmtree(emulators.ministack, ignore_errors=True)
        uv, python = ensure_uv(project), python_of(emulators.runtime)
        run([uv, *PIP_INSTALL, "--python", python, "--target", emulators.ministack, "-r", ministack])

    def install_moto() -> None:
        say("Setting up moto from requirements/moto.txt.")
        make_environment(project, emulators.moto, moto, python=python_of(emulators.runtime))

    once(project, emulators.runtime, [runtime], install_runtime)
    once(project, emulators.ministack, [ministack], install_ministack, extra=emulators.python_version)
    once(project, emulators.moto, [moto], install_moto, extra=emulators.python_version)
    return emulators


def ensure_build_environment(project: Path, version: str, python: Path) -> Path:
    """Make the environment in which wheels are built under one minor version of Python, and return it."""
    environment = project / f".sawhorse/tools/build-{version}"
    lock = project / "requirements/build.txt"

    def install() -> None:
        say(f"Setting up what builds wheels under Python {version} from requirements/build.txt.")
        make_environment(project, environment, lock, python=python)

    once(project, environment, [lock], install, extra=str(python))
    return environment


def ensure_uv(project: Path) -> Path:
    """Install uv from requirements/uv.txt with pip and return its path."""
    environment = project / ".sawhorse/tools/uv"
    lock = project / "requirements/uv.txt"

    def install() -> None:
        say("Setting up uv from requirements/uv.txt.")
        shutil.rmtree(environment, ignore_errors=True)
        try:
            run([sys.executable, "-m", "venv", environment])
        except MissingTool as error:
            raise MissingTool(
                "This Python cannot make environments. Install its venv module (Debian: apt-get install python3-venv)."
            ) from error
        run([python_of(environment), "-m", *PIP_INSTALL, "--disable-pip-version-check", "-r", lock])

    # uv is a program of its own: whichever Python installed it, it is the same.
    once(project, environment, [lock], install)
    return environment / "bin/uv"


def make_environment(project: Path, environment: Path, lock: Path, *, python: Path) -> None:
    uv = ensure_uv(project)
    run([uv, "venv", "--quiet", "--clear", "--python", python, environment])
    run([uv, *PIP_INSTALL, "--python", python_of(environment), "-r", lock])


def once(project: Path, made: Path, locks: Iterable[Path], install: Callable[[], None], *, extra: str = "") -> None:
    """Call `install` unless `made` was made from these very locks; a half-made one counts as not made.

    Of several processes at once one installs and the others wait.
    """
    # Programs in an environment name its path, so one that was moved is made anew.
    digest = hashlib.sha256(f"{made.parent.resolve() / made.name} {extra}".encode())
    private = project / ".sawhorse"
    if made.is_relative_to(private):
        own_private(project, *made.relative_to(private).parts)
    for lock in locks:
        if not lock.is_file():
            raise MissingTool(f"{lock} does not exist; run this from a whole checkout of the project.")
        digest.update(lock.read_bytes())
    stamp = made / ".sawhorse-stamp"
    if is_stamped(stamp, digest.hexdigest()):
        return
    with locked(lock_of(made, project)):
        if is_stamped(stamp, digest.hexdigest()):
            return
        stamp.unlink(missing_ok=True)
        install()
        write_shared(stamp, digest.hexdigest())


def lock_of(made: Path, project: Path) -> Path:
    """Return the lock of what is made: beside it, where several checkouts may link to; that of .venv in .sawhorse."""
    place = project / ".sawhorse" if made.parent == project else made.parent
    return place / f".{made.name.lstrip('.')}.lock"


def is_stamped(stamp: Path, digest: str) -> bool:
    return stamp.is_file() and stamp.read_text() == digest


def python_of(environment: Path) -> Path:
    return environment / "bin/python"


def run(command: Sequence[str | Path]) -> str:
    """Run a step and return what it printed, or raise its last words when it fails."""
    result = run_tool(command)
    if result.returncode != 0:
        last = (result.stderr or result.stdout).strip().splitlines()[-6:]
        raise MissingTool(f"{Path(command[0]).name} failed:\n  " + "\n  ".join(last or ["it printed nothing."]))
    return result.stdout


def run_tool(
    command: Sequence[str | Path], variables: Mapping[str, str] | None = None, *, directory: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run pip or uv as this machine trusts others, also behind a company's proxy, and whatever shell this is.

    In `directory`, whose uv.toml uv reads; by default in this process's own.
    """
    # An environment that is active in this shell has no part in it.
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    environment.setdefault("UV_SYSTEM_CERTS", "true")
    environment.update(variables or {})
    words = [str(part) for part in command]
    # Others may read what is installed, where they may go at all, and never write it.
    return subprocess.run(
        words, capture_output=True, text=True, env=environment, cwd=directory, check=False, umask=0o022
    )


# --- Python ------------------------------------------------------------------------------------------------------


def find_python(version: str, project: Path, machine: Machine) -> Path:
    """Find an interpreter of this minor version, fetch it with uv, or fall back on the one that runs this.

    Functions then run locally under that one, and local packages are built for it.
    """
    found = exact_python(version, project, machine)
    if found:
        return found
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    say(
        f"Python {version} could not be fetched. On the local AWS functions will run under Python {own}, "
        "with packages built for it."
    )
    return Path(sys.executable)


def exact_python(version: str, project: Path, machine: Machine | None = None) -> Path | None:
    """Find an interpreter of this minor version, or fetch it with uv; None when neither is possible."""
    for candidate in python_candidates(version, machine or Machine.this()):
        if python_version(candidate) == version:
            return behind_shim(candidate)
    uv = ensure_uv(project)
    below_checkout = {"UV_PYTHON_INSTALL_DIR": str(project / ".sawhorse/tools/python")}
    found = run_tool([uv, "python", "find", "--no-project", version], below_checkout)
    if found.returncode != 0:
        say(f"Python {version} is not on this machine; fetching it with uv.")
        run_tool([uv, "python", "install", "--quiet", "--no-bin", version], below_checkout)
        found = run_tool([uv, "python", "find", "--no-project", version], below_checkout)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def python_candidates(version: str, machine: Machine) -> list[Path]:
    """Places where interpreters usually are: PATH, then those that pyenv keeps beside its shims."""
    on_path = machine.which(f"python{version}")
    pyenv = Path(machine.environ.get("PYENV_ROOT", machine.home / ".pyenv"))
    kept = sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    return [*([on_path] if on_path else []), *kept]


def python_version(interpreter: Path) -> str | None:
    """Ask an interpreter for its minor version; None when it does not run (a shim without its version, say)."""
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        result = subprocess.run(
            [str(interpreter), "-c", question], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def behind_shim(interpreter: Path) -> Path:
    """Return the program that a version manager's shim starts, which starts ten times faster."""
    if interpreter.parent.name != "shims":
        return interpreter
    question = [str(interpreter), "-c", "import sys; print(sys.executable)"]
    return Path(subprocess.run(question, capture_output=True, text=True, check=True).stdout.strip())


def main(arguments: list[str] | None = None) -> int:
    # Both are of use here alone, and every build imports this module.
    import argparse  # noqa: PLC0415

    from harness.terraform_setup import ensure_terraform  # noqa: PLC0415

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
            parts[part](Path(__file__).resolve().parent.parent)
    except (MissingTool, Untrusted) as error:
        say(str(error))
        return 2
    except OSError as error:
        say(files_sentence(error))
        return 2
    except KeyboardInterrupt:
        say("Stopped. Run it again to go on where it was.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A fresh machine gets what it lacks, checked, and gets nothing twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sawhorse.errors import MissingTool
from sawhorse.toolchain import installed, interpreters, python_environments, setup
from sawhorse.toolchain.machine import Machine, run
from tests.unit.sawhorse.support import script

WriteTerraform = Callable[[str], Path]


# Python


def test_interpreters_are_those_on_path_and_those_that_pyenv_keeps(
    machine: Machine, on_path: Callable[[str, str], Path]
) -> None:
    assert interpreters.python_candidates("3.13", machine) == []
    shim = on_path("python3.13", "exit 127")
    versions = machine.home / ".pyenv/versions"
    old = script(versions / "3.13.0/bin/python3.13", "echo 3.13")
    new = script(versions / "3.13.2/bin/python3.13", "echo 3.13")
    script(versions / "3.12.1/bin/python3.12", "echo 3.12")

    assert interpreters.python_candidates("3.13", machine) == [shim, new, old]


def test_pyenv_is_found_where_its_variable_says(machine: Machine, tmp_path: Path) -> None:
    kept = script(tmp_path / "pyenv/versions/3.13.1/bin/python3.13", "echo 3.13")
    naming = Machine(environ={**machine.environ, "PYENV_ROOT": str(tmp_path / "pyenv")}, home=machine.home)

    assert interpreters.python_candidates("3.13", naming) == [kept]


def test_a_shim_without_its_version_is_passed_over(
    machine: Machine, on_path: Callable[[str, str], Path], tmp_path: Path
) -> None:
    on_path("python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    kept = script(machine.home / ".pyenv/versions/3.13.2/bin/python3.13", "echo 3.13")

    assert interpreters.find_python("3.13", tmp_path, machine) == kept


@pytest.mark.parametrize("forbidden", [True, False])
def test_the_harness_is_compiled_when_it_is_installed_where_python_may_not_do_it_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, forbidden: bool
) -> None:
    called = tmp_path / "called"
    uv = script(tmp_path / "uv", f'echo "$@" >> {called}; mkdir -p {tmp_path}/.venv')
    monkeypatch.setattr(installed, "ensure_uv", lambda _project: uv)
    monkeypatch.setattr(sys, "dont_write_bytecode", forbidden)
    (tmp_path / "pyproject.toml").touch()

    installed.ensure_harness(tmp_path)

    (installing,) = [line for line in called.read_text().splitlines() if "harness.txt" in line]
    assert ("--compile-bytecode" in installing.split()) == forbidden


@pytest.mark.parametrize("text", ["exit 1", "echo 3.12", "echo"])
def test_an_interpreter_that_does_not_say_the_version_is_none(tmp_path: Path, text: str) -> None:
    assert interpreters.python_version(script(tmp_path / "python3.13", text)) != "3.13"


def test_an_interpreter_that_is_not_there_has_no_version(tmp_path: Path) -> None:
    assert interpreters.python_version(tmp_path / "gone") is None
    assert interpreters.python_version(Path(sys.executable)) == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_without_the_wanted_python_its_own_serves_and_says_so(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    called = tmp_path / "called"
    broken = script(tmp_path / "uv", f'echo "$@" >> {called}; exit 2')
    monkeypatch.setattr(interpreters, "ensure_uv", lambda _project: broken)

    assert interpreters.find_python("3.13", tmp_path, machine) == Path(sys.executable)
    assert (
        "Python 3.13 could not be fetched. On the local AWS functions will run under Python" in capsys.readouterr().err
    )
    assert [line.split()[1] for line in called.read_text().splitlines()] == ["find", "install", "find"]


# Once


class Installation:
    """Something to install, which counts how often it was."""

    def __init__(self, made: Path) -> None:
        self.made = made
        self.times = 0
        self.interrupted = False

    def __call__(self) -> None:
        self.times += 1
        self.made.mkdir(exist_ok=True)
        if self.interrupted:
            raise KeyboardInterrupt


def test_what_is_installed_is_left_alone_until_its_lock_changes(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("one")
    install = Installation(tmp_path / "made")

    def times(**options: str) -> int:
        python_environments.ensure_up_to_date(tmp_path, install.made, [lock], install, **options)
        return install.times

    assert [times(), times()] == [1, 1]
    lock.write_text("two")
    assert [times(), times()] == [2, 2]
    assert [times(extra="3.12"), times(extra="3.12"), times()] == [3, 3, 4]


def test_an_interrupted_installation_is_done_again(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("one")
    install = Installation(tmp_path / "made")
    python_environments.ensure_up_to_date(tmp_path, install.made, [lock], install)
    lock.write_text("two")
    install.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        python_environments.ensure_up_to_date(tmp_path, install.made, [lock], install)
    # What is there may be half of the new one, so the old lock does not bring it back either.
    lock.write_text("one")
    install.interrupted = False

    python_environments.ensure_up_to_date(tmp_path, install.made, [lock], install)

    assert install.times == 3


def test_a_missing_lock_says_what_to_run_from(tmp_path: Path) -> None:
    with pytest.raises(MissingTool, match=r"gone\.txt does not exist; run this from a whole checkout"):
        python_environments.ensure_up_to_date(tmp_path, tmp_path, [tmp_path / "gone.txt"], lambda: None)


def test_a_step_that_fails_shows_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(MissingTool, match=r"^tool failed:\n  no room$"):
        run([script(tmp_path / "tool", "echo no room >&2; exit 3")])
    with pytest.raises(MissingTool, match=r"^tool failed:\n  it printed nothing\.$"):
        run([script(tmp_path / "tool", "exit 3")])


# The command


def run_bootstrap(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Without site-packages, variables of the shell or anything of the working directory.
    code = (
        f"import sys; sys.path.insert(0, {str(repository / 'harness')!r}); sys.argv[1:] = {list(arguments)!r}; "
        "from sawhorse.toolchain.setup import main; sys.exit(main())"
    )
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", code]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)


def test_bootstrap_needs_nothing_but_the_standard_library(repository: Path) -> None:
    result = run_bootstrap(repository, "--help")

    assert result.returncode == 0, result.stderr
    assert "Set this machine up for Sawhorse." in result.stdout


def test_an_unknown_part_lists_those_that_exist(repository: Path) -> None:
    result = run_bootstrap(repository, "uv", "kitchen")

    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].endswith(
        "unknown part kitchen; choose from harness, emulators, terraform, uv, checkov"
    )


def test_what_cannot_be_set_up_is_a_sentence_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(project: Path) -> Path:
        raise MissingTool("This machine has no Terraform; install it.")

    monkeypatch.setattr(setup, "ensure_terraform", lacking)

    assert setup.main(["terraform"]) == 2
    assert capsys.readouterr().err == "This machine has no Terraform; install it.\n"


def test_an_interrupt_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(project: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "ensure_uv", interrupted)

    assert setup.main(["uv"]) == 130
    assert capsys.readouterr().err == "Stopped. Run it again to go on where it was.\n"


def test_a_python_that_is_too_old_is_told_how_to_name_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))

    assert setup.main(["uv"]) == 2
    assert "Sawhorse needs Python >= 3.11" in capsys.readouterr().err

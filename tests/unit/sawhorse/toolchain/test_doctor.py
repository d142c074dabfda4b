"""The doctor says what is there and what is not, with the way to get it, and installs nothing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.operate.demo import DemoResult
from sawhorse.operate.demo_all import show_demo_results
from sawhorse.operate.result_tables import show_findings
from sawhorse.project import Project
from sawhorse.toolchain import doctor, terraform_install
from sawhorse.toolchain.machine import Machine
from tests.unit.sawhorse.support import tree


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    """A machine with nothing on its PATH."""
    (tmp_path / "bin").mkdir()
    return Machine(environ={"PATH": str(tmp_path / "bin")}, home=tmp_path / "home", opt=tmp_path / "opt")


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str, str], Path]:
    """Put a program on the bare machine's PATH."""

    def put(name: str, text: str) -> Path:
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    return put


def test_a_program_that_is_missing_comes_with_advice(bare: Machine, install: Callable[[str, str], Path]) -> None:
    missing = doctor.program("git", "Install git.", bare)
    assert (missing.ok, missing.found, missing.advice) == (False, "Not on PATH.", "Install git.")

    path = install("git", "")
    assert doctor.program("git", "Install git.", bare).found == str(path)


@pytest.mark.parametrize("script", [None, "exit 1", "echo Terraform v0.12", """echo '{"terraform_version":"1.9.0"}'"""])
def test_a_terraform_that_is_missing_or_too_old_comes_with_the_command_that_fetches_it(
    bare: Machine, install: Callable[[str, str], Path], tiny: Project, script: str | None
) -> None:
    (tiny.private / "tools").unlink()
    if script:
        install("terraform", script)

    finding = doctor.terraform(tiny, bare)

    assert not finding.ok
    assert 'Run ".venv/bin/python -m sawhorse.toolchain.setup terraform" to fetch' in finding.advice


def test_a_terraform_is_found_on_path_or_among_the_tools(
    bare: Machine, install: Callable[[str, str], Path], tiny: Project
) -> None:
    (tiny.private / "tools").unlink()
    fetched = tiny.private / f"tools/terraform-{terraform_install.TERRAFORM_VERSION}/terraform"
    fetched.parent.mkdir(parents=True)
    fetched.touch()
    assert doctor.terraform(tiny, bare).found == f"{terraform_install.TERRAFORM_VERSION} at {fetched}"

    path = install("terraform", """echo '{"terraform_version":"1.12.3"}'""")
    assert doctor.terraform(tiny, bare).found == f"1.12 at {path}"


def test_the_provider_comes_from_a_mirror_or_the_registry(bare: Machine, tmp_path: Path) -> None:
    assert doctor.provider(bare) == doctor.Finding(
        "AWS provider", ok=True, found="From the registry, when Terraform needs it."
    )
    (tmp_path / "opt/mirror/registry.terraform.io").mkdir(parents=True)
    assert doctor.provider(bare).found == f"From the mirror {tmp_path}/opt/mirror."


def test_a_mirror_that_is_named_wrongly_is_a_finding(bare: Machine, tmp_path: Path) -> None:
    finding = doctor.provider(Machine(environ={"TF_PROVIDER_MIRROR": str(tmp_path)}, home=bare.home, opt=bare.opt))

    assert not finding.ok
    assert "which holds no registry.terraform.io" in finding.found


def test_without_the_functions_python_the_doctor_says_what_happens(
    bare: Machine, install: Callable[[str, str], Path], tiny: Project
) -> None:
    finding = doctor.functions_python(tiny, bare)
    assert finding.ok
    assert "3.13 is not here; uv fetches it" in finding.found

    install("python3.13", "exit 127")
    assert "is not here" in doctor.functions_python(tiny, bare).found
    path = install("python3.13", "echo 3.13")
    assert doctor.functions_python(tiny, bare).found == f"3.13 at {path}"


def test_a_full_disk_is_a_finding(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROOM", 1)
    assert doctor.room(tiny).ok

    monkeypatch.setattr(doctor, "ROOM", 2**60)
    assert not doctor.room(tiny).ok


def test_looking_installs_nothing(tiny: Project) -> None:
    before = tree(tiny.path)

    findings = doctor.examine(tiny)

    assert tree(tiny.path) == before
    assert next(finding for finding in findings if finding.name == "Python").found.endswith(sys.executable)
    assert [finding.name for finding in findings if not finding.ok and not (finding.advice or finding.found)] == []


def test_what_is_missing_is_shown_with_advice(capsys: pytest.CaptureFixture[str]) -> None:
    show_findings(
        [
            doctor.Finding("git", ok=True, found="/usr/bin/git", advice="Install git."),
            doctor.Finding("make", ok=False, found="Not on PATH.", advice="Install make."),
        ]
    )

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ok", "git", "/usr/bin/git"]
    assert lines[1].split(maxsplit=2) == ["missing", "make", "Not on PATH. Install make."]


@given(st.integers(20, 120), st.text("abcdefgh/-._ [", min_size=1, max_size=300))
def test_no_width_of_a_terminal_cuts_what_was_found(columns: int, found: str) -> None:
    shown = StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(shown):
        patched.setenv("COLUMNS", str(columns))
        patched.setenv("FORCE_COLOR", "1")
        show_findings([doctor.Finding("Terraform", ok=True, found=f"/{found}")])

    assert f"/{found}".rstrip() in re.sub(r"\x1b\[[0-9;]*m", "", shown.getvalue())


def test_no_width_of_a_terminal_cuts_the_address_of_an_app() -> None:
    url = "http://127.0.0.1:4566/_aws/execute-api/abcdefghij/a-stage-with-a-long-name"
    shown = StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(shown):
        patched.setenv("COLUMNS", "60")
        patched.setenv("FORCE_COLOR", "1")
        show_demo_results([DemoResult("dev/sample", url, 40, 10, 10, 12.0)])

    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.getvalue())
    assert "\N{HORIZONTAL ELLIPSIS}" not in plain

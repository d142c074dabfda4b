"""Terraform and its provider are found where they usually are, or fetched and checked."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import io
import os
import platform
import stat
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from sawhorse.errors import MissingTool
from sawhorse.toolchain import terraform_install
from sawhorse.toolchain.machine import Machine
from tests.http_servers import responding
from tests.unit.sawhorse.support import as_a_user_without_rights

WriteTerraform = Callable[[str], Path]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that logs nothing, and ends some responses too early."""

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        if "broken" not in self.path:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")


@contextlib.contextmanager
def served(directory: Path) -> Iterator[str]:
    with responding(
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory)))
    ) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[str]:
    """A release site with a Terraform that says hello."""
    name = terraform_install.terraform_platform()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("terraform", "#!/bin/sh\necho hello\n")
        archive.writestr("LICENSE.txt", "words")
    for top in ("good", "broken"):
        release = tmp_path / "releases" / top / terraform_install.TERRAFORM_VERSION
        release.mkdir(parents=True)
        (release / f"terraform_{terraform_install.TERRAFORM_VERSION}_{name}.zip").write_bytes(buffer.getvalue())
    with served(tmp_path / "releases") as url:
        yield url


@pytest.fixture
def right_checksum(releases: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checksum of the release above takes the place of the pinned one."""
    archive = next((tmp_path / "releases/good").rglob("*.zip"))
    sums = {terraform_install.terraform_platform(): hashlib.sha256(archive.read_bytes()).hexdigest()}
    monkeypatch.setattr(terraform_install, "TERRAFORM_SHA256", sums)


def of(machine: Machine, releases: str) -> Machine:
    return Machine(environ=machine.environ, home=machine.home, opt=machine.opt, releases=releases)


# Terraform


def test_a_terraform_on_path_that_is_new_enough_is_taken(
    machine: Machine, on_path: Callable[[str, str], Path], tmp_path: Path
) -> None:
    found = on_path("terraform", """echo '{"terraform_version": "1.11.0"}'""")

    assert terraform_install.ensure_terraform(tmp_path / "project", machine) == found
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    "response",
    [
        """echo '{"terraform_version": "1.10.5"}'""",
        """echo '{"terraform_version": "0.15.0"}'""",
        "echo Terraform v0.12.0",
        "echo '[]'",
        "echo '{}'",
        "exit 1",
    ],
)
@pytest.mark.usefixtures("right_checksum")
def test_one_that_is_too_old_or_broken_is_replaced_by_the_pinned_release(
    machine: Machine, on_path: Callable[[str, str], Path], releases: str, tmp_path: Path, response: str
) -> None:
    on_path("terraform", response)

    found = terraform_install.ensure_terraform(tmp_path / "project", of(machine, f"{releases}/good"))

    assert found == tmp_path / f"project/.sawhorse/tools/terraform-{terraform_install.TERRAFORM_VERSION}/terraform"


def test_a_program_of_another_machine_counts_as_none(on_path: Callable[[str, str], Path]) -> None:
    program = on_path("terraform", "")
    program.write_bytes(b"\x7fELF of another machine")

    assert terraform_install.terraform_version(program) is None


@pytest.mark.usefixtures("right_checksum")
def test_the_pinned_release_is_fetched_once_and_runs(
    machine: Machine, releases: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = terraform_install.ensure_terraform(tmp_path, of(machine, f"{releases}/good"))
    said = capsys.readouterr()

    assert subprocess.run([found], capture_output=True, check=True).stdout == b"hello\n"
    assert [path.name for path in found.parent.iterdir()] == ["terraform"]
    assert (
        said.err
        == f"Fetching Terraform {terraform_install.TERRAFORM_VERSION} for {terraform_install.terraform_platform()}.\n"
    )
    assert said.out == ""
    # The release site of `machine` is down, and nobody asks it.
    assert terraform_install.ensure_terraform(tmp_path, machine) == found


def test_an_archive_of_another_checksum_installs_nothing(machine: Machine, releases: str, tmp_path: Path) -> None:
    with pytest.raises(MissingTool, match=r"has SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}; nothing was installed\."):
        terraform_install.ensure_terraform(tmp_path / "project", of(machine, f"{releases}/good"))

    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("site", ["", "/nothing/here", "/broken"])
def test_a_site_that_does_not_give_it_is_named_with_the_way_out(
    machine: Machine, releases: str, tmp_path: Path, site: str
) -> None:
    there = of(machine, f"{releases}{site}" if site else machine.releases)

    with pytest.raises(MissingTool) as refusal:
        terraform_install.ensure_terraform(tmp_path / "project", there)

    sentence = str(refusal.value)
    assert sentence.startswith(f"Terraform is not on PATH and could not be fetched from {there.releases}/")
    assert sentence.endswith("; install Terraform >= 1.11 and put it on PATH.")
    assert not (tmp_path / "project").exists()


def test_a_platform_without_a_pin_is_told_to_bring_its_own(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")

    with pytest.raises(MissingTool, match=r"is not pinned for [a-z]+_riscv64; install Terraform >= 1\.11"):
        terraform_install.ensure_terraform(tmp_path, machine)


@pytest.mark.parametrize(
    ("system", "hardware", "name"),
    [
        ("Linux", "x86_64", "linux_amd64"),
        ("Linux", "aarch64", "linux_arm64"),
        ("Darwin", "arm64", "darwin_arm64"),
        ("Darwin", "x86_64", "darwin_amd64"),
    ],
)
def test_every_platform_that_is_supported_has_a_pin(
    monkeypatch: pytest.MonkeyPatch, system: str, hardware: str, name: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: hardware)

    assert terraform_install.terraform_platform() == name
    assert len(terraform_install.TERRAFORM_SHA256[name]) == 64


# The provider


def mirror_at(path: Path) -> Path:
    (path / terraform_install.PROVIDER_SOURCE).mkdir(parents=True)
    return path


def test_without_a_mirror_the_registry_is_asked(machine: Machine, tmp_path: Path) -> None:
    (machine.opt / "something-else").mkdir()

    assert terraform_install.provider_mirror(machine) is None
    assert terraform_install.ensure_provider_configuration(tmp_path, machine) is None
    assert not (tmp_path / ".sawhorse").exists()


def test_a_mirror_is_looked_for_by_name_then_where_terraform_looks_then_below_opt(
    machine: Machine, tmp_path: Path
) -> None:
    below_opt = mirror_at(machine.opt / "b-mirror")
    mirror_at(machine.opt / "c-mirror")
    mirror_at(machine.opt / "deep/below/a-mirror")
    (machine.opt / "a-file").touch()
    assert terraform_install.provider_mirror(machine) == below_opt

    implied = mirror_at(machine.home / ".terraform.d/plugins")
    assert terraform_install.provider_mirror(machine) == implied

    named = mirror_at(tmp_path / "named")
    naming = Machine(environ={"TF_PROVIDER_MIRROR": str(named)}, home=machine.home, opt=machine.opt)
    assert terraform_install.provider_mirror(naming) == named


def test_a_named_mirror_that_holds_nothing_is_refused(machine: Machine, tmp_path: Path) -> None:
    mirror_at(machine.opt / "mirror")
    naming = Machine(environ={"TF_PROVIDER_MIRROR": str(tmp_path)}, home=machine.home, opt=machine.opt)

    with pytest.raises(MissingTool) as refusal:
        terraform_install.provider_mirror(naming)

    assert str(refusal.value) == (
        f"TF_PROVIDER_MIRROR is {tmp_path}, which holds no registry.terraform.io; name the directory above it, "
        "or unset the variable to use the registry."
    )


def test_a_directory_below_opt_that_nobody_may_enter_is_passed_over() -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        closed = place / "opt/a-closed"
        closed.mkdir(parents=True)
        closed.parent.chmod(0o755)
        mirror = mirror_at(place / "opt/b-mirror")
        closed.chmod(0)
        machine = Machine(environ={}, home=place / "home", opt=place / "opt")
        try:
            with as_a_user_without_rights():
                assert terraform_install.provider_mirror(machine) == mirror
        finally:
            closed.chmod(0o755)


def test_the_configuration_names_the_mirror_and_leaves_other_providers_to_the_registry(
    machine: Machine, tmp_path: Path
) -> None:
    mirror = mirror_at(machine.opt / 'a "quoted" mirror')

    path = terraform_install.ensure_provider_configuration(tmp_path, machine)

    assert path == tmp_path / ".sawhorse/terraform.rc"
    text = path.read_text()
    assert f'path    = "{mirror}"'.replace('a "quoted"', 'a \\"quoted\\"') in text
    assert 'include = ["registry.terraform.io/*/*"]' in text
    assert 'exclude = ["registry.terraform.io/hashicorp/aws"]' in text


def test_what_was_fetched_is_for_this_user_alone_under_any_umask(
    machine: Machine, releases: str, tmp_path: Path, right_checksum: None
) -> None:
    before = os.umask(0)
    try:
        found = terraform_install.ensure_terraform(tmp_path / "project", of(machine, f"{releases}/good"))
    finally:
        os.umask(before)

    assert [stat.S_IMODE(path.stat().st_mode) for path in (found, found.parent, tmp_path / "project/.sawhorse")] == [
        0o700
    ] * 3

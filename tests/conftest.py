"""What every test can ask for: a local AWS of its own session, and Terraform."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sawhorse.local.emulators import LocalAWS, Running
from sawhorse.plans.plan import Tool
from sawhorse.project import Project
from sawhorse.toolchain import installed, terraform_install
from sawhorse.toolchain.installed import Emulators
from sawhorse.toolchain.terraform_install import terraform_environment, with_rare_collections
from tests.projects import REPOSITORY, sample_project, with_the_sample

pytest_plugins = (
    "tests.drills",
    "tests.inputs",
    "tests.limits",
    "tests.needs",
    "tests.planning",
    "tests.services",
    "tests.standing",
    "tests.together",
)


# Under a shell's umask of 002 what a test makes would be refused as somebody else's.
UMASK = 0o022


# Terraform's provider lives for seconds here: it takes a tenth less of the processor when it does not collect at all
# below this much memory (https://pkg.go.dev/runtime#hdr-Environment_Variables), and 300 MB more of that.
GO = {"GOGC": "off", "GOMEMLIMIT": "768MiB"}

# Ten thousand tests and their libraries are no garbage, and the collector goes through all of it again and again.
COLLECTIONS = (20_000, 20, 50)


def pytest_configure() -> None:
    """Let no group write what is made before the first test."""
    os.umask(UMASK)
    os.environ.update({name: os.environ.get(name, value) for name, value in GO.items()})


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later collection, and begin those less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)


@pytest.fixture(autouse=True)
def same_umask() -> Iterator[None]:
    """Begin every test under the same umask: a command that ran in this process leaves its own behind."""
    os.umask(UMASK)
    yield
    os.umask(UMASK)


@pytest.fixture
def nothing_of_this_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test know no AWS account and no project by accident."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SAWHORSE_PROJECT", "AWS_ENDPOINT_URL", "TF_WORKSPACE", "TF_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def cache_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was prepared for one test serves the others: no test here tells anything by how long it takes."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cache_of_tests(cache_of_the_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test use a cache of this run's in the place of this user's."""
    monkeypatch.setenv("SAWHORSE_CACHE_DIR", str(cache_of_the_run))
    # The key that proves what lies there.
    monkeypatch.setenv("SAWHORSE_STATE_DIR", str(cache_of_the_run.with_name(f"{cache_of_the_run.name}-state")))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout under test; only read from."""
    return REPOSITORY


@pytest.fixture(scope="session")
def terraform() -> Tool:
    """Terraform as the harness finds it on this machine."""
    project = Project(REPOSITORY)
    environment = {**with_rare_collections(), **terraform_environment(project.path)}
    return Tool(terraform_install.ensure_terraform(project.path), environment)


@pytest.fixture(scope="session")
def emulators(repository: Path) -> Emulators:
    """What the local AWS consists of, installed on this machine."""
    return installed.ensure_emulators(repository)


@pytest.fixture(scope="session")
def terraform_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules and the roots of this checkout, with those of the sample app; only read from."""
    return with_the_sample(tmp_path_factory.mktemp("terraform-code"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the sample app that the test may change."""
    return sample_project(tmp_path / "project")


@pytest.fixture(scope="session")
def local_aws_project(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project that the session's local AWS belongs to."""
    return sample_project(tmp_path_factory.mktemp("local-aws") / "project")


@pytest.fixture(scope="session")
def local_aws(local_aws_project: Project) -> Iterator[Running]:
    """A local AWS on free ports for the whole session; tests keep apart by the names of what they make."""
    aws = LocalAWS(local_aws_project)
    try:
        yield aws.up(port=0)
    finally:
        aws.down()

"""A project whose smoke suite calls every function, a clock that nobody waits for, and an app on the local AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.operate import smoke
from sawhorse.operate.releases import checking, gate, lambdas, moving, publishing, record, rollback, sentences, uploaded
from sawhorse.project import Project
from sawhorse.workspace import Deployment
from tests.unit.sawhorse.operate.releases.deployed import Account, Deployed, deploy
from tests.unit.sawhorse.operate.releases.fakes import CLOCK, ROOT, Cloud
from tests.unit.sawhorse.operate.releases.shops import apply, release

SMOKE = '''
"""Call every function, `live` or by the number of a version."""

import contextlib
import json

from sawhorse.operate.smoke import Check, expect


@contextlib.contextmanager
def suite(deployment):
    functions = deployment.client("lambda")

    def responds(name):
        def run():
            qualifier = deployment.versions.get(name, "live")
            response = functions.invoke(FunctionName=name, Qualifier=qualifier, Payload=b"{}")
            expect(not response.get("FunctionError"), json.loads(response["Payload"].read()).get("errorMessage"))

        return Check(f"{name} responds", run)

    yield [responds(name) for name in deployment.outputs["functions"]]
'''


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of the app that the fakes are of, and its smoke suite."""
    project = Project(tmp_path_factory.mktemp("releases") / "project")
    ops = project.lambda_path / ROOT.partition("/")[2] / "ops"
    ops.mkdir(parents=True)
    ops.joinpath("smoke.py").write_text(SMOKE)
    return project


@pytest.fixture(autouse=True, scope="module")
def _in_memory(shop: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Wait for nothing, ask git nothing, and let checks speak to the account of the deployment's environment."""

    def client(deployment: Any, service: str) -> Any:
        return deployment.calls.counting(deployment.environment.client(service))

    with pytest.MonkeyPatch.context() as patch:
        for module in (smoke, checking, gate, lambdas, moving, record, rollback, sentences):
            patch.setattr(module, "time", CLOCK)
        patch.setattr(Deployment, "client", client)
        # The shop has no roots in files.
        patch.setattr(publishing, "refuse_unsynced", lambda _: None)
        patch.setattr(uploaded, "built_code", lambda workspace: workspace.built())
        # Where there is no git there is no commit.
        patch.setenv("PATH", str(tmp_path_factory.mktemp("no-programs")))
        yield


@pytest.fixture
def cloud(shop: Project) -> Cloud:
    """A gated root of two functions, whose second release is live."""
    cloud = Cloud(project=shop)
    cloud.publish(accounts="good", basket="good")
    release(cloud)
    apply(cloud, accounts="good", basket="good")
    release(cloud)
    assert cloud.live == {"accounts": "2", "basket": "2"}
    return cloud


@pytest.fixture
def account(local_aws: Running, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Let this process speak to the local AWS as it would to AWS, and give clients of it."""
    variables = local_aws.environment()
    for name, value in variables.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return lambda service: local_client(service, variables)


@pytest.fixture
def deployed(tiny: Project, account: Account, locked_wheel: str) -> Deployed:
    return deploy(tiny, account, locked_wheel)

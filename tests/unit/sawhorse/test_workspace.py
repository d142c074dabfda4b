"""A root is made ready for Terraform only where its state is its own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.errors import NotApplied, SawhorseError
from sawhorse.local.emulators import Running
from sawhorse.project import Project
from sawhorse.workspace import Workspace
from tests.states import state_text
from tests.unit.sawhorse.support import assert_refused, sawhorse

COMMANDS = ("plan", "apply", "destroy", "outputs", "seed", "smoke", "redrive")


@pytest.fixture
def state(tiny: Project) -> Path:
    """The state of the tiny root, which is that of another one: as a copied directory has it."""
    build(tiny, "tiny")
    path = tiny.root("dev/tiny").path / "terraform.tfstate"
    thing = {"tags_all": {"environment": "dev", "app": "other"}, "id": "x"}
    resource = {
        "mode": "managed",
        "type": "aws_sqs_queue",
        "name": "this",
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": [{"schema_version": 0, "attributes": thing}],
    }
    outputs = {"api_endpoint": {"value": "https://other.example.com", "type": "string"}}
    content = {"version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "other", "outputs": outputs}
    path.write_text(json.dumps({**content, "resources": [resource]}))
    return path


def test_with_the_state_of_another_root_no_command_does_anything(
    tiny: Project, state: Path, local_aws: Running
) -> None:
    before = state.read_bytes()
    variables = local_aws.environment()
    yes = {"apply": ("--yes",), "destroy": ("--yes",)}

    # The first init is not made twice at once.
    first = sawhorse(tiny, COMMANDS[0], "dev/tiny", variables=variables)
    with ThreadPoolExecutor(2) as pool:
        others = list(
            pool.map(
                lambda name: sawhorse(tiny, name, "dev/tiny", *yes.get(name, ()), variables=variables), COMMANDS[1:]
            )
        )

    for ended in (first, *others):
        assert_refused(ended, "The state of dev/tiny is that of dev/other: it has 1 resource with those tags")
    assert state.read_bytes() == before
    assert sorted(path.name for path in state.parent.glob("*tfstate*")) == ["terraform.tfstate"]


@pytest.fixture
def as_on_aws(tiny: Project, local_aws: Running, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The tiny root on an account that answers, with no Terraform to be had."""
    for name, value in local_aws.environment("111111111111").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", "/nowhere")
    return Workspace(tiny.root("dev/tiny"), local=False)


def test_outputs_and_resources_are_read_without_terraform(as_on_aws: Workspace) -> None:
    with pytest.raises(NotApplied, match='dev/tiny is not applied; run "sawhorse apply dev/tiny"'):
        as_on_aws.outputs()
    assert as_on_aws.resources() == []

    (as_on_aws.root.path / "terraform.tfstate").write_text(state_text(value=7))

    assert as_on_aws.outputs() == {"answer": 7}
    assert [one["address"] for one in as_on_aws.resources()] == ["terraform_data.it"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not a state that this Sawhorse reads"),
        ("[]", "is not a state that this Sawhorse reads"),
        ("{}", "is not a state that this Sawhorse reads"),
        ('{"version": 5}', "has version 5, and this Sawhorse reads version 4; use a newer one"),
    ],
)
def test_a_state_that_cannot_be_read_is_a_sentence(as_on_aws: Workspace, text: str, said: str) -> None:
    (as_on_aws.root.path / "terraform.tfstate").write_text(text)

    with pytest.raises(SawhorseError, match=said):
        as_on_aws.outputs()


def test_another_workspace_of_terraform_than_the_roots_is_refused(as_on_aws: Workspace) -> None:
    selected = as_on_aws.root.path / ".terraform/environment"
    selected.parent.mkdir()
    selected.write_text("try")

    with pytest.raises(SawhorseError, match="Terraform's workspace try is selected") as refused:
        as_on_aws.outputs()
    assert 'Run "terraform workspace select default" there.' in str(refused.value)

    selected.write_text("default")
    with pytest.raises(NotApplied):
        as_on_aws.outputs()

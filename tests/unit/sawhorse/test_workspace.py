"""A root is made ready for Terraform only where its state is its own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.local.emulators import Running
from sawhorse.project import Project
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

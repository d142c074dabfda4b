"""What a stopped local AWS leaves is removed, and the state of local runs is set aside."""

from __future__ import annotations

from sawhorse.local.emulators import LocalAWS
from sawhorse.project import Project


def test_forgetting_removes_local_state_alone(tiny: Project) -> None:
    aws = LocalAWS(tiny)
    root = tiny.root("dev/tiny").path
    kept = [
        root / "terraform.tfstate",
        root / "terraform.tfstate.d/other/terraform.tfstate",
        root / "terraform.tfvars",
        aws.home / "ministack.log",
    ]
    gone = [
        root / "terraform.tfstate.d/local/terraform.tfstate",
        aws.home / "keys/dev-tiny.json",
        aws.home / "project/environments/dev/tiny/main.tf",
        aws.home / "s3/bucket/object",
    ]
    for path in [*kept, *gone]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")

    aws.remove_leftovers()

    assert [path for path in kept if not path.exists()] == []
    assert [path for path in gone if path.exists()] == []


def test_forgetting_sets_the_last_state_aside(tiny: Project) -> None:
    states = tiny.root("dev/tiny").path / "terraform.tfstate.d"
    for content in ("first", "second"):
        (states / "local").mkdir(parents=True)
        (states / "local/terraform.tfstate").write_text(content)
        LocalAWS(tiny).remove_leftovers()
    LocalAWS(tiny).remove_leftovers()

    assert [path.name for path in states.iterdir()] == ["local-before"]
    assert (states / "local-before/terraform.tfstate").read_text() == "second"

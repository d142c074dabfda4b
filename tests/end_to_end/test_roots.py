"""An app that runs in dev alone is whole, and a copy of its root touches nothing until it is a root of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest

from sawhorse.project import Project
from sawhorse.toolchain.installed import Emulators
from tests.end_to_end.support import Sawhorse, apply, brought_up, leftovers
from tests.projects import sample_project

pytestmark = pytest.mark.end_to_end
ROOT, COPY = "dev/sample", "staging/sample"


@pytest.fixture(scope="module")
def sawhorse(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """A project of one app with a root in dev alone, which is applied, and environments where it has none."""
    with brought_up(sample_project(tmp_path_factory.mktemp("roots") / "project")) as command:
        apply(command, ROOT)
        yield command


def test_an_app_needs_no_environment_but_those_that_it_has_roots_for(sawhorse: Sawhorse) -> None:
    assert sawhorse.project.environments == ["dev", "production", "staging"]
    assert [root.name for root in sawhorse.project.roots] == [ROOT]

    assert sawhorse("sync", "--check") == ""
    assert sawhorse("render") == "environments/dev/sample/terraform.tfvars rendered\n"
    assert "No changes." in sawhorse("plan", "dev/all", "--local", "--exit-code")
    sawhorse("seed", ROOT, "--local")
    assert sawhorse.json("smoke", ROOT, "--local")["passed"]
    assert all(finding["ok"] for finding in sawhorse.json("doctor"))

    assert "There is no root staging/sample; choose dev/sample." in sawhorse("plan", COPY, "--local", code=2)
    nothing = "No app has a root in staging, so staging/all stands for nothing"
    for command in ("plan", "destroy", "demo"):
        local = () if command == "demo" else ("--local",)
        assert nothing in sawhorse(command, "staging/all", *local, code=2)


def test_a_copy_of_a_root_is_refused_until_it_is_a_root_of_its_own(sawhorse: Sawhorse) -> None:
    source, copy = (sawhorse.project.path / "environments" / name for name in (ROOT, COPY))
    shutil.copytree(source, copy, symlinks=True)
    main = copy / "main.tf"
    main.write_text(re.sub(r'stage( *)= "dev"', r'stage\1= "staging"', main.read_text()))
    commands = {
        name: (name, COPY, "--local") for name in ("plan", "apply", "destroy", "outputs", "seed", "smoke", "redrive")
    }
    before = sawhorse.state(ROOT).read_bytes()
    try:
        for words in (*commands.values(), ("render", COPY), ("local", "env", COPY), ("demo", COPY)):
            output = sawhorse(*words, code=2)
            assert f'environments/{COPY}/sawhorse.tf is not what "sawhorse sync" writes' in output, words

        assert sawhorse("sync").startswith(f"environments/{COPY}/sawhorse.tf written\n")
        for words in (*commands.values(), ("local", "env", COPY)):
            output = sawhorse(*words, code=2)
            assert f"The state of {COPY} is that of {ROOT}: it has " in output, words
            assert "Nothing was changed." in output
        # What the account is expected to have is made by an apply, and none began.
        left = leftovers(sawhorse, COPY)
        assert left == {**{kind: [] for kind in left}, "state": left["state"]}
        assert sawhorse.state(COPY).read_bytes() == sawhorse.state(ROOT).read_bytes() == before

        for made in ("terraform.tfstate.d", ".terraform"):
            shutil.rmtree(copy / made, ignore_errors=True)
        planned = sawhorse("plan", COPY, "--local")
        assert "0 to change, 0 to destroy." in planned
        assert '"app"         = "sample"' in planned
        assert '"environment" = "staging"' in planned
    finally:
        shutil.rmtree(copy)
    assert "No changes." in sawhorse("plan", ROOT, "--local", "--exit-code")
    assert [root.name for root in Project(sawhorse.project.path).roots] == [ROOT]

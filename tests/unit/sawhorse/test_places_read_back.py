"""Every directory and file that the harness reads back is refused when somebody else may have written it.

The table of docs/architecture.md names the places; each stands here with what reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from sawhorse.build.build_state import read_state, remembered
from sawhorse.build.manifest import enter_fragment, read_manifest
from sawhorse.build.wheel_cache import Cache
from sawhorse.local.emulators import LocalAWS
from sawhorse.local.guard import Secrets
from sawhorse.local.issuer import Issuer
from sawhorse.local.overlay import local_state_bucket
from sawhorse.operate.demo import kept_secrets
from sawhorse.project import Project
from sawhorse.signing import own_key
from sawhorse.terraform.moving import bucket_of_last_init, unfinished_move
from sawhorse.terraform.render import render_unbuilt
from sawhorse.terraform.state import keep_states, unsaved
from sawhorse.toolchain import installed, python_environments, terraform_install
from sawhorse.toolchain.machine import Machine
from sawhorse.toolchain.terraform_install import terraform_environment
from tests.unit.sawhorse.places import (
    PRIVATE,
    Attack,
    Homes,
    Place,
    assert_closed,
    assert_refused,
    make_homes,
    own_link,
    tried,
)


def secrets_of_a_start(project: Project) -> None:
    """Read them as far as whose they are; what is in the file here is not a secret."""
    with suppress(TypeError):
        Secrets.of(project.local / "secrets.json")


def held(kind: str) -> Callable[[Project], object]:
    return lambda _: Cache.of_user().held(kind, "one")


def root_of(project: Project) -> Path:
    return project.root("dev/tiny").path


def states(project: Project) -> None:
    keep_states(root_of(project))


def unbuilt(project: Project) -> None:
    render_unbuilt(project.root("dev/tiny"), root_of(project))


def manifest(project: Project) -> object:
    return read_manifest(project.path / "dist")


KINDS = ("selections", "built", "wheels", "locks", "imports", "interpreters", "documents")
ROOT = "{project}/environments/dev/tiny"
OVERLAY = f"{PRIVATE}/local/project/environments/dev/tiny/state-bucket"
PLACES = [
    Place("{state}", lambda _: own_key(), directory=True, top=True),
    Place("{state}/key", lambda _: own_key()),
    Place("{cache}", lambda _: Cache.of_user(), directory=True, top=True),
    *(Place(f"{{cache}}/{kind}", held(kind), directory=True) for kind in KINDS),
    *(Place(f"{{cache}}/{kind}/one", held(kind)) for kind in KINDS),
    Place("{cache}/archives", lambda _: Cache.of_user().archive("one"), directory=True),
    Place("{cache}/archives/one", lambda _: Cache.of_user().archive("one")),
    Place("{project}/dist", lambda p: read_state(str(p.path / "dist"), "tiny"), directory=True, top=True, shared=True),
    Place("{project}/dist", manifest, directory=True, top=True, shared=True),
    Place("{project}/dist/.build", lambda p: read_state(str(p.path / "dist"), "tiny"), directory=True),
    Place("{project}/dist/.build/tiny", lambda p: read_state(str(p.path / "dist"), "tiny")),
    Place("{project}/dist/.build/tiny", lambda p: remembered(str(p.path / "dist"), "tiny")),
    Place("{project}/dist/manifest.json", manifest, top=True, shared=True),
    Place(
        "{project}/dist/manifest.json",
        lambda p: enter_fragment(p.path / "dist", '"tiny": {}'),
        top=True,
        shared=True,
    ),
    Place(PRIVATE, lambda p: p.private, directory=True, top=True),
    Place(f"{PRIVATE}/tools", lambda p: python_environments.ensure_uv(p.path), directory=True, top=True),
    Place(f"{PRIVATE}/tools/uv", lambda p: python_environments.ensure_uv(p.path), directory=True),
    Place(f"{PRIVATE}/emulators", lambda p: installed.ensure_emulators(p.path), directory=True, top=True),
    Place(f"{PRIVATE}/emulators/runtime", lambda p: installed.ensure_emulators(p.path), directory=True),
    Place(f"{PRIVATE}/cache", lambda p: terraform_environment(p.path), directory=True, top=True),
    Place(f"{PRIVATE}/cache/terraform-plugins", lambda p: terraform_environment(p.path), directory=True),
    Place(
        f"{PRIVATE}/tools/terraform-{terraform_install.TERRAFORM_VERSION}",
        lambda p: terraform_install.ensure_terraform(p.path, Machine(environ={"PATH": ""}, home=p.path)),
        directory=True,
    ),
    Place(f"{PRIVATE}/local", lambda p: LocalAWS(p).recorded(), directory=True),
    Place(f"{PRIVATE}/local/running.json", lambda p: LocalAWS(p).recorded()),
    Place(f"{PRIVATE}/local/secrets.json", secrets_of_a_start),
    Place(f"{PRIVATE}/local/issuer", Issuer.of, directory=True),
    Place(f"{PRIVATE}/local/issuer/key.json", Issuer.of),
    Place(f"{PRIVATE}/local/keys", lambda p: kept_secrets(p.local / "keys/one.json"), directory=True),
    Place(f"{PRIVATE}/local/keys/one.json", lambda p: kept_secrets(p.local / "keys/one.json")),
    Place(OVERLAY, lambda p: local_state_bucket(p.root("dev/tiny"))),
    Place(f"{ROOT}/.terraform", states, directory=True, shared=True),
    Place(f"{ROOT}/.terraform/sawhorse-moving.json", lambda p: unfinished_move(root_of(p))),
    Place(f"{ROOT}/.terraform/terraform.tfstate", lambda p: bucket_of_last_init(root_of(p))),
    Place(f"{ROOT}/terraform.tfstate", states),
    Place(f"{ROOT}/errored.tfstate", states),
    Place(f"{ROOT}/errored.tfstate", lambda p: unsaved(root_of(p))),
    Place(f"{ROOT}/terraform.tfstate.d", states, directory=True),
    Place(f"{ROOT}/terraform.tfstate.d/local", states, directory=True),
    Place(f"{ROOT}/terraform.tfstate.d/local/terraform.tfstate", states),
    Place(f"{ROOT}/terraform.tfvars", unbuilt, shared=True),
]


@pytest.fixture
def homes(place: Place, tiny: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Homes:
    return make_homes(tiny, tmp_path / "home", place, monkeypatch)


@pytest.mark.parametrize(("place", "attack"), tried(PLACES))
def test_what_somebody_else_may_have_written_is_refused(place: Place, attack: Attack, homes: Homes) -> None:
    assert_refused(place, attack, homes)


LOOSE = [
    place
    for place in dict.fromkeys(PLACES)
    # These would install what is not there.
    if not {"tools", "emulators"} & set(Path(place.path).parts) and place.path != "{state}/key"
]


@pytest.mark.parametrize("place", LOOSE, ids=lambda place: place.path)
def test_what_others_may_only_read_is_believed_and_closed(place: Place, homes: Homes) -> None:
    assert_closed(place, homes)


@pytest.mark.parametrize("place", [place for place in LOOSE if place.top], ids=lambda place: place.path)
def test_a_link_of_ones_own_to_another_disk_is_followed_at_the_top(place: Place, homes: Homes) -> None:
    path = homes.path(place)
    own_link(path)

    place.read(homes.project)

    # What is written as well puts a file in the place of the link.
    assert path.is_symlink() or path.is_file()

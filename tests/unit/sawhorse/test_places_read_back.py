"""Every directory and file that the harness reads back is refused when somebody else may have written it.

The table of docs/architecture.md names the places; each stands here with what reads it.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from fileshare.ops.migration.journal import open_journal
from fileshare.ops.process import own_database
from sawhorse.build.build_state import read_state, remembered
from sawhorse.build.manifest import enter_fragment, read_manifest
from sawhorse.build.wheel_cache import Cache
from sawhorse.errors import SawhorseError, Untrusted
from sawhorse.local.emulators import LocalAWS
from sawhorse.local.guard import Secrets
from sawhorse.local.issuer import Issuer
from sawhorse.operate.demo import kept_secrets
from sawhorse.project import Project
from sawhorse.signing import own_key, sign
from sawhorse.terraform.render import render_unbuilt
from sawhorse.terraform.state import keep_states, unsaved
from sawhorse.toolchain import environments, installed, terraform_install
from sawhorse.toolchain.machine import Machine
from sawhorse.toolchain.terraform_install import terraform_environment

STRANGER = 65534
IS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can give a file to somebody else")


def secrets_of_a_start(project: Project) -> None:
    """Read them as far as whose they are; what is in the file here is not a secret."""
    with suppress(TypeError):
        Secrets.of(project.local / "secrets.json")


@dataclass(frozen=True)
class Place:
    """Something that is read back: its path, with the homes of a test in braces, and what reads it.

    `top` may be reached by a link that is this user's own. `shared` may be read by others.
    """

    path: str
    read: Callable[[Project], object]
    directory: bool = False
    top: bool = False
    shared: bool = False


def held(kind: str) -> Callable[[Project], object]:
    return lambda _: Cache.of_user().held(kind, "one")


def root_of(project: Project) -> Path:
    return project.root("dev/tiny").path


def states(project: Project) -> None:
    keep_states(root_of(project))


def unbuilt(project: Project) -> None:
    render_unbuilt(project.root("dev/tiny"), root_of(project))


def journal(project: Project) -> None:
    with open_journal(project.path / "old.sqlite3"):
        pass


def manifest(project: Project) -> object:
    return read_manifest(project.path / "dist")


KINDS = ("selections", "built", "wheels", "locks", "imports", "interpreters", "documents")
PRIVATE, ROOT = "{project}/.sawhorse", "{project}/environments/dev/tiny"
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
    Place(f"{PRIVATE}/tools", lambda p: environments.ensure_uv(p.path), directory=True, top=True),
    Place(f"{PRIVATE}/tools/uv", lambda p: environments.ensure_uv(p.path), directory=True),
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
    Place(f"{PRIVATE}/fileshare", lambda p: own_database(p, "dev"), directory=True),
    Place(f"{PRIVATE}/fileshare/dev.sqlite3", lambda p: own_database(p, "dev")),
    Place(f"{PRIVATE}/fileshare/dev.sqlite3-wal", lambda p: own_database(p, "dev")),
    Place(f"{ROOT}/.terraform", states, directory=True, shared=True),
    Place(f"{ROOT}/terraform.tfstate", states),
    Place(f"{ROOT}/errored.tfstate", states),
    Place(f"{ROOT}/errored.tfstate", lambda p: unsaved(root_of(p))),
    Place(f"{ROOT}/terraform.tfstate.d", states, directory=True),
    Place(f"{ROOT}/terraform.tfstate.d/local", states, directory=True),
    Place(f"{ROOT}/terraform.tfstate.d/local/terraform.tfstate", states),
    Place(f"{ROOT}/terraform.tfvars", unbuilt, shared=True),
    Place("{project}/old.sqlite3.migration", journal),
]


@dataclass(frozen=True)
class Homes:
    """A project with everything in it that is read back, and the cache and the state of its user."""

    project: Project
    cache: Path
    state: Path

    def path(self, place: Place) -> Path:
        return Path(place.path.format(project=self.project.path, cache=self.cache, state=self.state))


@pytest.fixture
def homes(tiny: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Homes:
    """Every place as the harness makes it, with content that it can read."""
    found = Homes(tiny, tmp_path / "home/cache", tmp_path / "home/state")
    monkeypatch.setenv("SAWHORSE_CACHE_DIR", str(found.cache))
    monkeypatch.setenv("SAWHORSE_STATE_DIR", str(found.state))
    monkeypatch.setattr(terraform_install, "provider_mirror", lambda *_: None)
    (tiny.path / ".sawhorse/tools").unlink()
    (tiny.path / ".sawhorse").chmod(0o700)
    sign(b"", "")
    for place in PLACES:
        path = found.path(place)
        if place.directory:
            path.mkdir(parents=True, exist_ok=True)
        elif not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"{}" if path.suffix in {".json", ".tfstate"} else b"")
        path.chmod((0o755 if place.shared else 0o700) if place.directory else (0o644 if place.shared else 0o600))
    for path in (found.cache.parent, tiny.path / "environments/dev/tiny"):
        path.chmod(0o755)
    return found


@dataclass(frozen=True)
class Attack:
    """Something that somebody else, or an archive that was unpacked, put where the harness reads."""

    name: str
    plant: Callable[[Path], None]
    root: bool = False
    # Whether it is one against directories, against files, or against both.
    directory: bool | None = None
    # Whether it is none against what may be a link of one's own.
    link: bool = False


def clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def given_away(path: Path) -> None:
    os.chown(path, STRANGER, STRANGER)


def replaced_by_strangers(path: Path) -> None:
    clear(path)
    path.mkdir(mode=0o700)
    given_away(path)


def strangers_link(path: Path) -> None:
    """A link that somebody else made, to what is this user's own."""
    aside = path.with_name(f"{path.name}-aside")
    path.rename(aside)
    path.symlink_to(aside)
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


def linked(target: str) -> Callable[[Path], None]:
    def plant(path: Path) -> None:
        clear(path)
        path.symlink_to(target)

    return plant


def own_link(path: Path) -> None:
    aside = path.with_name(f"{path.name}-aside")
    path.rename(aside)
    path.symlink_to(aside)


def link_to_a_strangers(path: Path) -> None:
    own_link(path)
    given_away(path.with_name(f"{path.name}-aside"))


def hard_link_to_a_strangers(path: Path) -> None:
    clear(path)
    aside = path.with_name(f"{path.name}-aside")
    aside.write_bytes(b"{}")
    aside.chmod(0o600)
    given_away(aside)
    path.hardlink_to(aside)


def fifo(path: Path) -> None:
    clear(path)
    os.mkfifo(path, 0o600)


def a_socket(path: Path) -> None:
    clear(path)
    before = Path.cwd()
    os.chdir(path.parent)  # an address of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(before)
    path.chmod(0o600)


def of_another_kind(path: Path) -> None:
    was_directory = path.is_dir()
    clear(path)
    if was_directory:
        path.touch(0o600)
    else:
        path.mkdir(0o700)


def opened_to(bits: int) -> Callable[[Path], None]:
    return lambda path: path.chmod(stat.S_IMODE(path.stat().st_mode) | bits)


ATTACKS = [
    Attack("given away", given_away, root=True),
    Attack("a stranger's directory", replaced_by_strangers, root=True, directory=True),
    Attack("a stranger's link", strangers_link, root=True),
    Attack("a link to a stranger's", link_to_a_strangers, root=True),
    Attack("a stranger's file under another name", hard_link_to_a_strangers, root=True, directory=False),
    Attack("dangling link", linked("/nowhere/at/all")),
    Attack("link to /etc", linked("/etc"), directory=True, link=True),
    Attack("link to /etc/passwd", linked("/etc/passwd"), directory=False, link=True),
    Attack("link to itself", own_link, link=True),
    Attack("FIFO", fifo),
    Attack("socket", a_socket),
    Attack("another kind", of_another_kind),
    Attack("writable by the group", opened_to(0o020)),
    Attack("writable by all", opened_to(0o002)),
    Attack("writable by group and all", opened_to(0o022)),
    Attack("sticky, as /tmp is", opened_to(0o1777), directory=True),
]
TRIED = [
    pytest.param(place, attack, id=f"{place.path}-{attack.name}", marks=[needs_root] if attack.root else [])
    for place in dict.fromkeys(PLACES)
    for attack in ATTACKS
    if attack.directory in {None, place.directory} and not (attack.link and place.top)
]


@pytest.mark.parametrize(("place", "attack"), TRIED)
def test_what_somebody_else_may_have_written_is_refused(place: Place, attack: Attack, homes: Homes) -> None:
    path = homes.path(place)
    attack.plant(path)
    before = path.lstat()

    with pytest.raises(SawhorseError) as refused:
        place.read(homes.project)

    after = path.lstat()
    assert (after.st_mode, after.st_uid, after.st_ino) == (before.st_mode, before.st_uid, before.st_ino)
    assert refused.value.exit_code == 2
    assert str(refused.value).startswith(str(path))
    assert not isinstance(refused.value.__context__, RecursionError)


LOOSE = [
    place
    for place in dict.fromkeys(PLACES)
    # These would install what is not there.
    if not {"tools", "emulators"} & set(Path(place.path).parts) and place.path != "{state}/key"
]


@pytest.mark.parametrize("place", LOOSE, ids=lambda place: place.path)
def test_what_others_may_only_read_is_believed_and_closed(place: Place, homes: Homes) -> None:
    path = homes.path(place)
    path.chmod(0o755 if place.directory else 0o644)

    # Most of the content is none that can be used; that is told in another way.
    try:
        place.read(homes.project)
    except Untrusted:
        raise
    except (SawhorseError, OSError):
        pass

    looser = path.stat().st_mode & 0o077
    assert bool(looser) == place.shared


@pytest.mark.parametrize("place", [place for place in LOOSE if place.top], ids=lambda place: place.path)
def test_a_link_of_ones_own_to_another_disk_is_followed_at_the_top(place: Place, homes: Homes) -> None:
    path = homes.path(place)
    own_link(path)

    place.read(homes.project)

    # What is written as well puts a file in the place of the link.
    assert path.is_symlink() or path.is_file()

"""A cache, a state or a key of somebody else is refused, and what comes from elsewhere is prepared anew."""

from __future__ import annotations

import hashlib
import marshal
import os
import shutil
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.build_state import read_state
from sawhorse.build.wheel_cache import Cache
from sawhorse.project import Project
from tests.unit.sawhorse.support import assert_refused, sawhorse, script, tree, write_lock

STRANGER = 65534
# What the modes of other users' files say is tried for every user in test_ownership.py; CI runs as root.
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")


@needs_root
@pytest.mark.parametrize("where", ["cache", "cache/locks", "state", "project/dist", "project/dist/.build"])
def test_a_build_refuses_another_users_directory_in_a_sentence(
    where: str, tiny: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = {"cache": tmp_path / "cache", "state": tmp_path / "state", "project": tiny.path}
    variables = {"SAWHORSE_CACHE_DIR": str(homes["cache"]), "SAWHORSE_STATE_DIR": str(homes["state"])}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert sawhorse(tiny, "build", "tiny").code == 0
    top, _, rest = where.partition("/")
    os.chown(homes[top] / rest, STRANGER, STRANGER)
    write_lock(tiny, "# another lock, so that nothing is known of it\n")
    before = tree(homes[top] / rest)

    assert_refused(sawhorse(tiny, "build", "tiny"), str(homes[top] / rest), "belongs to", "and run this again")
    assert tree(homes[top] / rest) == before


def test_an_interpreter_that_stands_in_a_cache_from_elsewhere_is_never_run(
    tiny: Project, cache: Cache, tmp_path: Path
) -> None:
    """As it was planted: signed with the hash that anybody can compute, and by another user's key."""
    planted = script(tmp_path / "python3.13", f'touch {tmp_path / "it-ran"}; exec python3.13 "$@"')
    path = os.fsencode(planted)
    (cache.path / "interpreters").mkdir(parents=True, mode=0o700)
    cache.path.chmod(0o700)
    for content in (path + hashlib.sha256(path).digest(), path + b"k" * 32, path):
        (cache.path / "interpreters/3.13").write_bytes(content)
        (cache.path / "interpreters/3.13").chmod(0o600)

        assert cache.interpreter("3.13") is None
        ended = sawhorse(tiny, "build", "tiny", variables={"SAWHORSE_CACHE_DIR": str(cache.path)})
        assert ended.code == 0, ended
        shutil.rmtree(tiny.path / "dist")
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_an_interpreter_that_others_may_replace_is_looked_for_anew(
    tiny: Project, cache: Cache, tmp_path: Path, mode: int
) -> None:
    build(tiny, "tiny")
    found = cache.interpreter("3.13")
    ours = script(tmp_path / "python3.13", f'touch {tmp_path / "it-ran"}; exec python3.13 "$@"')
    cache.remember_interpreter("3.13", ours)
    ours.chmod(mode)
    (tiny.lambda_path / "tiny/package.toml").write_text(
        '# another recipe\n[functions.api]\nhandler = "tiny.main.handler"\n'
    )

    assert build(tiny, "tiny").changed is not None
    assert cache.interpreter("3.13") == found
    assert not (tmp_path / "it-ran").exists()


def evil() -> bytes:
    """What `marshal` reads without a complaint, and what describes another package."""
    return marshal.dumps({"recipe": {}, "sources": {}}, 2)


def test_nothing_is_unmarshalled_that_this_user_did_not_write(
    tiny: Project, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file of a whole build is replaced by one that has the right form and the hash that proved it before."""
    build(tiny, "tiny")
    kept = [path for path in [*cache.path.rglob("*"), tiny.path / "dist/.build/tiny"] if path.is_file()]
    for path in kept:
        if path.name != ".lock":
            path.write_bytes(evil() + hashlib.sha256(evil()).digest())
    loaded: list[bytes] = []

    def loads(content: bytes) -> object:
        loaded.append(bytes(content))
        return original(content)

    original = marshal.loads
    monkeypatch.setattr(marshal, "loads", loads)

    assert build(tiny, "tiny").sha256

    assert len(kept) > 3
    assert [content for content in loaded if content.startswith(evil()[:8])] == []


def test_a_state_of_another_directory_or_app_is_not_believed(tiny: Project, tmp_path: Path) -> None:
    dist, other = tiny.path / "dist", tmp_path / "other"
    build(tiny, "tiny")
    shutil.copytree(dist, other)
    (dist / ".build/tiny2").write_bytes((dist / ".build/tiny").read_bytes())

    assert read_state(str(dist), "tiny")
    assert read_state(str(other), "tiny") is None
    assert read_state(str(dist), "tiny2") is None


def test_a_part_under_another_parts_name_is_not_believed(cache: Cache) -> None:
    with cache.preparing():
        cache.keep("built", "one", b"content")
        cache.keep("selections", "two", b"content")
    shutil.copy(cache.path / "built/one", cache.path / "built/two")
    shutil.copy(cache.path / "built/one", cache.path / "selections/one")

    assert (cache.built("one"), cache.selection("two")) == (b"content", b"content")
    assert (cache.built("two"), cache.selection("one")) == (None, None)

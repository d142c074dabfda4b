"""What is kept for later is believed only where this user's key proves it."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration, Untrusted
from sawhorse.signing import (
    KEY_BYTES,
    MAC_BYTES,
    mac_of,
    make_key,
    own_key,
    read_signed,
    sign,
    state_directory,
)
from tests.children import started


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for a key that is not there yet."""
    monkeypatch.setenv("SAWHORSE_STATE_DIR", str(tmp_path / "deep/state"))
    return tmp_path / "deep/state"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A file for this user alone."""
    home = tmp_path / "kept"
    home.mkdir(mode=0o700)
    return home / "one"


def keep(place: Path, content: bytes) -> None:
    place.write_bytes(content)
    place.chmod(0o600)


@given(key=st.binary(min_size=1, max_size=64), role=st.binary().map(os.fsdecode), content=st.binary(max_size=500))
def test_a_signature_is_the_hmac_of_the_content_in_its_role(key: bytes, role: str, content: bytes) -> None:
    named = role.encode(errors="surrogateescape")
    message = len(named).to_bytes(8, "big") + named + content

    assert mac_of(key, role, content) == hmac.digest(key, message, "sha256")


def test_what_was_signed_is_read_in_its_role_and_in_no_other(place: Path) -> None:
    keep(place, sign(b"content", "state of tiny"))

    assert read_signed(place, "state of tiny") == b"content"
    assert read_signed(place, "state of tin") is None
    assert read_signed(place, "state of tiny2") is None


def test_a_role_and_a_content_do_not_run_into_each_other() -> None:
    key = bytes(KEY_BYTES)

    assert mac_of(key, "ab", b"c") != mac_of(key, "a", b"bc")


def test_every_changed_bit_is_noticed(place: Path) -> None:
    content = sign(b"some content", "role")
    for number in range(len(content) * 8):
        changed = bytearray(content)
        changed[number // 8] ^= 1 << number % 8
        keep(place, bytes(changed))

        assert read_signed(place, "role") is None


@pytest.mark.parametrize("length", range(MAC_BYTES + 12))
def test_half_of_it_is_nothing(place: Path, length: int) -> None:
    keep(place, sign(b"some content", "role")[:length])

    assert read_signed(place, "role") is None


def test_what_another_user_signed_or_only_hashed_is_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(place, sign(b"content", "role"))
    monkeypatch.setenv("SAWHORSE_STATE_DIR", str(place.parent / "another"))
    assert read_signed(place, "role") is None
    make_key()
    assert read_signed(place, "role") is None

    keep(place, b"content" + hashlib.sha256(b"content").digest())
    assert read_signed(place, "role") is None


def test_reading_makes_no_key(place: Path, state: Path) -> None:
    keep(place, b"x" * 100)

    assert read_signed(place, "role") is None
    assert not state.exists()


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o777])
def test_the_key_is_for_this_user_alone_under_any_umask(state: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        key = make_key()
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (state, *state.iterdir())}
    assert modes == {"state": 0o700, "key": 0o600, ".lock": 0o600}
    assert key == own_key() == make_key()
    assert len(key) == KEY_BYTES


def test_two_keys_differ(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_key()
    monkeypatch.setenv("SAWHORSE_STATE_DIR", str(state.parent / "other"))

    assert make_key() != first


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o610, 0o660, 0o666, 0o777])
def test_a_key_that_others_may_know_proves_nothing(state: Path, place: Path, mode: int) -> None:
    keep(place, sign(b"content", "role"))
    (state / "key").chmod(mode)

    refused = pytest.raises(Untrusted, match=r"key may be (known to|written by) others.* remove it")
    with refused:
        read_signed(place, "role")
    with refused:
        sign(b"", "role")
    assert stat.S_IMODE((state / "key").stat().st_mode) == mode


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33, b"x" * 10_000])
def test_a_key_of_another_length_is_refused(state: Path, content: bytes) -> None:
    make_key()
    (state / "key").write_bytes(content)

    with pytest.raises(Untrusted, match="is not a key of 32 bytes; remove it"):
        sign(b"", "role")


def test_where_the_key_lies(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_directory() == state
    monkeypatch.setenv("SAWHORSE_STATE_DIR", "here")
    with pytest.raises(BadConfiguration, match="name a directory from / on"):
        state_directory()
    monkeypatch.delenv("SAWHORSE_STATE_DIR")
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_directory() == Path("/home/somebody/.local/state/sawhorse")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert state_directory() == Path("/state/sawhorse")


@pytest.mark.drill(short=2)
def test_processes_that_make_the_key_at_once_agree(state: Path, repository: Path) -> None:
    code = (
        "import sys; sys.stdin.readline(); from sawhorse.signing import sign; "
        "sys.stdout.write(sign(b'content', 'role').hex())"
    )
    command = [sys.executable, "-c", code]
    with ExitStack() as stack:
        running = [
            stack.enter_context(started(command, cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            for _ in range(4)
        ]
        for one in running:
            assert one.stdin
            one.stdin.write("go\n")
            one.stdin.flush()
        found = [one.communicate()[0] for one in running]

    key = own_key()
    assert key
    assert set(found) == {(b"content" + mac_of(key, "role", b"content")).hex()}
    assert sorted(path.name for path in state.iterdir()) == [".lock", "key"]

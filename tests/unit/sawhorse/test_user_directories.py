"""Where this user's own things lie follows from variables, and where those say nothing, from the home directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from sawhorse.errors import BadConfiguration
from sawhorse.user_directories import user_directory


def kept() -> Path:
    return user_directory("SAWHORSE_STATE_DIR", base="XDG_STATE_HOME", usual=".local/state")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    for name in ("SAWHORSE_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_the_first_variable_that_names_a_directory_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept() == Path("/home/somebody/.local/state/sawhorse")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert kept() == Path("/state/sawhorse")
    monkeypatch.setenv("SAWHORSE_STATE_DIR", "/named")
    assert kept() == Path("/named")


def test_a_relative_base_is_ignored_and_a_relative_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert kept() == Path("/home/somebody/.local/state/sawhorse")
    monkeypatch.setenv("SAWHORSE_STATE_DIR", "here")
    with pytest.raises(BadConfiguration, match="SAWHORSE_STATE_DIR is here; name a directory from / on"):
        kept()


def test_a_user_without_a_home_is_told_what_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")

    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", nobody)

    with pytest.raises(BadConfiguration, match="no home directory; name a directory from / on in SAWHORSE_STATE_DIR"):
        kept()
    monkeypatch.setenv("SAWHORSE_STATE_DIR", "/named")
    assert kept() == Path("/named")

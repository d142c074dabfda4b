"""The SQLite file and the journal of a migration are refused when somebody else may have written them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fileshare.ops.migration.journal import open_journal
from fileshare.ops.process import own_database
from sawhorse.project import Project
from tests.projects import REPOSITORY
from tests.unit.sawhorse.places import (
    PRIVATE,
    Attack,
    Homes,
    Place,
    assert_closed,
    assert_refused,
    make_homes,
    tried,
)
from tests.unit.sawhorse.support import make_tiny_project


def journal(project: Project) -> None:
    with open_journal(project.path / "old.sqlite3"):
        pass


PLACES = [
    Place(f"{PRIVATE}/fileshare", lambda p: own_database(p, "dev"), directory=True),
    Place(f"{PRIVATE}/fileshare/dev.sqlite3", lambda p: own_database(p, "dev")),
    Place(f"{PRIVATE}/fileshare/dev.sqlite3-wal", lambda p: own_database(p, "dev")),
    Place("{project}/old.sqlite3.migration", journal),
]


@pytest.fixture
def homes(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Homes:
    tiny = make_tiny_project(tmp_path / "tiny-project", repository=REPOSITORY)
    return make_homes(tiny, tmp_path / "home", place, monkeypatch)


@pytest.mark.parametrize(("place", "attack"), tried(PLACES))
def test_what_somebody_else_may_have_written_is_refused(place: Place, attack: Attack, homes: Homes) -> None:
    assert_refused(place, attack, homes)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.path)
def test_what_others_may_only_read_is_believed_and_closed(place: Place, homes: Homes) -> None:
    assert_closed(place, homes)

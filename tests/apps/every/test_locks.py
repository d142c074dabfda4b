"""The locks of the apps agree with the one that their tests run under."""

from __future__ import annotations

from pathlib import Path

from sawhorse.build.lock_files import HARNESS_LOCK
from sawhorse.cli.lock import pins_of
from sawhorse.project import Project


def test_what_all_apps_share_is_tested_in_the_versions_that_are_packed(repository: Path) -> None:
    """The unit tests run in the harness's environment."""
    project = Project(repository)
    written = {app: (project.lambda_path / app / "requirements.in").read_text() for app in project.apps}
    sharing = [app for app, text in written.items() if "-r ../shared/requirements.in" in text]
    locked = {app: pins_of(project.lambda_path / app / "requirements.txt") for app in sharing}
    shared = set.intersection(*({*pins} for pins in locked.values()))
    harness = pins_of(project.path / HARNESS_LOCK)

    assert len(sharing) > 1
    assert "pydantic" in shared
    assert {app: {name: pins[name] for name in shared} for app, pins in locked.items()} == {
        app: {name: harness[name] for name in shared} for app in sharing
    }

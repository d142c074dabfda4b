"""Every app of this project has a root, in as many environments as it runs in, and every root is an app's."""

from __future__ import annotations

from pathlib import Path

from sawhorse.project import Project


def test_every_app_has_a_root_and_every_root_an_app_and_an_environment(repository: Path) -> None:
    project = Project(repository)

    assert {root.app for root in project.roots} == set(project.apps)
    assert {root.environment for root in project.roots} <= set(project.environments)

"""Every app of this project has a root in every environment."""

from __future__ import annotations

from pathlib import Path

from sawhorse.project import Project


def test_this_project_has_one_root_an_app_and_environment(repository: Path) -> None:
    project = Project(repository)

    assert project.environments == ["dev", "production", "staging"]
    assert [root.name for root in project.roots] == sorted(
        f"{environment}/{app}" for environment in project.environments for app in project.apps
    )

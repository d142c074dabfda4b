"""Which roots a change touches."""

from __future__ import annotations

from pathlib import Path

import pytest

from sawhorse.operate.pipelines.touched import as_matrix, touched
from sawhorse.project import Project

APPS = ("shop", "blog")


@pytest.fixture
def two_apps(tmp_path: Path) -> Project:
    """A project of two apps in two environments; shop uses the module queue through another one."""
    for name in ("queue", "worker", "table"):
        write(tmp_path / f"modules/{name}/main.tf", "")
    write(tmp_path / "modules/worker/main.tf", 'module "queue" {\n  source = "../queue"\n}\n')
    write(tmp_path / "modules/apps/shop/main.tf", 'module "worker" {\n  source = "../../worker"\n}\n')
    write(tmp_path / "modules/apps/blog/main.tf", 'module "table" {\n  source = "../../table"\n}\n')
    for environment in ("dev", "production"):
        write(tmp_path / f"environments/{environment}/environment.yaml", "")
        for app in APPS:
            text = f'module "{app}" {{\n  source = "../../../modules/apps/{app}"\n}}\n'
            write(tmp_path / f"environments/{environment}/{app}/main.tf", text)
    return Project(tmp_path)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


EVERY = ["dev/blog", "dev/shop", "production/blog", "production/shop"]
BLOG, SHOP = ["dev/blog", "production/blog"], ["dev/shop", "production/shop"]


@pytest.mark.parametrize(
    ("file", "roots"),
    [
        ("environments/dev/shop/main.tf", ["dev/shop"]),
        ("environments/dev/shop/other.tf", ["dev/shop"]),
        ("environments/dev/environment.yaml", ["dev/blog", "dev/shop"]),
        ("modules/apps/blog/variables.tf", BLOG),
        ("modules/queue/main.tf", SHOP),
        ("modules/table/main.tf", BLOG),
        ("modules/nobody/main.tf", []),
        ("lambda/shop/main.py", SHOP),
        ("lambda/shop/requirements.txt", SHOP),
        ("lambda/shop/ops/smoke.py", []),
        ("lambda/shared/logs.py", EVERY),
        ("harness/sawhorse/terraform/templates/sawhorse.tf.j2", EVERY),
        ("harness/sawhorse/build/build.py", EVERY),
        ("harness/sawhorse/environment.py", EVERY),
        ("harness/sawhorse/plain_values.py", EVERY),
        ("harness/sawhorse/workspace.py", EVERY),
        ("harness/sawhorse/operate/seed.py", []),
        ("harness/sawhorse/plans/plan.py", []),
        ("modules/queue/README.md", []),
        ("README.md", []),
        ("tests/unit/test_a.py", []),
    ],
)
def test_a_changed_file_touches_the_roots_that_are_made_of_it(two_apps: Project, file: str, roots: list[str]) -> None:
    assert [root.name for root in touched(two_apps, [file]).roots] == roots


def test_a_root_that_is_taken_away_is_named(two_apps: Project) -> None:
    found = touched(two_apps, ["environments/staging/shop/main.tf", "environments/staging/shop/outputs.tf"])
    assert found.roots == ()
    assert found.removed == ("staging/shop",)


def test_a_matrix_has_a_name_that_is_fit_for_a_file(two_apps: Project) -> None:
    assert as_matrix(touched(two_apps, ["environments/dev/shop/main.tf"]).roots) == [
        {"root": "dev/shop", "environment": "dev", "app": "shop", "name": "dev-shop"}
    ]

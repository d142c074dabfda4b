"""Names lead to places, and unknown ones list the choices."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration, UnknownName
from sawhorse.project import Project, one_of
from tests.unit.sawhorse.support import as_a_user_without_rights

APPS = ("accounts", "billing_api", "invoices", "search_api", "stock_keeping")
NOTHING_IN_PROD = (
    "No app has a root in prod, so prod/all stands for nothing; write environments/prod/APP/main.tf if one is to run "
    "there."
)


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of five apps in three environments, of which there are no more than the names."""
    path = tmp_path_factory.mktemp("five")
    for environment in ("dev", "production", "staging"):
        write(path / f"environments/{environment}/environment.yaml")
        for app in APPS:
            write(path / f"environments/{environment}/{app}/main.tf")
            write(path / f"lambda/{app}/package.toml")
    return Project(path)


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


@pytest.mark.parametrize("name", ["dev/tiny", "dev/tiny/", "environments/dev/tiny", "/dev/tiny"])
def test_a_root_is_found_by_the_names_that_shells_complete(tiny: Project, name: str) -> None:
    root = tiny.root(name)

    assert (root.environment, root.app, root.name) == ("dev", "tiny", "dev/tiny")
    assert root.path == tiny.path / "environments/dev/tiny"


@pytest.mark.parametrize("name", ["", "dev", "tiny", "dev/huge", "moon/tiny", "../dev/tiny", "dev/tiny/main.tf"])
def test_an_unknown_root_lists_those_that_exist(tiny: Project, name: str) -> None:
    with pytest.raises(UnknownName) as refusal:
        tiny.root(name)

    assert str(refusal.value) == f"There is no root {name}; choose dev/tiny."


@pytest.mark.parametrize("name", ["dev/all", "dev/all/", "environments/dev/all"])
def test_all_stands_for_every_root_of_an_environment(tiny: Project, name: str) -> None:
    shutil.copytree(tiny.path / "environments/dev", tiny.path / "environments/staging")
    shutil.copytree(tiny.path / "environments/dev/tiny", tiny.path / "environments/dev/small")

    assert [root.name for root in tiny.roots_named(name)] == ["dev/small", "dev/tiny"]
    assert [root.name for root in tiny.roots_named("staging/tiny")] == ["staging/tiny"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("moon/all", "There is no environment moon; choose dev or prod."),
        ("all", "There is no root all; choose dev/tiny."),
        ("prod/all", NOTHING_IN_PROD),
    ],
)
def test_all_of_an_environment_where_nothing_runs_is_refused(tiny: Project, name: str, sentence: str) -> None:
    write(tiny.path / "environments/prod/environment.yaml")

    with pytest.raises(UnknownName) as refusal:
        tiny.roots_named(name)

    assert str(refusal.value) == sentence


def test_a_choice_is_written_out() -> None:
    assert one_of([]) == "one that exists (there is none yet)"
    assert one_of(["a"]) == "a"
    assert one_of(["a", "b"]) == "a or b"
    assert one_of(["a", "b", "c"]) == "a, b or c"


def test_a_named_project_is_taken(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAWHORSE_PROJECT", str(tiny.path))

    assert Project.find().path == tiny.path.resolve()


def test_a_named_directory_that_holds_no_project_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAWHORSE_PROJECT", str(tmp_path))

    with pytest.raises(BadConfiguration) as refusal:
        Project.find()

    assert str(refusal.value) == f"SAWHORSE_PROJECT is {tmp_path}, which holds no project; name one or unset it."


def test_the_project_around_the_working_directory_is_found(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.lambda_path / "tiny")

    assert Project.find().path == tiny.path


def test_outside_of_any_project_the_installed_one_is_taken(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert Project.find().path == repository


def test_where_this_user_may_not_look_is_no_project(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    (closed / "deep").mkdir(parents=True)
    monkeypatch.chdir(closed / "deep")
    closed.chmod(0)
    try:
        with as_a_user_without_rights():
            assert Project.find().path == repository
    finally:
        closed.chmod(0o755)


def test_only_directories_with_their_file_count(tiny: Project) -> None:
    (tiny.path / "environments/notes").mkdir()
    (tiny.path / "environments/dev/draft").mkdir()

    assert tiny.apps == ["tiny"]
    assert tiny.environments == ["dev"]
    assert [root.name for root in tiny.roots] == ["dev/tiny"]


DECIDED = """\
module "tiny" {
  source = "../../../modules/apps/tiny"

  # stage = "not this"
  stage     = "prod-eu"
  task_role = null
  memory_size = 512
  region    = var.environment.region
  name      = "tiny-${var.x}"
  inner     = { role = "no argument" }
}
"""


def test_what_a_root_decides_is_read_from_its_main_file(tiny: Project) -> None:
    root = tiny.root("dev/tiny")
    (root.path / "main.tf").write_text(DECIDED)

    assert (root.decided("stage"), root.decided("task_role")) == ("prod-eu", None)


@pytest.mark.parametrize("name", ["memory_size", "region", "name", "inner", "role", "absent"])
def test_what_a_root_says_otherwise_than_as_a_text_is_refused(tiny: Project, name: str) -> None:
    root = tiny.root("dev/tiny")
    (root.path / "main.tf").write_text(DECIDED)

    with pytest.raises(BadConfiguration) as refusal:
        root.decided(name)

    assert str(refusal.value) == (
        f'environments/dev/tiny/main.tf has no text for {name}, which this command reads there; write {name} = "..." '
        "in its module."
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "dev",
            "choose dev/accounts, dev/billing_api, dev/invoices, dev/search_api or dev/stock_keeping.",
        ),
        (
            "dev/",
            "choose dev/accounts, dev/billing_api, dev/invoices, dev/search_api or dev/stock_keeping.",
        ),
        ("dev/serch_api", "choose dev/search_api."),
        ("environments/dev/serch_api/", "choose dev/search_api."),
        ("search_api", "choose dev/search_api, production/search_api or staging/search_api."),
        ("prod/search_api", "choose dev/search_api, production/search_api or staging/search_api."),
        (
            "moon",
            (
                "choose an environment (dev, production or staging) and an app (accounts, billing_api, invoices, "
                "search_api or stock_keeping), such as dev/accounts."
            ),
        ),
    ],
)
def test_the_roots_that_a_wrong_name_can_mean_are_named_and_no_others(five: Project, name: str, sentence: str) -> None:
    with pytest.raises(UnknownName) as refusal:
        five.root(name)

    assert str(refusal.value) == f"There is no root {name}; {sentence}"


@given(name=st.text(min_size=1, max_size=30))
def test_a_wrong_name_never_gets_a_long_list(five: Project, name: str) -> None:
    project = five
    if name in {root.name for root in project.roots}:
        return
    choice = project.choice_of_roots(name)

    assert len(re.findall(r"\w+/\w+", choice)) <= max(len(project.apps), len(project.environments))


def test_every_part_of_the_harness_stands_in_the_architecture(repository: Path) -> None:
    text = (repository / "docs/architecture.md").read_text()
    parts = [
        path
        for path in (repository / "harness/sawhorse").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    ]
    names = {path.name if path.suffix else f"{path.name}/" for path in parts} - {"__init__.py"}
    named = {name for name in names if f"`{name}`" in text}

    assert sorted(names - named) == []

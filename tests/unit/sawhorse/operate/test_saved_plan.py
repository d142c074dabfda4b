"""A saved plan is applied to what it was made of, and refused by name for anything else."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.environment import Environment
from sawhorse.git import commit_of
from sawhorse.local.emulators import Running
from sawhorse.operate.saved_plan import Receipt, differences, read_receipt, unfit
from sawhorse.project import Project
from tests.commits import commit_all
from tests.unit.sawhorse.support import Ended, assert_refused, make_tiny_project, sawhorse

ROOT = "dev/tiny"
OUTPUTS = 'output "answer" {\n  value = %s\n}\n'
NAME = "plans/tiny.tfplan"
COMMITTED = (".gitignore", "lambda", "environments/dev/environment.yaml", "environments/dev/tiny/main.tf")


@pytest.fixture(scope="module")
def planned(repository: Path, tmp_path_factory: pytest.TempPathFactory, local_aws: Running) -> Project:
    """A committed project with a saved plan, and another plan beside it; tests work on copies."""
    project = make_tiny_project(tmp_path_factory.mktemp("planned") / "project", repository=repository)
    build(project, "tiny")
    root = project.root(ROOT).path
    (root / "outputs.tf").write_text(OUTPUTS % 41)
    (project.path / ".gitignore").write_text("*\n!*/\n!lambda/**\n!environments/**/*.y*ml\n!main.tf\n!.gitignore\n")
    commit_all(project.path, *COMMITTED)
    (project.path / "plans").mkdir()
    for value, file in ((41, "plans/other.tfplan"), (42, NAME)):
        (root / "outputs.tf").write_text(OUTPUTS % value)
        ended = sawhorse(project, "plan", ROOT, "--out", file, variables=local_aws.environment())
        assert ended.code == 0, ended
        assert ended.out.endswith(
            f'Saved in {file}, with its receipt; "sawhorse apply {ROOT} --plan {file}" applies it.\n'
        )
    return project


@pytest.fixture
def project(planned: Project, tmp_path: Path) -> Iterator[Project]:
    """The project, which is afterwards what it was: an initialized root lies where it was initialized."""
    names = ("lambda", "environments", "plans", "dist", ".git")
    for name in names:
        shutil.copytree(planned.path / name, tmp_path / name, symlinks=True)
    yield planned
    for name in names:
        shutil.rmtree(planned.path / name, ignore_errors=True)
        shutil.copytree(tmp_path / name, planned.path / name, symlinks=True)


@pytest.fixture
def applied(project: Project, local_aws: Running) -> Callable[..., Ended]:
    """Apply the plan, with other options."""

    def apply(*words: str, file: str = NAME) -> Ended:
        return sawhorse(project, "apply", ROOT, "--plan", file, *words, variables=local_aws.environment())

    return apply


def test_a_plan_and_its_receipt_are_this_users_and_say_what_it_was_made_of(planned: Project) -> None:
    file = planned.path / NAME
    receipt = read_receipt(file)
    assert (receipt.root, receipt.account_id, receipt.region) == (ROOT, "111111111111", "us-east-1")
    assert (receipt.commit, receipt.dirty) == (commit_of(planned.path).revision, {})
    assert list(receipt.packages) == ["api"]
    assert (receipt.lineage, receipt.serial) == ("", 0)
    for path in (file, file.with_name("tiny.tfplan.receipt.json")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(path.name for path in file.parent.iterdir()) == [
        "other.tfplan",
        "other.tfplan.receipt.json",
        "tiny.tfplan",
        "tiny.tfplan.receipt.json",
    ]


def test_the_very_plan_is_applied_whatever_the_files_say_by_now_and_once_alone(
    project: Project, applied: Callable[..., Ended], local_aws: Running
) -> None:
    (project.root(ROOT).path / "outputs.tf").write_text(OUTPUTS % 43)
    ended = applied()
    assert ended.code == 0, ended
    found = sawhorse(project, "outputs", ROOT, "--json", variables=local_aws.environment())
    assert json.loads(found.out) == {"answer": 42}

    assert_refused(applied(), "the state's lineage was none and is ", "the state's serial was 0 and is 1")
    assert_refused(applied(file="plans/other.tfplan"), "the state's serial was 0 and is 1")


def package_anew(project: Project) -> None:
    (project.lambda_path / "tiny/main.py").write_text("def handler(event, context):\n    return 2\n")
    build(project, "tiny")


def another_plan(project: Project) -> None:
    shutil.copy(project.path / "plans/other.tfplan", project.path / NAME)


def another_account(project: Project) -> None:
    path = project.path / "environments/dev/environment.yaml"
    path.write_text(path.read_text().replace("us-east-1", "eu-west-1"))


def another_receipt(text: str) -> Callable[[Project], object]:
    return lambda project: (project.path / f"{NAME}.receipt.json").write_text(text)


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        (lambda project: commit_all(project.path, *COMMITTED), ["the commit was "]),
        (package_anew, ["the content of api is not what was planned", "lambda/tiny/main.py has changed since"]),
        (another_plan, ["the receipt beside it is that of another plan"]),
        (
            another_account,
            ["the region was us-east-1 and is eu-west-1", "environments/dev/environment.yaml has changed since"],
        ),
        (another_receipt("[]"), ["is not a receipt that this Sawhorse reads", "plan again with --out"]),
        (another_receipt('{"format": 2}'), ["is not a receipt that this Sawhorse reads"]),
        (another_receipt("{"), ["is not a receipt that this Sawhorse reads"]),
        (lambda project: (project.path / f"{NAME}.receipt.json").unlink(), ["receipt.json does not exist"]),
        (lambda project: (project.path / NAME).unlink(), [f"{NAME} does not exist"]),
    ],
)
def test_what_is_not_as_it_was_planned_is_named_and_nothing_is_applied(
    project: Project, applied: Callable[..., Ended], change: Callable[[Project], object], sentences: list[str]
) -> None:
    change(project)
    assert_refused(applied(), *sentences)
    assert not (project.root(ROOT).path / "terraform.tfstate").exists()


def test_a_plan_is_applied_from_within_the_checkout_and_a_dirty_file_has_to_stay_as_it_was(
    project: Project, local_aws: Running
) -> None:
    variables = local_aws.environment()
    for name in "abcdef":
        (project.lambda_path / name).write_text("")
    file = "lambda/a plan"
    ended = sawhorse(project, "plan", ROOT, "--out", file, "--as-built", variables=variables)
    assert f"sawhorse apply {ROOT} --plan 'lambda/a plan'" in ended.out
    (project.lambda_path / "c").write_text("another")
    (project.lambda_path / "g").write_text("")
    refused = sawhorse(project, "apply", ROOT, "--plan", file, variables=variables)
    assert_refused(refused, "nothing was changed: lambda/c, lambda/g have changed since. Plan again")
    (project.lambda_path / "c").write_text("")
    (project.lambda_path / "g").unlink()
    assert sawhorse(project, "apply", ROOT, "--plan", file, variables=variables).code == 0


def test_a_plan_that_fails_leaves_the_one_before_it(project: Project, local_aws: Running) -> None:
    before = {path.name: path.read_bytes() for path in (project.path / "plans").iterdir()}
    (project.root(ROOT).path / "outputs.tf").write_text(OUTPUTS % "nobody.knows")
    ended = sawhorse(project, "plan", ROOT, "--out", NAME, variables=local_aws.environment())
    assert ended.code == 1, ended
    assert {path.name: path.read_bytes() for path in (project.path / "plans").iterdir()} == before


def test_options_that_cannot_be_meant_are_refused(
    project: Project, applied: Callable[..., Ended], local_aws: Running
) -> None:
    assert_refused(applied("--var", "a=b"), "leave out --var, --as-built and")
    assert_refused(applied("--as-built"), "leave out --var, --as-built and")
    planned = sawhorse(project, "plan", ROOT, "--out", "nowhere/x", variables=local_aws.environment())
    assert_refused(planned, "nowhere/x is no file in a directory that there is")
    planned = sawhorse(project, "plan", ROOT, "--out", "plans/", variables=local_aws.environment())
    assert_refused(planned, "plans is no file in a directory that there is")


SAVED = Receipt("dev/shop", False, "1" * 12, "us-east-1", "abc", {}, {"api": "x", "api.layer": "y"}, "l", "s", 3, "p")  # noqa: FBT003


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"root": "staging/shop"}, "the root was dev/shop and is staging/shop"),
        ({"local": True}, "whether it is the local AWS was not so and is so"),
        ({"account_id": "2" * 12}, "the account was 111111111111 and is 222222222222"),
        ({"commit": None}, "the commit was abc and is none"),
        ({"dirty": dict.fromkeys("abcdefg", "1")}, "a, b, c, d, e and 2 more have changed since"),
        ({"lock_sha256": "m"}, ".terraform.lock.hcl, the lock of providers was l and is m"),
        ({"lineage": ""}, "the state's lineage was s and is none"),
        ({"serial": 4}, "the state's serial was 3 and is 4"),
        ({"packages": {"api": "x"}}, "the content of api.layer is not what was planned"),
        ({"packages": {"api": "z", "api.layer": "y", "worker": "w"}}, "the content of api, worker is not"),
    ],
)
def test_each_field_of_a_receipt_is_compared(found: Mapping[str, object], sentence: str) -> None:
    [complaint] = differences(SAVED, Receipt(**{**vars(SAVED), **found}))
    assert complaint.startswith(sentence)


def test_the_same_has_no_differences() -> None:
    assert list(differences(SAVED, Receipt(**vars(SAVED)))) == []


@pytest.mark.parametrize(
    ("production", "commit", "dirty", "sentences"),
    [
        (True, "abc", {}, []),
        (
            True,
            "abc",
            {"b.py": "1", "a.py": ""},
            ["production takes a plan of a commit alone, and a.py, b.py differed from it"],
        ),
        (True, None, {}, ["production takes a plan of a commit alone, and this one was made outside of git"]),
        (False, "abc", {"a.py": "1"}, []),
        (False, None, {}, []),
    ],
)
def test_production_takes_a_plan_of_a_commit_alone(
    *, production: bool, commit: str | None, dirty: dict[str, str], sentences: list[str]
) -> None:
    environment = Environment(name="eu", account_id="1" * 12, region="us-east-1", production=production)
    saved = Receipt(**{**vars(SAVED), "commit": commit, "dirty": dirty})
    assert list(unfit(environment, saved)) == sentences

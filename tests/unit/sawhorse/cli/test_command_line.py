"""The command line: help everywhere, sentences for mistakes, JSON for machines, and nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import typer
from typer.testing import CliRunner

from sawhorse.build.build import build
from sawhorse.cli import main as cli
from sawhorse.errors import CommandFailed, Interrupted, SawhorseError
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LocalAWS, Running
from sawhorse.project import Project
from tests.children import started
from tests.ports import free_port
from tests.unit.sawhorse.support import Ended, assert_refused, sawhorse, tree


def commands() -> Iterator[list[str]]:
    """Every command by its words, groups included."""

    def walk(command: Any, words: list[str]) -> Iterator[list[str]]:
        yield words
        for name, child in getattr(command, "commands", {}).items():
            yield from walk(child, [*words, name])

    return walk(typer.main.get_command(cli.app), [])


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_explains_itself(words: list[str]) -> None:
    result = CliRunner().invoke(cli.app, [*words, "--help"])

    assert result.exit_code == 0, result.output
    assert f"Usage: {' '.join(['sawhorse', *words])}" in result.output


def test_the_commands_are_those_that_the_documentation_names() -> None:
    named = "apply build demo destroy doctor outputs plan render seed smoke sync"
    local = "credentials down env reset status up"

    assert {" ".join(words) for words in commands()} >= {*named.split(), *(f"local {name}" for name in local.split())}


@pytest.mark.parametrize(
    "words", [["build", "--odd"], ["plan"], ["local", "up", "--port", "x"], ["nothing"], ["plan", "a", "b"]]
)
def test_a_wrong_option_or_word_is_exit_code_2(words: list[str]) -> None:
    result = CliRunner().invoke(cli.app, words)

    assert result.exit_code == 2
    assert "Usage: sawhorse" in result.output


def test_help_is_fast_since_commands_import_what_they_need_late() -> None:
    code = "import sys, sawhorse.cli.main; print(sorted({'boto3', 'jinja2', 'psutil', 'yaml'} & set(sys.modules)))"

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"


# Mistakes


@pytest.fixture
def built(tiny: Project) -> Project:
    """The tiny project with its package built and its root rendered and applied once, by the looks of it."""
    build(tiny, "tiny")
    assert sawhorse(tiny, "render").code == 0
    root = tiny.root("dev/tiny").path
    for name in ("terraform.tfstate", "terraform.tfstate.d/local/terraform.tfstate"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text('{"version": 4}')
    return tiny


def everything_made(project: Project) -> dict[str, bytes]:
    """Packages, manifest, tfvars and states."""
    return {**tree(project.path / "dist"), **tree(project.path / "environments")}


def test_mistakes_get_a_sentence_and_change_nothing(built: Project) -> None:
    mistakes = {
        ("build", "tiny", "huge"): ("There is no app huge; choose tiny.",),
        ("render", "dev/tiny", "dev/huge"): ("There is no root dev/huge; choose dev/tiny.",),
        ("apply", "dev/huge", "--local"): ("There is no root dev/huge; choose dev/tiny.",),
        ("demo", "dev/huge"): ("There is no root dev/huge; choose dev/tiny.",),
        ("local", "env", "moon"): ("There is no environment moon; choose dev.",),
        ("destroy", "dev/tiny", "--local"): ('The local AWS is not running; run "sawhorse local up".',),
    }
    # A change waits to be built and rendered: whoever fails must not do it on the way.
    source = built.lambda_path / "tiny/main.py"
    source.write_text(source.read_text() + "# changed\n")
    before = everything_made(built)

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda words: sawhorse(built, *words), mistakes))

    for end, words in zip(ended, mistakes.values(), strict=True):
        assert_refused(end, *words)
    assert everything_made(built) == before


NOBODY = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


@pytest.mark.parametrize("command", ["plan", "destroy", "smoke"])
def test_without_credentials_nothing_is_done_on_aws(built: Project, command: str) -> None:
    (built.path / "dist/tiny.zip").unlink()
    before = everything_made(built)

    ended = sawhorse(built, command, "dev/tiny", variables=NOBODY)

    assert_refused(ended, "There are no AWS credentials for dev. Set AWS_PROFILE or AWS_ACCESS_KEY_ID, or add --local")
    assert everything_made(built) == before


def test_in_the_wrong_account_nothing_is_done(built: Project, local_aws: Running) -> None:
    before = everything_made(built)

    ended = sawhorse(built, "apply", "dev/tiny", "--yes", variables=local_aws.environment("222222222222"))

    assert_refused(ended, "These credentials belong to account 222222222222, and dev is 111111111111 in")
    assert everything_made(built) == before


def path_without_terraform(tmp_path: Path) -> str:
    """A PATH that has a shell and Python, and no Terraform."""
    (tmp_path / "programs").mkdir()
    for name in ("sh", "python3"):
        found = shutil.which(name)
        assert found
        (tmp_path / "programs" / name).symlink_to(found)
    return str(tmp_path / "programs")


def test_without_terraform_nothing_is_rendered(
    tiny: Project, local_aws: Running, repository: Path, tmp_path: Path
) -> None:
    # Its own directory of tools: this machine's may hold a Terraform that was fetched.
    (tiny.private / "tools").unlink()
    (tiny.private / "tools").mkdir()
    (tiny.path / "dist").mkdir()
    before = everything_made(tiny)
    unreachable = f"http://127.0.0.1:{free_port()}"
    variables = local_aws.environment() | {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    proxies = {"HTTPS_PROXY": unreachable, "https_proxy": unreachable}

    ended = sawhorse(
        tiny, "plan", "dev/tiny", variables={**variables, **proxies, "PATH": path_without_terraform(tmp_path)}
    )

    assert_refused(ended, "Terraform is not on PATH and could not be fetched from https://releases.hashicorp.com/")
    assert ended.err.endswith("; install Terraform >= 1.11 and put it on PATH.\n")
    assert everything_made(tiny) == before


def test_a_package_that_is_not_built_stops_a_plan(tiny: Project, local_aws: Running) -> None:
    before = everything_made(tiny)

    ended = sawhorse(tiny, "plan", "dev/tiny", variables=local_aws.environment())

    assert_refused(ended, 'dist/tiny.zip does not exist; run "make build".')
    assert everything_made(tiny) == before


def test_without_a_yes_aws_is_left_as_it_is(built: Project, local_aws: Running) -> None:
    root = built.root("dev/tiny").path
    (root / "terraform.tfstate").unlink()
    (root / "more.tf").write_text('resource "terraform_data" "one" {}\n')

    ended = sawhorse(built, "apply", "dev/tiny", variables=local_aws.environment())

    assert ended.code == 2
    assert ended.err.splitlines()[-1] == (
        "sawhorse: Nothing was applied to dev/tiny. Add --yes to go on without a question."
    )
    assert "terraform_data.one will be created" in ended.out
    assert not (root / "terraform.tfstate").exists()
    assert list((built.private / "plans").iterdir()) == []


@pytest.mark.drill(short=1)
def test_ctrl_c_is_said_and_ends_with_exit_code_130(tiny: Project) -> None:
    aws = LocalAWS(tiny)
    with (
        aws.locked(),
        started(
            [sys.executable, "-m", "sawhorse.cli.main", "local", "down"],
            cwd=tiny.path,
            env={**os.environ, "SAWHORSE_PROJECT": str(tiny.path)},
            stderr=subprocess.PIPE,
        ) as waiting,
    ):
        process = psutil.Process(waiting.pid)
        deadline = time.monotonic() + 20
        # It waits for the lock that this test holds.
        while not any(file.path == str(aws.home / "lock") for file in process.open_files()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=20)
    assert (waiting.returncode, said) == (130, "sawhorse: stopped.\n")


@pytest.mark.parametrize("name", ["SAWHORSE_LOCAL_AWS", "TF_WORKSPACE", "TF_DATA_DIR"])
def test_a_shell_of_the_local_aws_is_not_taken_for_one_of_aws(built: Project, local_aws: Running, name: str) -> None:
    ended = sawhorse(built, "plan", "dev/tiny", variables={**local_aws.environment(), name: "local"})

    assert_refused(ended, name, "Add --local, or use a shell without them.")


def test_the_error_tree_gives_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    endings: list[tuple[BaseException, int, str]] = [
        (SawhorseError("No."), 2, "sawhorse: No.\n"),
        (CommandFailed("Terraform failed."), 1, "sawhorse: Terraform failed.\n"),
        (Interrupted("Stopped."), 130, "sawhorse: Stopped.\n"),
    ]
    for error, code, said in endings:

        def fail(error: BaseException = error, **_options: object) -> None:
            raise error

        monkeypatch.setattr(cli, "app", fail)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == code
        assert capsys.readouterr().err == said


def test_a_reader_that_goes_away_leaves_no_traceback(built: Project) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", "sawhorse.cli.main", "render"],
        cwd=built.path,
        env={**os.environ, "SAWHORSE_PROJECT": str(built.path)},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)

    assert result.stderr == ""


# For machines


def test_what_the_file_system_refuses_is_a_sentence(tiny: Project) -> None:
    (tiny.path / "dist").write_text("no directory")

    assert_refused(sawhorse(tiny, "build"), f"{tiny.path}/dist is not a directory", "run this again")

    assert (tiny.path / "dist").read_text() == "no directory"


def test_build_tells_machines_what_it_built(tiny: Project) -> None:
    first = json.loads(sawhorse(tiny, "build", "--json").out)
    second = json.loads(sawhorse(tiny, "build", "tiny", "--json").out)

    manifest = json.loads((tiny.path / "dist/manifest.json").read_text())["tiny"]["api"]
    assert first == [
        {
            "app": "tiny",
            "path": "dist/tiny.zip",
            "sha256": manifest["sha256"],
            "size": manifest["size"],
            "changed": True,
            "warnings": [],
        }
    ]
    assert second == [{**first[0], "changed": False}]


def test_build_and_render_tell_people_what_they_did(tiny: Project) -> None:
    built, rendered = sawhorse(tiny, "build"), sawhorse(tiny, "render")

    assert built.out.startswith("dist/tiny.zip built: ")
    assert rendered == Ended(0, "environments/dev/tiny/terraform.tfvars rendered\n", "")
    assert sawhorse(tiny, "render", "dev/tiny").out == "environments/dev/tiny/terraform.tfvars unchanged\n"


def test_doctor_tells_machines_what_is_there(tiny: Project) -> None:
    ended = sawhorse(tiny, "doctor", "--json")

    found = {finding["name"]: finding["ok"] for finding in json.loads(ended.out)}
    assert found["Python"] is True
    assert ended.code == (0 if all(found.values()) else 1)


def test_outputs_and_exports_parse(built: Project, local_aws: Running) -> None:
    root = built.root("dev/tiny").path
    (root / "terraform.tfstate").unlink()
    (root / "outputs.tf").write_text('output "names" { value = ["a"] }\noutput "word" { value = "b c" }\n')
    variables = local_aws.environment()
    applied = sawhorse(built, "apply", "dev/tiny", "--yes", variables=variables)
    assert applied.code == 0, applied

    assert json.loads(sawhorse(built, "outputs", "dev/tiny", "--json", variables=variables).out) == {
        "names": ["a"],
        "word": "b c",
    }
    assert sawhorse(built, "outputs", "dev/tiny", variables=variables).out == 'names = ["a"]\nword = b c\n'
    assert sawhorse(built, "plan", "dev/tiny", "--exit-code", variables=variables).code == 0
    changed = sawhorse(built, "plan", "dev/tiny", "--exit-code", "--var=packages={}", variables=variables)
    assert changed.code == 0, changed


TABLE = """
resource "aws_dynamodb_table" "notes" {
  name         = "notes-that-stay"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "KEY"

  attribute {
    name = "KEY"
    type = "S"
  }
}
"""


def test_an_apply_that_would_replace_a_table_is_refused_unless_it_is_meant(built: Project, local_aws: Running) -> None:
    root, variables = built.root("dev/tiny").path, local_aws.environment()
    dynamodb = local_client("dynamodb", variables)
    (root / "terraform.tfstate").unlink()

    def apply(key: str, *options: str) -> Ended:
        (root / "table.tf").write_text(TABLE.replace("KEY", key))
        return sawhorse(built, "apply", "dev/tiny", "--yes", *options, variables=variables)

    def key_of_table() -> str:
        return str(dynamodb.describe_table(TableName="notes-that-stay")["Table"]["KeySchema"][0]["AttributeName"])

    assert apply("first").code == 0
    refused = apply("second")
    assert refused.code == 2
    assert refused.err.splitlines()[-1] == (
        "sawhorse: This apply of dev/tiny would destroy or replace tables, with all that they hold: "
        "aws_dynamodb_table.notes (notes-that-stay). Nothing was applied. Where that is meant, add --delete-tables."
    )
    assert key_of_table() == "first"
    planned = sawhorse(built, "plan", "dev/tiny", "--out", "table.tfplan", variables=variables)
    assert planned.code == 0, planned
    refused = sawhorse(built, "apply", "dev/tiny", "--plan", "table.tfplan", variables=variables)
    assert refused.code == 2
    assert refused.err.splitlines()[-1].endswith("Where that is meant, add --delete-tables.")
    assert key_of_table() == "first"
    assert apply("second", "--delete-tables").code == 0
    assert key_of_table() == "second"
    dynamodb.delete_table(TableName="notes-that-stay")


def test_what_is_not_applied_is_said(built: Project, local_aws: Running) -> None:
    (built.root("dev/tiny").path / "terraform.tfstate").unlink()

    ended = sawhorse(built, "outputs", "dev/tiny", "--json", variables=local_aws.environment())

    assert ended.code == 2
    assert ended.err.splitlines()[-1] == 'sawhorse: dev/tiny is not applied; run "sawhorse apply dev/tiny".'

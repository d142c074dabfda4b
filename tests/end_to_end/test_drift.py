"""What somebody changes by hand is named: by a plan, by verify, by drift, as docs/architecture.md has it in a table."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sawhorse.build.zip_writer import zip_of
from sawhorse.errors import SawhorseError
from sawhorse.git import git
from sawhorse.operate.releases.record import Kept, Record
from sawhorse.operate.releases.uploaded import foreign_code, refuse_foreign_code, restore_code
from sawhorse.terraform.sync import sync
from sawhorse.toolchain.installed import Emulators
from sawhorse.workspace import Workspace
from tests.commits import commit_all
from tests.end_to_end.changes_by_hand import NAME, PLANNED, QUEUE, UNSEEN, Change, Told
from tests.end_to_end.support import Sawhorse, apply, brought_up
from tests.projects import REPOSITORY, sample_project

pytestmark = pytest.mark.end_to_end
ROOT = "dev/sample"
FOREIGN = zip_of({"sample/main.py": b"def handler(event, context):\n    return 'foreign'\n"})
MADE = ".sawhorse\n.terraform\ndist\n*.tfstate*\nterraform.tfvars\nbackend.tf\nsawhorse_imports.tf\n__pycache__\n"
# What the sample has not by itself: an event source, and somebody who hears of alarms.
WORKER = f"""
  queues = {{
    letters = {{
      source = {{
        arn                        = "{QUEUE}"
        visibility_timeout_seconds = 180
        grant                      = {{ actions = ["sqs:ReceiveMessage"], resources = ["{QUEUE}"] }}
      }}
    }}
  }}
"""


@pytest.fixture(scope="module")
def sawhorse(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sawhorse]:
    """The sample, with a queue that it works on, in a commit that is applied."""
    project = sample_project(tmp_path_factory.mktemp("drift") / "project")
    main = project.path / "modules/apps/sample/main.tf"
    text = main.read_text()
    main.write_text(text.replace("  triggers = {", f"{WORKER}\n  triggers = {{", 1))
    assert main.read_text() != text
    facts = project.path / "environments/dev/environment.yaml"
    facts.write_text(f"{facts.read_text()}alarm_email: alarms@example.com\n")
    (project.path / ".gitignore").write_text(MADE)
    with brought_up(project) as command:
        commit_all(command.project.path)
        assert "is not applied" in command("verify", ROOT, "--local", code=2)
        assert "No root is applied to the local AWS" in command("drift", "--local", code=2)
        for queue in ("letters", "others"):
            command.client("sqs", "dev").create_queue(QueueName=queue)
        apply(command, ROOT)
        yield command


def drift(sawhorse: Sawhorse, *options: str, code: int) -> list[Told]:
    """Look for drift, and expect an exit code; all has to be asked."""
    ended = sawhorse.run("drift", ROOT, "--local", "--json", *options)
    assert ended.returncode == code, ended.stdout + ended.stderr
    [root] = json.loads(ended.stdout)["roots"]
    assert root["not_asked"] == []
    assert all(finding["address"] and finding["fix"] for finding in root["findings"])
    return [Told(finding["kind"], finding["sentence"]) for finding in root["findings"]]


def verified(sawhorse: Sawhorse, *options: str, code: int) -> Any:
    ended = sawhorse.run("verify", ROOT, "--local", "--json", *options)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


def record_of(sawhorse: Sawhorse) -> Record:
    return Kept(workspace_of(sawhorse).state_store, ROOT).read()


def workspace_of(sawhorse: Sawhorse) -> Workspace:
    return Workspace(sawhorse.project.root(ROOT), local=True)


# What is changed of the code, each in a test of its own.
CODE = {
    "code uploaded": ("no", "no", "code"),
    "code published, and `live` moved to it": ("yes", "yes", "code, live"),
}


def test_the_table_of_the_documentation_is_what_is_seen() -> None:
    text = (REPOSITORY / "docs/architecture.md").read_text()
    table = text.split("| changed by hand | plan | verify | drift |\n", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[1:]]
    told = {row[0]: tuple(row[1:]) for row in rows}
    unseen = {name: ("no", "no", change.kind) for name, change in UNSEEN.items()}
    planned = {name: ("yes", "no", more.kind if more else "plan") for name, (_, _, more) in PLANNED.items()}
    assert told == {**unseen, **planned, **CODE}


def test_nothing_differs_after_an_apply(sawhorse: Sawhorse) -> None:
    assert drift(sawhorse, code=0) == []
    found = verified(sawhorse, code=0)
    [function] = found["functions"]
    [code] = function["parts"]
    state = json.loads(sawhorse.state(ROOT).read_text())["resources"]
    [applied] = [one["instances"][0]["attributes"] for one in state if one["type"] == "aws_lambda_function"]
    # Computed from the download, it is the content that the build measured.
    assert code["verdict"] == "match"
    assert code["content_sha256"] == applied["source_code_hash"]
    assert function["configuration"] == function["not_compared"] == []
    assert found["chosen"] == "that of the live release 1"


def test_what_plans_do_not_see_is_named_by_drift(sawhorse: Sawhorse) -> None:
    def client(service: str) -> Any:
        return sawhorse.client(service, "dev")

    done: list[Change] = []
    try:
        for change in UNSEEN.values():
            change.do(client)
            done.append(change)
        found = drift(sawhorse, code=3)
    finally:
        for change in done:
            change.undo(client)

    # No plan and no comparison of what is live named any of them.
    assert {one.kind for one in found} == {change.kind for change in UNSEEN.values()}
    for change in UNSEEN.values():
        [_] = [one for one in found if one.kind == change.kind and one.sentence.startswith(change.sentence)]
    assert len(found) == len(UNSEEN)
    assert drift(sawhorse, "--no-verify", code=0) == []


def test_what_plans_see_is_put_back_by_an_apply(sawhorse: Sawhorse) -> None:
    def client(service: str) -> Any:
        return sawhorse.client(service, "dev")

    for do, _, _ in PLANNED.values():
        do(client)
    found = drift(sawhorse, code=3)

    planned = [one.sentence for one in found if one.kind == "plan"]
    for _, address, more in PLANNED.values():
        assert [sentence for sentence in planned if sentence.endswith(address)], (address, planned)
        assert more is None or more in found
    # The alias waits for a version that a change of the function would publish, which is no change of its own.
    assert len(planned) == len(PLANNED)
    assert {one.kind for one in found} == {"plan", "policy", "subscription"}

    sawhorse("apply", ROOT, "--local")
    assert client("iam").list_role_policies(RoleName=NAME)["PolicyNames"] == ["grants"]
    assert client("iam").list_attached_role_policies(RoleName=NAME)["AttachedPolicies"] == []
    assert drift(sawhorse, "--no-verify", code=0) == []


def test_uploaded_code_is_refused_before_it_is_published_and_put_back(sawhorse: Sawhorse) -> None:
    functions, workspace = sawhorse.client("lambda", "dev"), workspace_of(sawhorse)
    ours = functions.get_function_configuration(FunctionName=NAME)["CodeSha256"]
    versions = len(functions.list_versions_by_function(FunctionName=NAME)["Versions"])
    functions.update_function_code(FunctionName=NAME, ZipFile=FOREIGN)
    foreign = functions.get_function_configuration(FunctionName=NAME)["CodeSha256"]

    # A plan shows the one variable that is changed, and what is live is still ours.
    shown = sawhorse("plan", ROOT, "--local", "--var", "lambda_reserved_concurrency=10")
    assert "reserved_concurrent_executions = -1 -> 10" in shown
    assert "code" not in shown.partition("will be updated in-place")[2].partition("unchanged attributes")[0]
    [found] = drift(sawhorse, code=3)
    assert found.kind == "code"
    assert foreign in found.sentence
    with pytest.raises(
        SawhorseError, match=f"other code than the last apply uploaded, of no .*{ROOT} --local --restore"
    ):
        refuse_foreign_code(workspace)

    [done] = restore_code(workspace)
    assert done.startswith(f"{NAME} has the code of version ")
    assert functions.get_function_configuration(FunctionName=NAME)["CodeSha256"] == ours
    assert len(functions.list_versions_by_function(FunctionName=NAME)["Versions"]) == versions
    assert foreign_code(workspace) == []
    assert restore_code(workspace) == []
    refuse_foreign_code(workspace)


def test_published_code_is_named_by_all_and_our_own_is_published_over_it(sawhorse: Sawhorse) -> None:
    functions, workspace = sawhorse.client("lambda", "dev"), workspace_of(sawhorse)
    before = functions.get_alias(FunctionName=NAME, Name="live")["FunctionVersion"]
    published = functions.update_function_code(FunctionName=NAME, ZipFile=FOREIGN, Publish=True)["Version"]
    functions.update_alias(FunctionName=NAME, Name="live", FunctionVersion=published)

    verification = verified(sawhorse, code=3)
    [code] = verification["functions"][0]["parts"]
    assert code["verdict"] == "foreign code"
    assert code["files"]["changed"] == ["sample/main.py"]
    assert "sample/app.py" in code["files"]["removed"]
    assert code["files"]["added"] == []
    found = drift(sawhorse, code=3)
    assert {one.kind for one in found} == {"code", "live", "verify"}
    [moved] = [one.sentence for one in found if one.kind == "live"]
    assert moved.startswith(f"live was moved by hand: {NAME} is at version {published}, its parameter says latest")
    assert len(foreign_code(workspace)) == 2
    functions.update_alias(FunctionName=NAME, Name="live", FunctionVersion=before)

    [done] = restore_code(workspace)
    again = str(int(published) + 1)
    assert f"it was published as version {again}" in done
    assert foreign_code(workspace) == []
    sawhorse("apply", ROOT, "--local")
    assert functions.get_alias(FunctionName=NAME, Name="live")["FunctionVersion"] == again


def test_an_apply_that_does_not_look_publishes_foreign_code_and_verify_sees_it(sawhorse: Sawhorse) -> None:
    functions, workspace = sawhorse.client("lambda", "dev"), workspace_of(sawhorse)
    before = functions.get_alias(FunctionName=NAME, Name="live")["FunctionVersion"]
    functions.update_function_code(FunctionName=NAME, ZipFile=FOREIGN)
    functions.update_function_configuration(FunctionName=NAME, Description="by hand")
    # As a native apply does, under a plan that puts the description back.
    workspace.terraform.apply()

    live = functions.get_function_configuration(FunctionName=NAME, Qualifier="live")
    assert live["CodeSha256"] == functions.get_function_configuration(FunctionName=NAME)["CodeSha256"]
    assert foreign_code(workspace) == []
    # No plan names it, since the state has it.
    assert {one.kind for one in drift(sawhorse, code=3)} == {"verify"}

    sawhorse("rollback", ROOT, "--local", "--to", str(record_of(sawhorse).live))
    assert functions.get_alias(FunctionName=NAME, Name="live")["FunctionVersion"] == before
    assert not verified(sawhorse, code=0)["differs"]


def test_a_content_of_the_record_is_named_by_its_release(sawhorse: Sawhorse) -> None:
    """Whatever stands in the checkout, the commit of the live release is built; against another one, files differ."""
    live = record_of(sawhorse).release(record_of(sawhorse).live or 0)
    assert live is not None
    version = sawhorse.project.path / "lambda/sample/version.py"
    version.write_text(version.read_text().replace('"', '"9', 1))
    new = commit_all(sawhorse.project.path)

    by_record = verified(sawhorse, code=0)
    assert (by_record["commit"], by_record["chosen"]) == (live.commit, f"that of the live release {live.id}")
    ended = sawhorse("verify", ROOT, "--local", "--commit", new[:10], code=3)
    assert f"code of {NAME}:live: that of release " in ended
    assert f", commit {str(live.commit)[:12]}" in ended
    assert "changed sample/version.py" in ended
    assert "added " not in ended


def test_what_was_built_and_not_applied_is_nobodys_drift(sawhorse: Sawhorse) -> None:
    assert drift(sawhorse, "--no-verify", code=0) == []
    version = sawhorse.project.path / "lambda/sample/version.py"
    version.write_text(version.read_text().replace('"', '"8', 1))
    sawhorse("build", "sample")
    assert "source_code_hash" in sawhorse("plan", ROOT, "--local", "--exit-code", code=3)

    assert drift(sawhorse, "--no-verify", code=0) == []

    # What somebody changed besides is still found, by itself.
    functions = sawhorse.client("lambda", "dev")
    before = functions.get_function_configuration(FunctionName=NAME)["Timeout"]
    functions.update_function_configuration(FunctionName=NAME, Timeout=29)
    [found] = drift(sawhorse, "--no-verify", code=3)
    functions.update_function_configuration(FunctionName=NAME, Timeout=before)
    assert found.sentence.endswith("aws_lambda_function.this (timeout)")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_verify_that_is_stopped_leaves_no_worktree(sawhorse: Sawhorse, tmp_path: Path, number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "sawhorse.cli.main", "verify", ROOT, "--local"],
        cwd=sawhorse.project.path,
        env={**os.environ, "SAWHORSE_PROJECT": str(sawhorse.project.path), "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 20
    while not list(tmp_path.glob("*/worktree/lambda")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    worktrees = git(sawhorse.project.path, "worktree", "list")
    assert worktrees is not None
    assert len(worktrees.stdout.splitlines()) == 1


def test_a_mistake_and_what_cannot_be_asked_are_no_drift(sawhorse: Sawhorse) -> None:
    assert "There is no commit nowhere here" in sawhorse("verify", ROOT, "--local", "--commit", "nowhere", code=2)
    assert "There is no root dev/nothing" in sawhorse("drift", "dev/nothing", "--local", code=2)
    dist = sawhorse.project.path / "dist"
    dist.rename(dist.with_name("elsewhere"))
    try:
        ended = sawhorse.run("drift", ROOT, "--local", "--no-verify", "--json")
    finally:
        dist.with_name("elsewhere").rename(dist)
    [root] = json.loads(ended.stdout)["roots"]
    assert ended.returncode == 1
    assert (root["result"], root["findings"]) == ("could not ask", [])
    [why] = root["not_asked"]
    assert why.startswith("a plan: dist/sample.zip does not exist; run ")


def test_roots_are_asked_side_by_side_and_one_that_is_not_applied_could_not_be_asked(sawhorse: Sawhorse) -> None:
    source, copy = (sawhorse.project.path / "environments" / name for name in (ROOT, "staging/sample"))
    shutil.copytree(source, copy, symlinks=True, ignore=shutil.ignore_patterns(".terraform", "terraform.tfstate*"))
    main = copy / "main.tf"
    main.write_text(re.sub(r'stage( *)= "dev"', r'stage\1= "staging"', main.read_text()))
    try:
        sync([sawhorse.project.root(ROOT)])
        sawhorse("sync")
        ended = sawhorse.run("drift", ROOT, "staging/sample", "--local", "--no-verify", "--json")
        shown = sawhorse("drift", "--local", "--no-verify")
    finally:
        shutil.rmtree(copy)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    dev, staging = json.loads(ended.stdout)["roots"]
    assert (dev["root"], dev["result"]) == (ROOT, "the same")
    assert (staging["root"], staging["result"], staging["findings"]) == ("staging/sample", "could not ask", [])
    assert staging["not_asked"] == [
        'staging/sample is not applied; run "sawhorse apply staging/sample --local".',
    ]
    assert "staging/sample was not asked: is not applied to the local AWS" in shown

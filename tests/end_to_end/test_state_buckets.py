"""The buckets of an environment are made, checked, put right and taken up again by one command."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path
from typing import Any

import pytest

from sawhorse.errors import CommandFailed
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.operate.state_bucket import Buckets
from sawhorse.operate.state_make import make_buckets, prepared, write_backend_of
from sawhorse.project import Project
from sawhorse.terraform import runner
from sawhorse.terraform.state_store import LOCK, STATE
from tests.end_to_end.support import Sawhorse
from tests.states import keys, s3_of, share_local_aws
from tests.unit.sawhorse.support import make_tiny_project

pytestmark = pytest.mark.end_to_end
STATES, PACKAGES = (f"{word}-{secrets.token_hex(4)}" for word in ("states", "packages"))
FACTS = 'account_id: "{account}"\nregion: us-east-1\nproduction: false\ntags: {{team: shop}}\n{more}'


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, local_aws_project: Project, local_aws: Running
) -> Project:
    """A project with an environment that names two buckets, in two regions."""
    found = make_tiny_project(tmp_path_factory.mktemp("buckets") / "project", repository=repository)
    shutil.copytree(repository / "modules/state_backend", found.path / "modules/state_backend")
    share_local_aws(local_aws_project, found)
    name_buckets(found, "dev", more=f"state_bucket: {STATES}\npackages_bucket: {{us-east-2: {PACKAGES}}}\n")
    return found


def name_buckets(project: Project, environment: str, *, more: str, account: str = "111111111111") -> None:
    path = project.path / f"environments/{environment}/environment.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(FACTS.format(account=account, more=more))


@pytest.fixture(scope="module")
def sawhorse(project: Project) -> Sawhorse:
    """The command line in a project whose buckets it has made. The provider watches a lifecycle rule for a minute."""
    command = Sawhorse(project)
    missing = command("state", "check", "dev", "--local", code=3)
    assert f"DIFFERS   {STATES}: bucket: does not exist (wanted: exists)" in missing
    assert f"DIFFERS   {PACKAGES}: bucket: does not exist (wanted: exists)" in missing
    command("state", "make", "dev", "--local")
    return command


def findings(sawhorse: Sawhorse) -> dict[tuple[str, str], Any]:
    found = sawhorse.json("state", "check", "dev", "--local")["findings"]
    return {(one["bucket"], one["field"]): one["ok"] for one in found}


def test_both_are_as_they_must_be_and_made_once(sawhorse: Sawhorse, local_aws: Running) -> None:
    fields = ["versioning", "encryption", "public access", "object ownership", "policy", "earlier versions"]
    found = findings(sawhorse)

    assert [key for key, ok in found.items() if ok] == [(name, one) for name in (STATES, PACKAGES) for one in fields]
    # Only AWS can be called over https and http.
    assert [key for key, ok in found.items() if ok is None] == [(one, "a call over http") for one in (STATES, PACKAGES)]
    assert keys(s3_of(local_aws), STATES) == ["sawhorse/state_backend/dev.tfstate"]
    assert not list((sawhorse.project.local / "state_backend/dev").glob("*tfstate*"))
    said = json.loads(sawhorse.run("state", "make", "dev", "--local", "--json").stdout)
    assert said["changed"] is False


def test_what_somebody_changed_is_named_and_put_right(sawhorse: Sawhorse, local_aws: Running) -> None:
    s3 = s3_of(local_aws)
    s3.put_bucket_versioning(Bucket=STATES, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_policy(Bucket=STATES)

    said = sawhorse("state", "check", "dev", "--local", code=3)

    assert f"DIFFERS   {STATES}: versioning: Suspended (wanted: Enabled)" in said
    assert f"DIFFERS   {STATES}: policy: lets http in (wanted: refuses http)" in said
    assert said.count("DIFFERS") == 2
    made = sawhorse("state", "make", "dev", "--local")
    assert f"{STATES}: versioning is Suspended, wanted Enabled" in made
    assert "DIFFERS" not in sawhorse("state", "check", "dev", "--local")


def test_a_state_that_was_lost_is_taken_up_again(sawhorse: Sawhorse, local_aws: Running) -> None:
    store = Buckets(sawhorse.project, "dev", local=True).store
    before = store.read(STATE)
    assert before
    s3_of(local_aws).delete_object(Bucket=STATES, Key="sawhorse/state_backend/dev.tfstate")
    shutil.rmtree(sawhorse.project.local / "state_backend")

    made = sawhorse("state", "make", "dev", "--local")

    assert "Plan: 14 to import, 0 to add, " in made
    assert ", 0 to destroy." in made
    after = store.read(STATE)
    assert after
    assert addresses(after.content) == addresses(before.content)
    assert "No changes." in sawhorse("state", "make", "dev", "--local")


def addresses(content: bytes) -> set[tuple[str, str]]:
    found = json.loads(content)["resources"]
    return {(one.get("module", ""), one["type"]) for one in found if one["mode"] == "managed"}


def test_a_lock_of_the_buckets_state_says_what_releases_it(sawhorse: Sawhorse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "LOCK_TIMEOUT", "0s")
    buckets = Buckets(sawhorse.project, "dev", local=True)
    lock = {
        "ID": "theirs",
        "Who": "bob@elsewhere",
        "Operation": "OperationTypeApply",
        "Created": "2026-11-26T10:00:00Z",
    }
    buckets.store.write(LOCK, json.dumps(lock).encode(), based_on=None)
    directory = sawhorse.project.local / "state_backend/dev"

    with pytest.raises(CommandFailed) as failure:
        make_buckets(buckets, ask=lambda: None)

    assert "bob@elsewhere has held the lock of s3://states-" in str(failure.value)
    assert str(failure.value).endswith(f'release the lock with "terraform -chdir={directory} force-unlock theirs".')
    terraform = prepared(buckets)
    write_backend_of(buckets, directory, first=False)
    terraform.initialize()
    terraform.unlock("theirs")
    assert buckets.store.lock() is None


def test_a_bucket_of_states_is_not_destroyed(sawhorse: Sawhorse, capfd: pytest.CaptureFixture[str]) -> None:
    buckets = Buckets(sawhorse.project, "dev", local=True)
    terraform = prepared(buckets)
    write_backend_of(buckets, terraform.directory, first=False)
    terraform.initialize()

    with pytest.raises(CommandFailed):
        terraform.plan(destroy=True)

    assert "module.states.aws_s3_bucket.this has lifecycle.prevent_destroy" in " ".join(capfd.readouterr().err.split())


def test_a_bucket_of_another_account_is_refused(sawhorse: Sawhorse) -> None:
    name_buckets(sawhorse.project, "staging", account="222222222222", more=f"state_bucket: {STATES}\n")

    # A check could not ask; to make anything there is a mistake.
    for command, code in (("check", 1), ("make", 2)):
        refused = sawhorse("state", command, "staging", "--local", code=code)
        assert f"The bucket {STATES} is another account's, in another region than us-east-1, or closed" in refused


def test_on_aws_nothing_is_made_unasked_and_http_is_tried(sawhorse: Sawhorse, local_aws: Running) -> None:
    """In a shell that takes the local AWS for AWS, which lets http in."""
    name = f"unasked-{secrets.token_hex(4)}"
    name_buckets(sawhorse.project, "production", account="333333333333", more=f"state_bucket: {name}\n")
    variables = local_aws.environment("333333333333")

    refused = sawhorse("state", "make", "production", code=2, variables=variables)

    assert "Nothing was changed for production. Add --yes to go on without a question." in refused
    assert "Plan: 7 to add, 0 to change, 0 to destroy." in refused
    s3 = local_client("s3", variables)
    assert name not in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    s3.create_bucket(Bucket=name)
    said = sawhorse("state", "check", "production", code=3, variables=variables)
    assert f"DIFFERS   {name}: a call over http: let in (wanted: refused)" in said

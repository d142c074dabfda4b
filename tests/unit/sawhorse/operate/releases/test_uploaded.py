"""Code that no apply of ours uploaded is told from ours, and what ours was is put back."""

from __future__ import annotations

import pytest

from sawhorse.build.build import build
from sawhorse.build.zip_writer import zip_of
from sawhorse.errors import BadConfiguration, CouldNotAsk
from sawhorse.operate.releases.record import Kept
from sawhorse.operate.releases.uploaded import foreign_code, restore_code
from tests.unit.sawhorse.operate.releases.deployed import Account, Deployed


@pytest.fixture(autouse=True, scope="module")
def _in_memory() -> None:
    """Ask git and the local AWS, in place of what the tests beside this are given."""


def test_code_that_an_apply_would_upload_itself_is_not_foreign(deployed: Deployed) -> None:
    """As an apply leaves it that was cut off between the upload and its state."""
    (deployed.project.lambda_path / "tiny/main.py").write_text("def handler(event, context):\n    return 4\n")
    build(deployed.project, "tiny")
    ours = (deployed.project.path / "dist/tiny.zip").read_bytes()
    deployed.functions.update_function_code(FunctionName=deployed.name, ZipFile=ours, Publish=True)
    assert foreign_code(deployed.workspace()) == []

    deployed.functions.update_function_code(FunctionName=deployed.name, ZipFile=zip_of({"x.py": b""}))
    [found] = foreign_code(deployed.workspace())
    assert (found.kind, found.version, found.known) == ("uploaded", "$LATEST", "1")


def test_code_that_an_apply_was_to_upload_which_did_not_end_well_is_not_foreign(deployed: Deployed) -> None:
    """As an apply leaves it that could not publish what it had uploaded, once something else is built."""
    theirs = deployed.functions.update_function_code(FunctionName=deployed.name, ZipFile=zip_of({"x.py": b""}))
    assert len(foreign_code(deployed.workspace())) == 1

    store = Kept(deployed.workspace().state_store, "dev/tiny")
    store.change(lambda record: record.but(uploading=(theirs["CodeSha256"],)))

    assert foreign_code(deployed.workspace()) == []


def test_a_version_with_another_configuration_is_foreign_though_the_code_is_ours(deployed: Deployed) -> None:
    functions, name = deployed.functions, deployed.name
    functions.update_function_configuration(FunctionName=name, MemorySize=640)
    functions.publish_version(FunctionName=name)
    # What a plan compares with the configuration: $LATEST is as it was published.
    assert foreign_code(deployed.workspace()) == []

    functions.update_function_configuration(FunctionName=name, MemorySize=128)

    [found] = foreign_code(deployed.workspace())
    assert (found.kind, found.version, found.known) == ("published", "2", "1")
    [done] = restore_code(deployed.workspace())
    assert "it was published as version 3" in done
    assert foreign_code(deployed.workspace()) == []


def test_code_whose_version_is_gone_is_not_put_back(deployed: Deployed) -> None:
    functions, name = deployed.functions, deployed.name
    functions.update_function_code(FunctionName=name, ZipFile=zip_of({"x.py": b""}), Publish=True)
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    functions.delete_function(FunctionName=name, Qualifier="1")
    before = functions.get_function_configuration(FunctionName=name)["RevisionId"]

    with pytest.raises(CouldNotAsk, match=f"Version 1 of {name}, whose code the last apply uploaded, is gone"):
        restore_code(deployed.workspace())

    assert functions.get_function_configuration(FunctionName=name)["RevisionId"] == before


@pytest.mark.parametrize("bucket", [True, False])
def test_code_that_is_too_large_for_a_call_goes_through_the_bucket_of_packages(
    deployed: Deployed, account: Account, monkeypatch: pytest.MonkeyPatch, *, bucket: bool
) -> None:
    monkeypatch.setattr("sawhorse.operate.releases.uploaded.ZIPPED_LIMIT", 10)
    name, s3 = f"packages-{deployed.name}", account("s3")
    if bucket:
        s3.create_bucket(Bucket=name)
        facts = deployed.project.path / "environments/dev/environment.yaml"
        facts.write_text(f"{facts.read_text()}packages_bucket: {name}\n")
    ours = deployed.functions.get_function_configuration(FunctionName=deployed.name)["CodeSha256"]
    deployed.functions.update_function_code(FunctionName=deployed.name, ZipFile=zip_of({"x.py": b""}))

    if bucket:
        [_] = restore_code(deployed.workspace())
        assert deployed.functions.get_function_configuration(FunctionName=deployed.name)["CodeSha256"] == ours
        assert s3.list_objects_v2(Bucket=name).get("Contents", []) == []
    else:
        with pytest.raises(BadConfiguration, match="more than the 10 that Lambda takes in a call"):
            restore_code(deployed.workspace())
        assert len(foreign_code(deployed.workspace())) == 1

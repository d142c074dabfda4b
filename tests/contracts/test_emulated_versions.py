"""What a release leans on in the local Lambda: a version's own code, tried uploads, and exact publishing."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.contracts.support import Account, package

SOURCES = [f"def handler(event, context):\n    return {number}\n" for number in range(4)]


def hash_of(code: bytes) -> str:
    return base64.b64encode(hashlib.sha256(code).digest()).decode()


@pytest.fixture
def functions(account: Account) -> Any:
    return account.client("lambda")


@pytest.fixture
def released(account: Account, functions: Any) -> str:
    """A function with versions 1 and 2 of their own code, newer code in $LATEST, and an alias of version 1."""
    name = account.function(SOURCES[0])
    for source in SOURCES[1:3]:
        functions.update_function_code(FunctionName=name, ZipFile=package(source), Publish=True)
    functions.update_function_code(FunctionName=name, ZipFile=package(SOURCES[3]))
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def downloaded(functions: Any, name: str, qualifier: str | None) -> tuple[bytes, str, str]:
    """The code behind a qualifier, with the hash that Lambda names, and the address that it came from."""
    options = {"Qualifier": qualifier} if qualifier else {}
    found = functions.get_function(FunctionName=name, **options)
    location = found["Code"]["Location"]
    with httpx.Client(trust_env=False) as http:
        return http.get(location).content, found["Configuration"]["CodeSha256"], location


@pytest.mark.parametrize(
    ("qualifier", "source"),
    [("1", SOURCES[1]), ("2", SOURCES[2]), ("live", SOURCES[1]), ("$LATEST", SOURCES[3]), (None, SOURCES[3])],
)
def test_a_versions_download_is_its_own_code(functions: Any, released: str, qualifier: str | None, source: str) -> None:
    code, told, _ = downloaded(functions, released, qualifier)
    assert code == package(source)
    assert told == hash_of(code)


def test_a_download_follows_the_alias(functions: Any, released: str) -> None:
    functions.update_alias(FunctionName=released, Name="live", FunctionVersion="2")
    assert downloaded(functions, released, "live")[0] == package(SOURCES[2])


def test_a_download_is_of_the_version_that_it_was_signed_for(functions: Any, released: str) -> None:
    _, _, location = downloaded(functions, released, "1")
    path, _, query = location.partition("?")
    other = f"{path.removesuffix('1')}2?{query}"
    with httpx.Client(trust_env=False) as http:
        assert http.get(location).status_code == 200
        assert http.get(other).status_code == 403
        assert http.get(f"{path.removesuffix(':1')}?{query}").status_code == 403
        assert http.get(f"{path.removesuffix(':1')}{quote(':1', safe='')}?{query}").content == package(SOURCES[1])


def test_a_version_that_is_gone_has_no_code(functions: Any, released: str) -> None:
    _, _, location = downloaded(functions, released, "2")
    functions.delete_function(FunctionName=released, Qualifier="2")
    with httpx.Client(trust_env=False) as http:
        assert http.get(location).status_code == 404
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_function(FunctionName=released, Qualifier="2")


@pytest.mark.parametrize("publish", [False, True])
def test_a_tried_upload_tells_its_hash_and_changes_nothing(
    account: Account, functions: Any, released: str, *, publish: bool
) -> None:
    before = functions.get_function_configuration(FunctionName=released)
    code = package("def handler(event, context):\n    return 'new'\n")

    told = functions.update_function_code(FunctionName=released, ZipFile=code, DryRun=True, Publish=publish)

    assert (told["CodeSha256"], told["CodeSize"]) == (hash_of(code), len(code))
    after = functions.get_function_configuration(FunctionName=released)
    assert {name: after[name] for name in ("CodeSha256", "RevisionId", "LastModified")} == {
        name: before[name] for name in ("CodeSha256", "RevisionId", "LastModified")
    }
    assert downloaded(functions, released, None)[0] == package(SOURCES[3])
    versions = functions.list_versions_by_function(FunctionName=released)["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    assert account.call(released) == 3


def test_a_tried_upload_is_refused_as_a_real_one(functions: Any, released: str) -> None:
    missing = {"S3Bucket": "nowhere", "S3Key": "nothing.zip"}
    stale = {"ZipFile": package(SOURCES[0]), "RevisionId": "another"}
    for what in ({"ZipFile": b"no zip"}, missing, stale):
        codes = []
        for dry in (True, False):
            with pytest.raises(ClientError) as refusal:
                functions.update_function_code(FunctionName=released, DryRun=dry, **what)
            codes.append(refusal.value.response["Error"]["Code"])
        assert codes[0] == codes[1], what


def test_what_is_published_is_what_was_meant(functions: Any, released: str) -> None:
    meant = functions.get_function_configuration(FunctionName=released)
    with pytest.raises(
        functions.exceptions.InvalidParameterValueException, match="is different from current CodeSHA256"
    ):
        functions.publish_version(FunctionName=released, CodeSha256=hash_of(package(SOURCES[0])))
    with pytest.raises(functions.exceptions.PreconditionFailedException):
        functions.publish_version(FunctionName=released, RevisionId="another")
    assert len(functions.list_versions_by_function(FunctionName=released)["Versions"]) == 3

    published = functions.publish_version(
        FunctionName=released, CodeSha256=meant["CodeSha256"], RevisionId=meant["RevisionId"]
    )
    assert (published["Version"], published["CodeSha256"]) == ("3", meant["CodeSha256"])

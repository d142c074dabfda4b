"""How a package gets to Lambda: decided by its size or by package.toml, written down, and refused without a bucket."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.build import package_writer
from sawhorse.build.build import build
from sawhorse.build.config import read_config
from sawhorse.build.lambda_limits import UNZIPPED_LIMIT, ZIPPED_LIMIT
from sawhorse.build.manifest import read_manifest, write_manifest
from sawhorse.build.package_writer import upload_of
from sawhorse.environment import Environment, read_environment
from sawhorse.errors import BadConfiguration, BuildFailed, LocalAWSError
from sawhorse.local.prerequisites import make_prerequisites
from sawhorse.project import Project, Root
from sawhorse.terraform.render import render, render_unbuilt
from tests.unit.sawhorse.packages import write_zip
from tests.unit.sawhorse.support import assert_refused, make_layer, sawhorse, tree

FACTS = 'account_id: "111111111111"\nregion: us-east-1\nproduction: false\n'
FUNCTION = '[functions.api]\nhandler = "tiny.main.handler"\n'


def configure(project: Project, upload: str) -> None:
    (project.lambda_path / "tiny/package.toml").write_text(f'upload = "{upload}"\n{FUNCTION}')


def write_facts(project: Project, text: str) -> None:
    (project.path / "environments/dev/environment.yaml").write_text(f"{FACTS}{text}")


def upload_in_manifest(project: Project) -> str:
    return read_manifest(project.path / "dist")["tiny"]["api"].upload


@pytest.fixture
def root(tiny: Project) -> Root:
    """The root of the tiny app, whose package goes through S3, and whose environment names no bucket."""
    configure(tiny, "s3")
    build(tiny, "tiny")
    return tiny.root("dev/tiny")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ('"ftp"', "upload is 'ftp'; choose one of direct, s3."),
        ('"S3"', "upload is 'S3'; choose one of direct, s3."),
        ('""', "upload is ''; choose one of direct, s3."),
        ("true", "upload is True; choose one of direct, s3."),
        ("[]", "upload is []; choose one of direct, s3."),
        ('["s3"]', "upload is ['s3']; choose one of direct, s3."),
        ("{ s3 = 1 }", "upload is {'s3': 1}; choose one of direct, s3."),
    ],
)
def test_another_way_than_those_two_is_refused(tiny: Project, value: str, sentence: str) -> None:
    (tiny.lambda_path / "tiny/package.toml").write_text(f"upload = {value}\n{FUNCTION}")

    assert_refused(sawhorse(tiny, "build", "tiny"), f"lambda/tiny/package.toml: {sentence}")

    assert not (tiny.path / "dist/tiny.zip").exists()


@pytest.mark.parametrize("upload", ["direct", "s3"])
def test_the_manifest_says_what_package_toml_decides(tiny: Project, upload: str) -> None:
    configure(tiny, upload)

    build(tiny, "tiny")

    assert upload_in_manifest(tiny) == upload
    assert json.loads((tiny.path / "dist/manifest.json").read_text())["tiny"]["api"]["upload"] == upload


def test_a_decision_that_changes_reaches_the_manifest_and_no_byte_of_the_package(tiny: Project) -> None:
    first = build(tiny, "tiny")
    assert upload_in_manifest(tiny) == "direct"

    configure(tiny, "s3")
    second = build(tiny, "tiny")
    assert (second.changed, second.sha256, upload_in_manifest(tiny)) == (True, first.sha256, "s3")
    assert not build(tiny, "tiny").changed

    # A build that only takes up a changed source keeps to it.
    (tiny.lambda_path / "tiny/main.py").write_text("def handler(event, context):\n    return 2\n")
    build(tiny, "tiny")
    assert upload_in_manifest(tiny) == "s3"


@given(size=st.integers(0, 10 * ZIPPED_LIMIT) | st.integers(-3, 3).map(lambda more: ZIPPED_LIMIT + more))
def test_without_a_decision_the_size_of_each_zip_decides(size: int) -> None:
    undecided, decided = (cast("Any", SimpleNamespace(upload=upload)) for upload in (None, "s3"))

    assert upload_of(undecided, size) == ("direct" if size <= ZIPPED_LIMIT else "s3")
    assert upload_of(decided, size) == "s3"


def test_a_package_of_51_megabytes_is_built_goes_through_s3_and_says_so(tiny: Project) -> None:
    # What cannot be compressed, and no secret.
    filling = random.Random(1).randbytes(51 * 1024 * 1024)  # noqa: S311
    (tiny.lambda_path / "tiny/model.bin").write_bytes(filling)

    built = build(tiny, "tiny")

    assert built.size > ZIPPED_LIMIT
    assert upload_in_manifest(tiny) == "s3"
    (warning,) = built.warnings
    assert f"The package of tiny has {built.size:,} bytes zipped" in warning
    assert "It goes through S3, into the packages_bucket of environment.yaml." in warning
    with pytest.raises(BadConfiguration, match=r"more than the 52,428,800 that Lambda takes in a call: tiny goes"):
        render(tiny.root("dev/tiny"))
    ended = sawhorse(tiny, "package", "inspect", "tiny", "--no-start", "--json")
    assert [found for found in json.loads(ended.out)["package"]["findings"] if "uploaded directly" in found] == []

    # Whoever decided for the call is told, and keeps what was there.
    before = tree(tiny.path / "dist")
    configure(tiny, "direct")
    with pytest.raises(BuildFailed, match=r'or the line upload = "direct" from lambda/tiny/package\.toml, and it goes'):
        build(tiny, "tiny")
    assert tree(tiny.path / "dist") == before

    # By decision, nothing is near any limit.
    configure(tiny, "s3")
    assert build(tiny, "tiny").warnings == []


@pytest.mark.parametrize("upload", [None, "direct", "s3"])
def test_what_is_too_large_unzipped_is_refused_whichever_way_it_goes(
    tiny: Project, monkeypatch: pytest.MonkeyPatch, upload: str | None
) -> None:
    if upload:
        configure(tiny, upload)
    monkeypatch.setattr(package_writer, "UNZIPPED_LIMIT", 10)

    with pytest.raises(
        BuildFailed,
        match=r"and 10 unzipped\. .* Remove dependencies from lambda/tiny/requirements\.in and run "
        r".make lock APP=tiny.\.$",
    ):
        build(tiny, "tiny")

    assert not (tiny.path / "dist/tiny.zip").exists()


def test_the_limit_unzipped_is_250_megabytes() -> None:
    assert (ZIPPED_LIMIT, UNZIPPED_LIMIT) == (52_428_800, 262_144_000)


def test_a_manifest_of_an_older_build_goes_in_the_call(tiny: Project) -> None:
    build(tiny, "tiny")
    path = tiny.path / "dist/manifest.json"
    content = json.loads(path.read_text())
    del content["tiny"]["api"]["upload"]
    path.write_text(json.dumps(content))

    assert upload_in_manifest(tiny) == "direct"


def test_without_a_bucket_the_command_says_which_app_and_what_to_write(root: Root) -> None:
    before = tree(root.path)
    size = (root.project.path / "dist/tiny.zip").stat().st_size

    ended = sawhorse(root.project, "render", "dev/tiny")

    assert_refused(
        ended,
        f'dist/tiny.zip has {size:,} bytes zipped, and lambda/tiny/package.toml says upload = "s3": tiny goes through '
        "S3, and environments/dev/environment.yaml names no bucket in us-east-1. Write packages_bucket: "
        "{us-east-1: NAME} there, with a bucket of that region that exists.",
    )
    assert tree(root.path) == before


def test_a_layer_that_goes_through_s3_wants_the_bucket_as_well(tiny: Project) -> None:
    build(tiny, "tiny")
    dist = tiny.path / "dist"
    layer = make_layer(dist, size=60_000_000, upload="s3")
    write_manifest(dist, {"tiny": {"api": replace(read_manifest(dist)["tiny"]["api"], layer=layer)}})

    with pytest.raises(BadConfiguration, match=r"^dist/tiny-layer\.zip has 60,000,000 bytes zipped, more than"):
        render(tiny.root("dev/tiny"))

    write_facts(tiny, "packages_bucket: a-bucket\n")
    text = render(tiny.root("dev/tiny")).files[0].read_text()
    assert text.count('upload         = "s3"') == 1
    assert text.count('upload         = "direct"') == 1


def test_the_bucket_is_rendered_where_one_is_named(root: Root) -> None:
    write_facts(root.project, "packages_bucket: a-bucket\n")

    text = render(root).files[0].read_text()

    assert '  packages_bucket = "a-bucket"\n' in text
    assert '    upload         = "s3"\n' in text


def test_an_app_that_goes_in_the_call_needs_no_bucket(tiny: Project) -> None:
    build(tiny, "tiny")

    text = render(tiny.root("dev/tiny")).files[0].read_text()

    assert "packages_bucket" not in text


def test_a_destroy_asks_for_no_bucket(root: Root, tmp_path: Path) -> None:
    shutil.rmtree(root.project.path / "dist")

    render_unbuilt(root, tmp_path)

    assert 'upload         = "direct"' in (tmp_path / "terraform.tfvars").read_text()


def test_an_app_of_another_region_wants_a_bucket_there(root: Root) -> None:
    write_facts(root.project, "packages_bucket: here\napp_regions: {tiny: us-east-2}\n")
    with pytest.raises(
        BadConfiguration,
        match=r"names no bucket in us-east-2\. Write packages_bucket: \{us-east-1: here, us-east-2: NAME\} there",
    ):
        render(root)

    # What it says to write is what works.
    write_facts(root.project, "packages_bucket: {us-east-1: here, us-east-2: there}\napp_regions: {tiny: us-east-2}\n")
    assert 'packages_bucket = "there"' in render(root).files[0].read_text()


def test_the_bucket_of_the_state_may_hold_packages_too(root: Root) -> None:
    write_facts(root.project, "packages_bucket: one-bucket\nstate_bucket: one-bucket\n")

    rendered = render(root)

    assert 'packages_bucket = "one-bucket"' in rendered.files[0].read_text()
    assert 'bucket       = "one-bucket"' in rendered.files[1].read_text()


REFUSED = {
    "capitals": "My-Bucket",
    "underscores": "my_bucket",
    "too short": "ab",
    "too long": "a" * 64,
    "an address": "192.168.5.4",
    "two dots": "my..bucket",
    "a dot in front": ".bucket",
    "a hyphen at the end": "bucket-",
    "a slash": "bucket/packages",
    "an ARN": "arn:aws:s3:::bucket",
    "an address of S3": "s3://bucket",
    "a prefix that AWS keeps": "xn--bucket",
    "another prefix": "sthree-bucket",
    "a prefix of examples": "amzn-s3-demo-bucket-of-mine",
    "an access point": "bucket-s3alias",
    "an object lambda": "bucket--ol-s3",
    "a multi-region access point": "bucket.mrap",
    "a directory bucket": "bucket--use1-az4--x-s3",
    "a table bucket": "bucket--table-s3",
    "a line end": '"bucket\\n"',
    "digits of another script": "bucket\u0661",
    "a number": "12345",
    "a truth": "true",
    "a list": "[bucket]",
    "a region that is none": "{Frankfurt: bucket}",
    "nothing for a region": "{us-east-1: }",
    "one bucket in two regions": "{us-east-1: bucket, us-east-2: bucket}",
}


@pytest.mark.parametrize("key", ["packages_bucket", "state_bucket"])
@pytest.mark.parametrize("name", REFUSED.values(), ids=list(REFUSED))
def test_a_name_that_aws_refuses_is_refused(tiny: Project, key: str, name: str) -> None:
    write_facts(tiny, f"{key}: {name}\n")

    with pytest.raises(BadConfiguration) as refusal:
        read_environment(tiny, "dev")

    sentence = str(refusal.value)
    assert sentence.startswith(f"environments/dev/environment.yaml: {key} is ")
    assert "; it must be the name of an S3 bucket as AWS takes it (3 to 63 lower-case letters" in sentence
    assert sentence.endswith("or left out.")


LABEL = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\Z")


@settings(max_examples=300)
@given(labels=st.lists(LABEL, min_size=1, max_size=4))
def test_every_name_that_aws_takes_is_taken(labels: list[str]) -> None:
    name = ".".join(labels)
    kept = ("xn--", "sthree-", "amzn-s3-demo-"), ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
    address = len(labels) == len("IPv4") and all(label.isdigit() for label in labels)
    good = 3 <= len(name) <= 63 and not address and not name.startswith(kept[0]) and not name.endswith(kept[1])

    try:
        named = {"name": "dev", "account_id": "111111111111", "region": "us-east-1", "production": False}
        facts = Environment.model_validate({**named, "packages_bucket": name})
    except ValueError:
        assert not good, name
    else:
        assert good, name
        assert facts.bucket_of_packages == name
        assert facts.of_app("any").bucket_of_packages == name


def test_a_bucket_that_is_left_out_or_empty_is_none(tiny: Project) -> None:
    assert read_environment(tiny, "dev").bucket_of_packages is None
    write_facts(tiny, "packages_bucket:\n")
    assert read_environment(tiny, "dev").bucket_of_packages is None


@dataclass
class FakeS3:
    """An S3 of one account, in which names are taken by it or by others."""

    others: set[str] = field(default_factory=set)
    own: dict[str, str | None] = field(default_factory=dict)

    class exceptions:  # noqa: N801 # as boto3 has it
        class BucketAlreadyOwnedByYou(Exception):
            pass

        class BucketAlreadyExists(Exception):
            pass

    def create_bucket(self, **request: Any) -> None:
        name = request["Bucket"]
        if name in self.others:
            raise self.exceptions.BucketAlreadyExists
        if name in self.own:
            raise self.exceptions.BucketAlreadyOwnedByYou
        self.own[name] = request.get("CreateBucketConfiguration", {}).get("LocationConstraint")


@pytest.fixture
def facts() -> Callable[..., Environment]:
    def of(region: str, **more: Any) -> Environment:
        return Environment(name="dev", account_id="111111111111", region=region, production=False, **more)

    return of


def root_of(app: str) -> Root:
    return Root(Project(Path("/nowhere")), "dev", app)


def test_the_local_aws_gets_the_bucket_once_in_the_apps_region(facts: Callable[..., Environment]) -> None:
    s3 = FakeS3()
    both = {"us-east-1": "here", "us-east-2": "there"}
    environment = facts("us-east-1", packages_bucket=both, app_regions={"far": "us-east-2"})

    for app in ("near", "far", "near", "far"):
        make_prerequisites(root_of(app), lambda _service: s3, environment.of_app(app))

    assert s3.own == {"here": None, "there": "us-east-2"}


def test_the_local_aws_gets_no_bucket_where_none_is_named(facts: Callable[..., Environment]) -> None:
    asked: list[str] = []

    make_prerequisites(root_of("near"), asked.append, facts("us-east-1"))

    assert asked == []


def test_a_bucket_of_another_environments_account_is_a_sentence(facts: Callable[..., Environment]) -> None:
    s3 = FakeS3(others={"shared"})

    with pytest.raises(LocalAWSError, match=r"^The bucket shared belongs to another account of the local AWS: .*\.$"):
        make_prerequisites(root_of("near"), lambda _service: s3, facts("us-east-1", packages_bucket="shared"))
    assert s3.own == {}


def test_a_zip_that_nobody_sends_through_s3_is_told_that_it_is_too_large(tiny: Project) -> None:
    filling = random.Random(2).randbytes(ZIPPED_LIMIT)  # noqa: S311 # no secret
    path = write_zip(tiny.path / "foreign.zip", {"random.bin": filling})

    ended = sawhorse(tiny, "package", "inspect", str(path), "--json")

    (finding,) = json.loads(ended.out)["package"]["findings"]
    assert "Lambda takes 52,428,800 when it is uploaded directly" in finding


def test_read_config_keeps_what_is_said_and_nothing_where_nothing_is(tiny: Project) -> None:
    assert read_config(tiny, "tiny").upload is None
    configure(tiny, "s3")
    assert read_config(tiny, "tiny").upload == "s3"

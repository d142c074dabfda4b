"""What is live is compared with a commit: packages, layers, configuration, and what cannot be compared."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sawhorse.build.build import build
from sawhorse.build.manifest import Entry, read_manifest
from sawhorse.build.zip_writer import zip_of
from sawhorse.errors import BadConfiguration, CouldNotAsk, NotApplied, UnknownName
from sawhorse.git import git
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.operate.releases.applied import applied_state
from sawhorse.operate.releases.record import Code, Kept, Release
from sawhorse.operate.releases.uploaded import foreign_code, restore_code
from sawhorse.operate.releases.verify import Compared, Files, Verification, sentences, verify
from sawhorse.project import Project
from sawhorse.workspace import Workspace
from tests.unit.sawhorse.support import write_lock

PLACE = "us-east-1:111111111111"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)


@pytest.fixture(autouse=True, scope="module")
def _in_memory() -> None:
    """Ask git and the local AWS, in place of what the tests beside this are given."""


@dataclass(frozen=True)
class Deployed:
    """The tiny app in git, its function with version 1 and the alias live, and the state that says so."""

    project: Project
    name: str
    functions: Any
    state: Path

    @property
    def entry(self) -> Entry:
        return read_manifest(self.project.path / "dist")["tiny"]["api"]

    def workspace(self) -> Workspace:
        return Workspace(self.project.root("dev/tiny"), local=False)

    def verified(self, revision: str | None = None) -> Verification:
        return verify(self.workspace(), revision)

    def code(self, revision: str | None = None) -> Compared:
        [function] = self.verified(revision).functions
        return function.parts[0]

    def upload(self, content: bytes) -> None:
        """Publish a zip and make it live, and let the state know it as an apply would."""
        told = self.functions.update_function_code(FunctionName=self.name, ZipFile=content, Publish=True)
        self.functions.update_alias(FunctionName=self.name, Name="live", FunctionVersion=told["Version"])
        self.applied(version=told["Version"], code_sha256=told["CodeSha256"])

    def applied(self, alias: str | None = "live", layers: list[dict[str, Any]] | None = None, **values: Any) -> None:
        """Write the state: the function with these values besides what it has, and its alias."""
        found = self.functions.get_function_configuration(FunctionName=self.name)
        function = {
            "function_name": self.name,
            "arn": f"arn:aws:lambda:{PLACE}:function:{self.name}",
            "version": "1",
            "code_sha256": found["CodeSha256"],
            "filename": "../../../dist/tiny.zip",
            "package_type": "Zip",
            "memory_size": found["MemorySize"],
            "timeout": found["Timeout"],
            "handler": found["Handler"],
            "runtime": found["Runtime"],
            "role": found["Role"],
            "architectures": ["x86_64"],
            "environment": [{"variables": found.get("Environment", {}).get("Variables", {})}],
            "layers": [layer["Arn"] for layer in found.get("Layers", [])],
            **values,
        }
        aliases = (
            [{"function_name": self.name, "name": alias, "function_version": function["version"]}] if alias else []
        )
        kinds = {"aws_lambda_function": [function], "aws_lambda_alias": aliases}
        resources = [
            {"mode": "managed", "type": kind, "name": "this", "instances": [{"attributes": one}]}
            for kind, several in {**kinds, "aws_lambda_layer_version": layers or []}.items()
            for one in several
        ]
        content = {"version": 4, "serial": 1, "lineage": "one", "outputs": {}, "resources": resources}
        self.state.write_text(json.dumps(content))
        self.state.chmod(0o600)


def commit(project: Project) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "--allow-empty", "-m", "Change")):
        ended = git(project.path, *words)
        assert ended is not None
        assert ended.returncode == 0, ended.stderr


@pytest.fixture
def account(local_aws: Running, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Let this process speak to the local AWS as it would to AWS, and give clients of it."""
    variables = local_aws.environment()
    for name, value in variables.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return lambda service: local_client(service, variables)


@pytest.fixture
def deployed(tiny: Project, account: Callable[[str], Any], locked_wheel: str) -> Deployed:
    write_lock(tiny, locked_wheel)
    (tiny.path / ".gitignore").write_text(".sawhorse\ndist\n*.tfstate\n__pycache__\n")
    commit(tiny)
    build(tiny, "tiny")
    name, iam, functions = f"tiny-{uuid.uuid4().hex[:12]}", account("iam"), account("lambda")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    functions.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="tiny.main.handler",
        Code={"ZipFile": (tiny.path / "dist/tiny.zip").read_bytes()},
        Environment={"Variables": {"KEPT": "one", "OTHER": "hidden-value"}},
        Publish=True,
    )
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    made = Deployed(tiny, name, functions, tiny.root("dev/tiny").path / "terraform.tfstate")
    made.applied()
    return made


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def plain_zip(contents: dict[str, bytes]) -> bytes:
    """Zip as any program does: other dates and modes, nothing compressed."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return kept.getvalue()


def test_the_same_content_in_another_zip_is_a_match(deployed: Deployed) -> None:
    ours = (deployed.project.path / "dist/tiny.zip").read_bytes()
    assert deployed.code().verdict == "match"

    other = plain_zip(members(ours))
    assert other != ours
    deployed.upload(other)

    code = deployed.code()
    assert (code.verdict, code.content_sha256, code.files) == ("match", deployed.entry.content_sha256, Files())


def test_what_differs_is_named_file_by_file(deployed: Deployed) -> None:
    contents = members((deployed.project.path / "dist/tiny.zip").read_bytes())
    gone = next(name for name in contents if name.startswith("tinydep/__main__"))
    contents |= {"tiny/main.py": b"def handler(event, context):\n    return 2\n", "extra.py": b""}
    del contents[gone]
    deployed.upload(zip_of(contents))

    verification = deployed.verified()

    [code] = verification.functions[0].parts
    assert (code.verdict, code.files) == ("foreign code", Files(["extra.py"], ["tiny/main.py"], [gone]))
    assert verification.differs
    said = "\n".join(sentences(verification))
    for line in ("foreign code", "added extra.py", "changed tiny/main.py", f"removed {gone}", "It differs."):
        assert line in said


def test_bytecode_that_is_not_that_of_its_source_is_foreign_though_the_content_is_the_same(deployed: Deployed) -> None:
    contents = members((deployed.project.path / "dist/tiny.zip").read_bytes())
    name = "tiny/__pycache__/main.cpython-313.pyc"
    # What Python runs, behind a header that says which source it is of.
    contents[name] = contents[name].replace(b"handler", b"handles")
    deployed.upload(zip_of(contents))

    code = deployed.code()

    assert code.content_sha256 == deployed.entry.content_sha256
    assert (code.verdict, code.files) == ("foreign code", Files(changed=[name]))


def test_a_zip_that_no_build_makes_is_foreign_and_nothing_of_it_is_unpacked(deployed: Deployed) -> None:
    deployed.upload(plain_zip({"../tiny/main.py": b""}))

    code = deployed.code()

    assert code.verdict == "foreign code"
    assert "does not stay in the directory" in code.why


def test_what_is_live_is_compared_with_the_commit_that_is_named(deployed: Deployed) -> None:
    (deployed.project.lambda_path / "tiny/main.py").write_text("def handler(event, context):\n    return 3\n")
    # What stands in the checkout and in no commit is not looked at.
    assert deployed.code().verdict == "match"

    commit(deployed.project)

    assert deployed.code().verdict == "foreign code"
    assert deployed.code("HEAD~1").verdict == "match"
    with pytest.raises(UnknownName, match="There is no commit --output=x here"):
        deployed.verified("--output=x")


def test_a_commit_that_cannot_be_built_could_not_be_asked(deployed: Deployed) -> None:
    (deployed.project.lambda_path / "tiny/package.toml").write_text("[functions]\n")
    commit(deployed.project)
    with pytest.raises(CouldNotAsk, match="cannot be built here: "):
        deployed.verified()
    listed = git(deployed.project.path, "worktree", "list")
    assert listed is not None
    assert len(listed.stdout.splitlines()) == 1


def test_outside_of_git_there_is_no_commit(deployed: Deployed) -> None:
    (deployed.project.path / ".git").rename(deployed.project.path / "elsewhere")
    with pytest.raises(BadConfiguration, match="is in no checkout of git"):
        deployed.verified()


def test_a_layer_is_compared_and_one_of_others_is_named(deployed: Deployed) -> None:
    project, functions = deployed.project, deployed.functions
    config = project.lambda_path / "tiny/package.toml"
    config.write_text(f"layer = true\n{config.read_text()}")
    commit(project)
    build(project, "tiny")

    def publish(content: bytes, name: str) -> str:
        return str(functions.publish_layer_version(LayerName=name, Content={"ZipFile": content})["LayerVersionArn"])

    def make_live(*arns: str) -> None:
        functions.update_function_configuration(FunctionName=deployed.name, Layers=list(arns))
        deployed.upload((project.path / "dist/tiny.zip").read_bytes())
        layer = {"arn": arns[0], "layer_arn": arns[0].rpartition(":")[0], "filename": "../../../dist/tiny-layer.zip"}
        live = functions.get_function_configuration(FunctionName=deployed.name, Qualifier="live")
        deployed.applied(layers=[layer], version=live["Version"])

    ours = (project.path / "dist/tiny-layer.zip").read_bytes()
    theirs = publish(zip_of({"python/theirs.py": b""}), f"{deployed.name}-theirs")
    make_live(publish(ours, deployed.name), theirs)
    code, layer, other = deployed.verified().functions[0].parts
    assert (code.verdict, layer.verdict) == ("match", "match")
    assert deployed.entry.layer
    assert layer.content_sha256 == deployed.entry.layer.content_sha256
    assert (other.verdict, other.why) == ("not compared", "no apply of this root made it")

    make_live(publish(zip_of({**members(ours), "python/tinydep/__init__.py": b"VALUE = 2\n"}), deployed.name))
    code, layer = deployed.verified().functions[0].parts
    assert (code.verdict, layer.verdict) == ("match", "foreign code")
    assert "python/tinydep/__init__.py" in layer.files.changed


def test_configuration_is_compared_and_no_value_is_told(deployed: Deployed) -> None:
    deployed.functions.update_function_configuration(
        FunctionName=deployed.name,
        MemorySize=640,
        Timeout=7,
        Handler="tiny.other.handler",
        Environment={"Variables": {"OTHER": "another-hidden-value", "NEW": "secret-value"}},
    )
    version = deployed.functions.publish_version(FunctionName=deployed.name)["Version"]
    deployed.functions.update_alias(FunctionName=deployed.name, Name="live", FunctionVersion=version)

    verification = deployed.verified()

    [function] = verification.functions
    assert function.parts[0].verdict == "match"
    assert function.configuration == [
        "memory_size is 640, and was applied as 128",
        "timeout is 7, and was applied as 3",
        "handler is tiny.other.handler, and was applied as tiny.main.handler",
        "environment lacks KEPT, which was applied",
        "environment has NEW, which was not applied",
        "environment has another value of OTHER than was applied",
    ]
    assert verification.differs
    told = json.dumps(verification.as_json()) + "\n".join(sentences(verification))
    assert not [word for word in ("hidden-value", "secret-value") if word in told]


def test_an_older_version_that_the_state_knows_keeps_the_configuration_that_it_was_published_with(
    deployed: Deployed,
) -> None:
    deployed.functions.update_function_configuration(FunctionName=deployed.name, MemorySize=640)
    newest = deployed.functions.publish_version(FunctionName=deployed.name)["Version"]
    deployed.applied(version=newest)
    state = json.loads(deployed.state.read_text())
    [alias] = [one for one in state["resources"] if one["type"] == "aws_lambda_alias"]
    alias["instances"][0]["attributes"]["function_version"] = "1"
    deployed.state.write_text(json.dumps(state))

    verification = deployed.verified()

    assert not verification.differs
    [why] = verification.functions[0].not_compared
    assert f"version 1 of {deployed.name} is live, and the last apply made version {newest}" in why


def test_a_live_release_of_an_edited_tree_is_no_other_release(deployed: Deployed) -> None:
    (deployed.project.lambda_path / "tiny/main.py").write_text("def handler(event, context):\n    return 5\n")
    build(deployed.project, "tiny")
    deployed.upload((deployed.project.path / "dist/tiny.zip").read_bytes())
    entry, revision = deployed.entry, git(deployed.project.path, "rev-parse", "HEAD")
    assert revision
    code = Code(version="2", content_sha256=entry.content_sha256, code_sha256=entry.sha256)
    head = revision.stdout.decode().strip()

    def recorded(number: int, *, dirty: bool) -> Release:
        return Release(id=number, functions={deployed.name: code}, commit=head, dirty=dirty, at="", by="")

    # A later one of the same content does not take its place.
    releases = (recorded(1, dirty=True), recorded(2, dirty=False))
    store = Kept(deployed.workspace().state_store, "dev/tiny")
    store.change(lambda record: record.but(releases=releases, live=1))

    verification = deployed.verified()

    [function] = verification.functions
    assert (function.parts[0].verdict, function.parts[0].release) == ("not of the commit", 1)
    assert verification.differs
    told = list(sentences(verification))
    assert "whose tree had changes that are in no commit" in told[0]
    assert "that of release 1, which is live" in told[2]


def test_of_many_files_people_are_shown_some_and_a_program_all(deployed: Deployed) -> None:
    deployed.upload(zip_of({f"other/module_{index:04}.py": b"" for index in range(300)}))

    verification = deployed.verified()

    told = list(sentences(verification))
    assert len(told) < 60
    assert any("added 280 more; --json has all" in line for line in told)
    [function] = verification.functions
    assert len(function.parts[0].files.added) == 300


def test_what_is_not_compared_is_said(deployed: Deployed) -> None:
    deployed.applied(alias=None)
    [without] = deployed.verified().functions
    assert (without.parts, without.differs) == ([], False)
    assert without.not_compared == [f"{deployed.name} has no alias live, so nothing of it is compared"]

    deployed.applied(package_type="Image", filename=None, image_uri="111111111111.dkr/tiny@sha256:0")
    [image] = deployed.verified().functions
    assert image.not_compared == [f"{deployed.name} is an image, whose content is not compared, only which one it is"]

    deployed.applied(filename="../../../dist/other.zip")
    assert deployed.code().why == "the commit makes no other.zip, which the last apply took"

    deployed.functions.delete_function(FunctionName=deployed.name)
    state = json.loads(deployed.state.read_text())
    deployed.state.write_text(json.dumps(state))
    gone = deployed.verified()
    assert gone.differs
    assert gone.functions[0].configuration == [f"{deployed.name} or its alias live is gone, which the last apply had"]

    deployed.state.unlink()
    with pytest.raises(NotApplied, match='dev/tiny is not applied; run "sawhorse apply dev/tiny"'):
        applied_state(deployed.workspace())


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
    deployed: Deployed, account: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, *, bucket: bool
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

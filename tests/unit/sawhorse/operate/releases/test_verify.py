"""What is live is compared with a commit: packages, layers, configuration, and what cannot be compared."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from sawhorse.build.build import build
from sawhorse.build.zip_writer import zip_of
from sawhorse.errors import BadConfiguration, CouldNotAsk, NotApplied, UnknownName
from sawhorse.git import git
from sawhorse.operate.releases.applied import applied_state
from sawhorse.operate.releases.record import Code, Kept, Release
from sawhorse.operate.releases.verify import Files, sentences
from tests.commits import commit_all
from tests.unit.sawhorse.operate.releases.deployed import Deployed


@pytest.fixture(autouse=True, scope="module")
def _in_memory() -> None:
    """Ask git and the local AWS, in place of what the tests beside this are given."""


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

    commit_all(deployed.project.path)

    assert deployed.code().verdict == "foreign code"
    assert deployed.code("HEAD~1").verdict == "match"
    with pytest.raises(UnknownName, match="There is no commit --output=x here"):
        deployed.verified("--output=x")


def test_a_commit_that_cannot_be_built_could_not_be_asked(deployed: Deployed) -> None:
    (deployed.project.lambda_path / "tiny/package.toml").write_text("[functions]\n")
    commit_all(deployed.project.path)
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
    commit_all(project.path)
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

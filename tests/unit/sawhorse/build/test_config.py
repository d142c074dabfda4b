"""What package.toml says is read, checked and refused in a sentence."""

from __future__ import annotations

import pytest

from sawhorse.build.build import build
from sawhorse.build.config import PackageConfig, read_config
from sawhorse.build.platform import Target, lambda_target, local_target
from sawhorse.errors import BadConfiguration, UnknownName
from sawhorse.project import Project


def test_the_target_follows_runtime_and_architecture() -> None:
    def target(runtime: str, architecture: str) -> str:
        return lambda_target(PackageConfig("app", runtime, runtime.removeprefix("python"), architecture, {})).name

    assert target("python3.13", "x86_64") == "python3.13-x86_64-manylinux_2_28"
    assert target("python3.12", "arm64") == "python3.12-aarch64-manylinux_2_28"
    assert target("python3.11", "arm64") == "python3.11-aarch64-manylinux_2_17"


def test_the_local_package_is_the_one_for_lambda_only_where_both_run_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = PackageConfig("app", "python3.13", "3.13", "x86_64", {})

    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    assert local_target(config, "3.13") == lambda_target(config)
    assert local_target(config, "3.11") == Target("3.11", None)
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert local_target(config, "3.13") == Target("3.13", None)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "darwin")
    assert local_target(config, "3.13") == Target("3.13", None)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("runtime = ", r"package\.toml is not valid TOML \(.*\); correct that line\."),
        ("", r'package\.toml names no function; add \[functions\.api\] with handler = "tiny\.main\.handler"\.'),
        ("functions = 3", r"package\.toml names no function"),
        ('colour = "red"', r"package\.toml has colour, which nothing reads; remove it\."),
        ("[functions.api]", r'functions\.api needs a handler such as "app\.main\.handler"\.'),
        ("[functions]\napi = 3", r"functions\.api needs a handler"),
        ('[functions.api]\nhandler = "main"', r"functions\.api needs a handler"),
        (
            '[functions.api]\nhandler = "tiny.gone.handler"',
            r"functions\.api: there is no lambda/tiny/gone\.py for handler tiny\.gone\.handler\.",
        ),
        ('root_files = "run.sh"', r'root_files must be a list of words, such as \["run\.sh"\]\.'),
        ('root_files = ["run.sh"]', r"root_files has 'run\.sh', which is no file beside it; correct the name\."),
        ('root_files = ["../tiny/main.py"]', r"root_files has '\.\./tiny/main\.py', which is no file beside it"),
        (
            'runtime = "python2.7"\n[functions.api]\nhandler = "tiny.main.handler"',
            r"runtime is 'python2\.7'; choose one of python3\.11, python3\.12, python3\.13, python3\.14\.",
        ),
        ('layer = "yes"\n[functions.api]\nhandler = "tiny.main.handler"', r"layer is 'yes'; say true or false\."),
        (
            'aws_services = ["s4"]\n[functions.api]\nhandler = "tiny.main.handler"',
            r"package\.toml: aws_services has s4, which the package's botocore does not describe; correct the name",
        ),
        (
            'aws_services = ["sqs"]\nprovided = ["botocore"]\n[functions.api]\nhandler = "tiny.main.handler"',
            r"package\.toml: botocore is provided, so aws_services decides nothing; remove one of the two\.",
        ),
        (
            '[functions.api]\nhandler = "tiny.main.handler"\nmemory = 3',
            r"functions\.api has memory, which nothing reads; remove it\.",
        ),
        (
            '[functions.api]\nhandler = "other.main.handler"',
            r"other\.main\.handler is not in the package of tiny; name a function of lambda/tiny\.",
        ),
        (
            'root_files = ["package.toml"]',
            r"root_files has 'package\.toml', which no package takes; remove or rename it\.",
        ),
        ("provided = 3", r'provided must be a list of words, such as \["boto3"\]\.'),
        ('provided = ["fastapi"]', r"Lambda has no fastapi that could be provided; it has boto3, "),
        (
            'prune = [1]\n[functions.api]\nhandler = "tiny.main.handler"',
            r'prune must be a list of words, such as \["\*\.pyi"\]\.',
        ),
        (
            'architecture = 86\n[functions.api]\nhandler = "tiny.main.handler"',
            r"architecture is 86; choose one of x86_64, arm64\.",
        ),
    ],
)
def test_a_package_toml_that_does_not_fit_is_refused(tiny: Project, content: str, sentence: str) -> None:
    (tiny.lambda_path / "tiny/package.toml").write_text(content)

    with pytest.raises(BadConfiguration, match=f"^lambda/tiny/.*{sentence}"):
        build(tiny, "tiny")

    assert not (tiny.path / "dist/tiny.zip").exists()


def test_a_package_toml_of_other_bytes_than_text_is_refused(tiny: Project) -> None:
    (tiny.lambda_path / "tiny/package.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(BadConfiguration, match="is not valid TOML"):
        build(tiny, "tiny")


def test_a_layer_is_refused_for_a_handler_that_is_a_program(tiny: Project) -> None:
    script = tiny.lambda_path / "tiny/run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    words = 'layer = true\nroot_files = ["run.sh"]\n[functions.web]\nhandler = "run.sh"\n'
    (tiny.lambda_path / "tiny/package.toml").write_text(words)

    with pytest.raises(BadConfiguration, match="a handler that is a program finds no layer's modules; leave layer out"):
        build(tiny, "tiny")


def test_runtime_and_architecture_have_defaults(tiny: Project) -> None:
    assert read_config(tiny, "tiny") == PackageConfig(
        "tiny", "python3.13", "3.13", "x86_64", {"api": "tiny.main.handler"}
    )


def test_an_unknown_app_lists_those_that_exist(tiny: Project) -> None:
    with pytest.raises(UnknownName, match=r"^There is no app huge; choose tiny\.$"):
        build(tiny, "huge")

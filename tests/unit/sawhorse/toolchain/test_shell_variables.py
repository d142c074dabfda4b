"""Nothing of a shell changes whom a local run speaks to or what it runs."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.plans.plan import Tool, initialized
from sawhorse.project import Project
from sawhorse.terraform.filling import TEMPLATES
from sawhorse.terraform.provider_lock import LOCK
from sawhorse.terraform.runner import Terraform
from sawhorse.toolchain import terraform_install
from sawhorse.toolchain.machine import Machine
from sawhorse.toolchain.shell_variables import RULES, Disposition, conflicting, filtered, is_kept, rule_of
from tests.unit.sawhorse.support import plain_root, script

# What Terraform 1.11.4, the AWS provider 5.100.0 and the AWS SDKs document or hold as strings, and changes whom they
# speak to or what they run.
CHANGE_WHOM_OR_WHAT = re.findall(
    r"\w+",
    """
    TF_CLI_ARGS TF_CLI_ARGS_apply TF_CLI_ARGS_plan TF_REATTACH_PROVIDERS TF_WORKSPACE TF_DATA_DIR
    TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE TF_SKIP_PROVIDER_VERIFY TF_DISABLE_PLUGIN_TLS TF_CLOUD_HOSTNAME
    TF_CLOUD_ORGANIZATION TF_CLOUD_PROJECT TF_FORCE_LOCAL_BACKEND TF_HTTP_ADDRESS TF_STATE_PERSIST_INTERVAL
    TF_ENCRYPTION TF_AWS_DEFAULT_TAGS_owner TF_AWS_IGNORE_TAGS_KEYS TF_AWS_DYNAMODB_ENDPOINT TF_AWS_STS_ENDPOINT
    TF_AWS_IAM_ENDPOINT TF_AWS_S3_ENDPOINT TERRAFORM_RPCAPI_COOKIE TF_ACC TF_SCHEMA_PANIC_ON_ERROR TF_IGNORE
    AWS_ENDPOINT_URL_DYNAMODB AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_S3 AWS_S3_ENDPOINT AWS_DYNAMODB_ENDPOINT
    AWS_IAM_ENDPOINT AWS_STS_ENDPOINT AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SHARED_CONFIG_FILE AWS_SDK_LOAD_CONFIG
    AWS_ACCESS_KEY AWS_SECRET_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION AWS_ROLE_ARN
    AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
    AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_EC2_METADATA_SERVICE_ENDPOINT
    AWS_METADATA_URL AWS_CA_BUNDLE AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_STS_REGIONAL_ENDPOINTS AWS_S3_US_EAST_1_REGIONAL_ENDPOINT
    AWS_S3_USE_ARN_REGION AWS_ENABLE_ENDPOINT_DISCOVERY AWS_ACCOUNT_ID_ENDPOINT_MODE AWS_CSM_ENABLED AWS_RETRY_MODE
    AWS_DEFAULTS_MODE AWS_EXECUTION_ENV OTEL_TRACES_EXPORTER OTEL_EXPORTER_OTLP_ENDPOINT
    """,
)
WORDS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789abcdefghij", min_size=1, max_size=20)
# What may arrive locally, by the start of its name.
LOCALLY = (
    "TF_CLI_CONFIG_FILE",
    "TERRAFORM_CONFIG",
    "TF_TOKEN_",
    "TF_PLUGIN_CACHE_DIR",
    "TF_REGISTRY_",
    "TF_PROVIDER_DOWNLOAD_RETRY",
    "TF_PROVIDER_MIRROR",
    "TF_VAR_",
    "TF_LOG",
)


@given(st.sampled_from(["TF_", "TERRAFORM_", "TOFU_", "AWS_", "OTEL_"]), WORDS)
def test_locally_no_variable_of_terraforms_or_awss_arrives_that_is_not_known_to_be_harmless(
    start: str, word: str
) -> None:
    name = start + word

    assert is_kept(name, local=True) == name.startswith(LOCALLY)
    # A shell either keeps it, or is told to be rid of it.
    assert (name in conflicting({name: "x"})) == (not filtered({name: "x"}, local=True))


@given(WORDS)
def test_on_aws_who_acts_and_where_is_the_operators_decision_and_what_runs_is_not(word: str) -> None:
    assert is_kept(f"AWS_{word}", local=False)
    assert not is_kept(f"TF_CLI_ARGS{word}", local=False)


@given(WORDS.filter(lambda word: not word.startswith(("TF_", "TERRAFORM_", "TOFU_", "AWS_", "OTEL_"))))
def test_what_belongs_to_other_programs_stays(name: str) -> None:
    assert is_kept(name, local=True)
    assert is_kept(name, local=False)


@pytest.mark.parametrize("name", CHANGE_WHOM_OR_WHAT)
def test_a_name_that_is_known_to_lead_astray_has_a_row_of_its_own_or_is_caught_by_the_last_ones(name: str) -> None:
    assert not is_kept(name, local=True)
    if name.startswith(("TF_", "TERRAFORM_")):
        assert not is_kept(name, local=False)


def test_every_row_can_be_reached_and_gives_its_reason() -> None:
    assert [rule.name for rule in RULES if rule_of(rule.name.replace("*", "X")) is not rule] == []
    assert [rule.name for rule in RULES if not rule.reason.endswith(".")] == []
    # What is dropped on AWS is dropped locally as well.
    assert [rule.name for rule in RULES if (rule.locally, rule.on_aws) == (Disposition.KEPT, Disposition.DROPPED)] == []


# What a run of Terraform is given

FAKE = """import json, os, sys
if sys.argv[1] == "version":
    print(json.dumps({"terraform_version": "1.11.4"}))
elif sys.argv[1] != "state":
    json.dump(dict(os.environ), open(sys.argv[0] + ".environment", "w"))"""


@pytest.fixture
def given_to(tmp_path: Path, tiny: Project, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a fake Terraform in this shell, and return the variables that it was given."""
    program = tmp_path / "bin/terraform"
    script(program, "").write_text(f"#!{sys.executable} -I\n{FAKE}\n")
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    def run(running: Running | None) -> Mapping[str, str]:
        environment = running.environment() if running else {}
        Terraform(tiny, tiny.root("dev/tiny").path, environment=environment, local=running is not None).apply()
        found: Mapping[str, str] = json.loads((tmp_path / "bin/terraform.environment").read_text())
        return found

    return run


def test_a_shell_full_of_variables_changes_nothing_for_a_local_run(
    given_to: Any, local_aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = given_to(local_aws)
    for name in CHANGE_WHOM_OR_WHAT:
        monkeypatch.setenv(name, "elsewhere")

    found = given_to(local_aws)

    own = "PYTEST_CURRENT_TEST"
    assert {name: found[name] for name in found if name != own} == {
        name: expected[name] for name in expected if name != own
    }
    assert "elsewhere" not in found.values()


def test_a_shell_full_of_variables_changes_nothing_for_a_plan_of_a_test(
    given_to: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in CHANGE_WHOM_OR_WHAT:
        monkeypatch.setenv(name, "elsewhere")
    directory = tmp_path / "scratch"
    directory.mkdir()
    (directory / ".terraform.lock.hcl").touch()

    initialized(Tool(tmp_path / "bin/terraform", {"AWS_REGION": "us-east-1"}), directory)

    found = json.loads((tmp_path / "bin/terraform.environment").read_text())
    assert found["AWS_REGION"] == "us-east-1"
    assert "elsewhere" not in found.values()


def test_on_aws_the_operators_credentials_arrive_and_other_arguments_and_providers_do_not(
    given_to: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*CHANGE_WHOM_OR_WHAT, "TF_VAR_cors_origins", "TF_LOG", "TF_APPEND_USER_AGENT"):
        monkeypatch.setenv(name, "elsewhere")

    found = {name for name, value in given_to(None).items() if value == "elsewhere"}

    assert {"AWS_PROFILE", "AWS_ROLE_ARN", "AWS_CA_BUNDLE", "TF_VAR_cors_origins", "TF_LOG"} <= found
    assert {name for name in found if name.startswith("TF_")} == {
        "TF_VAR_cors_origins",
        "TF_LOG",
        "TF_APPEND_USER_AGENT",
    }


# A provider that runs already, as TF_REATTACH_PROVIDERS names one


@contextmanager
def listening(path: Path) -> Iterator[list[str]]:
    """Stand for a provider that was started in another shell, and note whoever connects to it."""
    seen: list[str] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                seen.append("connected")
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield seen
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def test_a_provider_that_was_started_in_another_shell_is_never_asked(
    tiny: Project, local_aws: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = plain_root(tiny)
    (root / LOCK).write_text((TEMPLATES / LOCK).read_text())
    (root / "main.tf").write_text(
        'terraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
        'data "aws_caller_identity" "who" {}\n'
        'output "who" { value = data.aws_caller_identity.who.account_id }\n'
    )
    with listening(tmp_path / "s") as seen:
        address = {"Network": "unix", "String": str(tmp_path / "s")}
        reattach = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True, "Addr": address}
        monkeypatch.setenv("TF_REATTACH_PROVIDERS", json.dumps({"registry.terraform.io/hashicorp/aws": reattach}))
        terraform = Terraform(tiny, root, environment=local_aws.environment("333333333333"), local=True)
        terraform.init()
        terraform.apply()

        assert json.loads((root / "terraform.tfstate").read_text())["outputs"]["who"]["value"] == "333333333333"
    assert seen == []


@pytest.mark.usefixtures("terraform")
@pytest.mark.parametrize("value", ["{", "[]", '{"x": 1}'])
def test_a_reattachment_that_terraform_cannot_read_hides_no_terraform(
    monkeypatch: pytest.MonkeyPatch, repository: Path, value: str
) -> None:
    binary = terraform_install.ensure_terraform(repository)
    monkeypatch.setenv("TF_REATTACH_PROVIDERS", value)

    assert terraform_install.terraform_version(binary) is not None


def test_a_provider_of_ones_own_is_refused_where_no_mirror_decides(machine: Machine, tmp_path: Path) -> None:
    own = machine.home / ".terraformrc"
    block = 'provider_installation {\n  dev_overrides {\n    "hashicorp/aws" = "/tmp"\n  }\n  direct {}\n}\n'
    own.write_text(block)
    with pytest.raises(BadConfiguration, match=r"\.terraformrc has dev_overrides, .* no lock names; take them out"):
        terraform_install.ensure_provider_configuration(tmp_path, machine)

    named = tmp_path / "named.tfrc"
    elsewhere = Machine({**machine.environ, "TF_CLI_CONFIG_FILE": str(named)}, machine.home, machine.opt)
    for harmless in ("", "# dev_overrides {\n", "provider_installation {\n  direct {}\n}\n"):
        named.write_text(harmless)
        assert terraform_install.ensure_provider_configuration(tmp_path, elsewhere) is None
    named.write_text(block)
    with pytest.raises(BadConfiguration, match=r"named\.tfrc has dev_overrides"):
        terraform_install.ensure_provider_configuration(tmp_path, elsewhere)


# The harness's own clients


@pytest.mark.parametrize("service", ["dynamodb", "sts", "s3", "cloudwatch", "lambda", "sqs"])
def test_a_local_client_works_whatever_the_shell_says(
    service: str, local_aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*CHANGE_WHOM_OR_WHAT, "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    client = local_client(service, local_aws.environment("444444444444"))

    operation = {
        "dynamodb": "list_tables",
        "sts": "get_caller_identity",
        "s3": "list_buckets",
        "cloudwatch": "describe_alarms",
        "lambda": "list_functions",
        "sqs": "list_queues",
    }[service]
    assert getattr(client, operation)()["ResponseMetadata"]["HTTPStatusCode"] == 200

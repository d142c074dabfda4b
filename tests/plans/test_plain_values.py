"""What sounds or looks like a secret is refused by Terraform and by the harness alike, and nothing else is."""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import string
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from sawhorse.plain_values import looks_secret, secrets_in, sounds_secret
from sawhorse.plans.plan import Tool

MODULE = Path(__file__).resolve().parents[2] / "modules/plain_value"
CASES = yaml.safe_load((Path(__file__).parent / "plain_values.yaml").read_text())
SECRET_NAMES, PLAIN_NAMES = CASES["secret_names"], CASES["plain_names"]
SECRET_VALUES = [value.replace("|", "") for value in CASES["secret_values"]]
PLAIN_VALUES = CASES["plain_values"]
# Behind the beginning of a token, more letters at once than this are no word.
MOST_LETTERS = 12
PREFIXES = ["", "SHOP_", "X_", "MY_OWN_"]
REFUSED = re.compile(r"environment: (?:the value of )?(\S+) (?:sounds|looks) like a secret")


def refused_by_terraform(values: dict[str, str], terraform: Tool, directory: Path) -> set[str]:
    """Plan one call of the module for each value, and return the names that were refused."""
    # Without its terraform.tf, which wants a provider that nothing here uses.
    shutil.copytree(MODULE, directory / "plain_value", ignore=shutil.ignore_patterns("terraform.tf", ".terraform*"))
    (directory / "main.tf").write_text(
        'variable "values" {\n  type = map(string)\n}\n\nmodule "plain" {\n  source   = "./plain_value"\n'
        '  for_each = var.values\n\n  plain = { name = each.key, value = sensitive(each.value), place = "environment", '
        'instead = "say another." }\n}\n'
    )
    (directory / "terraform.tfvars.json").write_text(json.dumps({"values": values}))
    for command in (["init", "-input=false"], ["plan", "-input=false", "-json"]):
        run = [str(terraform.binary), *command]
        done = subprocess.run(
            run, cwd=directory, env=dict(terraform.environment), capture_output=True, text=True, check=False
        )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    errors = [one["diagnostic"]["detail"] for one in said if one.get("@level") == "error" and "diagnostic" in one]
    names = [REFUSED.search(" ".join(error.split())) for error in errors]
    assert None not in names, errors
    assert not errors or done.returncode == 1
    assert not any(value in done.stdout for value in values.values() if looks_secret(value))
    return {found[1] for found in names if found}


def test_terraform_and_the_harness_refuse_the_same_names(terraform: Tool, tmp_path: Path) -> None:
    names = [f"{prefix}{name}" for prefix, name in itertools.product(PREFIXES, [*SECRET_NAMES, *PLAIN_NAMES])]
    refused = refused_by_terraform(dict.fromkeys(names, "hello"), terraform, tmp_path)
    assert refused == {name for name in names if sounds_secret(name, "hello")}
    assert len(refused) >= len(PREFIXES) * len(SECRET_NAMES) * 9 // 10


def test_terraform_and_the_harness_refuse_the_same_values(terraform: Tool, tmp_path: Path) -> None:
    values = {f"VALUE{number}": value for number, value in enumerate([*SECRET_VALUES, *PLAIN_VALUES])}
    refused = refused_by_terraform(values, terraform, tmp_path)
    assert refused == {f"VALUE{number}" for number in range(len(SECRET_VALUES))}
    assert {name for name, value in values.items() if looks_secret(value)} == refused


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_name_that_sounds_like_a_secret_is_refused(name: str) -> None:
    assert sounds_secret(name, "hunter2")


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_a_name_that_tells_of_no_secret_or_where_one_lies_is_let_through(name: str) -> None:
    assert not sounds_secret(name, "hunter2")


SWITCHES = ["USE_TOKEN", "REQUIRE_API_KEY", "ENABLE_PASSWORD", "LOG_TOKENS", "CORS_ALLOW_CREDENTIALS", "VALIDATE_AUTH"]


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_is_let_through_as_long_as_it_is_one(name: str) -> None:
    assert [sounds_secret(name, value) for value in ("true", "False", "0", "hunter2", "")] == [False] * 3 + [True] * 2


@pytest.mark.parametrize("value", SECRET_VALUES)
def test_a_value_that_looks_like_a_secret_is_refused(value: str) -> None:
    assert looks_secret(value)


@pytest.mark.parametrize("value", PLAIN_VALUES)
def test_a_value_that_only_resembles_a_secret_is_let_through(value: str) -> None:
    assert not looks_secret(value)


@given(
    st.sampled_from(["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "SSH2 ENCRYPTED "]),
    st.binary(max_size=4),
    st.binary(max_size=40),
)
def test_a_private_key_in_base64_is_refused_and_a_public_one_is_not(kind: str, before: bytes, after: bytes) -> None:
    for secret, words in ((True, "PRIVATE KEY"), (False, "PUBLIC KEY"), (False, "CERTIFICATE")):
        pem = before + f"-----BEGIN {kind}{words}-----\n".encode() + after
        assert looks_secret(base64.b64encode(pem).decode()) == secret


WORDS = st.lists(st.text(string.ascii_lowercase, min_size=1, max_size=11), min_size=1, max_size=7)


@given(
    WORDS,
    st.sampled_from([" ", "-", "_", "/", ".", ", "]),
    st.sampled_from([str.lower, str.upper, str.title]),
    st.sampled_from(["", "sk-", "basic ", "Bearer ", "task_test_", "pypi-", "xoxo-", "Asia"]),
)
def test_no_words_look_like_a_secret(words: list[str], joint: str, case: Callable[[str], str], start: str) -> None:
    assume(not start or len(max(words, key=len)) < MOST_LETTERS)
    assert not looks_secret(start + joint.join(map(case, words)))


@given(
    st.sampled_from(["postgres", "postgresql+asyncpg", "mysql", "redis", "amqps", "https", "mongodb+srv"]),
    st.text(string.ascii_letters + string.digits, max_size=8),
    st.text(string.ascii_letters + string.digits + "/?#!$%&*()-_=+.:;", max_size=12),
    st.sampled_from(string.ascii_letters + "/"),
)
def test_an_address_with_a_password_is_refused_whatever_is_in_it(
    scheme: str, user: str, password: str, first: str
) -> None:
    assert looks_secret(f"{scheme}://{user}:{first}{password}@db.example.com/shop")


def test_secrets_are_found_however_deep_and_whatever_their_type() -> None:
    values = {"a": [{"db_password": "x"}, "AKI" + "AIOSFODNN7EXAMPLE"], "b": {"api_key": 12345678}, "tags": ["a", 1]}
    assert [place for place, _ in secrets_in(values)] == ["a.0.db_password", "a.1", "b.api_key"]

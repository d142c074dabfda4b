"""What sounds or looks like a secret is refused by Terraform and by the harness alike, and nothing else is."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from harness.plain_values import looks_secret, sounds_secret
from harness.plans.plan import Tool

MODULE = Path(__file__).resolve().parents[2] / "modules/plain_value"
CASES = yaml.safe_load((Path(__file__).parent / "plain_values.yaml").read_text())
SECRET_NAMES, PLAIN_NAMES = CASES["secret_names"], CASES["plain_names"]
SECRET_VALUES = [value.replace("|", "") for value in CASES["secret_values"]]
PLAIN_VALUES = CASES["plain_values"]
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


@pytest.mark.parametrize("name", ["USE_TOKEN", "REQUIRE_API_KEY", "ENABLE_PASSWORD", "LOG_TOKENS"])
def test_a_switch_is_let_through_as_long_as_it_is_one(name: str) -> None:
    assert [sounds_secret(name, value) for value in ("true", "False", "0", "hunter2", "")] == [False] * 3 + [True] * 2

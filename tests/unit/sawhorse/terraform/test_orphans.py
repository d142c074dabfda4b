"""What an apply that was cut off has made is found by what tells it apart, and nobody else's is taken for it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.terraform.orphans import (
    KEPT_THOUGH_TAINTED,
    LOOKS,
    WRITTEN_OVER,
    Orphans,
    Removal,
    import_blocks,
    kept_though_tainted,
    orphans,
)

OURS = {"environment": "dev", "app": "shop"}
ACCOUNT = "555555555555"


def change(kind: str, *, actions: tuple[str, ...] = ("create",), **after: Any) -> dict[str, Any]:
    """A change as a plan tells it, of something with this root's tags."""
    planned = {"actions": list(actions), "after": {"tags_all": OURS, **after}}
    return {"address": f"{kind}.it", "mode": "managed", "type": kind, "change": planned}


@pytest.fixture
def client(local_aws: Running) -> Any:
    variables = local_aws.environment(ACCOUNT)
    return lambda service: local_client(service, variables)


def pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def make_role(client: Any, name: str, tags: dict[str, str]) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=pairs(tags))


def test_every_type_that_modules_make_is_looked_for_or_written_over(repository: Path) -> None:
    texts = [path.read_text() for path in (repository / "modules").rglob("*.tf")]
    made = {kind for text in texts for kind in re.findall(r'^resource "(\w+)"', text, re.MULTILINE)}
    assert made == {*LOOKS, *WRITTEN_OVER}
    assert not set(LOOKS) & set(WRITTEN_OVER)


def test_what_a_replacement_would_end_is_kept_though_it_is_tainted() -> None:
    """That it must be is shown by the drills: a gateway response was put anew, and then deleted as the old one."""
    kinds = {*KEPT_THOUGH_TAINTED, *LOOKS, *WRITTEN_OVER}
    state = [
        {"address": f"{kind}.it", "type": kind, "status": status} for kind in kinds for status in ("tainted", None)
    ]

    assert sorted(kept_though_tainted(state)) == sorted(f"{kind}.it" for kind in KEPT_THOUGH_TAINTED)
    assert {*KEPT_THOUGH_TAINTED} <= {*LOOKS, *WRITTEN_OVER}


def test_a_bucket_is_imported_only_with_our_tags(client: Any) -> None:
    s3 = client("s3")
    for name, tags in (("ours-by-tags", OURS), ("of-another-root", {**OURS, "app": "other"}), ("without-tags", {})):
        s3.create_bucket(Bucket=name)
        if tags:
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs(tags)})
    changes = [
        {**change("aws_s3_bucket", bucket=name), "address": f"aws_s3_bucket.{name}"}
        for name in ("ours-by-tags", "of-another-root", "without-tags", "nowhere")
    ]

    assert orphans(changes, client) == Orphans({"aws_s3_bucket.ours-by-tags": "ours-by-tags"}, ())


def test_what_is_there_with_our_tags_is_imported(client: Any) -> None:
    make_role(client, "ours", OURS)
    changes = [change("aws_iam_role", name="ours")]

    assert orphans(changes, client) == Orphans({"aws_iam_role.it": "ours"}, ())
    assert import_blocks({"aws_iam_role.it": "ours"}) == 'import {\n  to = aws_iam_role.it\n  id = "ours"\n}\n'


def test_what_has_the_tags_of_another_root_is_left_alone(client: Any) -> None:
    make_role(client, "theirs", {**OURS, "app": "another"})
    make_role(client, "nobodys", {})

    found = orphans([change("aws_iam_role", name=name) for name in ("theirs", "nobodys", "absent")], client)

    assert found == Orphans({}, ())


def test_only_what_a_plan_makes_and_can_name_is_looked_for(client: Any) -> None:
    make_role(client, "replaced", OURS)
    changes = [
        change("aws_iam_role", actions=("delete", "create"), name="replaced"),
        change("aws_iam_role", actions=("update",), name="replaced"),
        change("aws_iam_role"),
        change("aws_api_gateway_stage", stage_name="dev"),
    ]

    assert orphans(changes, client) == Orphans({}, ())


@pytest.mark.parametrize("tags", [OURS, {**OURS, "environment": "staging"}])
def test_an_issuer_of_tokens_is_ours_by_its_tags(client: Any, tags: dict[str, str]) -> None:
    make = client("iam").create_open_id_connect_provider
    made = make(Url="https://tokens.example.com/shop", ClientIDList=["shop"], Tags=pairs(tags))
    make(Url="https://tokens.example.com", ClientIDList=["shop"], Tags=pairs(OURS))
    wanted = change("aws_iam_openid_connect_provider", url="https://tokens.example.com/shop")

    found = orphans([wanted], client)

    assert list(found.imported.values()) == ([made["OpenIDConnectProviderArn"]] if tags == OURS else [])
    for provider in client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=provider["Arn"])


def test_a_parameter_is_made_again_unless_somebody_wrote_it_since(client: Any) -> None:
    for name in ("/shop/untouched", "/shop/written"):
        client("ssm").put_parameter(Name=name, Value="latest", Type="String", Tags=pairs(OURS))
    client("ssm").put_parameter(Name="/shop/written", Value="7", Overwrite=True)
    changes = [change("aws_ssm_parameter", name=name) for name in ("/shop/untouched", "/shop/written", "/shop/absent")]

    found = orphans(changes, client)

    assert found == Orphans({}, (Removal("aws_ssm_parameter", "/shop/untouched"),))
    for _ in range(2):  # it may be gone by then
        found.removed[0].carry_out(client)
    assert [one["Name"] for one in client("ssm").describe_parameters()["Parameters"]] == ["/shop/written"]


def test_an_api_that_was_made_twice_is_imported_once_and_removed_once(client: Any) -> None:
    gateway = client("apigatewayv2")
    made = {gateway.create_api(Name="twice", ProtocolType="HTTP", Tags=OURS)["ApiId"] for _ in range(2)}
    gateway.create_api(Name="twice", ProtocolType="HTTP", Tags={**OURS, "environment": "staging"})

    found = orphans([change("aws_apigatewayv2_api", name="twice")], client)

    assert {*found.imported.values(), *(removal.identity for removal in found.removed)} == made
    assert (len(found.imported), [removal.kind for removal in found.removed]) == (1, ["aws_apigatewayv2_api"])

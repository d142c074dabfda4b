"""A policy passes only when everybody whom it lets in was named: many documents, each right or spoilt in one place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.plans.permissions import account_of, document_faults, documents, exposures, permission_faults
from sawhorse.plans.plan import UNKNOWN, Plan
from sawhorse.plans.references import Configuration

OWN, OTHER, STRANGER = "111111111111", "222222222222", "999999999999"
NAMED = {OWN, OTHER}
own_accounts = st.sampled_from(sorted(NAMED))
services = st.sampled_from(["sns", "s3", "events", "apigateway", "lambda", "delivery.logs", "cloudwatch"])
operators = st.sampled_from(["StringEquals", "StringLike", "ArnLike", "ArnEquals", "stringEquals"])
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=12)


def arn(account: str, thing: str, service: str = "sns") -> str:
    return f"arn:aws:{service}:us-east-1:{account}:{thing}"


@st.composite
def conditions(draw: st.DrawFn, account: st.SearchStrategy[str]) -> dict[str, Any]:
    key, value = draw(
        st.one_of(
            account.map(lambda one: ("aws:SourceAccount", one)),
            st.tuples(account, names).map(lambda two: ("AWS:SourceArn", arn(*two))),
            st.tuples(account, names).map(lambda two: ("aws:sourcearn", arn(two[0], f"{two[1]}*"))),
        )
    )
    return {draw(operators): {key: draw(st.sampled_from([value, [value]]))}}


@st.composite
def right_statements(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        principal = {"Service": f"{draw(services)}.amazonaws.com"}
        extra = draw(st.dictionaries(st.just("Bool"), st.just({"aws:SecureTransport": "true"})))
        return {"Effect": "Allow", "Principal": principal, "Condition": {**draw(conditions(own_accounts)), **extra}}
    account, name = draw(own_accounts), draw(names)
    whom = [account, f"arn:aws:iam::{account}:root", f"arn:aws:iam::{account}:role/{name}"]
    return {"Effect": "Allow", "Principal": {"AWS": draw(st.sampled_from([*whom, whom]))}}


@st.composite
def wrong_statements(draw: st.DrawFn) -> dict[str, Any]:
    right = draw(right_statements())
    service = {"Service": f"{draw(services)}.amazonaws.com"}
    everybody: list[Any] = [
        "*",
        {"AWS": "*"},
        {"AWS": ["*"]},
        {"Service": "*"},
        {"AWS": f"arn:aws:iam::{OWN}:role/*"},
        {},
        [],
        None,
    ]
    foreign: list[Any] = [
        {"AWS": STRANGER},
        {"AWS": [OWN, f"arn:aws:iam::{STRANGER}:user/{draw(names)}"]},
        {"Federated": draw(names)},
    ]
    odd: list[Any] = [
        {"CanonicalUser": draw(names)},
        {"AWS": 1},
        {"AWS": None},
        {"Service": draw(names)},
        {"AWS": draw(names)},
    ]
    loose = draw(
        st.sampled_from(
            [
                None,
                {},
                {"StringEqualsIfExists": {"aws:SourceAccount": OWN}},
                {"ForAllValues:StringEquals": {"aws:SourceAccount": OWN}},
                {"StringNotEquals": {"aws:SourceAccount": OWN}},
                {"StringEquals": {"aws:SourceAccount": [OWN, STRANGER]}},
                {"StringEquals": {"aws:SourceAccount": []}},
                {"StringLike": {"aws:SourceAccount": "*"}},
                {"StringLike": {"aws:SourceAccount": f"{OWN[:-1]}?"}},
                {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::bucket"}},
                {"ArnLike": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{STRANGER}:t"}},
                {"ArnLike": {"aws:SourceArn": "*"}},
                {"StringLike": {"aws:SourceArn": f"arn:aws:sns:*:{OWN}:t"}},
                {"Bool": {"aws:SecureTransport": "true"}},
                {"StringEquals": {"aws:PrincipalTag/team": OWN}},
                {"Null": {"aws:SourceAccount": "false"}},
                {"StringEquals": "aws:SourceAccount"},
                draw(conditions(st.just(STRANGER))),
            ]
        )
    )
    spoilt = [
        *({**right, "Principal": one} for one in [*everybody, *foreign, *odd]),
        {"Effect": "Allow", "Principal": service, "Condition": loose},
        {name: value for name, value in right.items() if name != "Principal"},
        {**right, "NotPrincipal": {"AWS": OWN}},
        {**right, "NotAction": "sns:Publish"},
        {**right, "Effect": draw(st.sampled_from(["allow", "", None, "deny"])), "Principal": "*"},
    ]
    return draw(st.sampled_from(spoilt))


@given(st.lists(right_statements(), min_size=1, max_size=4), st.booleans())
def test_a_policy_that_names_everybody_passes(statements: list[dict[str, Any]], alone: bool) -> None:  # noqa: FBT001
    document = {"Statement": statements[0] if alone else statements}
    assert list(document_faults(document, NAMED)) == []


@given(st.lists(right_statements(), max_size=3), wrong_statements(), st.integers(0, 3))
def test_one_statement_that_lets_in_others_is_found_among_good_ones(
    statements: list[dict[str, Any]], wrong: dict[str, Any], place: int
) -> None:
    document = {"Statement": [*statements[:place], wrong, *statements[place:]]}
    assert list(document_faults(document, NAMED)) != []


@given(right_statements())
def test_a_policy_for_one_account_is_refused_for_another(statement: dict[str, Any]) -> None:
    assert list(document_faults({"Statement": statement}, {STRANGER})) != []


@given(wrong_statements())
def test_what_denies_opens_nothing(statement: dict[str, Any]) -> None:
    assert list(document_faults({"Statement": [{**statement, "Effect": "Deny"}]}, NAMED)) == []


@pytest.mark.parametrize("document", [{}, {"Statement": None}, {"Statement": "all"}, {"Statement": [1]}])
def test_a_policy_that_cannot_be_read_is_refused(document: dict[str, Any]) -> None:
    assert list(document_faults(document, NAMED)) != []


PROVIDER = "token.actions.githubusercontent.com"
SUBJECTS = st.sampled_from(
    ["repo:{0}/{1}:ref:refs/heads/main", "repo:{0}/{1}:*", "repo:{0}/*", "org/{0}/project/{1}/?"]
)


def trust(condition: object, account: str = OWN) -> dict[str, Any]:
    """Return the trust of a role in the tokens of an account's own provider."""
    federated = f"arn:aws:iam::{account}:oidc-provider/{PROVIDER}"
    statement = {"Effect": "Allow", "Principal": {"Federated": federated}, "Condition": condition}
    return {"Statement": [{**statement, "Action": "sts:AssumeRoleWithWebIdentity"}]}


@given(own_accounts, SUBJECTS, names, names, st.booleans())
def test_a_trust_in_tokens_passes_when_it_says_whose(
    account: str,
    subject: str,
    owner: str,
    repository: str,
    alone: bool,  # noqa: FBT001 - drawn
) -> None:
    value = subject.format(owner, repository)
    condition = {
        "StringEquals": {f"{PROVIDER}:aud": "sts.amazonaws.com"},
        "StringLike": {f"{PROVIDER}:sub": value if alone else [value]},
    }
    assert list(document_faults(trust(condition, account), NAMED)) == []
    assert list(document_faults(trust(condition, STRANGER), NAMED)) != []


EVERY_SUBJECT = ["*", "?*", "**", "repo:*", "repo:?*", "re*", "repo:*/x", "*:main", "repo:octo*", "::*", "repo:/*", ""]


@pytest.mark.parametrize("audience", [{}, {"aud": "sts.amazonaws.com"}])
@pytest.mark.parametrize(
    "subjects",
    [
        None,
        {},
        *({"StringLike": one} for one in EVERY_SUBJECT),
        *({"StringLike": ["repo:a/b:*", one]} for one in EVERY_SUBJECT),
        {"StringLike": []},
        {"StringLike": [None]},
        {"StringEquals": f"${{{PROVIDER}:sub}}"},
        {"StringLike": f"repo:a/b:${{{PROVIDER}:sub}}"},
        {"StringLikeIfExists": "repo:a/b:*"},
        {"StringEqualsIfExists": "repo:a/b:main"},
        {"ForAllValues:StringEquals": "repo:a/b:main"},
        {"StringNotEquals": "repo:a/b:main"},
        {"StringNotLike": "repo:a/b:*"},
        {"Null": "false"},
    ],
)
def test_a_trust_in_everybodys_tokens_is_refused(subjects: dict[str, Any] | None, audience: dict[str, str]) -> None:
    condition = {operator: {f"{PROVIDER}:sub": value} for operator, value in (subjects or {}).items()}
    condition.setdefault("StringEquals", {}).update({f"{PROVIDER}:{key}": value for key, value in audience.items()})
    assert list(document_faults(trust(condition), NAMED)) != []


def escaped(text: str, places: set[int]) -> str:
    return "".join(f"\\u{ord(one):04x}" if place in places else one for place, one in enumerate(text))


@given(wrong_statements(), st.sets(st.integers(0, 8)), st.sampled_from(["Statement", "statement", "STATEMENT"]))
def test_a_policy_is_found_however_its_keys_are_written(statement: dict[str, Any], places: set[int], key: str) -> None:
    policy = f'{{"{escaped(key, places)}": [{json.dumps(statement)}]}}'
    assert exposures(plan_with("aws_sqs_queue_policy", {"policy": policy}, {}), NAMED) != []


@given(right_statements(), wrong_statements(), st.booleans(), st.sets(st.integers(0, 8)))
def test_a_policy_that_has_its_statements_twice_is_refused(
    right: dict[str, Any],
    wrong: dict[str, Any],
    right_first: bool,  # noqa: FBT001 - drawn
    places: set[int],
) -> None:
    first, second = (right, wrong) if right_first else (wrong, right)
    policy = f'{{"Statement": [{json.dumps(first)}], "{escaped("Statement", places)}": [{json.dumps(second)}]}}'
    assert exposures(plan_with("aws_sqs_queue_policy", {"policy": policy}, {}), NAMED) != []
    twice = f'{{"Statement": [{{"Principal": "*", {json.dumps(right)[1:]}]}}'
    assert exposures(plan_with("aws_sqs_queue_policy", {"policy": twice}, {}), NAMED) != []


@given(right_statements(), st.sampled_from(["notaction", "NOTPRINCIPAL", "notPrincipal"]))
def test_what_allows_all_but_something_is_refused_in_any_letters(statement: dict[str, Any], key: str) -> None:
    assert list(document_faults({"Statement": {**statement, key: "sns:Publish"}}, NAMED)) != []


@pytest.mark.parametrize(
    "value", ["", "a statement", "{}", '{"States": {}}', '["Statements"]', "\\u0053tatement", None, 7]
)
def test_what_is_no_policy_is_taken_for_none(value: object) -> None:
    assert list(documents(value)) == []


@given(
    st.one_of(
        st.tuples(services, own_accounts, names).map(
            lambda one: {"principal": f"{one[0]}.amazonaws.com", "source_arn": arn(one[1], one[2], one[0])}
        ),
        st.tuples(own_accounts, names).map(
            lambda one: {
                "principal": "s3.amazonaws.com",
                "source_arn": f"arn:aws:s3:::{one[1]}",
                "source_account": one[0],
            }
        ),
        own_accounts.map(lambda account: {"principal": account}),
        st.tuples(own_accounts, names).map(lambda one: {"principal": f"arn:aws:iam::{one[0]}:role/{one[1]}"}),
        own_accounts.map(
            lambda account: {
                "principal": "apigateway.amazonaws.com",
                "source_arn": UNKNOWN,
                "source_account": account,
            }
        ),
    )
)
def test_a_permission_that_names_the_account_passes(values: dict[str, Any]) -> None:
    assert list(permission_faults(values, NAMED)) == []


@given(
    st.sampled_from(["principal", "source_arn", "source_account"]),
    st.sampled_from(
        [
            "*",
            None,
            "",
            STRANGER,
            UNKNOWN,
            "arn:aws:s3:::bucket",
            f"arn:aws:iam::{STRANGER}:root",
            "lambda",
            "arn:::::",
            7,
        ]
    ),
)
def test_a_permission_that_is_spoilt_is_refused(name: str, value: object) -> None:
    right = {"principal": "sns.amazonaws.com", "source_arn": arn(OWN, "t"), "source_account": None}
    if (name, value) != ("source_account", None):
        assert list(permission_faults({**right, name: value}, NAMED)) != []


@given(st.lists(names, min_size=6, max_size=6), st.integers(0, 4), st.sampled_from("*?"))
def test_an_arn_with_a_wildcard_before_its_name_names_no_account(parts: list[str], place: int, wildcard: str) -> None:
    parts[0], parts[4] = "arn", OWN
    assert account_of(":".join(parts)) == OWN
    parts[place] = parts[place][:-1] + wildcard
    assert account_of(":".join(parts)) == ""


def test_an_unknown_source_is_followed_to_what_the_plan_makes() -> None:
    resource = {
        "address": "aws_lambda_permission.trigger",
        "expressions": {"source_arn": {"references": ["each.value.source_arn", "each.value"]}},
        "for_each_expression": {"references": ["var.triggers"]},
    }

    def configured(reference: str, attribute: str) -> Configuration:
        api = {
            "outputs": {"source_arn": {"expression": {"references": [f"{attribute}", attribute.rpartition(".")[0]]}}}
        }
        function = {"resources": [resource]}
        call = {"module": function, "expressions": {"triggers": {"references": [reference, "module.api"]}}}
        app = {"module_calls": {"function": call, "api": {"module": api}}}
        return Configuration({"module_calls": {"app": {"module": app}}})

    address = 'module.app.module.function.aws_lambda_permission.trigger["api"]'
    made = configured("module.api.source_arn", "aws_apigatewayv2_api.this.execution_arn")
    assert made.is_an_arn_of_the_plan(address, "source_arn")
    for other in (
        configured("module.api.source_arn", "aws_s3_bucket.this.arn"),
        configured("module.api.source_arn", "data.aws_sns_topic.theirs.arn"),
        configured("module.api.source_arn", "aws_apigatewayv2_api.this.id"),
        configured("var.arn", "aws_apigatewayv2_api.this.execution_arn"),
        configured("module.api.nothing", "aws_apigatewayv2_api.this.execution_arn"),
        Configuration({}),
    ):
        assert not other.is_an_arn_of_the_plan(address, "source_arn")


@given(
    wrong_statements(), st.sampled_from(["aws_sqs_queue_policy", "aws_kms_key", "aws_s3_bucket_policy", "aws_thing"])
)
def test_a_policy_is_found_in_whatever_resource_has_it(statement: dict[str, Any], kind: str) -> None:
    policy = json.dumps({"Statement": [statement]})
    for values in ({"policy": policy}, {"settings": [{"inner": policy}]}):
        plan = plan_with(kind, values, {})
        assert [exposure.address for exposure in exposures(plan, NAMED)][:1] == [f"{kind}.this"]


def test_a_policy_that_a_plan_does_not_show_is_refused_when_the_configuration_writes_it() -> None:
    unknown = {"policy": True}
    written = plan_with("aws_sns_topic_policy", {}, unknown, {"policy": {"references": ["aws_sns_topic.this.arn"]}})
    assert [str(exposure) for exposure in exposures(written, NAMED)] == [
        "aws_sns_topic_policy.this: policy is known only after the apply; build it from names, so that a plan shows it"
    ]
    assert exposures(plan_with("aws_sns_topic", {}, unknown), NAMED) == []


def plan_with(
    kind: str, values: dict[str, Any], unknown: dict[str, Any], expressions: dict[str, Any] | None = None
) -> Plan:
    change = {"actions": ["create"], "after": values, "after_unknown": unknown}
    resource = {"address": f"{kind}.this", "expressions": expressions or {}}
    return Plan(
        {
            "resource_changes": [{"address": f"{kind}.this", "mode": "managed", "type": kind, "change": change}],
            "configuration": {"root_module": {"resources": [resource]}},
        }
    )

"""One alarm is sent through to those who hear it, set back whatever happens, and nothing is said that was not seen."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from sawhorse.errors import CouldNotAsk
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Running
from sawhorse.operate.alarms import A_TEST, EMULATED, Sent, send_through, shown
from sawhorse.terraform.state import Snapshot
from sawhorse.terraform.state_store import State
from tests.ringing import put_alarm

ROOT = "dev/shop"
METRIC, COMPOSITE = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"


class Account(NamedTuple):
    """The local AWS, a topic of its own, and a state that names alarms."""

    client: Callable[[str], Any]
    topic: str
    resources: list[dict[str, Any]]

    def metric(self, name: str, *, tells: bool = True) -> str:
        found = f"{name}-{uuid.uuid4().hex[:8]}"
        put_alarm(self.client("cloudwatch"), found, AlarmActions=[self.topic] if tells else [])
        return self.known(METRIC, found)

    def composite(self, *parts: str) -> str:
        found = f"failing-{uuid.uuid4().hex[:8]}"
        rule = " OR ".join(f'ALARM("{part}")' for part in parts)
        self.client("cloudwatch").put_composite_alarm(AlarmName=found, AlarmRule=rule, AlarmActions=[self.topic])
        return self.known(COMPOSITE, found)

    def known(self, kind: str, name: str) -> str:
        self.resources.append({"type": kind, "address": f"{kind}.{name}", "values": {"alarm_name": name}})
        return name

    def queue(self) -> str:
        """Subscribe a queue to the topic, and return its address."""
        name = f"heard-{uuid.uuid4().hex[:8]}"
        url = str(self.client("sqs").create_queue(QueueName=name)["QueueUrl"])
        arn = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        let_in = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**let_in, "Resource": arn}]})
        self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        self.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        return url

    def send(self, **more: Any) -> Sent:
        state = State(Snapshot("", 1, tuple(self.resources)), {})
        return send_through(
            ROOT, state, more.pop("client", self.client), **{"account": self.client, "sleep": lambda _: None, **more}
        )

    def state_of(self, name: str) -> str:
        kinds = ["MetricAlarm", "CompositeAlarm"]
        found = self.client("cloudwatch").describe_alarms(AlarmNames=[name], AlarmTypes=kinds)
        states: list[str] = [
            alarm["StateValue"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in found[kind]
        ]
        [state] = states
        return state


@pytest.fixture
def account(local_aws: Running) -> Account:
    def client(service: str) -> Any:
        return local_client(service, local_aws.environment())

    topic = client("sns").create_topic(Name=f"alarms-{uuid.uuid4().hex[:8]}")["TopicArn"]
    return Account(client, topic, [])


def test_a_composite_is_sent_before_all_others_and_whoever_is_subscribed_gets_it(account: Account) -> None:
    account.metric("first")
    part = account.metric("part", tells=False)
    composite, url = account.composite(part), account.queue()

    sent = account.send()

    assert (sent.passed, sent.alarm, sent.findings, sent.notes) == (True, composite, [], [EMULATED])
    [subscriber] = sent.subscribers
    assert (subscriber.protocol, subscriber.confirmed) == ("sqs", True)
    [received] = account.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    message = json.loads(json.loads(received["Body"])["Message"])
    assert (message["AlarmName"], message["NewStateValue"], message["NewStateReason"]) == (composite, "ALARM", A_TEST)
    assert account.state_of(composite) == "OK"
    history = account.client("cloudwatch").describe_alarm_history(AlarmName=composite)["AlarmHistoryItems"]
    assert sorted(item["HistorySummary"] for item in history) == ["Alarm updated to ALARM", "Alarm updated to OK"]
    assert [line for line in sent.sentences() if "was told" in line] == [
        f"sqs {subscriber.endpoint} ({subscriber.topic}): was told."
    ]


def test_nothing_is_set_where_nobody_is_subscribed(account: Account) -> None:
    alarm = account.metric("alone")

    sent = account.send()

    assert not sent.passed
    [finding] = sent.findings
    assert finding.startswith(f"Nobody hears {alarm}: ")
    assert "environments/dev/environment.yaml" in finding
    assert account.client("cloudwatch").describe_alarm_history(AlarmName=alarm)["AlarmHistoryItems"] == []
    assert [line for line in sent.sentences() if "was told" in line or "was set" in line] == []


def pending(address: str) -> dict[str, str]:
    return {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": address, "TopicArn": "t"}


class Between:
    """A client that adds to what the local AWS says, as AWS would say it, or fails a call."""

    def __init__(self, account: Account, **said: Any) -> None:
        self.account = account
        self.said = said
        self.calls: list[str] = []

    def __call__(self, service: str) -> Any:
        client, between = self.account.client(service), self

        class Wrapped:
            def __getattr__(self, name: str) -> Any:
                between.calls.append(name)
                if service == "sns" and name == "get_paginator" and "subscriptions" in between.said:
                    return lambda _: self
                return between.said.get(name, getattr(client, name, None))

            def paginate(self, **_: Any) -> Iterator[Any]:
                yield {"Subscriptions": between.said["subscriptions"]}

        return Wrapped()


def test_a_subscription_that_nobody_confirmed_hears_nothing(account: Account) -> None:
    alarm = account.metric("alone")

    sent = account.send(client=Between(account, subscriptions=[pending("a@example.com")]))

    [finding] = sent.findings
    assert f"Nobody hears {alarm}: no subscription of" in finding
    assert "(email a@example.com)" in finding
    assert account.state_of(alarm) == "OK"


def test_one_of_two_that_did_not_confirm_is_named_and_the_other_is_told(account: Account) -> None:
    alarm = account.metric("alone")
    confirmed = {**pending("b@example.com"), "SubscriptionArn": f"{account.topic}:1"}

    between = Between(account, subscriptions=[pending("a@example.com"), confirmed])
    sent = account.send(client=between)

    [finding] = sent.findings
    assert finding.startswith("email a@example.com hears nothing of ")
    assert sent.notes == [EMULATED]
    # What CloudWatch does on AWS is not asked of whoever tests.
    assert "publish" not in between.calls
    # It did not pass, and all the same the alarm was set and one of them was told.
    said = list(sent.sentences())
    assert f"{alarm} was set to ALARM and back." in said
    assert [line.rpartition(": ")[2] for line in said if line.startswith("email") and "hears" not in line] == [
        *("NOT confirmed.", "was told."),
    ]


def heard_on_aws(account: Account, *summaries: str) -> Between:
    items = {"AlarmHistoryItems": [{"HistorySummary": summary} for summary in summaries]}
    return Between(account, describe_alarm_history=lambda **_: items)


def test_on_aws_the_history_says_whether_the_topic_was_told(account: Account) -> None:
    alarm, _ = account.metric("alone"), account.queue()
    between = heard_on_aws(account, f"Successfully executed action {account.topic}")

    sent = account.send(client=between, account=None)

    assert (sent.passed, sent.alarm) == (True, alarm)
    assert sent.actions == [f"CloudWatch: Successfully executed action {account.topic}."]
    # Nothing is written but the alarm's state.
    reads = ("describe_", "list_", "get_")
    assert {call for call in between.calls if not call.startswith(reads)} == {"set_alarm_state"}


@pytest.mark.parametrize(
    ("summaries", "sentence"),
    [((), "CloudWatch says nothing of telling"), (("Failed to execute action {topic}",), "CloudWatch could not tell")],
)
def test_on_aws_a_topic_that_was_not_told_is_a_finding(
    account: Account, summaries: tuple[str, ...], sentence: str
) -> None:
    alarm, _ = account.metric("alone"), account.queue()
    said = [summary.format(topic=account.topic) for summary in summaries]

    sent = account.send(client=heard_on_aws(account, *said), account=None)

    [finding] = sent.findings
    assert finding.startswith(sentence)
    assert f"{alarm} was set to ALARM and back." in sent.sentences()
    assert not [line for line in sent.sentences() if "was told" in line]
    assert account.state_of(alarm) == "OK"


def test_an_alarm_that_is_red_is_left_alone_and_the_next_one_is_sent(account: Account) -> None:
    first, second, _ = account.metric("first"), account.metric("second"), account.queue()
    cloudwatch = account.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=first, StateValue="ALARM", StateReason="It is so.")

    assert account.send().alarm == second
    assert account.state_of(first) == "ALARM"

    cloudwatch.set_alarm_state(AlarmName=second, StateValue="ALARM", StateReason="It is so.")
    sent = account.send()
    assert (sent.alarm, sent.findings) == (
        None,
        [f"Every alarm of {ROOT} that tells somebody is red now, so none can be set to it."],
    )


def test_actions_that_are_off_are_a_finding_though_another_alarm_is_sent(account: Account) -> None:
    off, on, _ = account.metric("off"), account.metric("on"), account.queue()
    account.client("cloudwatch").disable_alarm_actions(AlarmNames=[off])

    sent = account.send()

    assert sent.alarm == on
    [finding] = sent.findings
    assert finding.startswith(f"The actions of {off} are turned off")


def test_alarms_that_tell_no_topic_are_a_finding(account: Account) -> None:
    account.metric("quiet", tells=False)
    assert account.send().findings == [f"No alarm of {ROOT} has a topic that it tells, so there is nothing to test."]


def test_an_alarm_that_is_gone_is_said_and_none_is_set(account: Account) -> None:
    there, _ = account.metric("there"), account.queue()
    account.known(METRIC, "gone")
    with pytest.raises(CouldNotAsk, match=r"^gone of dev/shop is gone; .sawhorse apply dev/shop --local. makes such"):
        account.send()
    assert account.client("cloudwatch").describe_alarm_history(AlarmName=there)["AlarmHistoryItems"] == []


def test_an_alarm_is_set_back_after_an_interrupt(account: Account) -> None:
    alarm, _ = account.metric("alone"), account.queue()

    def interrupted(_: float) -> None:
        assert account.state_of(alarm) == "ALARM"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        account.send(account=None, sleep=interrupted)
    assert account.state_of(alarm) == "OK"


def test_an_alarm_that_could_not_be_set_back_is_said_with_the_command(account: Account) -> None:
    alarm, _ = account.metric("alone"), account.queue()
    real = account.client("cloudwatch").set_alarm_state

    def expired(**words: Any) -> Any:
        if words["StateValue"] == "OK":
            raise ClientError({"Error": {"Code": "ExpiredToken", "Message": "It expired."}}, "SetAlarmState")
        return real(**words)

    with pytest.raises(CouldNotAsk, match=rf"could not be set back .*--alarm-name {alarm} --state-value OK"):
        account.send(client=Between(account, set_alarm_state=expired))


def test_the_address_of_a_page_is_shown_without_what_may_be_secret() -> None:
    assert shown("https://hooks.example.com/services/hunter2?key=hunter2") == "https://hooks.example.com"
    assert shown("a@example.com") == "a@example.com"

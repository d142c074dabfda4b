"""Send one alarm of a root through, and say who was told, as far as that can be known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from sawhorse.errors import CouldNotAsk
from sawhorse.operate.releases.applied import values_of
from sawhorse.terraform.state_store import State

# As a root's state and the calls name them, those first that tell of most: (type, AlarmTypes, member of the response).
KINDS = (
    ("aws_cloudwatch_composite_alarm", "CompositeAlarm", "CompositeAlarms"),
    ("aws_cloudwatch_metric_alarm", "MetricAlarm", "MetricAlarms"),
)
# Most names that one call takes
# (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html).
MOST_NAMES = 100
ALARM, OK = "ALARM", "OK"
A_TEST = "This is a test, sent by `sawhorse smoke --alarms`: nothing is wrong."
TEST_OVER = "The test sent by `sawhorse smoke --alarms` is over."
# What SNS says in place of an ARN, https://docs.aws.amazon.com/sns/latest/api/API_Subscription.html.
PENDING, DELETED = "PendingConfirmation", "Deleted"
# How CloudWatch begins an item of an alarm's history that tells of an action.
CARRIED_OUT = "Successfully executed action"
HISTORY_SECONDS = 30
# What this machine's clock may be ahead of CloudWatch's; a test of a minute ago would count as this one.
CLOCKS_DIFFER = 5
EMULATED = (
    "The local AWS keeps an alarm's state and tells nobody: the message was published to the topic here, in "
    "CloudWatch's place. Its SNS hands it to queues and functions; no e-mail leaves this machine."
)


@dataclass(frozen=True)
class Subscriber:
    """Who gets what a topic is sent: a protocol, an endpoint without what may be secret in it, and how it stands."""

    topic: str
    protocol: str
    endpoint: str
    confirmed: bool


@dataclass
class Sent:
    """What became of a test: the alarm, who was told, what CloudWatch says of its actions, and what is wrong.

    `was_set` says whether the alarm was set and set back, `told` names the topics that were told of it.
    """

    root: str
    alarm: str | None = None
    subscribers: list[Subscriber] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    was_set: bool = False
    told: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, **asdict(self)}

    def sentences(self) -> Iterator[str]:
        """Walk what is said to people, in the order in which it happened."""
        if self.was_set:
            yield f"{self.alarm} was set to ALARM and back."
        for one in self.subscribers:
            how = "was told" if one.topic in self.told else "confirmed"
            how = how if one.confirmed else "NOT confirmed"
            yield f"{one.protocol} {one.endpoint} ({one.topic}): {how}."
        yield from self.actions
        yield from self.notes
        yield from self.findings


def send_through(
    root: str,
    state: State,
    client: Callable[[str], Any],
    *,
    account: Callable[[str], Any] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Sent:
    """Set one alarm of a root, as its state has them, to ALARM and back, and say who was told.

    It is the first that tells somebody and is not red now, a composite before all others. Nothing is set where nobody
    would hear it. It needs `cloudwatch:SetAlarmState`; all else is read.
    `account` makes clients of the local AWS's own account, which publishes in CloudWatch's place there; None on AWS.
    Raises CouldNotAsk where an alarm is gone or could not be set back, and what boto3 raises where nobody responds.
    """
    sent, cloudwatch, local = Sent(root), client("cloudwatch"), account is not None
    alarm = chosen(sent, alarms_of(root, state, cloudwatch, local=local))
    if alarm is None:
        return sent
    sent.alarm = alarm["AlarmName"]
    topics = [arn for arn in alarm["AlarmActions"] if arn.split(":")[2] == "sns"]
    sent.subscribers.extend(one for arn in topics for one in subscribers_of(client("sns"), arn))
    if not any(one.confirmed for one in sent.subscribers):
        sent.findings.append(nobody(sent, topics))
        return sent
    sent.findings.extend(
        f"{one.protocol} {one.endpoint} hears nothing of {one.topic}: the subscription was never confirmed. Follow the "
        "link in the message that SNS sent."
        for one in sent.subscribers
        if not one.confirmed
    )
    cloudwatch.set_alarm_state(AlarmName=sent.alarm, StateValue=ALARM, StateReason=A_TEST)
    try:
        if account:
            publish(account("sns"), topics, alarm)
            sent.told.extend(topic.split(":")[5] for topic in topics)
            sent.notes.append(EMULATED)
        else:
            sent.actions.extend(carried_out(cloudwatch, sent, topics, sleep))
    finally:
        set_back(cloudwatch, alarm)
    sent.was_set = True
    return sent


def set_back(cloudwatch: Any, alarm: Mapping[str, Any]) -> None:
    """Set an alarm to what it was: a composite that was set stays so until something that it names changes."""
    name, state = alarm["AlarmName"], alarm["StateValue"]
    try:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=TEST_OVER)
    except (BotoCoreError, ClientError) as error:
        raise CouldNotAsk(
            f"{name} was set to ALARM for the test and could not be set back ({error}). Set it back: aws cloudwatch "
            f'set-alarm-state --alarm-name {name} --state-value {state} --state-reason "The test is over."'
        ) from error


def alarms_of(root: str, state: State, cloudwatch: Any, *, local: bool) -> list[Mapping[str, Any]]:
    """Return the alarms of a root as they are now, composites first, in the order of its state.

    Raises CouldNotAsk where one is gone, which a test of another one would hide.
    """
    found: list[Mapping[str, Any]] = []
    for kind, called, member in KINDS:
        names = [values["alarm_name"] for _, values in values_of(state, kind)]
        described: dict[str, Mapping[str, Any]] = {}
        for first in range(0, len(names), MOST_NAMES):
            asked = {"AlarmNames": names[first : first + MOST_NAMES], "AlarmTypes": [called], "MaxRecords": MOST_NAMES}
            described |= {alarm["AlarmName"]: alarm for alarm in cloudwatch.describe_alarms(**asked)[member]}
        gone = [name for name in names if name not in described]
        if gone:
            others = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
            raise CouldNotAsk(
                f'{gone[0]}{others} of {root} is gone; "sawhorse apply {root}{" --local" if local else ""}" makes such '
                "an alarm again. None was set."
            )
        found += [described[name] for name in names]
    return found


def chosen(sent: Sent, alarms: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Choose the alarm that is sent through; None, with what is wrong, where there is none that can be."""
    telling = [alarm for alarm in alarms if any(arn.split(":")[2] == "sns" for arn in alarm.get("AlarmActions", []))]
    for alarm in telling:
        if not alarm["ActionsEnabled"]:
            sent.findings.append(
                f"The actions of {alarm['AlarmName']} are turned off, so that it tells nobody. Turn them on: aws "
                f"cloudwatch enable-alarm-actions --alarm-names {alarm['AlarmName']}"
            )
    able = [alarm for alarm in telling if alarm["ActionsEnabled"]]
    quiet = [alarm for alarm in able if alarm["StateValue"] != ALARM]
    if not telling:
        sent.findings.append(f"No alarm of {sent.root} has a topic that it tells, so there is nothing to test.")
    elif able and not quiet:
        sent.findings.append(f"Every alarm of {sent.root} that tells somebody is red now, so none can be set to it.")
    return quiet[0] if quiet else None


def subscribers_of(sns: Any, topic: str) -> Iterator[Subscriber]:
    """Walk who is subscribed to a topic."""
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
        for one in page["Subscriptions"]:
            if one["SubscriptionArn"] != DELETED:
                confirmed = one["SubscriptionArn"] != PENDING
                yield Subscriber(topic.split(":")[5], one["Protocol"], shown(one["Endpoint"]), confirmed)


def shown(endpoint: str) -> str:
    """Return an endpoint without what may be a secret: of an http address only where it is."""
    if not endpoint.startswith(("http://", "https://")):
        return endpoint
    address = urlsplit(endpoint)
    return f"{address.scheme}://{address.hostname}"


def nobody(sent: Sent, topics: Iterable[str]) -> str:
    """Say that nobody would be told, and what to do."""
    names = ", ".join(topic.split(":")[5] for topic in topics)
    if sent.subscribers:
        waiting = ", ".join(f"{one.protocol} {one.endpoint}" for one in sent.subscribers)
        return (
            f"Nobody hears {sent.alarm}: no subscription of {names} was ever confirmed ({waiting}). Follow the link in "
            "the message that SNS sent. The alarm was not set."
        )
    environment = sent.root.partition("/")[0]
    return (
        f"Nobody hears {sent.alarm}: {names} has no subscription. Write alarm_email: into "
        f"environments/{environment}/environment.yaml and apply, or subscribe somebody: aws sns subscribe. The alarm "
        "was not set."
    )


def publish(sns: Any, topics: Iterable[str], alarm: Mapping[str, Any]) -> None:
    """Publish what CloudWatch would tell: a subject and a text in JSON with the members of its notification."""
    message = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "NewStateValue": ALARM,
        "NewStateReason": A_TEST,
        "OldStateValue": alarm["StateValue"],
        "AlarmArn": alarm["AlarmArn"],
    }
    for topic in topics:
        sns.publish(TopicArn=topic, Subject=f'ALARM: "{alarm["AlarmName"]}"'[:100], Message=json.dumps(message))


def carried_out(cloudwatch: Any, sent: Sent, topics: list[str], sleep: Callable[[float], None]) -> Iterator[str]:
    """Walk what CloudWatch's history says of each topic, waiting for it; what failed, or is not said, is a finding."""
    words = {"AlarmName": sent.alarm, "AlarmTypes": [kind for _, kind, _ in KINDS], "HistoryItemType": "Action"}
    since, said = datetime.now(UTC) - timedelta(seconds=CLOCKS_DIFFER), list[str]()
    for _ in range(HISTORY_SECONDS):
        sleep(1)
        items = cloudwatch.describe_alarm_history(**words, StartDate=since)["AlarmHistoryItems"]
        said = [item["HistorySummary"] for item in items]
        if all(any(topic in summary for summary in said) for topic in topics):
            break
    for topic in topics:
        told, name = [summary for summary in said if topic in summary], topic.split(":")[5]
        yield from (f"CloudWatch: {summary}." for summary in told)
        if not told:
            sent.findings.append(
                f"CloudWatch says nothing of telling {name} after {HISTORY_SECONDS} s. Look again: aws cloudwatch "
                f"describe-alarm-history --alarm-name {sent.alarm} --history-item-type Action"
            )
        elif any(summary.startswith(CARRIED_OUT) for summary in told):
            sent.told.append(name)
        else:
            sent.findings.append(
                f"CloudWatch could not tell {name}. Its policy has to let cloudwatch.amazonaws.com publish: aws sns "
                f"get-topic-attributes --topic-arn {topic}"
            )

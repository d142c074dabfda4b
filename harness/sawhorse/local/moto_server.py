"""Start moto behind a guard, with the responses that it lacks: tags of scalable targets, and composite alarms.

The AWS provider asks for a scalable target's tags and tries again for minutes when nobody knows them (moto 5.2.5). Of
composite alarms moto 5.2.5 can tell, and has no call that makes one; nor has it the history of an alarm.
Run as `moto_server.py SECRETS SOCKET`: the file of this start, and the number of the socket to listen on.
"""

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from moto.applicationautoscaling import responses
from moto.cloudwatch import responses as cloudwatch_responses
from moto.cloudwatch.exceptions import ValidationError
from moto.core.responses import ActionResult, EmptyResult
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

# This file's directory is no place to import from.
sys.path[0] = str(Path(__file__).resolve().parents[2])
from sawhorse.local import composite_alarms  # noqa: E402
from sawhorse.local import guard as guarding  # noqa: E402


class TaggedResponse(responses.ApplicationAutoScalingResponse):  # type: ignore[misc] # moto lies in another environment
    """Application Auto Scaling that remembers the tags of its targets."""

    # Moto makes one response object a request.
    tags_by_arn: ClassVar[dict[str, dict[str, str]]] = {}

    def register_scalable_target(self) -> str:
        response: str = super().register_scalable_target()
        self._tags_of(json.loads(response)["ScalableTargetARN"]).update(self._get_param("Tags") or {})
        return response

    def list_tags_for_resource(self) -> str:
        return json.dumps({"Tags": self._tags_of(self._get_param("ResourceARN"))})

    def tag_resource(self) -> str:
        self._tags_of(self._get_param("ResourceARN")).update(self._get_param("Tags") or {})
        return "{}"

    def untag_resource(self) -> str:
        for key in self._get_param("TagKeys") or []:
            self._tags_of(self._get_param("ResourceARN")).pop(key, None)
        return "{}"

    def _tags_of(self, arn: str) -> dict[str, str]:
        return self.tags_by_arn.setdefault(arn, {})


class ComposedResponse(cloudwatch_responses.CloudWatchResponse):  # type: ignore[misc] # moto lies in another environment
    """CloudWatch with composite alarms that follow what they name, and histories of states; nobody is told anything."""

    def put_composite_alarm(self) -> Any:
        unknown = sorted(rule_of(self._get_param("AlarmRule")).names - self.cloudwatch_backend.alarms.keys())
        if unknown:
            raise ValidationError(
                f"Could not save the composite alarm as alarms [{', '.join(unknown)}] in the alarm rule do not exist"
            )
        super().put_metric_alarm()
        self._follow(self._get_param("AlarmName"))
        return EmptyResult()

    def describe_alarms(self) -> Any:
        # AWS tells of metric alarms alone, unless it is asked for others.
        types = self._get_param("AlarmTypes", []) or ["MetricAlarm"]
        said = super().describe_alarms().result
        kinds = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}
        return ActionResult({plural: list(said[plural]) if kind in types else [] for kind, plural in kinds.items()})

    def delete_alarms(self) -> Any:
        names = set(self._get_param("AlarmNames", []))
        staying = [alarm for alarm in self.cloudwatch_backend.alarms.values() if alarm.name not in names]
        named = {name for alarm in staying if alarm.rule is not None for name in rule_of(alarm.rule).names}
        if names & named:
            which, them = ", ".join(sorted(names & named)), "it" if len(names & named) == 1 else "them"
            raise ValidationError(f"Cannot delete {which} as there are composite alarm(s) depending on {them}.")
        return super().delete_alarms()

    def set_alarm_state(self) -> Any:
        response = super().set_alarm_state()
        # A composite that was set itself stays so until something that it names changes, as in AWS.
        self._follow_those_that_name(self._get_param("AlarmName"))
        return response

    def describe_alarm_history(self) -> Any:
        name, kind = self._get_param("AlarmName"), self._get_param("HistoryItemType")
        items = [
            {
                "AlarmName": alarm.name,
                "AlarmType": "MetricAlarm" if alarm.rule is None else "CompositeAlarm",
                "Timestamp": timestamp,
                "HistoryItemType": what,
                "HistorySummary": f"Alarm updated to {state}",
                "HistoryData": json.dumps({"stateReason": reason}),
            }
            for alarm in self.cloudwatch_backend.alarms.values()
            if name in {None, alarm.name}
            for what, reason, state, timestamp in changes_of(alarm)
            if kind in {None, what}
        ]
        return ActionResult({"AlarmHistoryItems": sorted(items, key=lambda item: item["Timestamp"], reverse=True)})

    def _follow_those_that_name(self, changed: str) -> None:
        for alarm in list(self.cloudwatch_backend.alarms.values()):
            if alarm.rule is not None and changed in rule_of(alarm.rule).names:
                self._follow(alarm.name)

    def _follow(self, name: str) -> None:
        """Set a composite alarm to what its rule makes of the alarms that it names, and those that name it."""
        alarms = self.cloudwatch_backend.alarms
        states = {one.name: one.state_value for one in alarms.values()}
        rule = alarms[name].rule
        wanted = "ALARM" if rule_of(rule).holds(states) else "OK"
        if states[name] != wanted:
            alarms[name].update_state(f"{rule} is {str(wanted == 'ALARM').lower()}", "{}", wanted)
            self._follow_those_that_name(name)


def changes_of(alarm: Any) -> list[tuple[str, str, str, Any]]:
    """Return each change of an alarm's state: what it is, why, the state since then, and since when."""
    now = (alarm.state_reason, alarm.state_value, alarm.state_updated_timestamp)
    states = [*((reason, state, since) for _, reason, _, state, since in alarm.history), now]
    return [("StateUpdate", *state) for state in states[1:]]


def rule_of(text: str) -> composite_alarms.Rule:
    try:
        return composite_alarms.read_rule(text)
    except composite_alarms.BadRule as error:
        raise ValidationError(f"AlarmRule is not valid: {error}.") from error


def secret_of(held: guarding.Secrets) -> Callable[[str, str], str | None]:
    """Return what gives the secret of an account's own key, or of a role's session that MiniStack issued."""
    account = guarding.Guard("moto", 0, held).secret_of_account
    return lambda key, token: held.secret_of_session(key, token) if token else account(key, token)


def main() -> None:
    secrets_file, number = sys.argv[1:]
    # Moto's routes look the class up in its module when the server starts.
    responses.ApplicationAutoScalingResponse = TaggedResponse
    cloudwatch_responses.CloudWatchResponse = ComposedResponse
    listener = socket.socket(fileno=int(number))
    host, port = listener.getsockname()
    os.environ["MOTO_PORT"] = str(port)
    held = guarding.Secrets.of(Path(secrets_file))
    guard = guarding.Guard("moto", port, held, secret_of=secret_of(held), controls=("/_", "/moto-api"))
    app = guarding.guarded_wsgi(DomainDispatcherApplication(create_backend_app), guard)
    server = make_server(host, port, app, threaded=True, request_handler=MotoRequestHandler, fd=listener.detach())
    server.serve_forever()


if __name__ == "__main__":
    main()

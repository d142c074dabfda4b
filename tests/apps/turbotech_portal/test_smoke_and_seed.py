"""The seed's sample is what the specification says, and smoke asks for a token where it cannot make one."""

from collections import Counter
from pathlib import Path

import pytest

from sawhorse.environment import Environment
from sawhorse.errors import BadConfiguration
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment
from turbotech_portal.models import DeliverableChanges, MetricChanges
from turbotech_portal.ops.seed import DELIVERABLES, METRICS, calls
from turbotech_portal.ops.smoke import TOKEN_VARIABLE, is_error, suite


@pytest.fixture
def on_aws() -> Deployment:
    """A deployment on AWS, which nobody calls here."""
    root = Root(Project(Path()), "dev", "turbotech_portal")
    environment = Environment(name="dev", account_id="111111111111", region="us-east-1", production=False)
    return Deployment(root, environment, {"api_endpoint": "https://api.example.com"}, None)


def test_the_seed_has_twelve_deliverables_and_four_metrics_that_the_api_would_take() -> None:
    assert [number for number, *_ in DELIVERABLES] == list(range(1, 13))
    assert [number for number, *_ in METRICS] == [1, 2, 3, 4]
    for _, name, status, percentage, month in DELIVERABLES:
        changes = {"name": name, "status": status, "completion_percentage": percentage, "month": month}
        assert DeliverableChanges.model_validate(changes).values() == changes
    for _, name, target, value in METRICS:
        assert MetricChanges(name=name, target=target, current_value=value).values()["target"] == target
    assert Counter(month for *_, month in DELIVERABLES) == Counter(range(1, 13))


def test_smoke_on_aws_asks_for_a_token_before_it_checks_anything(
    on_aws: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)

    with pytest.raises(BadConfiguration, match=r"^PORTAL_TOKEN is not set,.*run it again; "), suite(on_aws):
        pytest.fail("It would have checked something.")


def test_smoke_on_aws_says_which_tokens_it_sends(on_aws: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "a-token")

    with suite(on_aws) as checks:
        names = [check.name for check in checks]

    assert "a missing, malformed or forged token gets 401" in names
    assert len(names) == len(set(names)) == 15


def test_calls_on_aws_leave_the_token_to_the_shell(on_aws: Deployment) -> None:
    lines = calls(on_aws, {})

    assert lines[0] == "curl -s https://api.example.com/api/health"
    assert all('-H "Authorization: Bearer $PORTAL_TOKEN"' in line for line in lines[1:])


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ('{"level": "ERROR", "message": "The request failed"}', True),
        ('{"level": "INFO", "path": "/api/ERROR"}', False),
        ("[ERROR] Runtime.ImportModuleError: Unable to import module", True),
        ("START RequestId: 1", False),
        ('["ERROR"]', False),
    ],
)
def test_an_error_in_the_log_is_told_from_a_line_that_only_has_the_word(line: str, error: bool) -> None:  # noqa: FBT001 - a column
    assert is_error(line) == error

"""The portal as a plain process opens nothing in production."""

import pytest

from sawhorse.environment import Environment
from sawhorse.errors import BadConfiguration
from sawhorse.operate.serve import process_of
from sawhorse.project import Project, Root
from sawhorse.workspace import Deployment
from tests.projects import REPOSITORY


def test_the_portals_development_user_is_not_let_into_production() -> None:
    environment = Environment(name="live", account_id="333333333333", region="us-east-1", production=True)
    deployment = Deployment(Root(Project(REPOSITORY), "live", "turbotech_portal"), environment, {}, None)

    sentence = r"so production refuses it; name a root of an environment that says production: false\.$"
    with pytest.raises(BadConfiguration, match=sentence):
        process_of(deployment)

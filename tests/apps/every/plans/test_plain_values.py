"""No variable that the apps are given sounds like a secret."""

import re

from sawhorse.plain_values import sounds_secret
from tests.plans.test_plain_values import MOST_LETTERS
from tests.projects import REPOSITORY


def test_nothing_that_the_apps_are_given_is_refused() -> None:
    texts = [path.read_text() for path in sorted(REPOSITORY.glob("modules/apps/*/*.tf"))]
    given_names = {name for text in texts for name in re.findall(r"^ +\"?([A-Z][A-Z0-9_]+)\"? += ", text, re.MULTILINE)}
    assert len(given_names) > MOST_LETTERS
    assert [name for name in sorted(given_names) if sounds_secret(name, "hunter2")] == []

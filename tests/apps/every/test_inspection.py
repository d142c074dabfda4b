"""The packages of apps are looked into with placeholders, as a new user does it."""

from pathlib import Path

import pytest

from tests.projects import copy_of_project
from tests.unit.sawhorse.support import assert_inspected


# Those of the other three miss nothing of another kind.
@pytest.mark.parametrize("app", ["triggers_api", "fileshare"])
@pytest.mark.usefixtures("nothing_of_this_shell", "cache_of_tests")
def test_a_new_user_inspects_an_app_without_an_error(app: str, tmp_path: Path) -> None:
    """As the README's line says."""
    assert_inspected(copy_of_project(tmp_path / "project"), app)

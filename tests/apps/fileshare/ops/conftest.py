"""Fixtures of fileshare's operations: a migration, apart from this shell and from this user's cache."""

from pathlib import Path
from typing import Any

import pytest

from fileshare.settings import Tables
from tests.apps.fileshare.ops.migration_support import Migration


@pytest.fixture(autouse=True)
def _apart(nothing_of_this_shell: None, cache_of_tests: None) -> None:
    """Every test here starts from neither this shell nor this user's cache."""


@pytest.fixture
def migration(dynamodb: Any, tables: Tables, tmp_path: Path) -> Migration:
    """A file that is there no more than in name, and the tables that it goes to."""
    return Migration(dynamodb, tables, tmp_path / "old.sqlite3")

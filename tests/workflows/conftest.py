"""One repository for all tests of a file: its first deployment takes a minute, and later ones build on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sawhorse.toolchain.installed import Emulators
from tests.workflows.shown import show
from tests.workflows.support import ENVIRONMENTS, Shop, shop_at


@pytest.fixture(scope="module")
def shop(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A repository with nothing deployed."""
    with shop_at(tmp_path_factory.mktemp("shop"), ENVIRONMENTS) as found:
        yield found


@pytest.fixture(scope="module")
def dev(emulators: Emulators, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A repository whose only environment is dev, deployed."""
    with shop_at(tmp_path_factory.mktemp("dev"), ("dev",)) as found:
        run = found.push()
        found.platform.work()
        assert run.results == {"build": "success", "dev": "success", "staging": "skipped", "production": "skipped"}
        yield found


@pytest.fixture(autouse=True)
def _told_and_nothing_interferes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep what the runs of a test did for people, and let its runs, and what it did to their steps, end with it."""
    repository = next((name for name in ("shop", "dev") if name in request.fixturenames), None)
    if repository is None:
        yield
        return
    platform = request.getfixturevalue(repository).platform
    before = len(platform.runs)
    yield
    show(request.node.name, platform, platform.runs[before:])
    platform.let_nobody_interfere()
    platform.cancel_all()

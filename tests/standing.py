"""A root that several files of end-to-end tests look at, applied once for each process: a plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.end_to_end.support import Sawhorse, apply, brought_up
from tests.projects import copy_of_project


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Sawhorse]]:
    """Apply a root when it is first asked for, and leave it for later files: one project and one local AWS for all.

    For files that leave a root's resources and configuration as they found them, and keep apart by the names of what
    they make. The others have an `applied` of their own.
    """
    stands: set[str] = set()
    with brought_up(copy_of_project(tmp_path_factory.mktemp("standing") / "project")) as command:

        def stand(root: str) -> Sawhorse:
            if root not in stands:
                apply(command, root)
                stands.add(root)
            return command

        yield stand

"""What comes from elsewhere is named by its content: actions by commits, images by digests, locks by hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sawhorse.project import Project

REPOSITORY = Path(__file__).resolve().parents[3]
WORKFLOWS = [path for path in sorted((REPOSITORY / ".github").rglob("*.yml")) if path.name != "zizmor.yml"]
DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")


def values_named(name: str, content: Any) -> Iterator[Any]:
    """Walk the values of a key, however deep."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key == name:
                yield value
            yield from values_named(name, value)
    elif isinstance(content, list):
        for value in content:
            yield from values_named(name, value)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_actions_of_one_commit_and_images_of_one_digest(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    # What begins with ./ is this commit's own.
    actions = [action for action in values_named("uses", content) if not action.startswith("./")]
    assert [action for action in actions if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action)] == []
    # Renovate reads the version behind it.
    assert path.read_text().count("uses:") - path.read_text().count("uses: ./") == len(
        re.findall(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", path.read_text(), re.MULTILINE)
    )
    jobs = content.get("jobs", {}).values()
    images = [
        image for job in jobs for name in ("container", "services") for image in values_named("image", job.get(name))
    ]
    images += [job["container"] for job in jobs if isinstance(job.get("container"), str)]
    assert [image for image in images if not DIGEST.fullmatch(image)] == []
    assert [machine for machine in values_named("runs-on", content) if "latest" in machine] == []
    # An action has the permissions of the job that runs it.
    assert not jobs or content["permissions"] == {}


def test_every_lock_has_hashes() -> None:
    apps = (REPOSITORY / "lambda").glob("*/requirements.txt")
    for lock in [*apps, *Project(REPOSITORY).locks_of_tools]:
        lines = [
            line
            for line in lock.read_text().replace("\\\n", " ").splitlines()
            if line and not line.lstrip().startswith("#")
        ]
        assert lines, lock
        assert [line for line in lines if "--hash=sha256:" not in line] == [], lock

"""The benchmarks of builders run as a whole, in little: a builder builds once."""

from __future__ import annotations

from pathlib import Path

from sawhorse.toolchain import python_environments
from tests.benchmarks import builders, tables
from tests.benchmarks.builders import BEFORE, CHANGED, COLD
from tests.benchmarks.peers import Peers
from tests.benchmarks.scratch import Sources
from tests.unit.sawhorse.support import make_tiny_project


def test_a_builder_builds_a_round_and_has_its_rows(tmp_path: Path, repository: Path) -> None:
    python_environments.ensure_uv(repository)
    project = make_tiny_project(tmp_path / "project", repository=repository).path
    for name in ("lambda", "requirements"):
        for path in sorted((project / name).glob("tiny*")):
            path.rename(path.with_name(path.name.replace("tiny", "sample")))
    (project / "lambda/sample/package.toml").write_text('[functions.api]\nhandler = "sample.main.handler"\n')
    (project / "lambda/sample/routes.py").write_text("DEFAULT_LIMIT = 50\n")
    (project / "harness").symlink_to(repository / "harness")
    (project / ".venv").symlink_to(repository / ".venv")
    (project / ".sawhorse/bench").mkdir()

    wanted = builders.Wanted(
        runs=1, sources=Sources("sample", "sample/routes.py"), rows=(COLD, CHANGED), peers=(), before=project
    )
    # Nobody to measure against.
    times = builders.measure(project, Peers(*[tmp_path] * 7), wanted)

    assert {row: {name: len(runs) for name, runs in found.items()} for row, found in times.items()} == {
        row: {builders.OURS: 1, BEFORE: 1} for row in (COLD, CHANGED)
    }
    assert "| one source file changed | before / ours |" in tables.builder_tables(times, "v1")

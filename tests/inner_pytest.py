"""Run pytest within a test, on tests of the test's own and with plugins of this suite."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def run_pytest(
    directory: Path, repository: Path, plugins: Sequence[str], *options: str
) -> subprocess.CompletedProcess[str]:
    """Run the tests below a directory, which has a pytest.ini of its own."""
    named = [word for plugin in (*plugins, "no:cacheprovider") for word in ("-p", plugin)]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *named, *options],
        cwd=directory,
        env={"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )

"""Whatever the build of a source archive does, it ends with a wheel or with a sentence."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sawhorse.project import Project
from tests.unit.sawhorse.support import sawhorse, sha256, write_lock

pytestmark = pytest.mark.usefixtures("wheel_builder")
SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
BACKEND = """
import os, warnings, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "own-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        wheel.writestr("own.py", "")
        wheel.writestr("own-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: own\\nVersion: 1.0\\n")
        wheel.writestr("own-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n")
    {last}
    return name
"""


def lock_source(project: Project, files: Mapping[str, str]) -> None:
    """Lock a source archive with its own backend, which uv finds on this machine."""
    path = Path(os.environ["UV_FIND_LINKS"]) / "own-1.0.tar.gz"
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, text in {"PKG-INFO": "Metadata-Version: 2.2\nName: own\nVersion: 1.0\n", **files}.items():
            info = tarfile.TarInfo(f"own-1.0/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    write_lock(project, f"own==1.0 --hash=sha256:{sha256(path)}\n")


@pytest.mark.usefixtures("locked_wheel", "cache")
def test_what_a_backend_warns_of_is_not_repeated(tiny: Project) -> None:
    lock_source(tiny, {"pyproject.toml": SYSTEM, "backend.py": BACKEND.format(last="warnings.warn('old words')")})

    ended = sawhorse(tiny, "build")

    assert ended.code == 0, ended
    assert "old words" not in ended.out + ended.err


@pytest.mark.usefixtures("locked_wheel", "cache")
@pytest.mark.parametrize(
    ("system", "backend"),
    [
        (SYSTEM, "def build_sdist(directory, config_settings=None): ...\n"),
        (SYSTEM, BACKEND.format(last="os._exit(0)")),
        (SYSTEM, BACKEND.format(last="name = 'own.whl'")),
        (SYSTEM.replace('["."]', '[".."]'), BACKEND),
    ],
)
def test_a_backend_that_makes_no_wheel_is_refused(tiny: Project, system: str, backend: str) -> None:
    lock_source(tiny, {"pyproject.toml": system, "backend.py": backend})

    ended = sawhorse(tiny, "build")

    assert ended.code == 2, ended
    assert not ended.err.startswith("Traceback")
    assert "sawhorse: own-1.0.tar.gz (a source archive: no wheel of it fits) could not be built. Correct" in ended.err
    assert not (tiny.path / "dist/tiny.zip").exists()


@pytest.mark.usefixtures("locked_wheel", "cache")
def test_a_build_that_fails_before_it_starts_a_compiler_is_still_told_apart(tiny: Project) -> None:
    """Many look for a library's headers first, and fail because they find none."""
    backend = BACKEND.format(last="raise SystemExit('no pkg-config name')")
    lock_source(tiny, {"pyproject.toml": SYSTEM, "backend.py": backend, "src/own/_own.c": "int x;\n"})

    ended = sawhorse(tiny, "build")

    assert ended.code == 2, ended
    assert "could not be built. It holds code that has to be compiled (src/own/_own.c), and gets no" in ended.err
    assert "no pkg-config name" in ended.err

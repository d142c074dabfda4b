"""Locked wheels are installed for the functions' platform, prepared once, and taken from the cache afterwards."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sawhorse.build.build import build
from sawhorse.build.compiler_process import version_of
from sawhorse.build.platform import Target
from sawhorse.build.wheel_cache import Cache
from sawhorse.build.wheel_request import Wanted
from sawhorse.build.wheels_of_lock import prepared_parts
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from sawhorse.toolchain import interpreters
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.support import assert_refused, sawhorse, sha256, tree, write_lock, write_wheel

pytestmark = pytest.mark.usefixtures("cache")
TARGET = Target("3.13", "x86_64-manylinux_2_28")
DECLARED = ("lambda/tiny/requirements.in", '"make lock APP=tiny"')


def wanted(project: Project, app: str = "tiny", **choices: Any) -> Wanted:
    interpreter = interpreters.exact_python("3.13", project.path)
    settings: dict[str, Any] = {"target": TARGET, "interpreter": interpreter, "declared": DECLARED, **choices}
    version = version_of(str(settings["interpreter"])) if settings["interpreter"] else ""
    settings = {"compiled_by": version, **settings}
    path = project.lambda_path / app / "requirements.txt"
    return Wanted(lock=path, locked=path.read_bytes(), base=project.path, **settings)


def names_in(path: str) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_an_installed_wheel_is_the_same_under_any_umask(make_tiny: MakeTiny, locked_wheel: str) -> None:
    sums = []
    for number, umask in enumerate((0o022, 0o077)):
        project = make_tiny(f"project-{number}")
        write_lock(project, locked_wheel)
        before = os.umask(umask)
        try:
            sums.append(build(project, "tiny").sha256)
        finally:
            os.umask(before)

    assert sums[0] == sums[1]


def test_a_wheel_keeps_all_that_it_brings_and_nothing_for_another_machine(tiny: Project, locked_wheel: str) -> None:
    write_lock(tiny, locked_wheel)

    names = [name for name in names_in(build(tiny, "tiny").path) if name.startswith(("tinydep", "bin", "."))]

    assert names == [
        "tinydep-1.0.dist-info/INSTALLER",
        "tinydep-1.0.dist-info/METADATA",
        "tinydep-1.0.dist-info/RECORD",
        "tinydep-1.0.dist-info/WHEEL",
        "tinydep-1.0.dist-info/entry_points.txt",
        "tinydep/__init__.py",
        "tinydep/__main__.py",
        "tinydep/__pycache__/__init__.cpython-313.pyc",
        "tinydep/__pycache__/__main__.cpython-313.pyc",
    ]


def test_tests_that_nothing_names_are_pruned_unless_the_app_says_otherwise(tiny: Project, locked_wheel: str) -> None:
    files = {
        "big/__init__.py": b"",
        "big/__init__.pyi": b"",
        "big/py.typed": b"",
        "big/tests/test_big.py": b"",
        "big/testing.py": b"",
        "big/data.txt": b"",
        "big-1.0.dist-info/licenses/LICENSE": b"free",
    }
    write_lock(tiny, write_wheel(Path(os.environ["UV_FIND_LINKS"]), files, name="big"))
    config = tiny.lambda_path / "tiny/package.toml"

    usual = [name for name in names_in(build(tiny, "tiny").path) if "big" in name and not name.endswith(".pyc")]
    config.write_text('prune = ["*.txt", "*/licenses/*"]\n' + config.read_text())
    chosen = [name for name in names_in(build(tiny, "tiny").path) if "big" in name and not name.endswith(".pyc")]

    assert usual == [
        "big-1.0.dist-info/INSTALLER",
        "big-1.0.dist-info/METADATA",
        "big-1.0.dist-info/RECORD",
        "big-1.0.dist-info/WHEEL",
        "big-1.0.dist-info/licenses/LICENSE",
        "big/__init__.py",
        "big/__init__.pyi",
        "big/data.txt",
        "big/py.typed",
        "big/testing.py",
    ]
    assert chosen == [
        "big-1.0.dist-info/INSTALLER",
        "big-1.0.dist-info/METADATA",
        "big-1.0.dist-info/RECORD",
        "big-1.0.dist-info/WHEEL",
        "big/__init__.py",
        "big/__init__.pyi",
        "big/py.typed",
        "big/testing.py",
        "big/tests/test_big.py",
    ]


def test_a_distribution_that_lambda_provides_is_left_out(tiny: Project, locked_wheel: str) -> None:
    line = write_wheel(Path(os.environ["UV_FIND_LINKS"]), {"six.py": b""}, name="six")
    write_lock(tiny, locked_wheel + line)
    config = tiny.lambda_path / "tiny/package.toml"

    assert "six.py" in names_in(build(tiny, "tiny").path)
    config.write_text('provided = ["six"]\n' + config.read_text())

    assert [name for name in names_in(build(tiny, "tiny").path) if name.startswith("six")] == []


def test_a_file_of_a_wheel_that_is_no_python_stays_a_source(tiny: Project, locked_wheel: str) -> None:
    template = {"odd/__init__.py": b"", "odd/template.py": b"class {{ name }}: ...\n"}
    write_lock(tiny, write_wheel(Path(os.environ["UV_FIND_LINKS"]), template, name="odd"))

    names = [name for name in names_in(build(tiny, "tiny").path) if name.startswith("odd/")]

    assert names == ["odd/__init__.py", "odd/__pycache__/__init__.cpython-313.pyc", "odd/template.py"]


# The cache


def test_a_lock_is_prepared_once_for_all_checkouts_and_only_for_its_target(
    make_tiny: MakeTiny, locked_wheel: str, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects = [make_tiny("one"), make_tiny("other")]
    for project in projects:
        write_lock(project, locked_wheel)
    first = prepared_parts(projects[0], wanted(projects[0]), cache)
    monkeypatch.setenv("UV_FIND_LINKS", str(projects[0].path / "nowhere"))

    again = prepared_parts(projects[1], wanted(projects[1]), cache)

    assert [(part.name, part.version) for part in again] == [("tinydep", "1.0")]
    assert [m.described() for part in again for m in part.members] == [
        m.described() for part in first for m in part.members
    ]
    with pytest.raises(BuildFailed, match="could not be found"):
        prepared_parts(projects[1], wanted(projects[1], target=Target("3.12", TARGET.platform)), cache)


def test_a_wheel_that_two_locks_name_is_prepared_once(tiny: Project, locked_wheel: str, cache: Cache) -> None:
    other = write_wheel(Path(os.environ["UV_FIND_LINKS"]), {"other.py": b""}, name="other")
    write_lock(tiny, locked_wheel)
    (tiny.lambda_path / "both").mkdir()
    (tiny.lambda_path / "both/requirements.txt").write_text(locked_wheel + other)
    prepared_parts(tiny, wanted(tiny), cache)
    [prepared] = (cache.path / "wheels").iterdir()
    before = prepared.stat()

    prepared_parts(tiny, wanted(tiny, "both"), cache)

    assert prepared.stat() == before
    assert sorted(path.name.split("-")[0] for path in (cache.path / "wheels").iterdir()) == ["other", "tinydep"]


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"prune": ("*.txt",)}, True),
        ({"interpreter": None}, True),
        ({"target": Target("3.12", TARGET.platform)}, True),
        ({"compiled_by": "3.13.99"}, True),
        ({"prune": None}, False),
        ({"commands": True}, True),
        ({"aws_services": ("dynamodb",)}, True),
    ],
)
def test_a_lock_prepared_otherwise_is_another_entry(tiny: Project, change: dict[str, Any], differs: bool) -> None:  # noqa: FBT001
    assert (wanted(tiny, **change).key != wanted(tiny).key) is differs


@pytest.mark.parametrize("where", ["wheels", "locks", "documents", "interpreters"])
@pytest.mark.parametrize("damage", ["changed", "cut", "emptied", "gone"])
def test_a_damaged_entry_of_the_cache_is_made_again(
    tiny: Project, locked_wheel: str, cache: Cache, damage: str, where: str
) -> None:
    write_lock(tiny, locked_wheel)
    first = build(tiny, "tiny").sha256
    [path] = (cache.path / where).iterdir()
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        harmed = {"cut": content[:-1], "emptied": b"", "changed": bytes([content[0] ^ 1]) + content[1:]}
        path.write_bytes(harmed[damage])

    assert build(tiny, "tiny", dist=tiny.path / "other").sha256 == first
    assert path.read_bytes() == content


def test_a_disk_that_is_full_says_so_and_leaves_dist_and_cache_as_they_were(
    tiny: Project, locked_wheel: str, cache: Cache
) -> None:
    """A limit on the size of files stands in for the disk: the kernel refuses the write of the part all the same."""
    build(tiny, "tiny")
    files = {f"big/{number}.bin": os.urandom(60_000) for number in range(4)}
    big = write_wheel(Path(os.environ["UV_FIND_LINKS"]), files, name="big")
    write_lock(tiny, big)
    before = tree(tiny.path / "dist")

    ended = sawhorse(tiny, "build", "tiny", limits="ulimit -f 200")

    assert_refused(ended, ": File too large. Fix that and run it again.", str(cache.path))
    assert tree(tiny.path / "dist") == before
    assert not (cache.path / "aside").exists()
    assert not list((cache.path / "wheels").glob("big*"))
    assert sawhorse(tiny, "build", "tiny").code == 0


def test_a_cache_that_cannot_be_written_is_a_sentence(tiny: Project, locked_wheel: str, tmp_path: Path) -> None:
    write_lock(tiny, locked_wheel)
    (tmp_path / "file").touch()

    ended = sawhorse(tiny, "build", "tiny", variables={"SAWHORSE_CACHE_DIR": str(tmp_path / "file/cache")})

    assert_refused(ended, "Not a directory. Fix that and run it again")
    assert_refused(
        sawhorse(tiny, "build", "tiny", variables={"SAWHORSE_CACHE_DIR": "here"}), "name a directory from / on"
    )


# What is refused


def test_a_wheel_of_another_hash_is_refused_and_nobody_is_told_to_lock_it(tiny: Project, locked_wheel: str) -> None:
    write_lock(tiny, f"tinydep==1.0 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(BuildFailed, match=r"lambda/tiny/requirements\.txt, line 1 \(tinydep==1\.0\)") as refusal:
        build(tiny, "tiny")

    assert "Do not lock it anew before you know who changed it." in str(refusal.value)
    assert "make lock" not in str(refusal.value)


def test_a_lock_that_changes_while_its_wheels_are_prepared_stands_for_what_it_said(
    tiny: Project, locked_wheel: str, cache: Cache
) -> None:
    """Another shell checks out another lock in the middle."""
    lock = tiny.lambda_path / "tiny/requirements.txt"
    lock.write_text(locked_wheel)
    asked = wanted(tiny)
    lock.write_text("# nothing any more\n")

    assert [part.name for part in prepared_parts(tiny, asked, cache)] == ["tinydep"]
    assert prepared_parts(tiny, wanted(tiny), cache) == []


@pytest.mark.usefixtures("wheel_builder")
def test_a_source_archive_that_cannot_be_built_is_named_and_dist_stays_as_it_was(
    tiny: Project, locked_wheel: str, cache: Cache
) -> None:
    build(tiny, "tiny")
    before = tree(tiny.path / "dist")
    source = Path(os.environ["UV_FIND_LINKS"]) / "nowheel-1.0.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        metadata = b"Metadata-Version: 2.1\nName: nowheel\nVersion: 1.0\n"
        info = tarfile.TarInfo("nowheel-1.0/PKG-INFO")
        info.size = len(metadata)
        archive.addfile(info, io.BytesIO(metadata))
    write_lock(tiny, f"nowheel==1.0 --hash=sha256:{sha256(source)}\n")

    ended = sawhorse(tiny, "build")

    assert ended.code == 2
    [sentence] = [line for line in ended.err.splitlines() if line.startswith("sawhorse: ")]
    assert sentence == (
        "sawhorse: lambda/tiny/requirements.txt, line 1 (nowheel==1.0): nowheel-1.0.tar.gz is built into "
        "unknown-0.0.0-py3-none-any.whl, which is another distribution; use another version of it."
    )
    assert tree(tiny.path / "dist") == before
    assert list((cache.path / "wheels").glob("*nowheel*")) == []


# What an app itself wants of the tests that are pruned


TESTED = {
    "odd/__init__.py": b"",
    "odd/core.py": b"",
    "odd/tests/__init__.py": b"",
    "odd/tests/other.py": b"",
    "odd/tests/test_a.py": b"HELP = 1\n",
}


REFUSED = ("lambda/tiny/main.py, line ", " names odd.tests.test_a, which the package leaves out", "prune = []")


@pytest.mark.parametrize(
    "source",
    [
        "from odd.tests.test_a import HELP",
        "if 1: from odd.tests import test_a",
        "import importlib\nimportlib.import_module('.test_a', 'odd.tests')",
        "ENTRY = 'odd.tests.test_a:x'",
        "from odd.tests import (\n    other,\n    test_a,\n)",
        "import os, odd.tests.test_a as t",
        "from odd.tests \\\n    import test_a",
        "def handler(event, context):\n    import odd.tests.test_a",
        "import importlib\n\nimportlib.import_module('odd.tests.test_a')",
    ],
)
def test_an_app_that_names_a_pruned_module_is_refused_until_it_is_kept(
    tiny: Project, locked_wheel: str, source: str
) -> None:
    write_lock(tiny, write_wheel(Path(os.environ["UV_FIND_LINKS"]), TESTED, name="odd"))
    build(tiny, "tiny")
    # The quick way, with one changed file.
    main = tiny.lambda_path / "tiny/main.py"
    main.write_text(f"{source}\n\n\ndef handler(event, context): ...\n")

    assert_refused(sawhorse(tiny, "build", "tiny"), *REFUSED)
    (tiny.path / "dist/.build/tiny").unlink()
    assert_refused(sawhorse(tiny, "build", "tiny"), *REFUSED)
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text("prune = []\n" + config.read_text())
    assert sawhorse(tiny, "build", "tiny").code == 0
    assert "odd/tests/test_a.py" in names_in(build(tiny, "tiny").path)


def test_an_app_that_names_what_is_kept_beside_pruned_tests_builds(tiny: Project, locked_wheel: str) -> None:
    write_lock(tiny, write_wheel(Path(os.environ["UV_FIND_LINKS"]), TESTED, name="odd"))
    (tiny.lambda_path / "tiny/main.py").write_text(
        "# not odd.tests.test_a\nfrom odd.tests import other\n\n\ndef handler(event, context): ...\n"
    )

    assert "odd/tests/test_a.py" not in names_in(build(tiny, "tiny").path)

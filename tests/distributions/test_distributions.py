"""Packages hold what wheels hold: distributions that people put into functions, each built alone and compared."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sawhorse.build.wheel_cache import Part
from tests.distributions.trial import Case, Row, Trial, cases, is_over_a_limit, keep
from tests.projects import sample_lock
from tests.unit.sawhorse.support import write_lock, write_wheel

AS_OF, CASES = cases()
RESULTS = ".sawhorse/distributions"
# What builders lose: resources, metadata of itself, helpers among tests, a module without source, `.data` directories.
ODD = {
    "odd/__init__.py": b"from importlib.resources import files\nTEXT = (files('odd') / 'tests/text.txt').read_text()\n",
    "odd/itself.py": b"from importlib.metadata import files, version\nassert version('odd') == '1.0'\n"
    b"assert all(file.locate().exists() for file in files('odd'))\n",
    "odd/lazy.py": b"from pathlib import Path\nNAMES = Path(__file__).with_name('__init__.pyi').read_text()\n",
    "odd/__init__.pyi": b"from . import lazy as lazy\n",
    "odd/helped.py": b"from .tests.helper import HELP\n",
    "odd/plugins.py": b"from importlib.metadata import entry_points\n"
    b"(one,) = entry_points(group='odd.plugins')\none.load()\n",
    "odd/no_python.py": b"print 'two'\n",
    "odd/tests/__init__.py": b"",
    "odd/tests/helper.py": b"from .test_named import HELP\n",
    "odd/tests/test_named.py": b"HELP = 1\n",
    "odd/tests/test_plugin.py": b"PLUGIN = 1\n",
    "odd/tests/test_unnamed.py": b"assert 1\n",
    "odd/tests/text.txt": b"text",
    "odd-1.0.dist-info/entry_points.txt": b"[console_scripts]\nodd = odd:TEXT\n"
    b"[odd.plugins]\none = odd.tests.test_plugin:PLUGIN\n",
    "odd-1.0.dist-info/top_level.txt": b"odd\nodd_more\n",
    "odd-1.0.data/purelib/odd_more.py": b"",
    "odd-1.0.data/data/share/odd/template.txt": b"template",
    "odd-1.0.data/scripts/odd-script": b"#!python\n",
}


@pytest.mark.drill(short=0, most=1)
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_distribution_in_a_package_is_what_its_wheels_are(case: Case, tmp_path: Path, repository: Path) -> None:
    row = Trial.begin(case, tmp_path, repository, as_of=AS_OF, others=CASES).run()
    keep(repository / RESULTS, row)

    if "refused" in case.oddities:
        assert case.oddities["refused"] in row.refused
        return
    assert row.refused == ""
    assert row.built == "built" or is_over_a_limit(row), row.built
    assert is_over_a_limit(row) == bool(case.oddities.get("over_a_limit"))
    assert_nothing_is_lost(row)
    # Twelve gigabytes in all; what failed is left to be looked at.
    for directory in ("whole", "package", "project"):
        shutil.rmtree(tmp_path / directory)


def assert_nothing_is_lost(row: Row) -> None:
    assert row.whole > 0
    assert row.broken == []
    assert row.less == row.whole - row.pruned_away
    assert row.faults == []


@dataclass(frozen=True)
class Tried:
    """A trial that has run: what it found, the parts, and its two trees."""

    trial: Trial
    row: Row
    parts: Sequence[Part]
    package: Path
    whole: Path


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Tried]:
    """A distribution that nobody publishes, with much of what builders stumble over, and two that the sample locks."""
    place = tmp_path_factory.mktemp("odd")
    wheels = place / "wheels"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_FIND_LINKS", str(wheels))
        patch.setenv("SAWHORSE_CACHE_DIR", str(place / "cache"))
        trial = Trial.begin(Case("odd", "", "odd", ("odd", "odd_more", "dateutil.tz"), {}), place, repository)
        module = place / "sourceless.py"
        module.write_text("from .tests import helper\n")
        subprocess.run([trial.interpreter, "-m", "compileall", "-b", "-q", module], check=True)
        line = write_wheel(wheels, {**ODD, "odd/sourceless.pyc": module.with_suffix(".pyc").read_bytes()}, name="odd")
        locked = sample_lock().replace("\\\n", "").splitlines()
        others = [words for words in locked if words.startswith(("python-dateutil==", "six=="))]
        write_lock(trial.project, "\n".join([line, *others, ""]))
        row = trial.run(lock=False)
        yield Tried(trial, row, trial.parts(), place / "package", place / "whole")


def test_a_package_is_what_its_wheels_are_but_for_test_modules_that_nothing_names(odd: Tried) -> None:
    row = odd.row

    assert row.built == "built"
    assert_nothing_is_lost(row)
    assert (row.distributions, row.version, row.pruned_away) == (3, "1.0", 1)
    assert list(row.pruned) == ["odd 1.0"]
    assert list(row.pruned["odd 1.0"]) == ["odd/tests"]
    assert row.unzipped < row.unzipped_before


def test_what_a_package_lost_is_noticed(odd: Tried, tmp_path: Path) -> None:
    package = tmp_path / "damaged"
    shutil.copytree(odd.package, package)
    for name in ("odd/__init__.pyi", "share/odd/template.txt", "odd/tests/test_plugin.py", "odd/sourceless.pyc"):
        (package / name).unlink()
    (package / "odd/tests/text.txt").write_text("tex!")
    (package / "odd/more.py").write_text("")

    files, metadata, imports = (Row("odd", "") for _ in range(3))
    odd.trial.compare_files(files, odd.whole, package, odd.parts)
    odd.trial.compare_metadata(metadata, odd.whole, package, odd.parts)
    odd.trial.compare_imports(imports, odd.whole, package, odd.parts)

    assert files.faults == [
        "odd/__init__.pyi is missing",
        "odd/sourceless.pyc is missing",
        "odd/tests/test_plugin.py is missing",
        "share/odd/template.txt is missing",
        "odd/more.py is in no wheel",
        "odd/tests/text.txt differs from its wheel's",
    ]
    assert [fault for fault in metadata.faults if "is not there" in fault or "another hash" in fault] == [
        "odd: odd/__init__.pyi is not there",
        "odd: odd/sourceless.pyc is not there",
        "odd: odd/tests/test_plugin.py is not there",
        "odd: odd/tests/text.txt has another hash or size",
        "odd: share/odd/template.txt is not there",
    ]
    assert "odd/more.py is in no RECORD" in metadata.faults
    assert [words.partition(":")[0] for words in imports.broken] == [
        "odd.lazy", "odd.plugins", "odd.sourceless", "odd.tests.test_plugin",
    ]  # fmt: skip

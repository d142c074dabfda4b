"""Files that go together run in one process, and the slowest kinds of files begin first."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.inner_pytest import run_pytest
from tests.together import LONGEST, TOGETHER, group_of

OF_AN_APP = ("tests/apps/a/end_to_end/test_a.py", "tests/apps/a/end_to_end/test_b.py")
WORKERS = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
INI = """
[pytest]
addopts = --import-mode=importlib
markers =
    end_to_end: long
    whole_plans: plans
"""
NOTED = """
import os, pathlib, time, pytest

{mark}
def test_one():
    time.sleep(0.2)
    with pathlib.Path("began").open("a") as began:
        began.write(os.environ["PYTEST_XDIST_WORKER"] + " {file}\\n")

def test_two(): ...
"""


def test_every_file_that_is_named_is_there_and_in_one_group(repository: Path) -> None:
    files = [file for group in (*TOGETHER, LONGEST) for file in group]
    assert Counter(files).most_common(1)[0][1] == 1
    # The engine is tested without apps, too.
    without = () if (repository / "tests/apps").exists() else ("tests/apps/",)
    assert [file for file in files if not (repository / file).is_file() and not file.startswith(without)] == []
    assert {group_of(f"{file}::test_one[a::b]") for file in files} == {*(group[0] for group in TOGETHER), *LONGEST}


def test_the_end_to_end_files_of_an_app_go_together() -> None:
    groups = {group_of(f"tests/apps/{place}.py::test_one") for place in ("a/end_to_end/test_a", "a/end_to_end/test_b")}
    assert groups == {"tests/apps/a/end_to_end/"}
    assert group_of("tests/apps/b/end_to_end/test_a.py::test_one") not in groups


@pytest.mark.parametrize(
    "file",
    [
        "tests/unit/test_limits.py",
        "tests/plans/test_structure.py",
        "tests/apps/a/test_a.py",
        "tests/apps/every/end_to_end/test_a.py",
    ],
)
def test_a_file_that_is_not_named_goes_alone(file: str) -> None:
    assert group_of(f"{file}::test_one[a::b]") == file


def test_files_that_go_together_run_in_one_process_one_after_the_other(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(INI)
    marks = {
        **dict.fromkeys(TOGETHER[0], "@pytest.mark.whole_plans"),
        **dict.fromkeys(OF_AN_APP, "@pytest.mark.end_to_end"),
        **{f"a/test_{number}.py": "" for number in range(6)},
        LONGEST[0]: "",
    }
    for file, mark in marks.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(NOTED.format(mark=mark, file=file))

    done = run_pytest(tmp_path, repository, ["tests.together"], *WORKERS)

    assert done.returncode == 0, done.stdout + done.stderr
    began = [line.split() for line in (tmp_path / "began").read_text().splitlines()]
    assert sorted(file for _, file in began) == sorted(marks)
    for group in (TOGETHER[0], OF_AN_APP):
        (worker,) = {worker for worker, file in began if file in group}
        files = [file for one, file in began if one == worker]
        first = files.index(min(group, key=files.index))
        assert sorted(files[first : first + len(group)]) == sorted(group)
    # What takes longest begins before all others, and then what is marked as slow.
    assert LONGEST[0] in {file for _, file in began[:2]}
    assert {file for _, file in began[:2]} <= {LONGEST[0], *TOGETHER[0], *OF_AN_APP}
    assert len({worker for worker, _ in began}) == 2

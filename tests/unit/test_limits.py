"""Whatever hangs in a test or its fixtures ends with a sentence, and nothing that it started runs on."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.children import children, end, started
from tests.inner_pytest import run_pytest

INI = """
[pytest]
timeout = 1
timeout_method = signal
markers =
    drill(short): repeated
    end_to_end: long
filterwarnings = error
"""
SLEEPER = """
import contextlib, pathlib, signal, subprocess, sys, threading, time
import pytest

def sleeper(**options):
    # A program that started another one.
    inner = "import time; time.sleep(600)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    process = subprocess.Popen([sys.executable, "-c", outer], start_new_session=True, **options)
    with pathlib.Path("started").open("a") as file:
        file.write(f"{process.pid}\\n")
    return process
"""
Run = Callable[..., "Outcome"]


class Outcome:
    """How a run of pytest ended: what it printed, its exit code, and which of the sleepers are left."""

    def __init__(self, code: int, printed: str, started: list[int]) -> None:
        self.code = code
        self.printed = printed
        self.left = [number for number in started if is_running(number)]
        self.started = started


def is_running(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def run(tmp_path: Path, repository: Path) -> Run:
    """Run pytest on tests of this text, with the plugins of this suite and a limit of one second."""
    (tmp_path / "pytest.ini").write_text(INI)

    def run(tests: str | dict[str, str], *options: str) -> Outcome:
        for name, text in (tests if isinstance(tests, dict) else {"sample": tests}).items():
            (tmp_path / f"test_{name}.py").write_text(SLEEPER + text)
        done = run_pytest(tmp_path, repository, ["tests.limits", "tests.drills"], *options)
        started = tmp_path / "started"
        numbers = [int(line) for line in started.read_text().splitlines()] if started.exists() else []
        return Outcome(done.returncode, done.stdout + done.stderr, numbers)

    return run


HANGING = {
    "wait": "def test_one():\n    with sleeper() as process:\n        process.wait()\n",
    "sleep_in_a_with": "def test_one():\n    with sleeper():\n        time.sleep(600)\n",
    "pipe": "def test_one():\n    with sleeper(stdout=subprocess.PIPE) as process:\n        process.communicate()\n",
    "thread": "def test_one():\n    thread = threading.Thread(target=lambda: sleeper().wait())\n"
    "    thread.start()\n    thread.join()\n",
    "setup": "@pytest.fixture\ndef one():\n    sleeper().wait()\ndef test_one(one): ...\n",
    "session_setup": "@pytest.fixture(scope='session')\ndef one():\n    sleeper().wait()\ndef test_one(one): ...\n",
    "teardown": "@pytest.fixture\ndef one():\n    yield\n    sleeper().wait()\ndef test_one(one): ...\n",
    "teardown_that_leaves_a_with": "@pytest.fixture\ndef one():\n    with sleeper():\n        yield\n"
    "def test_one(one): ...\n",
    "teardown_after_a_failure": "@pytest.fixture\ndef one():\n    yield\n    sleeper().wait()\n"
    "def test_one(one):\n    assert False\n",
    "module_teardown_after_a_failure": "@pytest.fixture(scope='module')\ndef one():\n    yield\n    sleeper().wait()\n"
    "def test_one(one):\n    assert False\n",
}


@pytest.mark.parametrize("options", [(), ("-n", "2", "--dist", "loadfile")], ids=["alone", "in workers"])
def test_what_hangs_is_ended_with_all_that_it_started(run: Run, options: tuple[str, ...]) -> None:
    outcome = run({name: f"{text}\ndef test_two(): ...\n" for name, text in HANGING.items()}, *options)

    assert outcome.code == 1, outcome.printed
    # What a module's fixture hangs in is told of its last test.
    pattern = r"^(?:FAILED|ERROR) test_(\w+)\.py::test_(?:one|two) - Failed: Timeout"
    ended = set(re.findall(pattern, outcome.printed, re.MULTILINE))
    assert ended == set(HANGING), outcome.printed
    # All second tests, and the first ones that hang in a teardown alone.
    assert "12 passed" in outcome.printed
    assert len(outcome.started) == len(HANGING)
    assert outcome.left == []


def test_a_test_that_leaves_a_program_running_fails_and_the_program_is_ended(run: Run) -> None:
    outcome = run("def test_one():\n    sleeper().returncode = 0\ndef test_two(): ...\n")

    assert outcome.code == 1, outcome.printed
    assert "left running, and ended now: [" in outcome.printed
    assert "2 passed, 1 error" in outcome.printed
    assert (len(outcome.started), outcome.left) == (1, [])


def test_children_are_found_whichever_thread_started_them() -> None:
    found: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        found.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))

    before = children()
    try:
        start()
        thread = threading.Thread(target=start)
        thread.start()
        thread.join()
        assert children() - before == {process.pid for process in found}
        assert children() == {process.pid for process in psutil.Process().children()}
    finally:
        for process in found:
            process.kill()
            process.wait()
    assert children() == before


@pytest.mark.drill(short=3)
def test_a_program_that_starts_others_all_the_time_is_ended_with_all_of_them(
    tmp_path: Path, moments: random.Random
) -> None:
    mark = f"mark-of-{uuid.uuid4()}"
    program = f"import subprocess, sys\nwhile True:\n    subprocess.Popen(['sh', '-c', 'sleep 30; : {mark}'])\n"
    with started([sys.executable, "-c", program], stderr=subprocess.DEVNULL):
        time.sleep(moments.uniform(0, 0.1))

    left = [process for process in psutil.process_iter() if mark in " ".join(words_of(process))]
    end(left)
    assert left == []


def words_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []


def test_what_a_fixture_of_a_wider_scope_started_stays_until_that_ends(run: Run) -> None:
    outcome = run(
        "@pytest.fixture(scope='module')\ndef program():\n"
        "    with subprocess.Popen(['sleep', '600']) as process:\n        yield process\n"
        "        assert process.poll() is None\n        process.kill()\n"
        "def test_one(program):\n    assert program.poll() is None\n"
        "def test_two(program):\n    assert program.poll() is None\n"
    )

    assert outcome.code == 0, outcome.printed


def test_what_takes_no_alarm_is_ended_with_its_process_and_the_others_still_run(
    run: Run, tmp_path: Path, repository: Path
) -> None:
    """Sixty seconds are too long for a test, so the plugin is one with another number."""
    source = (repository / "tests/limits.py").read_text().replace("LAST_RESORT_SECONDS = 60", "LAST_RESORT_SECONDS = 1")
    (tmp_path / "sooner.py").write_text(source)
    outcome = run(
        "def test_one():\n    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n    time.sleep(600)\n"
        "def test_two(): ...\n",
        *("-p", "no:tests.limits", "-p", "sooner", "-n", "1"),
    )

    assert outcome.code == 1, outcome.printed
    assert "Timeout (0:00:02)!" in outcome.printed
    assert "test_sample.py" in outcome.printed
    assert "1 failed, 1 passed" in outcome.printed


def test_an_example_of_a_property_may_take_its_time_on_a_busy_machine(run: Run) -> None:
    outcome = run(
        "from hypothesis import given, settings, strategies\n"
        "@strategies.composite\ndef slow(draw):\n    time.sleep(0.3)\n    return draw(strategies.booleans())\n"
        "@settings(max_examples=5)\n@given(slow())\ndef test_one(value):\n    time.sleep(0.25)\n",
        *("--timeout", "60"),
    )

    assert outcome.code == 0, outcome.printed


def test_a_test_finds_ctrl_c_taken_where_pytest_was_started_to_ignore_it(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "pytest.ini").write_text(INI)
    (tmp_path / "test_sample.py").write_text(
        "import os, signal, subprocess, sys\nimport pytest\n"
        "def test_here():\n    with pytest.raises(KeyboardInterrupt):\n        os.kill(os.getpid(), signal.SIGINT)\n"
        "def test_below():\n"
        "    code = 'import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(5)'\n"
        "    assert subprocess.run([sys.executable, '-c', code]).returncode == -signal.SIGINT\n"
    )
    command = f"trap '' INT; exec {sys.executable} -m pytest -q -p tests.limits -p no:cacheprovider test_sample.py"

    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env={"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "in a worker"])
def test_what_fixtures_started_ends_where_pytest_is_told_to_end(
    tmp_path: Path, repository: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "pytest.ini").write_text(INI.replace("timeout = 1", "timeout = 60"))
    (tmp_path / "test_sample.py").write_text(
        f"{SLEEPER}\n@pytest.fixture(scope='session')\ndef program():\n"
        "    process = sleeper()\n    yield process\n    process.kill()\n    process.wait()\n"
        "def test_one(program):\n    pathlib.Path('here').touch()\n    time.sleep(50)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.limits", "-p", "no:cacheprovider", *options]
    variables = {"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin"}

    with started(command, cwd=tmp_path, env=variables, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 40
        while not (tmp_path / "here").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=40)
        numbers = [int(line) for line in (tmp_path / "started").read_text().splitlines()]
        while any(is_running(number) for number in numbers) and time.monotonic() < deadline:
            time.sleep(0.05)

        assert [number for number in numbers if is_running(number)] == []


@pytest.mark.parametrize(("options", "rounds"), [((), 2), (("--rounds", "5"), 5)])
def test_a_drill_has_few_rounds_in_the_suite_and_as_many_as_are_asked_for(
    run: Run, options: tuple[str, ...], rounds: int
) -> None:
    outcome = run(
        "@pytest.mark.drill(short=2)\ndef test_one(moments):\n"
        "    with open('drawn', 'a') as file:\n        print(moments.random(), file=file)\ndef test_two(): ...\n",
        *("-m", "drill", *options),
    )

    assert outcome.code == 0, outcome.printed
    assert f"{rounds} passed, 1 deselected" in outcome.printed


@pytest.mark.parametrize(("options", "ended"), [((), "1 passed, 1 deselected"), (("--rounds", "5"), "6 passed")])
def test_what_takes_too_long_for_the_suite_runs_in_drills_alone_and_not_more_often_than_it_says(
    run: Run, options: tuple[str, ...], ended: str
) -> None:
    outcome = run(
        "@pytest.mark.drill(short=0, most=1)\ndef test_one(): ...\n@pytest.mark.drill(short=1)\ndef test_two(): ...\n",
        *options,
    )

    assert outcome.code == 0, outcome.printed
    assert ended in outcome.printed


def test_no_rounds_are_refused_with_a_sentence(run: Run) -> None:
    outcome = run("def test_one(): ...\n", "--rounds", "0")

    assert outcome.code == 4
    assert "'0' is not a number of rounds; name 1 or more." in outcome.printed

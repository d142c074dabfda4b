"""Roots are chosen by whom the credentials belong to, asked side by side, and an end that tells nothing is no drift."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from sawhorse.errors import CouldNotAsk, NotApplied, UnknownName
from sawhorse.local.emulators import Running
from sawhorse.operate.drift import several
from sawhorse.operate.drift.drift import Drift
from sawhorse.operate.drift.finding import Finding
from sawhorse.operate.drift.several import Asking, choose, drift_of_several, is_room
from sawhorse.operate.drift.shown import show_drift, show_left_out
from sawhorse.project import Project

FINDING = Finding("policy", "aws_iam_role.this", "a policy is foreign", "take it away")


@pytest.fixture
def two(tiny: Project) -> Project:
    """The tiny project with a second environment, of another account."""
    facts = tiny.path / "environments/dev/environment.yaml"
    root = tiny.path / "environments/live/tiny"
    root.mkdir(parents=True)
    (root / "main.tf").write_text("# Nothing is decided here.\n")
    (root.parent / "environment.yaml").write_text(facts.read_text().replace("111111111111", "222222222222"))
    return Project(tiny.path)


def state(project: Project, root: str, resources: int) -> None:
    path = project.root(root).path / "terraform.tfstate.d/local/terraform.tfstate"
    path.parent.mkdir(parents=True)
    one = {"mode": "managed", "type": "aws_sqs_queue", "name": "this", "instances": [{"attributes": {}}]}
    path.write_text(json.dumps({"version": 4, "resources": [one] * resources}))
    for made in (path, path.parent, path.parent.parent):
        made.chmod(0o600 if made.is_file() else 0o700)


def test_all_roots_of_the_account_are_asked_and_others_are_left_out_with_the_reason(
    two: Project, local_aws: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in local_aws.environment().items():
        monkeypatch.setenv(name, value)
    chosen = choose(two, [], local=False)
    assert [root.name for root in chosen.roots] == ["dev/tiny"]
    assert list(chosen.left_out) == ["live/tiny"]
    assert "These credentials belong to account 111111111111, and live is 222222222222" in chosen.left_out["live/tiny"]


@pytest.mark.usefixtures("nothing_of_this_shell")
def test_without_credentials_nobody_is_asked(two: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(CouldNotAsk, match=r"No root could be asked\. There are no AWS credentials for dev"):
        choose(two, [], local=False)


def test_on_the_local_aws_roots_are_asked_that_were_applied(two: Project) -> None:
    with pytest.raises(NotApplied, match="No root is applied to the local AWS"):
        choose(two, [], local=True)
    state(two, "dev/tiny", 0)
    state(two, "live/tiny", 1)
    chosen = choose(two, [], local=True)
    assert [root.name for root in chosen.roots] == ["live/tiny"]
    assert chosen.left_out == {"dev/tiny": "is not applied to the local AWS"}


def test_roots_are_named_once_each_and_an_unknown_one_is_refused(two: Project) -> None:
    assert [root.name for root in choose(two, ["dev/all", "dev/tiny"], local=True).roots] == ["dev/tiny"]
    with pytest.raises(UnknownName):
        choose(two, ["dev/nothing"], local=True)


@pytest.mark.parametrize(
    ("code", "out", "err", "result", "said"),
    [
        (0, Drift("dev/tiny"), "", "the same", []),
        (3, Drift("dev/tiny", [FINDING]), "", "differs", []),
        (1, Drift("dev/tiny", [FINDING], ["a plan: no"]), "", "could not ask", ["a plan: no"]),
        (2, None, "a warning\nsawhorse: dev/tiny is not applied.\n", "could not ask", ["dev/tiny is not applied."]),
        (1, None, "", "could not ask", ["it ended without a word"]),
        (0, None, "Killed\n", "could not ask", ["Killed"]),
        (-9, Drift("dev/tiny"), "", "could not ask", ["it ended without a word"]),
    ],
)
def test_a_root_is_the_same_only_where_its_process_said_so(  # noqa: PLR0913, PLR0917 # a row of a table
    tiny: Project, tmp_path: Path, code: int, out: Drift | None, err: str, result: str, said: list[str]
) -> None:
    asking = Asking.__new__(Asking)
    asking.root, asking.started = tiny.root("dev/tiny"), time.monotonic()
    asking.out, asking.err = tmp_path / "out", tmp_path / "err"
    asking.out.write_text(json.dumps({"roots": [out.as_json()]}) if out else "")
    asking.err.write_text(err)
    asking.process = subprocess.Popen(["true"])
    asking.process.wait()
    asking.process.returncode = code

    told = asking.told()

    assert (told.result, told.not_asked) == (result, said)


def test_there_is_room_for_one_always_and_for_more_while_processors_and_memory_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(several, "NEEDED", 1)
    assert [is_room(running) for running in range(5)] == [True, True, True, False, False]
    monkeypatch.setattr(several, "NEEDED", 1 << 60)
    assert [is_room(running) for running in range(3)] == [True, False, False]


def test_every_root_is_asked_though_each_fails(two: Project) -> None:
    found = list(drift_of_several(two.roots, local=True, verifying=False))
    assert sorted(one.root for one in found) == ["dev/tiny", "live/tiny"]
    assert {one.result for one in found} == {"could not ask"}
    assert all("sawhorse sync" in one.not_asked[0] or "local AWS" in one.not_asked[0] for one in found)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_is_stopped_stops_what_it_started(two: Project, tmp_path: Path, number: int) -> None:
    place = tmp_path / "place"
    place.mkdir()
    script = f"""
        import subprocess, sys
        from pathlib import Path
        from sawhorse.operate.drift import several
        from sawhorse.project import Project
        from sawhorse.errors import Interrupted
        start = subprocess.Popen
        def slow(words, **options):
            child = start([sys.executable, "-c", "import time; time.sleep(60)"], **options)
            Path({str(place)!r}, str(child.pid)).touch()
            return child
        several.subprocess.Popen = slow
        try:
            list(several.drift_of_several(Project(Path({str(two.path)!r})).roots, local=True, verifying=False))
        except Interrupted as error:
            print(error)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while len(started := [path for path in place.iterdir() if path.name.isdigit()]) < min(2, os.cpu_count() or 1):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)

    assert said == "drift was stopped; nothing was changed.\n"
    assert not [path for path in started if psutil.pid_exists(int(path.name))]
    assert [path for path in place.iterdir() if not path.name.isdigit()] == []


def test_people_get_a_table_and_every_finding_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    show_drift([Drift("dev/a", seconds=1.25), Drift("dev/b", [FINDING]), Drift("dev/c", [FINDING], ["topics: no [x]"])])
    show_left_out({"live/tiny": "other credentials"})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["dev/a", "the", "same", "0", "1.2"],
        ["dev/b", "differs", "1", "0.0"],
        ["dev/c", "could", "not", "ask", "1", "0.0"],
    ]
    assert lines[4:] == [
        "dev/b: policy: a policy is foreign; take it away.",
        "dev/c: policy: a policy is foreign; take it away.",
        "dev/c: could not ask topics: no [x]",
        "live/tiny was not asked: other credentials",
    ]

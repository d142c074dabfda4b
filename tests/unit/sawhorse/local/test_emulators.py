"""The local AWS is one per project, is found again, dies with a sentence, and leaves nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import httpx
import jwt
import psutil
import pytest
from botocore.config import Config

from sawhorse.build.zip_writer import zip_of
from sawhorse.errors import LocalAWSError
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import NAMES, Emulator, LocalAWS, Running
from sawhorse.local.guard import Secrets
from sawhorse.local.issuer import Issuer
from sawhorse.local.listening import Listener
from sawhorse.project import Project
from tests.ports import free_port, is_free
from tests.projects import sample_project
from tests.unit.sawhorse.support import LAMBDA_TRUST, Ended, assert_refused, sawhorse


def a_process() -> tuple[subprocess.Popen[bytes], Emulator]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    started = psutil.Process(process.pid).create_time()
    return process, Emulator("moto", process.pid, started, 1)


def record(project: Project, **recorded: Emulator) -> None:
    path = LocalAWS(project).record
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({name: {**vars(emulator), "name": name} for name, emulator in recorded.items()}))
    Secrets.new().keep(LocalAWS(project).secrets_file)


# Processes


def test_a_process_is_known_by_its_number_and_start() -> None:
    process, emulator = a_process()
    try:
        assert emulator.process is not None
        # Long after its end the system gives the number to another process.
        assert replace(emulator, started=emulator.started - 60).process is None
    finally:
        process.kill()
    # Nobody has taken its exit code yet: it is a zombie.
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert emulator.process is None
    process.wait()
    assert emulator.process is None


def test_a_process_of_a_reused_number_is_not_stopped(tiny: Project) -> None:
    process, emulator = a_process()
    try:
        stranger = replace(emulator, started=emulator.started - 60)
        record(tiny, ministack=stranger, moto=stranger)

        assert LocalAWS(tiny).down() is False

        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


# Not running


@pytest.mark.parametrize("command", [("local", "status"), ("local", "env"), ("plan", "dev/tiny", "--local")])
def test_when_it_does_not_run_every_command_says_how_to_start_it(tiny: Project, command: tuple[str, ...]) -> None:
    assert_refused(sawhorse(tiny, *command), 'The local AWS is not running; run "sawhorse local up".')


def test_stopping_what_does_not_run_is_no_error(tiny: Project) -> None:
    assert sawhorse(tiny, "local", "down") == Ended(0, "The local AWS was not running.\n", "")


def test_one_emulator_that_died_is_named_with_its_log(tiny: Project) -> None:
    process, emulator = a_process()
    try:
        record(tiny, ministack=emulator, moto=replace(emulator, started=1.0))

        assert_refused(
            sawhorse(tiny, "local", "status"),
            "The local AWS is broken: moto died. Its last words are in .sawhorse/local/moto.log; "
            'run "sawhorse local up" to start again what died, or "sawhorse local reset" to start afresh.',
        )
    finally:
        process.kill()
        process.wait()


def test_what_died_is_not_started_where_another_program_listens_by_now(tiny: Project, taken_port: int) -> None:
    process, emulator = a_process()
    try:
        dead = replace(emulator, started=1.0, port=taken_port)
        record(tiny, ministack=replace(emulator, name="ministack"), moto=dead, issuer=replace(emulator, name="issuer"))

        assert_refused(
            sawhorse(tiny, "local", "up"),
            f"moto died, and its port {taken_port} is in use by another program. End what has it",
        )
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def damaged_records() -> list[str]:
    """What may stand in a file that was cut, or that somebody wrote by hand."""
    right = {"name": "moto", "pid": 1, "started": 1.5, "port": 4566}
    wrong: list[dict[str, Any]] = [
        *({"pid": pid} for pid in (-1, 0, 1.5, "1", True, None, 2**31, 10**400)),
        *({"port": port} for port in (-1, 0, 65536, "4566", None, True)),
        *({"started": moment} for moment in ("now", None, True, "1.5", 10**400)),
        *({"name": name} for name in (1, None, "ministack", "other")),
    ]
    whole = [json.dumps({"moto": {**right, **one}}) for one in wrong]
    others = ["{", "[1]", "1", "null", '{"moto": 1}', '{"moto": {"pid": 1}}', "[" * 100_000, "\ud800"]
    unknown = json.dumps({"other": {**right, "name": "other"}})
    return [*others, *whole, unknown, json.dumps({"moto": {**right, "more": 1}})]


@pytest.mark.parametrize("content", damaged_records(), ids=lambda content: content[:60])
def test_a_record_that_the_harness_did_not_write_is_refused(tiny: Project, content: str) -> None:
    aws = LocalAWS(tiny)
    aws.home.mkdir(parents=True)
    aws.record.write_text(content, errors="surrogatepass")

    with pytest.raises(LocalAWSError, match=r"^\.sawhorse/local/running\.json is not what the harness writes; "):
        aws.required()


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "1", "null", "[]", "{}", "[" * 100_000, '{"control": "x"}', '{"secret_access_key": "x"}',
        '{"secret_access_key": 1, "control": null}', '{"secret_access_key": "x", "control": ["x"]}',
        '{"secret_access_key": "", "control": "x"}', '{"secret_access_key": "x", "control": ""}',
        '{"secret_access_key": "x", "control": "x", "more": "x"}', '{"secret_access_key": "\\ud800", "control": "x"}',
    ],
    ids=lambda content: content[:60],
)  # fmt: skip
def test_secrets_that_the_harness_did_not_write_are_refused(tiny: Project, content: str) -> None:
    aws = LocalAWS(tiny)
    process, emulator = a_process()
    try:
        record(tiny, **{name: replace(emulator, name=name) for name in NAMES})
        aws.secrets_file.write_text(content)

        assert_refused(
            sawhorse(tiny, "local", "env"),
            'secrets of the local AWS in .sawhorse/local/secrets.json cannot be read; run "sawhorse local reset"',
        )
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("emulators")
def test_an_emulator_that_ends_while_starting_is_named_with_its_last_words_and_nothing_runs_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = LocalAWS(project)
    spawned: list[int] = []
    spawn = LocalAWS.spawn

    def broken(self: LocalAWS, name: str, command: list[str | Path], listener: Listener) -> Emulator:
        if name == "moto":
            command = [sys.executable, "-c", "raise SystemExit('no room left')"]
        emulator = spawn(self, name, command, listener)
        spawned.append(emulator.pid)
        return emulator

    monkeypatch.setattr(LocalAWS, "spawn", broken)
    with pytest.raises(LocalAWSError) as failure:
        aws.up(0)

    assert str(failure.value).startswith("moto ended while starting: no room left. See .sawhorse/local/moto.log and ")
    assert [psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in spawned] == [
        False,
        False,
        False,
    ]
    assert aws.running() is None
    assert not aws.record.exists()


# Running: one private local AWS for the whole story, since a start takes seconds.


def start_function(running: Running) -> None:
    """Leave a warm worker of a function behind."""
    session = boto3.session.Session("111111111111", running.secrets.secret_access_key, region_name="us-east-1")
    config = Config(proxies={})
    role = session.client("iam", endpoint_url=running.url, config=config).create_role(
        RoleName="worker", AssumeRolePolicyDocument=LAMBDA_TRUST
    )
    functions = session.client("lambda", endpoint_url=running.url, config=config)
    functions.create_function(
        FunctionName="worker",
        Role=role["Role"]["Arn"],
        Runtime="python3.13",
        Handler="worker.handler",
        Code={"ZipFile": zip_of({"worker.py": b"def handler(event, context):\n    return 1\n"})},
    )
    assert functions.invoke(FunctionName="worker")["Payload"].read() == b"1"


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.usefixtures("emulators")
@pytest.mark.drill(short=1)
def test_a_local_aws_lives_and_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    project = sample_project(tmp_path / "project")
    aws = LocalAWS(project)
    try:
        check_that_two_at_once_start_one(project)
        check_that_emulators_may_keep_their_bytecode(project)
        check_that_a_second_start_finds_it(project)
        check_that_one_that_was_killed_is_told(project)
        for died in ("moto", "ministack", "issuer", "moto"):
            check_that_what_died_is_started_again_and_the_others_keep_what_they_hold(project, died)
        check_that_a_reset_starts_afresh(project)
        check_that_down_stops_functions_and_forgets(project)
    finally:
        aws.down()
    shutil.rmtree(project.path)


def check_that_two_at_once_start_one(project: Project) -> None:
    with ThreadPoolExecutor() as pool:
        started = [pool.submit(sawhorse, project, "local", "up", "--port", "0", "--json") for _ in range(2)]
        ended = [future.result() for future in started]

    assert [end.code for end in ended] == [0, 0], ended
    assert ended[0].out == ended[1].out
    running = LocalAWS(project).required()
    assert json.loads(ended[0].out) == {
        process.name: {"url": process.url, "pid": process.pid}
        for process in (running.ministack, running.moto, running.issuer)
    }
    servers = [
        process.pid
        for process in psutil.process_iter()
        if any(str(project.path) in part for part in arguments_of(process)) and process.name().startswith("python")
    ]
    assert sorted(servers) == sorted(process.pid for process in running.all)


def check_that_emulators_may_keep_their_bytecode(project: Project) -> None:
    for emulator in LocalAWS(project).required().all:
        assert "PYTHONDONTWRITEBYTECODE" not in psutil.Process(emulator.pid).environ()


def arguments_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def check_that_a_second_start_finds_it(project: Project) -> None:
    running = LocalAWS(project).required()
    assert LocalAWS(project).up() == running
    assert LocalAWS(project).up(running.ministack.port) == running
    with pytest.raises(LocalAWSError, match=r'is running on port \d+ already; run "sawhorse local down" before'):
        LocalAWS(project).up(free_port())
    exports = sawhorse(project, "local", "env", "staging")
    assert exports.code == 0
    assert "export AWS_ACCESS_KEY_ID=222222222222\n" in exports.out
    assert exports.out.startswith("unset AWS_")
    assert " AWS_CA_BUNDLE " in exports.out.splitlines()[0]


def client_of(running: Running, service: str) -> Any:
    return local_client(service, running.environment("111111111111"))


def kill(emulator: Emulator) -> None:
    process = psutil.Process(emulator.pid)
    process.kill()
    psutil.wait_procs([process], timeout=5)


def check_that_one_that_was_killed_is_told(project: Project) -> None:
    running = LocalAWS(project).required()
    kill(running.moto)

    assert_refused(
        sawhorse(project, "apply", "dev/sample", "--local"),
        "The local AWS is broken: moto died.",
        'run "sawhorse local up" to start again what died',
    )
    assert running.ministack.process is not None


def check_that_what_died_is_started_again_and_the_others_keep_what_they_hold(project: Project, died: str) -> None:
    aws = LocalAWS(project)
    running = aws.with_secrets(aws.recorded())
    if aws.running():
        put_something_into_each(running)
        token = Issuer.of(project).token(subject="someone", audience="somewhere")
        kill(getattr(running, died))
    else:
        token = ""

    ended = sawhorse(project, "local", "up")

    assert ended.code == 0, ended
    assert f"{died} had died and is started again: " in ended.err
    assert f"Its last words are in .sawhorse/local/{died}.log. What lives on was kept." in ended.err
    again = aws.required()
    assert [emulator.url for emulator in again.all] == [emulator.url for emulator in running.all]
    same = {emulator.name for emulator, before in zip(again.all, running.all, strict=True) if emulator == before}
    assert same == {"ministack", "moto", "issuer"} - {died}
    if token:
        kept = {name for name, holds in what_each_holds(again).items() if holds}
        assert kept == {"ministack", "moto"} - {died}
        assert (
            httpx.get(f"{again.issuer_url}.well-known/jwks.json", trust_env=False).json()["keys"][0]["kid"]
            == (jwt.get_unverified_header(token)["kid"])
        )
    assert sawhorse(project, "local", "up").err == ""


def put_something_into_each(running: Running) -> None:
    client_of(running, "ssm").put_parameter(Name="/kept", Value="yes", Type="String", Overwrite=True)
    client_of(running, "cloudwatch").put_dashboard(DashboardName="kept", DashboardBody='{"widgets": []}')


def what_each_holds(running: Running) -> dict[str, bool]:
    return {
        "ministack": bool(client_of(running, "ssm").get_parameters(Names=["/kept"])["Parameters"]),
        "moto": bool(client_of(running, "cloudwatch").list_dashboards()["DashboardEntries"]),
    }


def check_that_a_reset_starts_afresh(project: Project) -> None:
    aws = LocalAWS(project)
    running = aws.required()
    put_something_into_each(running)
    kill(running.moto)

    again = aws.reset()

    assert aws.required() == again
    assert again.ministack.port == running.ministack.port
    assert again.ministack.pid != running.ministack.pid
    assert running.ministack.process is None
    assert not any(what_each_holds(again).values())


def check_that_down_stops_functions_and_forgets(project: Project) -> None:
    aws = LocalAWS(project)
    running = aws.required()
    start_function(running)
    processes = [psutil.Process(emulator.pid) for emulator in running.all]
    workers = processes[0].children(recursive=True)
    assert workers
    assert alive([*processes, *workers]) == [*processes, *workers]

    assert sawhorse(project, "local", "down").out == "The local AWS is stopped.\n"

    assert alive([*processes, *workers]) == []
    assert is_free(running.ministack.port)
    assert is_free(running.moto.port)
    assert sorted(path.name for path in aws.home.iterdir()) == ["issuer.log", "lock", "ministack.log", "moto.log"]


# What clients are told


def test_clients_are_led_to_the_local_aws_and_nowhere_else(local_aws: Running) -> None:
    variables = local_aws.environment("222222222222", "eu-central-1")

    assert variables["AWS_ACCESS_KEY_ID"] == "222222222222"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert variables["AWS_ENDPOINT_URL"] == local_aws.ministack.url
    assert variables["AWS_ENDPOINT_URL_CLOUDWATCH"] == local_aws.moto.url
    assert variables["AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING"] == local_aws.moto.url
    assert {url.split(":")[1] for name, url in variables.items() if "ENDPOINT" in name} == {"//127.0.0.1"}


def test_emulators_get_nothing_of_the_users_environment(local_aws: Running) -> None:
    for emulator in local_aws.all:
        variables = psutil.Process(emulator.pid).environ()
        assert not {"AWS_PROFILE", "AWS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "PYTHONPATH"} & set(variables)
        assert variables["HOME"].endswith(".sawhorse/local/tmp")
        assert local_aws.secrets.secret_access_key not in str(variables)
        assert local_aws.secrets.secret_access_key not in " ".join(psutil.Process(emulator.pid).cmdline())

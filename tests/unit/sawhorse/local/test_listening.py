"""A start of the local AWS is reached at sockets of its own, whoever else wants its ports or responds like it."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from sawhorse.errors import LocalAWSError
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import Emulator, LocalAWS, Running
from sawhorse.local.guard import Secrets
from sawhorse.local.listening import NO_IPV6, listen_at, listening, listening_again, port_of
from sawhorse.project import Project
from tests.http_servers import responding
from tests.ports import free_port, is_free
from tests.projects import sample_project
from tests.unit.sawhorse.support import assert_refused, sawhorse

RESPONSE = b'{"services": {}, "auth": "enabled"}'
TAKE = """
import socket, sys
taken = 0
for options in ([], ["SO_REUSEADDR"], ["SO_REUSEPORT"], ["SO_REUSEADDR", "SO_REUSEPORT"]):
    for host in ("127.0.0.1", "0.0.0.0", "::1", "::"):
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as other:
                for option in options:
                    other.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
                if host == "::":
                    other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                other.bind((host, int(sys.argv[1])))
                other.listen()
                taken += 1
        except OSError:
            pass
print(taken)
"""


class Stranger(BaseHTTPRequestHandler):
    """Another emulator: it says to everything that it is well."""

    calls: list[str]

    def do_GET(self) -> None:
        self.calls.append(f"{self.path} {dict(self.headers)}")
        self.send_response(200)
        self.send_header("Content-Length", str(len(RESPONSE)))
        self.end_headers()
        self.wfile.write(RESPONSE)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def stranger(port: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Let another emulator listen, and keep what it was asked."""
    calls: list[str] = []
    handler = type("Asked", (Stranger,), {"calls": calls})
    with responding(ThreadingHTTPServer(("127.0.0.1", port), handler)) as server:
        yield server.server_port, calls


def listens_itself(emulator: Emulator) -> bool:
    """Say whether the process that was started has the port."""
    listening_at = [
        found.laddr
        for found in psutil.Process(emulator.pid).net_connections(kind="tcp")
        if found.status == psutil.CONN_LISTEN
    ]
    return [(address.ip, address.port) for address in listening_at] == [("127.0.0.1", emulator.port)]


def proves_itself(aws: LocalAWS, running: Running) -> None:
    for emulator in running.all:
        aws.wait_for(emulator, running.secrets)
        assert listens_itself(emulator), emulator
    parameters = local_client("ssm", running.environment()).describe_parameters()["Parameters"]
    assert parameters == []


def test_a_port_is_free_until_somebody_listens(taken_port: int) -> None:
    assert not is_free(taken_port)
    assert is_free(free_port())


def test_a_wanted_port_that_is_taken_is_refused_with_one_that_is_free(taken_port: int) -> None:
    with pytest.raises(LocalAWSError) as refusal:
        listen_at(taken_port)

    sentence, free = str(refusal.value).removesuffix('".').rsplit(" ", 1)
    assert sentence == (f'Port {taken_port} is in use by another program; choose another: "sawhorse local up --port')
    assert is_free(int(free))


def test_without_a_wish_another_port_is_taken_and_said(
    taken_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sawhorse.local.listening.DEFAULT_PORT", taken_port)

    with listen_at(None) as listener:
        chosen = port_of(listener)
        assert not is_free(chosen)

    assert chosen != taken_port
    assert capsys.readouterr().err == (
        f"Port {taken_port} is in use by another program; the local AWS takes {chosen}.\n"
    )


def test_a_free_port_is_taken_as_it_is_wished(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setattr("sawhorse.local.listening.DEFAULT_PORT", port)

    for wish, expected in ((port, {port}), (None, {port}), (0, set(range(1, 65536)) - {port})):
        with listen_at(wish) as listener:
            assert port_of(listener) in expected


def test_the_command_line_refuses_a_port_in_use_and_starts_nothing(project: Project, taken_port: int) -> None:
    assert_refused(sawhorse(project, "local", "up", "--port", str(taken_port)), f"Port {taken_port} is in use")

    assert not LocalAWS(project).record.exists()


@pytest.mark.drill(short=3)
def test_a_port_that_is_taken_for_a_start_is_nobody_elses(moments: random.Random) -> None:
    with listening(0) as listener:
        ended = subprocess.run(
            [sys.executable, "-c", TAKE, str(port_of(listener))], capture_output=True, text=True, check=True
        )
    assert ended.stdout == "0\n"


def test_a_port_to_come_back_to_is_none_that_the_system_gives_to_connections() -> None:
    """An emulator that died is started again where it was: nobody's outgoing connection may have taken its port."""
    with socket.socket() as given, ExitStack() as stack:
        given.bind(("127.0.0.1", 0))
        ports = [port_of(stack.enter_context(listening(0))) for _ in range(50)]
        assert max(ports) < min(port_of(given), 32_768)
    assert len(set(ports)) == 50


def test_the_port_of_a_process_that_ended_is_taken_as_soon_as_what_it_started_lets_go_of_it() -> None:
    with listening(0) as listener:
        port = port_of(listener)
        heir = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=listener.numbers)
    with heir:
        with pytest.raises(OSError, match="in use"):
            listening(port)
        threading.Timer(0.3, heir.kill).start()
        with listening_again(port) as again:
            assert port_of(again) == port


def test_localhost_leads_to_the_socket_that_was_taken_and_to_no_other() -> None:
    """A client of `localhost` asks in IPv6 first: refused there, it comes to the port of 127.0.0.1."""
    with listening(0) as listener:
        port = port_of(listener)
        with pytest.raises(OSError), socket.create_connection(("::1", port), timeout=5):  # noqa: PT011 # no IPv6 has another
            pass
        with socket.create_connection(("localhost", port), timeout=5) as client:
            accepted, address = listener.accept()
            with accepted:
                assert address == client.getsockname()[:2]


def test_a_port_that_somebody_has_in_ipv6_is_refused_and_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with in_ipv6() as stranger_there:
        port = port_of(stranger_there)
        monkeypatch.setattr("sawhorse.local.listening.DEFAULT_PORT", port)
        with pytest.raises(LocalAWSError, match=f"Port {port} is in use by another program; choose another"):
            listen_at(port)
        with listen_at(None) as listener:
            assert port_of(listener) != port


def test_a_process_that_inherits_a_socket_keeps_its_port_in_ipv6(tmp_path: Path) -> None:
    with listening(0) as listener:
        port = port_of(listener)
        inherited = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=listener.numbers
        )
    with inherited:
        ended = subprocess.run([sys.executable, "-c", TAKE, str(port)], capture_output=True, text=True, check=True)
        inherited.kill()
    assert ended.stdout == "0\n"
    with in_ipv6(port):
        pass


@contextmanager
def in_ipv6(port: int = 0) -> Iterator[socket.socket]:
    """Let somebody else listen on IPv6's loopback, where there is one."""
    try:
        listener = socket.socket(socket.AF_INET6)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("::1", port))
    except OSError as error:
        if error.errno not in NO_IPV6:
            raise
        pytest.skip("this machine has no IPv6")
    with listener:
        listener.listen()
        yield listener


@pytest.mark.drill(short=3)
def test_of_many_that_want_a_port_one_gets_it_and_the_others_another(
    moments: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = free_port()
    monkeypatch.setattr("sawhorse.local.listening.DEFAULT_PORT", wanted)
    with ThreadPoolExecutor(16) as pool, ExitStack() as stack:
        listeners = list(pool.map(lambda _: listen_at(None), range(16)))
        for listener in listeners:
            stack.enter_context(listener)
        ports = [port_of(listener) for listener in listeners]
    assert len(set(ports)) == 16
    assert ports.count(wanted) == 1


def test_a_response_without_the_secrets_of_the_start_is_not_believed(tiny: Project) -> None:
    with stranger() as (port, calls), subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as own:
        emulator = Emulator("moto", own.pid, psutil.Process(own.pid).create_time(), port)
        held = Secrets.new()
        with pytest.raises(LocalAWSError, match="is not the moto that was started; end that program"):
            LocalAWS(tiny).wait_for(emulator, held)
        own.kill()
    assert calls
    assert held.control not in str(calls)
    assert held.secret_access_key not in str(calls)


@pytest.mark.usefixtures("emulators")
@pytest.mark.drill(short=1)
def test_starts_beside_a_strangers_emulator_are_their_own(
    tmp_path: Path, moments: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stranger() as (port, calls):
        monkeypatch.setattr("sawhorse.local.listening.DEFAULT_PORT", port)
        projects = [sample_project(tmp_path / name) for name in ("one", "two")]
        starts = [LocalAWS(project) for project in projects]
        try:
            assert_refused(sawhorse(projects[0], "local", "up", "--port", str(port)), f"Port {port} is in use")
            with ThreadPoolExecutor() as pool:
                both = list(pool.map(lambda aws: aws.up(), starts))
            ports = [emulator.port for running in both for emulator in running.all]
            assert len({*ports, port}) == 7
            for aws, running in zip(starts, both, strict=True):
                proves_itself(aws, running)
            refuse_each_other(*both)
            taken_over = moments.choice([0, 1])
            take_over_and_refuse(starts[taken_over], both[taken_over])
        finally:
            for aws in starts:
                aws.down()
        assert calls == []


def refuse_each_other(one: Running, two: Running) -> None:
    """Neither start takes what is signed with the other one's secret."""
    mixed = {**one.environment(), "AWS_SECRET_ACCESS_KEY": two.secrets.secret_access_key}
    assert one.secrets != two.secrets
    with pytest.raises(Exception, match="does not fit the secret"):
        local_client("ssm", mixed).describe_parameters()


def take_over_and_refuse(aws: LocalAWS, running: Running) -> None:
    """Let a stranger take the port of an emulator that died: it is not started there, and the stranger is not asked."""
    process = psutil.Process(running.moto.pid)
    process.kill()
    psutil.wait_procs([process], timeout=5)
    with stranger(running.moto.port) as (_, calls):
        with pytest.raises(LocalAWSError, match=f"moto died, and its port {running.moto.port} is in use by another"):
            aws.up()
        with pytest.raises(LocalAWSError, match="The local AWS is broken: moto died"):
            aws.required()
        assert calls == []
    again = aws.up()
    assert again.moto.port == running.moto.port
    assert listens_itself(again.moto)


@pytest.mark.usefixtures("emulators")
def test_each_start_has_new_secrets_that_only_exports_print(tmp_path: Path) -> None:
    project = sample_project(tmp_path / "project")
    aws = LocalAWS(project)
    try:
        up = sawhorse(project, "local", "up", "--port", "0")
        first = aws.required()
        said = [up, sawhorse(project, "local", "status"), sawhorse(project, "local", "status", "--json")]
        said += [sawhorse(project, "local", "up"), sawhorse(project, "local", "up", "--json")]
        exports = sawhorse(project, "local", "env", "dev")
        assert f"export AWS_SECRET_ACCESS_KEY={first.secrets.secret_access_key}\n" in exports.out
        assert first.secrets.control not in exports.out
        said.append(sawhorse(project, "local", "reset"))
        second = aws.required()
        assert len(first.secrets.secret_access_key) == 40
        assert {first.secrets.secret_access_key, first.secrets.control}.isdisjoint(
            {second.secrets.secret_access_key, second.secrets.control}
        )
        texts = [str(said), repr(first), *(aws.log(emulator.name).read_text() for emulator in second.all)]
        texts += [aws.record.read_text(), json.dumps([psutil.Process(one.pid).cmdline() for one in second.all])]
        for held in (first.secrets, second.secrets):
            for secret in (held.secret_access_key, held.control):
                assert not [text for text in texts if secret in text]
        aws.secrets_file.unlink()
        assert_refused(
            sawhorse(project, "local", "env"),
            'secrets of the local AWS in .sawhorse/local/secrets.json cannot be read; run "sawhorse local reset"',
        )
    finally:
        aws.down()
    assert not aws.secrets_file.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", second.ministack.port)) != 0

"""Start, find, reset and stop the processes of the local AWS, and say how to reach them."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import psutil

from sawhorse import trusted_files
from sawhorse.environment import Environment
from sawhorse.errors import LocalAWSError
from sawhorse.files import locked, write_atomically
from sawhorse.local.guard import CHALLENGE, READY, Secrets
from sawhorse.local.listening import HOST, Listener, listen_at, listening, listening_again, port_of, reason_of
from sawhorse.project import Project
from sawhorse.toolchain import installed
from sawhorse.toolchain.machine import python_of

START_SECONDS = 60.0
STOP_SECONDS = 10.0
# Application Auto Scaling, CloudWatch alarms and dashboards are moto's part; MiniStack has the rest.
MOTO_SERVICES = ("APPLICATION_AUTO_SCALING", "CLOUDWATCH")
# What is gone when it died.
LOST = {
    "ministack": "tables, functions, APIs and queues are gone, so apply and seed the roots again.",
    "moto": "alarms, dashboards and scaling are gone, so apply the roots again.",
    "issuer": "its keys are the same, so tokens hold.",
}
NAMES = LOST.keys()
MOST_PID, MOST_PORT = 2**31 - 1, 2**16 - 1
# Set by what `sawhorse local` exports, so that such a shell is never taken for one that speaks to AWS.
LOCAL_MARK = "SAWHORSE_LOCAL_AWS"


@dataclass(frozen=True)
class Emulator:
    """A process that runs: its number, when it was started (seconds since 1970) and its port."""

    name: str
    pid: int
    started: float
    port: int

    @classmethod
    def of(cls, name: str, facts: dict[str, object]) -> Emulator:
        """Read what `remember` wrote; raises TypeError and ValueError for anything else."""
        emulator = cls(**facts)  # type: ignore[arg-type] # looked at below
        numbers = ((emulator.pid, MOST_PID), (emulator.port, MOST_PORT))
        # A truth value would be a number.
        right = all(type(number) is int and 0 < number <= most for number, most in numbers)
        if not right or type(emulator.started) is not float or emulator.name != name or name not in NAMES:
            raise ValueError(name)
        return emulator

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def process(self) -> psutil.Process | None:
        """The process, or None when it is gone; a new one with the same number is another one."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if same else None


@dataclass(frozen=True)
class Running:
    """The local AWS that runs: the emulators, and the issuer of tokens that their authorizers check."""

    ministack: Emulator
    moto: Emulator
    issuer: Emulator
    secrets: Secrets = field(repr=False)

    @property
    def all(self) -> tuple[Emulator, ...]:
        return (self.ministack, self.moto, self.issuer)

    @property
    def url(self) -> str:
        return self.ministack.url

    @property
    def issuer_url(self) -> str:
        """The issuer as it stands in its tokens; like Auth0's it ends with a slash."""
        return f"{self.issuer.url}/"

    def variables(self, environment: Environment) -> dict[str, str]:
        """Return what points a client at the local AWS, acting in an environment's account and region."""
        return self.environment(environment.account_id, environment.region)

    def environment(self, account_id: str = "111111111111", region: str = "us-east-1") -> dict[str, str]:
        """Return the variables that point Terraform, boto3 and the AWS CLI at the local AWS, acting as this account."""
        variables = {
            # The access key is the number of the account to act in; one secret is that of all accounts.
            "AWS_ACCESS_KEY_ID": account_id,
            "AWS_SECRET_ACCESS_KEY": self.secrets.secret_access_key,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self.ministack.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            # The AWS provider would try 25 times, for minutes, to reach an emulator that died.
            "AWS_MAX_ATTEMPTS": "4",
            # A profile of the user's must not win over the variables above.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": no_proxy_for_loopback(os.environ.get("NO_PROXY")),
            "no_proxy": no_proxy_for_loopback(os.environ.get("no_proxy")),
        }
        variables |= {f"AWS_ENDPOINT_URL_{service}": self.moto.url for service in MOTO_SERVICES}
        return variables


class LocalAWS:
    """The local AWS of a project: at most one, known by a file that says which processes it is."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.home = project.local

    @property
    def record(self) -> Path:
        return self.home / "running.json"

    @property
    def secrets_file(self) -> Path:
        """Where the secrets of the last start are, for this user's eyes alone."""
        return self.home / "secrets.json"

    @property
    def issuer_documents(self) -> Path:
        """Where the issuer's configuration and public keys are, which anybody may read."""
        return self.home / "issuer/public"

    def running(self) -> Running | None:
        """Return the local AWS if all of it lives."""
        recorded = self.recorded()
        alive = {name for name, emulator in recorded.items() if emulator.process}
        return self.with_secrets(recorded) if alive == NAMES else None

    def required(self) -> Running:
        """Return the local AWS, or say how to start it."""
        running = self.running()
        if running:
            return running
        self.refuse_dead()
        raise LocalAWSError('The local AWS is not running; run "sawhorse local up".')

    def refuse_dead(self) -> None:
        """Say which emulator died, and leave what is left for a look."""
        dead = [name for name, emulator in self.recorded().items() if not emulator.process]
        if dead:
            raise LocalAWSError(
                f"The local AWS is broken: {' and '.join(dead)} died. Its last words are in "
                f'{self.project.shown(self.log(dead[0]))}; run "sawhorse local up" to start again '
                'what died, or "sawhorse local reset" to start afresh.'
            )

    def up(self, port: int | None = None, *, again: bool = False) -> Running:
        """Start the emulators and the issuer unless they run, and wait until they respond.

        What died is started again where it was, and what lives keeps what it holds. `port` is where MiniStack listens;
        0 takes any free one, None takes 4566 or, when that is taken, any free one. With `again` it is where one that
        was just stopped listened.
        """
        with self.locked():
            recorded = self.recorded()
            if recorded.keys() == NAMES:
                running = self.with_secrets(recorded)
                if port not in (None, 0, running.ministack.port):
                    raise LocalAWSError(
                        f"The local AWS is running on port {running.ministack.port} already; "
                        f'run "sawhorse local down" before you start it on {port}.'
                    )
                return self.restart_dead(running)
            # What lives without the others was interrupted while starting.
            self.stop()
            return self.start(port, installed.ensure_emulators(self.project.path), again=again)

    def with_secrets(self, recorded: Mapping[str, Emulator]) -> Running:
        """Put what is recorded together with the secrets that it was started with."""
        try:
            return Running(**recorded, secrets=Secrets.of(self.secrets_file))
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise LocalAWSError(
                f"The secrets of the local AWS in {self.project.shown(self.secrets_file)} cannot be read; "
                'run "sawhorse local reset" to start afresh with new ones.'
            ) from error

    def start(self, port: int | None, environments: installed.Emulators, *, again: bool = False) -> Running:
        from sawhorse.local.issuer import Issuer  # noqa: PLC0415 # cryptography is slow to import, and only needed here

        with ExitStack() as sockets:
            # Taken before anything starts, so that nobody else listens where these processes are looked for.
            listeners = {
                name: sockets.enter_context(listen_at(port, again=again) if name == "ministack" else listening(0))
                for name in NAMES
            }
            self.make_home()
            Secrets.new().keep(self.secrets_file)
            # As Auth0's do, its address ends with a slash.
            Issuer.new(f"http://{HOST}:{port_of(listeners['issuer'])}/").keep(self.project)
            started: dict[str, Emulator] = {}
            for name, listener in listeners.items():
                started[name] = self.spawn(name, self.command(name, listener, environments), listener)
                # Recorded at once: whatever happens now, `down` finds it.
                self.remember(started)
        running = self.with_secrets(started)
        try:
            for emulator in running.all:
                self.wait_for(emulator, running.secrets)
        except BaseException:
            self.stop()
            raise
        return running

    def make_home(self) -> None:
        """Make the directories of the emulators and of the functions, for this user alone."""
        for directory in (self.home, self.home / "tmp", self.home / "functions"):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)

    def restart_dead(self, recorded: Running) -> Running:
        """Start what died of a local AWS at the port where it was, and say what it does not hold any more."""
        emulators = {emulator.name: emulator for emulator in recorded.all}
        dead = [emulator for emulator in recorded.all if not emulator.process]
        with ExitStack() as sockets:
            listeners = {emulator.name: sockets.enter_context(self.listen_again(emulator)) for emulator in dead}
            for emulator in dead:
                self.make_home()
                listener = listeners[emulator.name]
                command = self.command(emulator.name, listener, installed.ensure_emulators(self.project.path))
                emulators[emulator.name] = self.spawn(emulator.name, command, listener, again=True)
                listener.close()
                self.remember(emulators)
                self.wait_for(emulators[emulator.name], recorded.secrets)
                print(
                    f"{emulator.name} had died and is started again: {LOST[emulator.name]} Its last words are in "
                    f"{self.project.shown(self.log(emulator.name))}. What lives on was kept.",
                    file=sys.stderr,
                )
        return Running(**emulators, secrets=recorded.secrets)

    def listen_again(self, emulator: Emulator) -> Listener:
        try:
            return listening_again(emulator.port)
        except OSError as error:
            raise LocalAWSError(
                f"{emulator.name} died, and its port {emulator.port} {reason_of(error)}. End what has it "
                'and run "sawhorse local up" again, or "sawhorse local reset" to start afresh.'
            ) from error

    def command(self, name: str, listener: Listener, environments: installed.Emulators) -> list[str | Path]:
        """Return what starts an emulator, or the issuer of tokens, on a socket that it inherits."""
        servers = Path(__file__).parent
        given: list[str | Path] = [self.secrets_file, str(listener.fileno())]
        if name == "ministack":
            interpreter = python_of(environments.runtime)
            directories = [self.home / "functions", self.issuer_documents]
            return [interpreter, servers / "ministack_server.py", environments.ministack, *given, *directories]
        if name == "moto":
            return [python_of(environments.moto), servers / "moto_server.py", *given]
        return [sys.executable, "-I", servers / "issuer_server.py", self.issuer_documents, *given]

    def ministack_settings(self, port: int) -> dict[str, str]:
        """Say what MiniStack is to do; on its own it would bind every interface and enforce nothing."""
        return {
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": "local",
            "BIND_HOST": HOST,
            "CLOUDTRAIL_RECORDING": "1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_HOST": HOST,
            "S3_DATA_DIR": str(self.home / "s3"),
            "SFTP_ENABLED": "0",
        }

    def spawn(self, name: str, command: list[str | Path], listener: Listener, *, again: bool = False) -> Emulator:
        """Start an emulator in a session of its own, with an environment that holds nothing of the user's.

        Not even PYTHONDONTWRITEBYTECODE: an emulator that finds no bytecode compiles for seconds at every start.
        """
        port = port_of(listener)
        environment = {
            "HOME": str(self.home / "tmp"),
            "LANG": "C.UTF-8",
            "NO_PROXY": "*",
            "PATH": os.environ.get("PATH", os.defpath),
            "TMPDIR": str(self.home / "tmp"),
            **(self.ministack_settings(port) if name == "ministack" else {}),
        }
        # One that died keeps its last words.
        with self.log(name).open("ab" if again else "wb") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.home / "tmp",
                pass_fds=listener.numbers,
                start_new_session=True,
            )
        # It outlives this program on purpose; Python would warn of a child that nobody waited for.
        process.returncode = 0
        return Emulator(name, process.pid, psutil.Process(process.pid).create_time(), port)

    def wait_for(self, emulator: Emulator, held: Secrets) -> None:
        """Wait until the process that was started responds, and proves that it has the secrets of this start."""
        deadline = time.monotonic() + START_SECONDS
        challenge = secrets.token_hex()
        with httpx.Client(base_url=emulator.url, timeout=START_SECONDS, trust_env=False) as client:
            while time.monotonic() < deadline:
                if not emulator.process:
                    words = self.log(emulator.name).read_text(errors="replace").strip().splitlines()[-3:]
                    raise LocalAWSError(
                        f"{emulator.name} ended while starting: {' / '.join(words) or 'it printed nothing'}. "
                        f'See {self.project.shown(self.log(emulator.name))} and run "sawhorse local up" again.'
                    )
                with contextlib.suppress(httpx.TransportError):
                    response = client.get(READY, headers={CHALLENGE: challenge})
                    if response.text == held.proof(emulator.name, challenge):
                        return
                    raise LocalAWSError(
                        f"What listens at {emulator.url} is not the {emulator.name} that was started; "
                        'end that program and run "sawhorse local up" again.'
                    )
                time.sleep(0.05)
        raise LocalAWSError(
            f"{emulator.name} did not respond within {START_SECONDS:.0f} seconds; "
            f'see {self.project.shown(self.log(emulator.name))} and run "sawhorse local up" again.'
        )

    def down(self) -> bool:
        """Stop the emulators and forget what they held, with the state of local runs; say whether any ran."""
        with self.locked():
            ran = self.stop()
            self.remove_leftovers()
        return ran

    def stop(self) -> bool:
        """End the emulators and the functions that they run."""
        processes: list[psutil.Process] = []
        for emulator in self.recorded().values():
            process = emulator.process
            if process:
                with contextlib.suppress(psutil.NoSuchProcess):
                    processes += [*process.children(recursive=True), process]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in wait_for_end(processes):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        left = wait_for_end(processes)
        if left:
            raise LocalAWSError(
                f"Process {left[0].pid} of the local AWS does not end; look at it with ps, end it and run this again."
            )
        self.record.unlink(missing_ok=True)
        return bool(processes)

    def remove_leftovers(self) -> None:
        """Delete what a stopped local AWS leaves, and set the Terraform state aside that spoke of it.

        Should a native run have put a real one there, it is in the workspace `local-before` until this happens again.
        """
        for name in ("tmp", "functions", "s3", "project", "keys", "issuer", "demos", "shells"):
            shutil.rmtree(self.home / name, ignore_errors=True)
        self.secrets_file.unlink(missing_ok=True)
        for root in self.project.roots:
            state = root.path / "terraform.tfstate.d/local"
            if state.is_dir():
                before = state.with_name("local-before")
                shutil.rmtree(before, ignore_errors=True)
                state.rename(before)

    def reset(self) -> Running:
        """Start afresh: everything that was applied locally is gone."""
        port = next((emulator.port for emulator in self.recorded().values() if emulator.name == "ministack"), None)
        self.down()
        return self.up(port, again=port is not None)

    def remember(self, emulators: Mapping[str, Emulator]) -> None:
        content = {name: asdict(emulator) for name, emulator in emulators.items()}
        write_atomically(self.record, json.dumps(content, indent=2) + "\n")

    def recorded(self) -> dict[str, Emulator]:
        try:
            content = json.loads(trusted_files.read_own(self.record))
            return {name: Emulator.of(name, facts) for name, facts in content.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise LocalAWSError(
                f"{self.project.shown(self.record)} is not what the harness writes; "
                "stop the emulators by hand and delete it."
            ) from error

    def log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def locked(self) -> AbstractContextManager[None]:
        """Let one process at a time start or stop this local AWS."""
        return locked(self.home / "lock")


def wait_for_end(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Wait until the processes ended, for a while, and return those that did not.

    A zombie has ended: its parent, or a container's first process, may never take its exit code.
    """

    def is_alive(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    deadline = time.monotonic() + STOP_SECONDS
    while (left := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    # Takes the exit codes of those that this process started.
    psutil.wait_procs(processes, timeout=0)
    return left


def no_proxy_for_loopback(hosts: str | None) -> str:
    """Add this machine to the hosts that no proxy stands before."""
    return ",".join([*(hosts.split(",") if hosts else []), HOST, "localhost"])

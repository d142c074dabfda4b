"""The same application runs from the zip behind the Web Adapter, from the image and as a plain process."""

import contextlib
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from sawhorse.build.build import build
from sawhorse.build.config import read_config
from sawhorse.build.platform import local_target
from sawhorse.environment import read_environment
from sawhorse.local.emulators import Running
from sawhorse.project import Project
from sawhorse.toolchain import installed, python_environments
from sawhorse.toolchain.machine import run_tool
from sawhorse.workspace import Deployment
from shared.claims import CONTEXT_HEADER
from tests.apps.turbotech_portal.images import Image, build_image, shell
from tests.apps.turbotech_portal.support import Tables, deliverable, put
from tests.children import started
from tests.ports import free_port
from tests.projects import copy_of_project
from tests.unit.support import runtime_api
from turbotech_portal.ops.process import process

SYSTEM_PATH = "/usr/bin:/bin"
USER = "auth0|ada"
CONTEXT = json.dumps({"authorizer": {"jwt": {"claims": {"sub": USER}, "scopes": None}}})
FUNCTION = {"AWS_LAMBDA_FUNCTION_NAME": "turbotech-portal-dev"}


@pytest.fixture(scope="module")
def runtime() -> Path:
    """The programs of an environment that has what Lambda's runtime has, and nothing else."""
    return installed.ensure_emulators(Path(__file__).parents[3]).runtime / "bin"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return copy_of_project(tmp_path_factory.mktemp("packaging") / "project")


@pytest.fixture(scope="module")
def task_root(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real package, extracted as Lambda does: with the modes that stand in the zip."""
    python = installed.ensure_emulators(project.path).python_version
    package = build(project, "turbotech_portal", target=local_target(read_config(project, "turbotech_portal"), python))
    root = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(package.path) as archive:
        for info in archive.infolist():
            Path(archive.extract(info, root)).chmod(info.external_attr >> 16)
    return root


@pytest.fixture(scope="module")
def image(project: Project, runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the Dockerfile makes; pip is played by uv, in an environment of its own."""
    root = tmp_path_factory.mktemp("image")
    uv = python_environments.ensure_uv(project.path)
    made = run_tool([uv, "venv", "--quiet", "--no-config", "--python", runtime / "python3", root / "venv"])
    assert made.returncode == 0, made.stderr
    pip = root / "venv/bin/pip"
    # uv pip knows neither of these two options by these names, and needs neither.
    pip.write_text(
        '#!/bin/sh\nfor word; do shift; case $word in --no-cache-dir) ;; *) set -- "$@" "$word" ;; esac; done\n'
        f'exec "{uv}" pip "$@" --quiet --no-config --python "{root}/venv/bin/python"\n'
    )
    pip.chmod(0o755)
    path = f"{root}/venv/bin:{SYSTEM_PATH}"
    return build_image(
        project.lambda_path / "turbotech_portal/Dockerfile",
        context=project.path,
        root=root,
        run=lambda command, directory, environment: shell(command, directory, shell_environment(environment, path)),
    )


def shell_environment(environment: Mapping[str, str], path: str) -> dict[str, str]:
    """Give a command of the image what it needs to reach a registry as this machine does."""
    passed_on = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "SSL_", "HOME", "HTTP"))}
    return {"UV_SYSTEM_CERTS": "true", **passed_on, **environment, "PATH": path}


@pytest.fixture
def settings(tables: Tables, local_aws: Running) -> dict[str, str]:
    """The function's variables, and what points boto3 at the local tables."""
    return {
        "DYNAMODB_TABLE_DELIVERABLES": tables.deliverables,
        "DYNAMODB_TABLE_METRICS": tables.metrics,
        "DYNAMODB_TABLE_UPDATES": tables.updates,
        "DYNAMODB_TABLE_USERS": tables.users,
        "PRODUCTION": "false",
        "STAGE": "dev",
        "LOG_LEVEL": "INFO",
        **local_aws.environment(),
    }


@contextlib.contextmanager
def served(command: list[str], *, directory: Path, environment: Mapping[str, str], log: Path) -> Iterator[httpx.Client]:
    """Start a process that listens on PORT, wait for health as the adapter does, and stop it afterwards."""
    port = free_port()
    with (
        log.open("w") as printed,
        started(
            command,
            cwd=directory,
            env={**environment, "PORT": str(port)},
            stdout=printed,
            stderr=subprocess.STDOUT,
        ) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http,
    ):
        try:
            wait_until_ready(http, running, log)
            yield http
        finally:
            running.terminate()
            running.wait(timeout=10)


def wait_until_ready(http: httpx.Client, running: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert running.poll() is None, log.read_text()
        try:
            assert http.get("/api/health").status_code == 200
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"It never responded: {log.read_text()}")


def test_the_package_holds_its_starter_at_the_top_and_no_dockerfile(task_root: Path) -> None:
    assert os.access(task_root / "run.sh", os.X_OK)
    assert (task_root / "turbotech_portal/main.py").is_file()
    assert not list(task_root.rglob("Dockerfile*"))
    assert not list(task_root.rglob("README.md"))
    assert not (task_root / "boto3").exists()


def test_the_zip_starts_behind_the_web_adapter(  # noqa: PLR0913, PLR0917 - what the process needs
    task_root: Path, runtime: Path, settings: dict[str, str], tables: Tables, dynamodb: Any, tmp_path: Path
) -> None:
    put(dynamodb, tables.deliverables, deliverable(1))
    log = tmp_path / "log"
    # As the layer's /opt/bootstrap starts it: the handler below LAMBDA_TASK_ROOT, from any directory.
    environment = {
        **settings,
        **FUNCTION,
        "LAMBDA_TASK_ROOT": str(task_root),
        "LAMBDA_RUNTIME_DIR": str(tmp_path),
        "PATH": f"{runtime}:{SYSTEM_PATH}",
    }
    with (
        runtime_api() as address,
        served(
            [f"{task_root}/run.sh"],
            directory=tmp_path,
            environment={**environment, "AWS_LAMBDA_RUNTIME_API": address},
            log=log,
        ) as http,
    ):
        checked = http.get("/api/deliverables", headers={CONTEXT_HEADER: CONTEXT, "X-Request-ID": "mine"})
        unchecked = http.get("/api/deliverables")
        me = http.get("/api/users/me", headers={CONTEXT_HEADER: CONTEXT})

    assert checked.json() == {"deliverables": [deliverable(1)]}
    assert (unchecked.status_code, unchecked.json()["error"]["code"]) == (401, "unauthorized")
    assert me.json()["id"] == USER
    assert "server" not in checked.headers
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    [request] = [line for line in lines if line.get("request_id") == "mine"]
    assert (request["message"], request["path"], request["user"]) == ("request", "/api/deliverables", USER)
    assert [line for line in lines if line["level"] not in ("INFO", "DEBUG")] == []


def test_a_missing_variable_ends_the_zip_with_its_name(
    task_root: Path, runtime: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    del settings["DYNAMODB_TABLE_UPDATES"]

    result = subprocess.run(
        [f"{task_root}/run.sh"],
        cwd=tmp_path,
        env={**settings, "PORT": str(free_port()), "PATH": f"{runtime}:{SYSTEM_PATH}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert result.returncode != 0
    assert "DYNAMODB_TABLE_UPDATES is not set. Set it in the function's environment." in result.stderr


def test_the_image_has_main_at_its_root_and_the_adapter_as_an_extension(image: Image) -> None:
    assert image.command == ["./run.sh", "main:app"]
    assert (image.directory / "main.py").is_file()
    assert not (image.directory / "app").exists()
    taken = {place: name.partition("@")[0] for place, name in image.copied_from_images.items()}
    assert taken == {"/opt/extensions/lambda-adapter": "public.ecr.aws/awsguru/aws-lambda-adapter:1.1.0"}
    assert image.base.partition("@")[0].endswith("python:3.13-slim")
    assert image.user != "root"
    assert image.environment["AWS_LWA_READINESS_CHECK_PATH"] == "/api/health"


def test_the_image_starts_by_its_own_command(
    image: Image, settings: dict[str, str], tables: Tables, dynamodb: Any, tmp_path: Path
) -> None:
    put(dynamodb, tables.deliverables, deliverable(1))
    environment = {
        **image.environment,
        **settings,
        "AUTH_MODE": "local",
        # As `docker run -e` could say: this test opens no port to the network.
        "UVICORN_HOST": "127.0.0.1",
        "PATH": f"{image.root}/venv/bin:{SYSTEM_PATH}",
    }
    with served(image.command, directory=image.directory, environment=environment, log=tmp_path / "log") as http:
        assert http.get("/api/deliverables/1").json() == deliverable(1)
        assert http.get("/openapi.json").status_code == 200


def test_outside_lambda_the_image_trusts_no_header(image: Image, settings: dict[str, str], tmp_path: Path) -> None:
    environment = {
        **image.environment,
        **settings,
        "UVICORN_HOST": "127.0.0.1",
        "PATH": f"{image.root}/venv/bin:{SYSTEM_PATH}",
    }
    with served(image.command, directory=image.directory, environment=environment, log=tmp_path / "log") as http:
        assert http.get("/api/deliverables", headers={CONTEXT_HEADER: CONTEXT}).status_code == 401


def test_what_the_image_copies_is_let_through_to_docker(project: Project) -> None:
    directory = project.lambda_path / "turbotech_portal"
    let_through = {
        line.removeprefix("!")
        for line in (directory / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        word
        for line in (directory / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from=" not in line
        for word in line.split()[1:-1]
    }

    assert [
        path for path in copied if not any(path == known or path.startswith(f"{known}/") for known in let_through)
    ] == []


def test_a_laptop_gets_the_functions_variables_and_the_development_user(
    project: Project, settings: dict[str, str], local_aws: Running, tmp_path: Path
) -> None:
    class Lambda:
        def get_function_configuration(self, **request: str) -> Any:
            assert request == {"FunctionName": "turbotech-portal-dev"}
            adapter = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap", "PORT": "8080"}
            return {"Environment": {"Variables": {**settings, "AUTH_MODE": "gateway", **adapter}}}

    class Local(Deployment):
        def client(self, service: str) -> Any:
            assert service == "lambda"
            return Lambda()

    root = project.root("dev/turbotech_portal")
    outputs = {"lambda_function_name": "turbotech-portal-dev"}
    made = process(Local(root, read_environment(project, "dev"), outputs, local_aws))

    assert made.module == "turbotech_portal.main:app"
    assert made.environment["AUTH_MODE"] == "local"
    assert "PORT" not in made.environment
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in made.environment
    assert made.environment["AWS_ENDPOINT_URL"] == local_aws.url
    environment = {
        **made.variables(project, 0),
        **{name: settings[name] for name in settings if name.startswith("AWS_")},
    }
    command = ["/bin/sh", "-c", f'exec {sys.executable} -m uvicorn {made.module} --port "$PORT"']
    with served(command, directory=project.lambda_path, environment=environment, log=tmp_path / "log") as http:
        assert http.get("/api/users/me").json()["id"] == "local|developer"

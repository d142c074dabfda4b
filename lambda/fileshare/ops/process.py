"""Run fileshare's backend as its service runs it: the parameters' variables, and the task role's credentials."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from fileshare.ops.seed import addresses_of
from fileshare.ops.service import service_environment
from fileshare.settings import MERGE_PLUS_ADDRESSES
from sawhorse.api import BadConfiguration, Deployment, Process, Project, close_entry, make_own_directory, make_own_file

SESSION = "sawhorse-dev"
BESIDE_SQLITE = ("-wal", "-shm", "-journal")


def process(deployment: Deployment) -> Process:
    """Take what the service's deployment would set; SQLite, the way back, needs no credentials."""
    variables = dict(service_environment(deployment.client, deployment.environment, deployment.output("parameters")))
    merge_plus = addresses_of(deployment.outputs).merge_plus
    variables[MERGE_PLUS_ADDRESSES] = str(merge_plus).lower()
    if variables["USE_DYNAMODB"] == "true":
        variables = {**place(deployment), **variables, **credentials(deployment)}
    else:
        variables["SQLITE_PATH"] = str(own_database(deployment.root.project, deployment.root.environment))
    return Process(module="fileshare.main:app", environment=variables)


def own_database(project: Project, environment: str) -> Path:
    """Return the SQLite file of an environment, for this user alone; an empty one where none is. Raises Untrusted."""
    database = project.private / "fileshare" / f"{environment}.sqlite3"
    make_own_directory(database.parent)
    # SQLite gives what it writes beside a file the mode of that file.
    make_own_file(database)
    for suffix in BESIDE_SQLITE:
        with suppress(FileNotFoundError):
            close_entry(f"{database}{suffix}")
    return database


def place(deployment: Deployment) -> dict[str, str]:
    """Return what points the process at the local AWS, with nobody's credentials yet."""
    return deployment.local.variables(deployment.environment) if deployment.local else {}


def credentials(deployment: Deployment) -> dict[str, str]:
    """Assume the task role, which lasts an hour; start the process again after that."""
    name = deployment.outputs.get("task_role")
    if not name:
        raise BadConfiguration(
            f"{deployment.root.name} names no task role, and its function's role trusts Lambda alone; "
            "name a role that you may assume as task_role in its main.tf, and apply."
        )
    role = deployment.client("iam").get_role(RoleName=str(name))["Role"]["Arn"]
    taken = deployment.client("sts").assume_role(RoleArn=role, RoleSessionName=SESSION)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
        "AWS_SESSION_TOKEN": taken["SessionToken"],
    }

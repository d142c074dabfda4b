"""A repository of the sample app with three environments, its roles on the local AWS, and GitHub around it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sawhorse.environment import read_environment
from sawhorse.local.clients import local_client
from sawhorse.local.emulators import LocalAWS, Running
from sawhorse.plans.scratch import providers
from sawhorse.project import Project
from sawhorse.terraform.provider_lock import forget_hashes
from sawhorse.terraform.sync import sync
from tests.projects import REPOSITORY, sample_project
from tests.workflows.github_api import Repository, api_of
from tests.workflows.platform import Platform, Run

NAME = "octo-org/shop"
ENVIRONMENTS = ("dev", "staging", "production")
# Of this shell only what finds programs and this user's own things.
OF_THE_SHELL = ("HOME", "LANG", "PATH", "SAWHORSE_CACHE_DIR", "SAWHORSE_STATE_DIR", "TMPDIR", "GOGC", "GOMEMLIMIT")
REVIEWERS = {
    "type": "required_reviewers",
    "prevent_self_review": True,
    "reviewers": [{"type": "User", "reviewer": {"login": "octocat"}}],
}
GUARDED = {
    "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
    "branch_policies": [{"id": 1, "name": "main", "type": "branch"}],
}
WHO_DEPLOYS = f"deployers: true\ngithub:\n  repository: {NAME}\n"


@dataclass
class Shop:
    """The repository as a developer has it, with GitHub and the accounts behind it."""

    project: Project
    platform: Platform
    aws: Running

    def git(self, *words: str) -> str:
        command = ["git", "-C", str(self.project.path), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, message: str) -> str:
        """Commit all that is there, and return the SHA."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def version(self, version: str, fault: str = "") -> None:
        """Let the app say another version, and break it."""
        app = self.project.path / "lambda/sample"
        (app / "version.py").write_text(f'"""Hold the version."""\n\nVERSION = "{version}"\n')
        sound = (REPOSITORY / "tests/sample/lambda/sample/main.py").read_text()
        (app / "main.py").write_text(sound + fault)

    def push(self, sha: str | None = None) -> Run:
        """Let main, which is checked out, be pushed."""
        sha = sha or self.git("rev-parse", "main")
        event = {"ref": "refs/heads/main", "after": sha}
        return self.platform.start("deploy", "push", event, sha=sha, ref="refs/heads/main")

    def pull_request(self, number: int, branch: str, head_repository: str = NAME) -> Run:
        """Let a branch be proposed for main, or pushed to again: GitHub runs what it would be merged as."""
        head = self.git("rev-parse", branch)
        tree = self.git("merge-tree", "--write-tree", "main", branch)
        merge = self.git("commit-tree", tree, "-p", "main", "-p", branch, "-m", f"Merge {branch}")
        self.git("update-ref", f"refs/pull/{number}/merge", merge)
        request = {"number": number, "head": {"sha": head, "repo": {"full_name": head_repository}}}
        self.platform.repository.pulls[number] = request
        event = {"pull_request": request, "number": number}
        return self.platform.start("plan", "pull_request", event, sha=merge, ref=f"refs/pull/{number}/merge")

    def by_hand(self, workflow: str, branch: str = "main", **given: str) -> Run:
        """Let somebody run a workflow."""
        sha = self.git("rev-parse", branch)
        return self.platform.start(
            workflow, "workflow_dispatch", {"inputs": given}, sha=sha, ref=f"refs/heads/{branch}", given=given
        )

    def scheduled(self, workflow: str) -> Run:
        sha = self.git("rev-parse", "main")
        return self.platform.start(workflow, "schedule", {}, sha=sha, ref="refs/heads/main")

    def client(self, service: str, environment: str) -> Any:
        """Return a client of the account of an environment, which may do anything there."""
        return local_client(service, self.aws.variables(read_environment(self.project, environment)))

    def record(self, root: str) -> Any:
        """Read the record of a root's releases, as it lies in the bucket."""
        environment = root.partition("/")[0]
        s3 = self.client("s3", environment)
        key = f"{root}.releases.json"
        return json.loads(s3.get_object(Bucket=bucket_of(environment), Key=key)["Body"].read())

    def keep_record(self, root: str, record: Any) -> None:
        environment = root.partition("/")[0]
        body = json.dumps(record).encode()
        self.client("s3", environment).put_object(Bucket=bucket_of(environment), Key=f"{root}.releases.json", Body=body)


def bucket_of(environment: str) -> str:
    return f"octo-org-shop-states-{environment}"


def repository_with(environments: Sequence[str], place: Path) -> Project:
    """Make a project of the sample app that runs in these environments, states in buckets, and commit it."""
    sample_project(place)
    let_roots_choose_the_key(place / "modules/apps/sample")
    shutil.copytree(REPOSITORY / ".github", place / ".github")
    shutil.copyfile(REPOSITORY / ".gitignore", place / ".gitignore")
    dev = place / "environments/dev/sample"
    for environment in environments:
        facts = place / f"environments/{environment}/environment.yaml"
        facts.write_text(f"{facts.read_text()}{WHO_DEPLOYS}state_bucket: {bucket_of(environment)}\n")
        root = place / f"environments/{environment}/sample"
        if environment != "dev":
            root.mkdir()
            shutil.copyfile(dev / "outputs.tf", root / "outputs.tf")
            text = (dev / "main.tf").read_text().replace('"direct"', '"gated"').replace('"dev"', f'"{environment}"')
            # The sample's API asks for no token, which is refused in production.
            text = text.replace("= var.environment.production", "= false")
            (root / "main.tf").write_text(text)
    made = Project(place)
    sync(made.roots)
    for one in made.roots:
        (one.path / "lock_override.tf").write_text(providers())
        forget_hashes(one.path)
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("config", "user.name", "octocat"),
        ("config", "user.email", "octocat@example.com"),
        # As GitHub lets its runners fetch any commit.
        ("config", "uploadpack.allowAnySHA1InWant", "true"),
        ("config", "gc.auto", "0"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "Begin"),
    ):
        subprocess.run(["git", "-C", str(place), *words], check=True, capture_output=True)
    return made


def let_roots_choose_the_key(module: Path) -> None:
    """Let a root say the key of the table, whose change replaces it."""
    main, variables = module / "main.tf", module / "variables.tf"
    main.write_text(main.read_text().replace('= "name"', "= var.hash_key"))
    added = 'variable "hash_key" {\n  type    = string\n  default = "name"\n}'
    variables.write_text(f"{variables.read_text()}\n{added}\n")


def make_accounts(shop: Shop, environments: Sequence[str]) -> None:
    """Make in each account what stands before the first deployment, as docs/deploy.md says: a bucket, and who deploys.

    The bucket is made by hand here: `sawhorse state make` has tests of its own.
    """
    if environments:
        as_administrator(shop, environments[0], "build")
    for environment in environments:
        s3 = shop.client("s3", environment)
        s3.create_bucket(Bucket=bucket_of(environment))
        s3.put_bucket_versioning(Bucket=bucket_of(environment), VersioningConfiguration={"Status": "Enabled"})
        as_administrator(shop, environment, "deployer", "make", environment, "--yes")


def as_administrator(shop: Shop, environment: str, *words: str) -> None:
    """Run a command of ours in the developer's checkout, with credentials that may do anything in an account."""
    variables = shop.aws.variables(read_environment(shop.project, environment))
    ended = subprocess.run(
        [sys.executable, "-m", "sawhorse.cli.main", *words],
        cwd=shop.project.path,
        env={**shop.platform.machine, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@contextmanager
def shop_at(place: Path, environments: Sequence[str]) -> Iterator[Shop]:
    """Yield a repository on GitHub whose environments have accounts on a local AWS of its own."""
    project = repository_with(environments, place / "project")
    # The local AWS is no part of the repository: another project has it.
    beside = sample_project(place / "aws")
    aws = LocalAWS(beside)
    try:
        running = aws.up(port=0)
        machine = {name: os.environ[name] for name in OF_THE_SHELL if name in os.environ}
        of_aws = running.environment()
        keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION")
        machine |= {name: value for name, value in of_aws.items() if name not in keys}
        repository = Repository(NAME, project.path)
        repository.environments = {
            **{name: {**GUARDED, "protection_rules": []} for name in ("dev", "staging", "drift")},
            "production": {**GUARDED, "protection_rules": [REVIEWERS]},
        }
        with api_of(repository) as api:
            platform = Platform(repository, project.path, place / "runs", machine, beside, api)
            platform.place.mkdir()
            shop = Shop(project, platform, running)
            make_accounts(shop, environments)
            yield shop
    finally:
        aws.down()

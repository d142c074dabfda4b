"""The `sawhorse pipeline` commands: what the workflows of .github/workflows ask, decide and tell."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sawhorse.cli.options import AsBuilt, AsJson, Commands, Local, NoLock, RootName, print_json, refuse_unlocked
from sawhorse.errors import BadConfiguration
from sawhorse.project import ALL, Project, Root

if TYPE_CHECKING:
    from sawhorse.operate.pipelines.planned import RootPlan
    from sawhorse.workspace import Workspace

pipeline_app = Commands(
    name="pipeline",
    help="What pipelines ask, decide and tell. What asks GitHub runs in its workflows alone, all else on a laptop too.",
    no_args_is_help=True,
)
MAIN = "main"


@pipeline_app.command("roots")
def roots_of(
    environments: Annotated[
        list[str] | None, typer.Argument(metavar="[ENVIRONMENT]...", help="Environments; all by default.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="REV", help="Only the roots that what changed since a commit touches."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Name roots, as a matrix of jobs takes them, and give them to a workflow as the step's outputs.

    The outputs are `roots`, `removed` (names of roots that the change takes away), `fork` (true for a fork's pull
    request, which has no roots: it gets no token of AWS), and one for each environment, such as `roots_dev`.
    """
    from sawhorse.operate.pipelines.this_run import give_output, is_fork, read_event, summarize
    from sawhorse.operate.pipelines.touched import Touched, as_matrix, changed_since, touched

    project = Project.find()
    found = touched(project, changed_since(project, since)) if since else Touched(tuple(project.roots), ())
    wanted = (
        [root for name in environments for root in project.roots_named(f"{name}/{ALL}")]
        if environments
        else project.roots
    )
    chosen = [root for root in found.roots if root in wanted]
    fork = is_fork(read_event(), os.environ.get("GITHUB_REPOSITORY", ""))
    if fork:
        sentence = (
            "This pull request comes from a fork, whose runs get no token of AWS and may not comment: nothing is "
            "planned. Somebody who may push can plan it from a branch of this repository."
        )
        summarize(sentence)
        chosen = []
    matrix = as_matrix(chosen)
    give_output(
        roots=json.dumps(matrix),
        removed=json.dumps(found.removed),
        fork=json.dumps(fork),
        **{
            f"roots_{name}": json.dumps([one for one in matrix if one["environment"] == name])
            for name in project.environments
        },
    )
    if as_json:
        print_json({"roots": matrix, "removed": list(found.removed), "fork": fork})
        return
    for one in matrix:
        print(one["root"])
    for name in found.removed:
        print(f"{name} is taken away; what it made stays until it is destroyed.")
    if fork:
        print(sentence)
    elif not matrix:
        print("No root is touched." if since else "There is no root.")


@pipeline_app.command("roles")
def roles(
    root: RootName,
    whose: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="ENVIRONMENT",
            help="The environment of the repository that the job names, or pull-requests; the root's by default.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Name the roles that a pipeline takes for a root and its region, and give them as outputs of the step."""
    from sawhorse.operate.pipelines.deployer_roles import roles_of
    from sawhorse.operate.pipelines.this_run import give_output

    of = Project.find().root(root)
    found = roles_of(of, whose or of.environment, os.environ.get("GITHUB_REPOSITORY")).as_outputs()
    give_output(**found)
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        print(f"{name} = {value}")


@pipeline_app.command("plan")
def plan(  # noqa: PLR0913, PLR0917 # its options
    root: RootName,
    local: Local = False,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into", metavar="DIR", help="Write what would be done, for the comment, and the whole plan as text."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Save the plan, with a receipt beside it, for apply --plan."),
    ] = None,
    as_built: AsBuilt = False,
    no_lock: NoLock = False,
) -> None:
    """Plan a root for those who review it, and add what would be done to the job's summary."""
    from sawhorse.operate.pipelines.comment import Reviewing, text_of
    from sawhorse.operate.pipelines.planned import plan_for_review
    from sawhorse.operate.pipelines.this_run import summarize
    from sawhorse.workspace import Workspace

    refuse_unlocked(out, no_lock=no_lock)
    found = Project.find().root(root)

    def opened() -> Workspace:
        return Workspace(found, local=local, as_built=as_built, lock=not no_lock)

    planned = plan_for_review(found, opened, into=into, out=out)
    summarize(
        text_of(
            Reviewing(
                commit=planned.commit or "no commit",
                run_url=run_url(),
                roots=[root],
                plans={root: planned},
                whole="the whole plan in its log",
            )
        )
    )
    print(counted(planned))


def counted(plan: RootPlan) -> str:
    """Say in one line how much a plan would do."""
    from sawhorse.operate.drift.finding import number

    lost = [one.address for one in plan.changes if one.is_loss]
    words = f"; destroyed or replaced: {', '.join(lost)}" if lost else ""
    return f"{plan.root}: {number(len(plan.changes), 'change')} planned{words}."


def run_url() -> str:
    from sawhorse.operate.pipelines.this_run import ThisRun

    return ThisRun.of_environment().url if os.environ.get("GITHUB_RUN_ID") else "."


@pipeline_app.command("comment")
def comment(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="What the plans have written with --into.")],
    roots: Annotated[str, typer.Option("--roots", metavar="JSON", help="The roots that were to be planned.")] = "",
    removed: Annotated[str, typer.Option("--removed", metavar="JSON", help="The roots that are taken away.")] = "",
) -> None:
    """Keep the one comment of a pull request up to date; with GITHUB_TOKEN, in a run of a workflow on pull_request.

    Without --roots' JSON, which is what a job leaves that failed before it named them, the comment says that nothing
    was planned.
    """
    from sawhorse.operate.pipelines.comment import Reviewing, keep_comment
    from sawhorse.operate.pipelines.github import GitHub
    from sawhorse.operate.pipelines.planned import read_plans
    from sawhorse.operate.pipelines.this_run import ThisRun

    run = ThisRun.of_environment()
    request = run.pull_request
    plans = {plan.root: plan for plan in read_plans(directory)} if directory.is_dir() else {}
    about = Reviewing(
        commit=request["head"]["sha"],
        run_url=run.url,
        roots=[one["root"] for one in read_list(roots, "--roots")],
        plans=plans,
        removed=read_list(removed, "--removed"),
        why_nothing="" if roots else "the job that looks for roots and builds packages failed; the run says why.",
    )
    print(keep_comment(GitHub.of(run), int(request["number"]), about))


def read_list(text: str, option: str) -> list[Any]:
    try:
        found = json.loads(text or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise BadConfiguration(f'{option} is not a list in JSON; give what "sawhorse pipeline roots" gave.')
    return found


@pipeline_app.command("settings")
def settings() -> None:
    """Say what the repository's environments lack: approval of production, and branches that may deploy.

    Asks GitHub with GITHUB_TOKEN, and changes nothing; what is lacking is told and does not fail the run.
    """
    from sawhorse.operate.pipelines.comment import plain
    from sawhorse.operate.pipelines.github import GitHub
    from sawhorse.operate.pipelines.settings import lacking
    from sawhorse.operate.pipelines.this_run import ThisRun, summarize

    found = list(lacking(GitHub.of(ThisRun.of_environment()), Project.find()))
    for sentence in found:
        print(sentence)
        summarize(f"> [!WARNING]\n> {plain(sentence)}")
    if not found:
        print("Every environment of the repository is guarded.")


@pipeline_app.command("admit")
def admit(
    root: Annotated[
        str | None,
        typer.Argument(
            metavar="[ROOT]", help="Refuse as well what is older than what this root was applied from or runs."
        ),
    ] = None,
    branch: Annotated[str, typer.Option("--branch", help="The branch that is deployed.")] = MAIN,
) -> None:
    """Refuse to deploy a commit that is not on main, or older than what is there. Asks with GITHUB_TOKEN."""
    from sawhorse.operate.pipelines.github import GitHub
    from sawhorse.operate.pipelines.promotion import refuse_not_on, refuse_older
    from sawhorse.operate.pipelines.this_run import ThisRun
    from sawhorse.operate.releases.record import Kept
    from sawhorse.workspace import Workspace

    run = ThisRun.of_environment()
    github = GitHub.of(run)
    refuse_not_on(github, branch, run.sha)
    if root:
        kept = Kept(Workspace(Project.find().root(root), local=False).state_store, root)
        refuse_older(github, root, kept.read(), run.sha)
    older = f" and not older than what {root} was applied from and runs" if root else ""
    print(f"Commit {run.sha[:12]} is on {branch}{older}.")


@pipeline_app.command("promote")
def promote(
    root: RootName,
    source: Annotated[str, typer.Option("--from", metavar="ENVIRONMENT", help="Where these packages were tried.")],
    local: Local = False,
) -> None:
    """Refuse packages in dist/ whose contents are not live in another environment, and found good there.

    Asks for the record of releases of that environment's root, with credentials that may read it.
    """
    from sawhorse.operate.pipelines.promotion import refuse_unproven_release, refuse_untried
    from sawhorse.operate.pipelines.this_run import summarize

    project = Project.find()
    target = project.root(root)
    refuse_untried(project, target, source)
    workspace = read_only_workspace(project.root(f"{source}/{target.app}"), local=local)
    release = refuse_unproven_release(workspace, project, target)
    checks = f"{release.smoke.checks} checks" if release.smoke else "no check"
    said = (
        f"These packages are release {release.id} of {source}/{target.app}, which is live there and passed {checks}; "
        f"{root} may have them."
    )
    summarize(f"- {said}")
    print(said)


def read_only_workspace(root: Root, *, local: bool) -> Workspace:
    from sawhorse.workspace import Workspace

    return Workspace(root, local=local, as_built=True, lock=False)


@pipeline_app.command("applied")
def applied(root: RootName, local: Local = False, as_json: AsJson = False) -> None:
    """Name the commit that a root was applied from last, and give it as the step's output `commit`; empty for none."""
    from sawhorse.operate.pipelines.this_run import give_output
    from sawhorse.operate.releases.record import Kept

    found = Kept(read_only_workspace(Project.find().root(root), local=local).state_store, root).read().applied
    commit = (found and found.commit) or ""
    give_output(commit=commit)
    if as_json:
        print_json({"commit": commit or None, "dirty": bool(found and found.dirty)})
    elif commit:
        print(commit)
    else:
        print(f"{root} was never applied from a commit, so it has nothing that could drift.")


@pipeline_app.command("drift")
def drift(root: RootName, local: Local = False, no_lock: NoLock = False) -> None:
    """Look whether a root drifted, and open, renew or close its issue. Asks GitHub with GITHUB_TOKEN.

    Exit code 0: the issue says what is so, or nothing is applied; 1: it could not be asked, which is no drift, and the
    issue stays as it is; 2: a mistake in what was asked.
    """
    from sawhorse.errors import NotApplied
    from sawhorse.operate.drift.drift import drift_of
    from sawhorse.operate.pipelines.drift_issue import close_issue, keep_issue, refuse_while_changed
    from sawhorse.operate.pipelines.github import GitHub
    from sawhorse.operate.pipelines.this_run import ThisRun, summarize
    from sawhorse.operate.releases.applied import applied_state
    from sawhorse.operate.releases.record import Kept
    from sawhorse.workspace import Workspace

    run = ThisRun.of_environment()
    github = GitHub.of(run)
    workspace = Workspace(Project.find().root(root), local=local, as_built=True, lock=not no_lock)
    if no_lock:
        refuse_while_changed(workspace)
    try:
        applied_state(workspace)
        applied = Kept(workspace.state_store, root).read().applied
        if applied and applied.commit:
            said = keep_issue(github, run, drift_of(workspace), dirty=applied.dirty)
        else:
            said = f"{root} was applied from no commit, so it cannot be told what somebody changed; apply it from one."
    except NotApplied:
        said = close_issue(github, root, f"{root} is not applied, so it has nothing that could drift.")
    summarize(said)
    print(said)


@pipeline_app.command("failed")
def failed(
    root: Annotated[str, typer.Argument(metavar="[ROOT]", help="The root that the job is about.")] = "",
    steps: Annotated[
        str, typer.Option("--steps", metavar="JSON", envvar="STEPS", help="The context `steps` of the job.")
    ] = "{}",
) -> None:
    """Say as a failed job's last line which step failed and why, and add what nobody said to its summary."""
    from sawhorse.operate.pipelines.comment import plain
    from sawhorse.operate.pipelines.failure import sentence_of
    from sawhorse.operate.pipelines.this_run import kept_reason, summarize

    reason, repository = kept_reason(), os.environ.get("GITHUB_REPOSITORY", "this repository")
    try:
        said = sentence_of(json.loads(steps), root=root, repository=repository, reason=reason)
    except (AttributeError, ValueError):
        raise BadConfiguration("--steps is not the context `steps` of a job as JSON: toJSON(steps).") from None
    if not reason:
        summarize(f"> [!CAUTION]\n> {plain(said)}")
    print(said)

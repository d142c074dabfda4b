"""Keep one comment of a pull request up to date with what its plans would do."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sawhorse.operate.pipelines.changes import PlannedChange
from sawhorse.operate.pipelines.github import GitHub
from sawhorse.operate.pipelines.planned import RootPlan

MARKER = "<!-- sawhorse plan -->"
# GitHub refuses a longer comment ("body is too long (maximum is 65536 characters)"); bytes are never fewer.
MOST_COMMENT = 65_536
# Kept for the sentence that says how much was left out.
RESERVED = 500
# What CommonMark, GitHub's tables, strikethrough and formulas make something of inside of a line; an underscore inside
# of a word is nothing.
MARKUP = re.compile(r"[\\*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# What they make something of at the beginning of a line.
BEGINNING = re.compile(r"^(\d*)([-+=#.)])")
# People, issues of this repository and of others, and addresses: an invisible space keeps GitHub from linking them.
CALL = re.compile(r"@|#(?=\w)|\bGH-(?=\d)|\b(?:https?|ftp):(?=//)|\bwww(?=\.)", re.IGNORECASE)
DONE = {
    "destroy": "destroyed",
    "replace": "replaced",
    "forget": "forgotten",
    "create": "created",
    "update": "changed",
    "import": "imported",
}


@dataclass(frozen=True)
class Reviewing:
    """What a comment is about: the roots that were to be planned, what came of it, and where the whole plans are.

    `why_nothing` says why no root was planned, where that has another reason than that none is touched.
    """

    commit: str
    run_url: str
    roots: Sequence[str]
    plans: Mapping[str, RootPlan]
    removed: Sequence[str] = ()
    why_nothing: str = ""
    whole: str = "the whole plans as artefacts; a newer commit has another plan"


def text_of(about: Reviewing, most: int = MOST_COMMENT) -> str:
    """Write the comment: what is destroyed or replaced first, then IAM, then the rest, as far as `most` bytes reach."""
    head = [MARKER, f"## Plan of {about.commit[:12]}", "", *heading(about)]
    plans = [about.plans[root] for root in about.roots if root in about.plans and not about.plans[root].failed]
    lines = [*losses(plans), *iam(plans), *others(plans)]
    tail = ["", f"[The run]({about.run_url}) has {about.whole}."]
    return fitted(head, lines, tail, most)


def heading(about: Reviewing) -> Iterator[str]:
    """Walk what is said whatever the plans say: what was not planned, and a table of what was."""
    if about.why_nothing:
        yield f"**Nothing was planned:** {plain(about.why_nothing)}"
        return
    for root in about.removed:
        yield f"- **{code(root)} is taken away, and what it made stays.** Destroy it first, by hand."
    if not about.roots:
        yield "This pull request touches no root."
        return
    for root in about.roots:
        plan = about.plans.get(root)
        if plan is None:
            yield f"- **{code(root)} was not planned:** its job ended before it planned; the run says why."
        elif plan.commit and plan.failed:
            yield f"- **{code(root)} could not be planned:** {plain(plan.sentence)}"
        elif plan.failed:
            yield f"- **{code(root)} could not be planned,** and not of a commit: {plain(plan.sentence)}"
    if any(root in about.plans and not about.plans[root].failed for root in about.roots):
        yield from table(about)


def table(about: Reviewing) -> Iterator[str]:
    yield from ("", "| root | destroyed or replaced | IAM | others |", "| --- | ---: | ---: | ---: |")
    for root in about.roots:
        plan = about.plans.get(root)
        if plan and not plan.failed:
            counts = [len(part) for part in parted(plan)]
            yield f"| {code(root)} | {f'**{counts[0]}**' if counts[0] else 0} | {counts[1]} | {counts[2]} |"


def parted(plan: RootPlan) -> tuple[list[PlannedChange], list[PlannedChange], list[PlannedChange]]:
    """Part what a plan would do: losses, what else is IAM, and the rest."""
    lost = [one for one in plan.changes if one.is_loss]
    of_iam = [one for one in plan.changes if one.is_iam and not one.is_loss]
    rest = [one for one in plan.changes if not one.is_iam and not one.is_loss]
    return lost, of_iam, rest


def losses(plans: Iterable[RootPlan]) -> Iterator[str]:
    lines = [line(plan, one) for plan in plans for one in parted(plan)[0]]
    yield from section("Destroyed or replaced", lines)


def iam(plans: Iterable[RootPlan]) -> Iterator[str]:
    lines = [line(plan, one) for plan in plans for one in parted(plan)[1]]
    yield from section("IAM", lines)


def others(plans: Iterable[RootPlan]) -> Iterator[str]:
    lines = [line(plan, one) for plan in plans for one in parted(plan)[2]]
    yield from section("Everything else", lines)


def section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", f"### {title}", "", *lines)


def line(plan: RootPlan, change: PlannedChange) -> str:
    """Say what would be done to one resource, without a value."""
    parts = [f"- {code(plan.root)}: {code(change.address)} is **{DONE[change.action]}**"]
    if change.forced_by:
        parts.append(f", because {names(change.forced_by)} cannot be changed in place")
    changed = [name for name in change.arguments if name not in change.forced_by]
    if change.action == "update" and changed:
        parts.append(f": {names(changed)}")
    if change.allowed:
        parts.append(f"; comes: {names(change.allowed)}")
    if change.taken_away:
        parts.append(f"; goes: {names(change.taken_away)}")
    return "".join(parts)


def names(words: Iterable[str]) -> str:
    return ", ".join(code(word) for word in words)


def code(text: str) -> str:
    """Write a text as code that it cannot leave, in one line."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"


def plain(text: str) -> str:
    """Write a text in one line that calls nobody, links nothing and is no markup of GitHub's, wherever it stands."""
    line = MARKUP.sub(r"\\\g<0>", " ".join(text.split()).replace("`", "'"))
    line = BEGINNING.sub(r"\1\\\2", html.escape(line, quote=False))
    return CALL.sub("\\g<0>\u200b", line)


def fitted(head: Sequence[str], lines: Sequence[str], tail: Sequence[str], most: int) -> str:
    """Join lines until `most` bytes are reached, and say how many are left out."""
    room = most - RESERVED - sum(size(one) for one in (*head, *tail))
    taken = list[str]()
    for place, one in enumerate(lines):
        room -= size(one)
        if room < 0:
            left = sum(text.startswith("- ") for text in lines[place:])
            taken += ["", f"**{left} more changes did not fit here;** the whole plans have them."]
            break
        taken.append(one)
    whole = "\n".join([*head, *taken, *tail]) + "\n"
    if size(whole) <= most:
        return whole
    cut = f"\n\n**All this was too long for a comment.**{tail[-1]}\n"
    return whole.encode()[: most - size(cut)].decode(errors="ignore") + cut


def size(text: str) -> int:
    """Return how many bytes a line takes with its end."""
    return len(text.encode()) + 1


def keep_comment(github: GitHub, pull_request: int, about: Reviewing) -> str:
    """Write the comment, or write it anew where there is one, and say which; nothing for a commit that is not the last.

    A pull request that touches no root and was never planned gets no comment.
    """
    found = github.ask("GET", f"pulls/{pull_request}")
    head = ((found or {}).get("head") or {}).get("sha")
    if head != about.commit:
        return f"Commit {about.commit[:12]} is not the last one of #{pull_request} any more; its comment is left alone."
    there = github.own_comment(pull_request, MARKER)
    if there is None and not (about.roots or about.removed or about.why_nothing):
        return f"#{pull_request} touches no root, so nothing is planned."
    body = {"body": text_of(about)}
    if there is None:
        github.ask("POST", f"issues/{pull_request}/comments", body)
        return f"The plan is a comment of #{pull_request} now."
    github.ask("PATCH", f"issues/comments/{there['id']}", body)
    return f"The comment of #{pull_request} is that of {about.commit[:12]} now."

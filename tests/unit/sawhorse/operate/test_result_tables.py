"""Whatever users, apps and AWS wrote is shown as they wrote it: it is no markup, no emoji, and steers no terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sawhorse.cli.package import show_table
from sawhorse.cli.releases import show_releases
from sawhorse.operate.demo import DemoResult
from sawhorse.operate.demo_all import show_demo_results
from sawhorse.operate.drift.drift import Drift
from sawhorse.operate.drift.finding import Finding
from sawhorse.operate.drift.shown import show_drift, show_left_out
from sawhorse.operate.releases.lambdas import Standing
from sawhorse.operate.releases.listing import Listed, Unrecorded
from sawhorse.operate.releases.record import Code, Ending, Record, Release
from sawhorse.operate.result_tables import plain_console, show_findings, show_results, steps_of
from sawhorse.operate.smoke import Result
from sawhorse.toolchain import doctor

HOSTILE = "see [/tmp/x] [red]hot[/red] :warning: \x1b[31mred\x1b[0m \x9b2J \u202etxt.exe"
TEXTS = st.lists(
    st.sampled_from(["[/]", "[red]", "[/x]", "[link=x]", "[", "]", "\\", ":smile:", "\x1b[2J", "\x07", "a", "7", "%s"])
).map("".join) | st.text(st.characters(exclude_categories=("Z", "Cc", "Cs")), max_size=20)


def releases(text: str) -> None:
    code = Code(version="1", content_sha256=None, code_sha256="")
    ending = Ending(how="rolled back", why=text, at="")
    release = Release(id=1, functions={text: code}, commit=None, dirty=False, at="", by=text, ended=ending)
    standing = Standing(text, "1", text, weights={text: 0.004})
    show_releases(Listed(Record(root="dev/shop", releases=(release,)), [standing], [Unrecorded(text, "2", "", "")]))


def drift(text: str) -> None:
    show_drift([Drift("dev/shop", [Finding("policy", "a", text, text)], [text])])


def results(text: str) -> None:
    failed = Result(text, passed=False, seconds=0.1, finding=text)
    left_out = [
        Result("b", passed=True, seconds=0.1, skipped=text),
        Result("c", passed=False, seconds=0.1, not_run=text),
    ]
    show_results("Checks", [failed, *left_out])


def demo(text: str) -> None:
    show_demo_results([DemoResult("dev/shop", text, 1, 1, 1, 0.1)])


def step(text: str) -> None:
    with steps_of() as begin:
        begin(text)


SHOWN: dict[str, Callable[[str], None]] = {
    "releases": releases,
    "drift": drift,
    "roots left out": lambda text: show_left_out({"dev/shop": text}),
    "smoke checks": results,
    "findings of doctor": lambda text: show_findings([doctor.Finding("git", ok=False, found=text, advice=text)]),
    "demos": demo,
    "members of a package": lambda text: show_table(plain_console(), "Members", ["name"], [[text]]),
    "a step": step,
}


def shown(what: str, text: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        SHOWN[what](text)
    return out.getvalue()


def folded(text: str) -> str:
    """Return a text without the spaces and newlines that a table adds, and with what is printed of controls."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in "".join(text.split()))


@pytest.mark.parametrize("what", SHOWN)
@settings(deadline=None, max_examples=40)
@example(text=HOSTILE)
@given(text=TEXTS)
def test_a_text_of_others_is_shown_as_it_is(what: str, text: str) -> None:
    seen = shown(what, text)

    assert all(letter.isprintable() or letter == "\n" for letter in seen), seen
    # Columns stand side by side, so that a text that is folded is not in one piece.
    assert set(folded(text)) <= set(folded(seen))
    if len(text) < 30:
        assert folded(text) in folded(seen)


def test_a_status_in_a_terminal_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)

    step("see [/x] [red]hot")

    assert "see [/x] [red]hot ..." in shown.getvalue()

"""What is deployed: nothing older than what is there, and in production what was found good elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.build.manifest import Archive, Entry
from sawhorse.operate.pipelines.github import Standing
from sawhorse.operate.pipelines.promotion import Refused, against, refuse_older
from sawhorse.operate.releases.record import Applied, Code, Ending, Record, Release, Verdict

AT = "2026-11-26T10:00:00Z"
GOOD = Verdict(passed=True, checks=6, at=AT)
contents = st.text(alphabet="abcdef", min_size=3, max_size=3)


def entry(content: str, layer: str | None = None) -> Entry:
    archive = Archive("dist/a.zip", "0", layer, 1) if layer else None
    return Entry("dist/a.zip", "0", content, 1, "a.handler", "python3.13", "x86_64", layer=archive)


def release(*codes: str | None, layers: Any = (), **others: Any) -> Release:
    made = {
        f"f{n}": Code(
            version="1", content_sha256=code, code_sha256="x", layers={f"l{m}": one for m, one in enumerate(layers)}
        )
        for n, code in enumerate(codes)
    }
    fields: dict[str, Any] = {"commit": None, "dirty": False, "at": AT, "by": "somebody", "smoke": GOOD, **others}
    return Release(id=1, functions=made, **fields)


def said(found: Release, *packages: Entry, live: int | None = 1) -> list[str]:
    record = Record(root="staging/a", releases=(found,), live=live)
    return list(against(record, {f"p{n}": one for n, one in enumerate(packages)}))


@given(st.lists(contents, min_size=1, max_size=4, unique=True))
def test_the_very_contents_that_were_found_good_are_let_through(found: list[str]) -> None:
    assert said(release(*found), *map(entry, found)) == []


@given(st.lists(contents, min_size=1, max_size=4, unique=True), contents)
def test_one_other_content_is_refused(found: list[str], other: str) -> None:
    if other in found:
        return
    (sentence,) = said(release(*found), entry(other), *map(entry, found[1:]))
    assert "runs other contents than these packages (release 1)" in sentence
    assert "package p0" in sentence


def test_a_layer_counts_as_a_package_does() -> None:
    assert said(release("abc", layers=["def"]), entry("abc", "def")) == []
    assert "layer of p0" in said(release("abc", layers=["eee"]), entry("abc", "def"))[0]


@pytest.mark.parametrize(
    ("others", "live", "sentence"),
    [
        ({"smoke": None}, 1, "has not checked release 1"),
        ({"smoke": Verdict(passed=False, checks=6, failed={"health": "502"}, at=AT)}, 1, "did not find release 1 good"),
        (
            {"ended": Ending(how="rolled back", why="callers get 502", at=AT)},
            1,
            "took release 1 back (callers get 502)",
        ),
        ({}, None, "has no live release in its record"),
        ({}, 7, "has no live release in its record"),
    ],
)
def test_what_was_not_found_good_is_refused(others: Any, live: int | None, sentence: str) -> None:
    assert any(sentence in one for one in said(release("abc", **others), entry("abc"), live=live))


class Main:
    """A branch whose commits are numbers; GitHub knows none of "gone"."""

    def compare(self, base: str, head: str) -> Standing | None:
        if "gone" in (base, head):
            return None
        return "identical" if base == head else "ahead" if int(head) > int(base) else "behind"


numbers = st.one_of(st.none(), st.just("gone"), st.integers(1, 9).map(str))


@given(live=numbers, applied=numbers, wanted=st.integers(1, 9).map(str))
def test_a_commit_is_refused_where_a_later_one_is_live_or_was_applied(
    live: str | None, applied: str | None, wanted: str
) -> None:
    record = Record(
        root="dev/a",
        releases=(release(commit=live),),
        live=1,
        applied=Applied(commit=applied, dirty=False, at=AT, by="somebody"),
    )
    later = [one for one in (live, applied) if one not in (None, "gone") and int(one) > int(wanted)]
    if not later:
        refuse_older(Main(), "dev/a", record, wanted)
        return
    with pytest.raises(Refused, match=f"commit {later[0]}, which is later than {wanted}\\. Nothing was changed"):
        refuse_older(Main(), "dev/a", record, wanted)


def test_a_root_without_a_record_keeps_no_commit_back() -> None:
    refuse_older(Main(), "dev/a", Record(root="dev/a"), "1")

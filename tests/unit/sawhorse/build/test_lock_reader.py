"""Any line of a requirements file is read or refused in a sentence with its number, whatever stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.build.environment_markers import marker_environment
from sawhorse.build.lock_reader import read_lock
from sawhorse.build.platform import Target
from sawhorse.errors import BuildFailed

HASH = f"--hash=sha256:{'0' * 64}"
PARTS = st.sampled_from([
    "alpha", "alpha==1.0", "[x]", "==", "@", " @ ", ";", " ; ", "'x' in extras", "'x' not in dependency_groups",
    "extra == 'x'", "python_version", "platform_release ~= '1'", "os_name === 'a'", "and", "or", "(", ")", "http",
    "https", "ftp", "file", "git+https", ":", "//", "://", "/", "[", "]", "[::1]", "::", "x:y@", "@x", "host", "..",
    ".", "%", "%zz", "%00", ":abc", ":99999", ":-1", ":8080", "#", "?", "#sha256=0", "#egg=x", "#subdirectory=x",
    "alpha-1.0-py3-none-any.whl", "alpha-1.0.tar.gz", ".whl", "-e ", "-e", "--hash", "--hash=sha256:", "-r x", "-c",
    "--", "-", " ", "\t", "'", '"', "\\", "é", "\u200b", "~", "~user", "$HOME", "${HOME}", "*", "1", ",",
])  # fmt: skip
LINES = st.lists(PARTS, min_size=1, max_size=9).map("".join)
ADDRESSES = st.lists(PARTS, max_size=5).map(
    lambda parts: f"alpha @ https://{''.join(parts)}/alpha-1.0-py3-none-any.whl"
)


@given(line=st.one_of(LINES, ADDRESSES), hashed=st.booleans(), known=st.booleans())
def test_a_line_is_read_or_refused_in_a_sentence(line: str, hashed: bool, known: bool) -> None:  # noqa: FBT001
    environment = marker_environment(Target("3.13", "x86_64-manylinux_2_28")) if known else None
    declared = ("lambda/tiny/requirements.in", '"make lock APP=tiny"')
    content = f"beta==1.0 {HASH}\n{line} {HASH if hashed else ''}\n".encode()
    refused, names = "", []
    try:
        lock = read_lock(content, "lambda/tiny/requirements.txt", Path(__file__).parent, environment, declared=declared)
        names = [one.name for one in lock.pinned]
    except BuildFailed as refusal:
        refused = str(refusal)

    assert "beta" in names if not refused else refused.startswith("lambda/tiny/requirements.txt, line 2"), refused
    assert refused.endswith((".", '"')) or not refused, refused


@pytest.mark.parametrize(
    "line", ["alpha @ https://[x/a-1-py3-none-any.whl", "https://[x", "-e https://x:y/z", "@", "file:///%00", "./a%00b"]
)
def test_such_a_line_ends_no_program(line: str) -> None:
    with pytest.raises(BuildFailed, match=r"^lambda/tiny/requirements.txt, line 1"):
        read_lock(f"{line} {HASH}".encode(), "lambda/tiny/requirements.txt", Path(), None, declared=("x", "y"))

"""All of an app's files are packed but a short list, and what no package can hold is refused by name."""

from __future__ import annotations

import os
import socket
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sawhorse.build import packed_names, sources
from sawhorse.build.build import build
from sawhorse.build.packed_names import UNSUITABLE, fault_of_name, is_packaged, shown
from sawhorse.build.sources import read_sources
from sawhorse.build.zip_reader import opened
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.support import assert_refused, sawhorse

LEFT_OUT_ANYWHERE = (
    "__pycache__/main.pyc", ".mypy_cache/3.13/main.json", ".ruff_cache/x", ".pytest_cache/x", ".git/config",
    ".venv/bin/x", ".hg/x", ".svn/x", ".idea/x.xml", ".vscode/x.json", ".DS_Store", ".env", ".env.production", ".envrc",
    ".gitignore", ".main.py.swp", ".main.py.swo", "main.py~", ".#main.py", "#main.py#", "stray.pyc", "Thumbs.db",
    ".coverage",
)  # fmt: skip
LEFT_OUT_AT_TOP = ("README.md", "Dockerfile", "Dockerfile.dockerignore", ".dockerignore", "pyproject.toml", "uv.lock")
PACKED = (
    "below/README.md", "below/Dockerfile", "below/package.toml", "below/uv.lock", "below/pyproject.toml", "data.bak",
    ".well-known/security.txt", ".hidden", "main.py.orig", "main.py.rej", "README.rst", "readme.md", "git/config",
    "a b.txt", "ä.txt", "日本.txt", "below/.keep", "env", "x.swp", "Makefile", "requirements-dev.txt",
    "below/requirements.txt", "below/ops/seed.py", "e\u0301.txt",
)  # fmt: skip


def put(directory: Path, name: str, content: str = "x = 1\n") -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def names_in(project: Project) -> set[str]:
    return set(read_sources(str(project.path), "tiny"))


@pytest.mark.parametrize("part", ["tiny", "shared"])
def test_what_is_left_out_is_a_short_list_and_the_rest_is_packed(tiny: Project, part: str) -> None:
    before = names_in(tiny)
    for name in (*LEFT_OUT_ANYWHERE, *(f"below/{name}" for name in LEFT_OUT_ANYWHERE), *LEFT_OUT_AT_TOP, *PACKED):
        put(tiny.lambda_path / part, name)

    assert names_in(tiny) - before == {f"{part}/{name}" for name in PACKED}


def test_the_list_stands_in_the_documentation(repository: Path) -> None:
    text = (repository / "docs/packages.md").read_text()

    for name in (*packed_names.LEFT_OUT_AT_TOP, *packed_names.DIRECTORIES_LEFT_OUT, *packed_names.FILES_LEFT_OUT):
        assert f"`{name}`" in text


def test_what_is_packed_is_in_the_zip_and_can_be_looked_into(tiny: Project) -> None:
    for name in PACKED:
        put(tiny.lambda_path / "tiny", name)

    with opened(Path(build(tiny, "tiny").path)) as package:
        assert {f"tiny/{name}" for name in PACKED} <= set(package.files)


def test_a_link_to_a_file_of_the_project_is_packed_as_that_file(tiny: Project) -> None:
    put(tiny.path, "docs/terms.txt", "terms")
    (tiny.lambda_path / "tiny/terms.txt").symlink_to("../../docs/terms.txt")
    (tiny.lambda_path / "tiny/again.txt").symlink_to("terms.txt")

    found = read_sources(str(tiny.path), "tiny")

    assert found["tiny/terms.txt"] == found["tiny/again.txt"] == (b"terms", False)


def link_out(project: Project) -> None:
    outside = put(project.path.parent, "outside.txt")
    (project.lambda_path / "tiny/out.txt").symlink_to(outside)


def link_app_out(project: Project) -> None:
    outside = project.path.parent / "elsewhere"
    (project.lambda_path / "tiny").rename(outside)
    (project.lambda_path / "tiny").symlink_to(outside)


def listen(project: Project) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        # A socket's path is short.
        descriptor = os.open(project.lambda_path / "tiny", os.O_RDONLY)
        server.bind(f"/proc/self/fd/{descriptor}/socket")
        os.close(descriptor)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: (p.lambda_path / "tiny/loop").symlink_to("."), "lambda/tiny/loop is a link to a directory; copy"),
        (
            lambda p: (p.lambda_path / "tiny/gone.txt").symlink_to("nowhere.txt"),
            "lambda/tiny/gone.txt is a link to nowhere.txt, which is not there; correct or remove it.",
        ),
        (
            lambda p: (p.lambda_path / "tiny/self.txt").symlink_to("self.txt"),
            "lambda/tiny/self.txt is a link to self.txt, which is not there",
        ),
        (
            lambda p: (p.lambda_path / "shared/below").symlink_to("nowhere"),
            "lambda/shared/below is a link to nowhere, which is not there",
        ),
        (link_out, "lambda/tiny/out.txt is a link that leaves the project"),
        (link_app_out, "lambda/tiny is a link that leaves the project"),
        (
            lambda p: os.mkfifo(p.lambda_path / "tiny/pipe"),
            "lambda/tiny/pipe is no file but a pipe, a socket or a device",
        ),
        (listen, "lambda/tiny/socket is no file but a pipe"),
        (
            lambda p: (put(p.lambda_path, "tiny/a/File.txt"), put(p.lambda_path, "tiny/a/file.txt")),
            "lambda/tiny/a/File.txt and lambda/tiny/a/file.txt differ in capitals or accents alone",
        ),
        (
            lambda p: (put(p.lambda_path, "tiny/Data/x"), put(p.lambda_path, "tiny/data/y")),
            "lambda/tiny/Data and lambda/tiny/data differ in capitals",
        ),
        (
            lambda p: (put(p.lambda_path, "tiny/\u00e9.txt"), put(p.lambda_path, "tiny/e\u0301.txt")),
            "differ in capitals or accents alone, and on a Mac a checkout holds one of them; rename one.",
        ),
        (
            lambda p: put(p.lambda_path, f"tiny/{'x' * 250}.py"),
            "has a name that is too long for its bytecode's, 266 bytes",
        ),
        (
            lambda p: put(p.lambda_path, "tiny/a\nb.txt"),
            r"lambda/'tiny/a\nb.txt' has a name with characters that cannot",
        ),
        (lambda p: put(p.lambda_path, "tiny/a\\b.txt"), r"'tiny/a\\b.txt' has a name with characters that cannot"),
        (
            lambda p: put(p.lambda_path, "tiny/\u202egnp.py"),
            r"'tiny/\u202egnp.py' has a name with characters that cannot",
        ),
        (lambda p: put(p.lambda_path, "tiny/\x1b[2J/x"), r"'tiny/\x1b[2J/x' has a name with characters that cannot"),
        (
            lambda p: (p.lambda_path / "tiny" / os.fsdecode(b"b\xff.txt")).touch(),
            r"lambda/'tiny/b\xff.txt' has a name that is not UTF-8, so no package can hold it; rename it.",
        ),
        (
            lambda p: (
                (p.lambda_path / "tiny" / os.fsdecode(b"d\xff")).mkdir() or put(p.lambda_path, "tiny/d\udcff/x.py")
            ),
            r"lambda/'tiny/d\xff/x.py' has a name that is not UTF-8",
        ),
    ],
)
def test_what_no_package_can_hold_is_refused_with_its_name(
    tiny: Project, make: Callable[[Project], object], sentence: str
) -> None:
    make(tiny)

    assert_refused(sawhorse(tiny, "build", "tiny"), sentence)
    assert not (tiny.path / "dist/tiny.zip").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="Root may read everything.")
@pytest.mark.parametrize("name", ["tiny/secret.txt", "tiny/secret"])
def test_what_cannot_be_read_is_refused_with_its_name(tiny: Project, name: str) -> None:
    path = put(tiny.lambda_path, name) if name.endswith(".txt") else tiny.lambda_path / name
    path.mkdir(exist_ok=True) if not path.is_file() else None
    path.chmod(0)

    assert_refused(sawhorse(tiny, "build", "tiny"), f"lambda/{name} cannot be read (Permission denied); correct that.")
    path.chmod(0o700)


def test_what_fails_while_it_is_read_is_refused_with_its_name(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(sources, "read", fail)

    with pytest.raises(BuildFailed, match=r"^lambda/tiny/__init__\.py cannot be read \(Permission denied\); correct"):
        read_sources(str(tiny.path), "tiny")


def test_a_package_of_the_last_build_stays_when_a_name_is_refused(tiny: Project) -> None:
    build(tiny, "tiny")
    before = (tiny.path / "dist/tiny.zip").read_bytes()
    (tiny.lambda_path / "tiny" / os.fsdecode(b"\xff.txt")).touch()

    assert_refused(sawhorse(tiny, "build", "tiny"), "is not UTF-8")
    assert_refused(sawhorse(tiny, "render"), "is not UTF-8")
    assert (tiny.path / "dist/tiny.zip").read_bytes() == before


@pytest.mark.parametrize("command", [["build"], ["build", "tiny"], ["render"], ["package", "inspect", "tiny"]])
def test_an_app_whose_name_is_not_utf_8_is_a_sentence(tiny: Project, command: list[str]) -> None:
    build(tiny, "tiny")
    (tiny.lambda_path / "tiny").rename(tiny.lambda_path / os.fsdecode(b"t\xff"))

    ended = sawhorse(tiny, *command)

    assert "Traceback" not in ended.err
    assert ended.code in {0, 1, 2}


@pytest.mark.parametrize("command", [["build"], ["render"], ["package", "inspect", "tiny", "--no-start"]])
def test_a_project_below_a_directory_that_is_not_utf_8_works_or_is_a_sentence(
    make_tiny: MakeTiny, command: list[str]
) -> None:
    project = make_tiny(os.fsdecode(b"place-\xff"))
    ended = [sawhorse(project, "build"), sawhorse(project, *command)]

    assert [(one.code, "Traceback" in one.err) for one in ended] == [(0, False)] * 2, ended


# Names of bytes; a slash would be another directory, and a zero byte is none of any file system.
names = (
    st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).map(str.encode)
    | st.binary(min_size=1, max_size=12)
    | st.text("aAeE\u00e9\u0301.~#_-swp", min_size=1, max_size=6).map(str.encode)
).filter(lambda name: name not in {b".", b".."} and not set(name) & {0, 0x2F})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(st.tuples(st.lists(names, max_size=2), names, st.binary(max_size=9)), max_size=5))
def test_whatever_files_are_called_they_are_all_packed_or_one_is_named(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[list[bytes], bytes, bytes]]
) -> None:
    project = tmp_path_factory.mktemp("named") / "project"
    top = os.fsencode(project / "lambda/tiny")
    os.makedirs(top)  # noqa: PTH103 # of bytes
    written: dict[bytes, bytes] = {}
    for directories, name, content in found:
        path = b"/".join([*directories, name])
        whole = os.path.join(top, path)  # noqa: PTH118 # of bytes
        if any(other.startswith(path + b"/") or path.startswith(other + b"/") for other in written):
            continue
        os.makedirs(os.path.dirname(whole), exist_ok=True)  # noqa: PTH103, PTH120 # of bytes
        with open(whole, "wb") as file:  # noqa: PTH123 # of bytes
            file.write(content)
        written[path] = content

    packed, refused = None, ""
    try:
        packed = read_sources(str(project), "tiny")
    except BuildFailed as error:
        refused = str(error)

    if packed is None:
        assert len(refused.splitlines()) == 1
        assert refused.encode()
        assert not all(suitable(path) for path in written) or twins(list(written))
    else:
        expected = {b"tiny/" + path: content for path, content in written.items() if not left_out(path)}
        assert {name.encode(): content for name, (content, _) in packed.items()} == expected


def suitable(path: bytes) -> bool:
    try:
        return UNSUITABLE.isdisjoint(path.decode()) or left_out(path)
    except UnicodeDecodeError:
        return False


def left_out(path: bytes) -> bool:
    *directories, file = (os.fsdecode(part) for part in path.split(b"/"))
    kept = is_packaged(file, at_top=not directories)
    return not kept or any(part in packed_names.DIRECTORIES_LEFT_OUT for part in directories)


def twins(paths: list[bytes]) -> bool:
    """Say whether two names in one directory are one for a Mac."""
    whole = {
        b"/".join(path.split(b"/")[: length + 1]) for path in paths for length in range(path.count(b"/") + 1)
    }  # fmt: skip
    folded = [
        unicodedata.normalize("NFC", unicodedata.normalize("NFD", path.decode(errors="surrogateescape")).casefold())
        for path in whole
    ]
    return len(set(folded)) < len(folded)


@settings(max_examples=300)
@given(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=20))
def test_a_name_that_is_taken_can_be_zipped_opened_and_shown_on_one_line(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    parts = name.split("/")
    if fault_of_name(name) or any(part in {"", ".", ".."} for part in parts):
        assert "\n" not in shown(name)
        shown(name).encode()
        return
    path = tmp_path_factory.getbasetemp() / "named.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        archive.writestr(info, b"x")

    with opened(path) as package:
        assert list(package.files) == [name]
    assert len(shown(name).splitlines()) == 1

"""A lock and a build see the same indexes, and nobody sees their passwords."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sawhorse.build.index_credentials import credentials_for
from sawhorse.build.lock_resolver import make_lock
from sawhorse.build.wheel_cache import Cache
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from tests.unit.sawhorse.build.index_server import Handler, Index, serving
from tests.unit.sawhorse.build.made_wheels import distributions, make_wheel, pinned
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.support import assert_refused, sawhorse, tree, write_lock

USER = ("builder@corp", "s3cret-w0rd")
ESCAPED = ("builder%40corp", "s3cret-w0rd")


@pytest.fixture
def public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The index that is asked anyway, which has alpha alone."""
    # What uv remembers of other tests' indexes has no part here.
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with serving(tmp_path / "public") as index:
        make_wheel(index.directory, "alpha", {"alpha/__init__.py": b"VALUE = 1\n"})
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        yield index


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Index]:
    """A second index, which has beta alone and wants a password."""
    with serving(tmp_path / "private", user=USER) as index:
        make_wheel(index.directory, "beta", {"beta/__init__.py": b"VALUE = 2\n"})
        yield index


@pytest.fixture
def project(make_tiny: MakeTiny, public: Index, cache: Cache) -> Project:
    project = make_tiny("project")
    (project.lambda_path / "tiny/requirements.in").write_text("alpha\nbeta\n")
    return project


def with_user(index: Index) -> str:
    return index.url.replace("://", f"://{ESCAPED[0]}:{ESCAPED[1]}@")


def url_in(variable: str) -> Callable[[Project, Index, pytest.MonkeyPatch], None]:
    return lambda _, index, patch: patch.setenv(variable, with_user(index))


def named(project: Project, index: Index, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("UV_INDEX", f"corp-1={index.url}")
    patch.setenv("UV_INDEX_CORP_1_USERNAME", USER[0])
    patch.setenv("UV_INDEX_CORP_1_PASSWORD", USER[1])


def netrc(project: Project, index: Index, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("UV_INDEX", index.url)
    path = Path(os.environ["NETRC"])
    path.write_text(f"machine 127.0.0.1 login {USER[0]} password {USER[1]}\n")
    path.chmod(0o600)


def uv_toml(project: Project, index: Index, patch: pytest.MonkeyPatch) -> None:
    (project.path / "uv.toml").write_text(f'[[index]]\nurl = "{with_user(index)}"\n')


def extra_of_uv_toml(project: Project, index: Index, patch: pytest.MonkeyPatch) -> None:
    (project.path / "uv.toml").write_text(f'[pip]\nextra-index-url = ["{with_user(index)}"]\n')


def user_settings(project: Project, index: Index, patch: pytest.MonkeyPatch) -> None:
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "uv/uv.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'[[index]]\nurl = "{with_user(index)}"\n')


def tool_uv(project: Project, index: Index, patch: pytest.MonkeyPatch) -> None:
    (project.path / "pyproject.toml").write_text(f'[[tool.uv.index]]\nurl = "{with_user(index)}"\n')


WAYS = {
    "UV_INDEX": url_in("UV_INDEX"),
    "UV_EXTRA_INDEX_URL": url_in("UV_EXTRA_INDEX_URL"),
    "variables of a named index": named,
    "netrc": netrc,
    "uv.toml": uv_toml,
    "extra-index-url of uv.toml": extra_of_uv_toml,
    "the user's uv.toml": user_settings,
    "tool.uv": tool_uv,
}


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("way", WAYS)
def test_an_index_with_a_password_is_asked_by_lock_and_build_and_nobody_else_sees_the_password(
    project: Project, private: Index, monkeypatch: pytest.MonkeyPatch, way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    WAYS[way](project, private, monkeypatch)

    lock = make_lock(project, "tiny", upgrade=False).read_text()

    assert distributions(project) == ["alpha", "beta"]
    assert private.sent_for_files() >= {":".join(USER)}
    kept = [*tree(Cache.of_user().path).values(), *tree(project.path / "dist").values(), lock.encode()]
    assert not [content for content in kept if USER[1].encode() in content]
    assert USER[1] not in "".join(capfd.readouterr())


def test_an_index_at_another_port_is_not_sent_the_password(
    project: Project, public: Index, private: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_INDEX", with_user(private))
    make_lock(project, "tiny", upgrade=False)

    assert distributions(project) == ["alpha", "beta"]
    assert public.sent_for_files() == {""}


def test_an_index_that_a_build_does_not_ask_is_named_by_its_variables(
    project: Project, private: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("UV_EXTRA_INDEX_URL", with_user(private))
        make_lock(project, "tiny", upgrade=False)

    with pytest.raises(BuildFailed) as refusal:
        distributions(project)

    assert "an index that has them is not asked here. Name it in UV_INDEX (UV_EXTRA_INDEX_URL), or in uv.toml" in str(
        refusal.value
    )
    with pytest.raises(BuildFailed, match=r"Name it in UV_INDEX \(UV_EXTRA_INDEX_URL\)"):
        make_lock(project, "tiny", upgrade=True)


def test_a_wrong_password_is_a_sentence_without_it(project: Project, private: Index) -> None:
    make_wheel(private.directory, "alpha", {"alpha/__init__.py": b"VALUE = 1\n"})
    write_lock(project, pinned(private.directory / "beta-1.0-py3-none-any.whl"))
    wrong = private.url.replace("://", "://builder:wr0ng-word@")

    ended = sawhorse(project, "build", "tiny", variables={"UV_INDEX": wrong})

    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert "wr0ng-word" not in ended.err + ended.out
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_INDEX", wrong)
        with pytest.raises(BuildFailed) as refusal:
            make_lock(project, "tiny", upgrade=False)
    assert "wr0ng-word" not in str(refusal.value)


def test_a_line_with_a_user_in_its_address_is_fetched_with_it(project: Project, private: Index, cache: Cache) -> None:
    wheel = private.directory / "beta-1.0-py3-none-any.whl"
    address = with_user(private).replace("/simple", f"/files/{wheel.name}")
    hashed = pinned(wheel).partition(" ")[2]
    write_lock(project, f"beta @ {address} {hashed}")

    assert distributions(project) == ["beta"]

    wheel.unlink()
    shutil.rmtree(cache.path)
    shutil.rmtree(project.path / "dist")
    assert_refused(
        sawhorse(project, "build", "tiny"), "beta-1.0-py3-none-any.whl could not be fetched", "responded 404"
    )
    assert USER[1] not in sawhorse(project, "build", "tiny").err


def test_an_archive_that_moved_is_asked_for_anew(
    project: Project, public: Index, private: Index, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was chosen is kept with its place; where that is gone, another index may have the same archive."""
    lock = project.lambda_path / "tiny/requirements.txt"
    lock.write_text(pinned(public.directory / "alpha-1.0-py3-none-any.whl"))
    assert distributions(project) == ["alpha"]
    for kept in ("archives", "wheels", "locks"):
        shutil.rmtree(cache.path / kept)
    shutil.rmtree(project.path / "dist")
    [wheel] = public.directory.iterdir()
    wheel.rename(private.directory / wheel.name)
    monkeypatch.setenv("UV_DEFAULT_INDEX", with_user(private))

    assert distributions(project) == ["alpha"]


@pytest.mark.parametrize("place", ["UV_FIND_LINKS", "uv.toml"])
def test_a_directory_of_wheels_is_seen_by_lock_and_build(
    project: Project, private: Index, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    shutil.copytree(private.directory, project.path / "wheels")
    if place == "uv.toml":
        (project.path / "uv.toml").write_text('find-links = ["./wheels"]\n')
    else:
        monkeypatch.setenv("UV_FIND_LINKS", "./wheels")
        monkeypatch.chdir(project.path)

    lock = make_lock(project, "tiny", upgrade=False).read_text()

    assert "wheels" not in lock
    assert distributions(project) == ["alpha", "beta"]


def test_one_archive_at_two_indexes_is_one(project: Project, public: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(public.directory))
    (project.lambda_path / "tiny/requirements.in").write_text("alpha\n")
    make_lock(project, "tiny", upgrade=False)

    assert distributions(project) == ["alpha"]


def test_an_index_of_a_pyproject_is_seen_by_lock_and_build(project: Project, private: Index) -> None:
    (project.lambda_path / "tiny/requirements.in").unlink()
    (project.lambda_path / "tiny/requirements.txt").unlink()
    declared = '[project]\nname = "tiny"\nversion = "0"\ndependencies = ["alpha", "beta"]\n'
    (project.lambda_path / "tiny/pyproject.toml").write_text(
        f'{declared}[[tool.uv.index]]\nurl = "{with_user(private)}"\n'
    )
    make_lock(project, "tiny", upgrade=False)

    assert distributions(project) == ["alpha", "beta"]


def test_an_archive_that_a_server_packs_once_more_is_taken_as_it_is(
    project: Project, public: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers call what they send gzip when a client takes that; what arrives would then be another file."""
    whole = Handler.do_GET

    def packing(self: Handler) -> None:
        if not self.path.startswith("/files/") or "gzip" not in self.headers.get("Accept-Encoding", ""):
            whole(self)
            return
        content = gzip.compress((public.directory / Path(self.path).name).read_bytes())
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    monkeypatch.setattr(Handler, "do_GET", packing)
    write_lock(project, pinned(public.directory / "alpha-1.0-py3-none-any.whl"))

    assert distributions(project) == ["alpha"]


@pytest.mark.parametrize(
    ("index", "url", "expected"),
    [
        ("https://me:word@corp.example/simple", "https://corp.example/files/a.whl", ("me", "word")),
        ("https://me:word@corp.example:443/simple", "https://corp.example/files/a.whl", ("me", "word")),
        ("https://me:word@corp.example/simple", "http://corp.example/files/a.whl", None),
        ("https://me:word@corp.example/simple", "https://corp.example:8443/files/a.whl", None),
        ("https://me:word@corp.example/simple", "https://files.corp.example/a.whl", None),
        ("corp=https://me@corp.example/simple", "https://corp.example/a.whl", ("me", "")),
        ("https://me:w%2Frd@corp.example https://other.example", "https://corp.example/a.whl", ("me", "w/rd")),
        ("https://corp.example:notaport/simple ./wheels", "https://corp.example/a.whl", None),
    ],
)
def test_credentials_are_for_one_host_and_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: str, url: str, expected: tuple[str, str] | None
) -> None:
    monkeypatch.setenv("UV_INDEX", index)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))

    assert credentials_for(url, tmp_path) == expected

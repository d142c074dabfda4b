"""Pure source archives are built once, alike everywhere, with nothing of this shell."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from sawhorse.build.build import build
from sawhorse.build.wheel_builder import without_network
from sawhorse.build.wheel_cache import Cache
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from tests.unit.sawhorse.build.made_wheels import PROJECT, backend, make_source, packed, pinned
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.support import sha256, tree, write_lock

pytestmark = pytest.mark.usefixtures("wheel_builder", "cache")

SETUP = 'from setuptools import setup\n{0}\nsetup(name="pure", version="1.0", py_modules=["pure"])\n'
POETRY = '[tool.poetry]\nname = "pure"\nversion = "1.0"\ndescription = ""\nauthors = []\n'
POETRY += 'packages = [{ include = "*.py" }]\n'


SETUPTOOLS = PROJECT + '[tool.setuptools]\npy-modules = ["pure"]\n'
HATCH = PROJECT + '[tool.hatch.build.targets.wheel]\ninclude = ["pure.py"]\n'
SOURCES: dict[str, dict[str, bytes]] = {
    "setup.py alone": {"setup.py": SETUP.format("").encode()},
    "setup.cfg": {"setup.cfg": b"[metadata]\nname = pure\nversion = 1.0\n[options]\npy_modules = pure\n"},
    "setuptools": {"pyproject.toml": backend("setuptools>=61", "setuptools.build_meta", SETUPTOOLS)},
    "flit": {"pyproject.toml": backend("flit_core >=3.2", "flit_core.buildapi")},
    "hatchling": {"pyproject.toml": backend("hatchling", "hatchling.build", HATCH)},
    "poetry-core": {"pyproject.toml": backend("poetry-core", "poetry.core.masonry.api", POETRY)},
}
MODULE = {"pure.py": b"VALUE = 1\n"}


def lock(project: Project, *archives: Path) -> None:
    lines = [f"./{path.relative_to(project.path)} --hash=sha256:{sha256(path)}\n" for path in archives]
    write_lock(project, "".join(lines))


def source(project: Project, files: Mapping[str, bytes]) -> Path:
    return make_source(project.path / "vendor", "pure", {**MODULE, **files})


@pytest.mark.parametrize("kind", SOURCES)
def test_a_pure_source_archive_is_built_once_and_alike_in_two_fresh_caches(
    make_tiny: MakeTiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found = []
    archive = b""
    for number, umask in enumerate((0o022, 0o077)):
        project = make_tiny(f"project-{number}")
        monkeypatch.setenv("SAWHORSE_CACHE_DIR", str(tmp_path / f"cache-{number}"))
        monkeypatch.setenv("SECRET_OF_THIS_SHELL", str(number))
        # One archive for both: another one of equal files has another hash.
        archive = archive or source(project, SOURCES[kind]).read_bytes()
        (project.path / "vendor").mkdir(exist_ok=True)
        (project.path / "vendor/pure-1.0.tar.gz").write_bytes(archive)
        lock(project, project.path / "vendor/pure-1.0.tar.gz")
        before = os.umask(umask)
        try:
            found.append((build(project, "tiny").sha256, tree(Cache.of_user().path / "built"), packed(project)))
        finally:
            os.umask(before)

    assert found[0] == found[1]
    assert found[0][2]["pure.py"] == (b"VALUE = 1\n", False)
    capfd.readouterr()
    shutil.rmtree(project.path / "dist")
    packed(project)
    assert "Building" not in capfd.readouterr().err


def test_nothing_of_this_shell_reaches_what_builds(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-this-shell")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    program = 'import json, os\nopen("pure.py", "w").write("SEEN = " + repr(json.dumps(dict(os.environ))))'
    lock(tiny, source(tiny, {"setup.py": SETUP.format(program).encode()}))

    content, _ = packed(tiny)["pure.py"]

    assert b"secret-of-this-shell" not in content
    seen = json.loads(eval(content.decode().removeprefix("SEEN = ")))  # noqa: S307 # written above
    assert "PYTHONPATH" not in seen
    assert seen["HOME"] not in {os.environ["HOME"], ""}
    assert seen["SOURCE_DATE_EPOCH"] == "315532800"


# Where no user may make a network namespace, a build has the network, as docs/packages.md says.
@pytest.mark.skipif(not without_network(), reason="this machine lets no user take the network away")
def test_what_builds_has_no_network(tiny: Project) -> None:
    asked: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def listen() -> None:
            try:
                asked.append(server.accept())
            except OSError:
                return

        thread = threading.Thread(target=listen)
        thread.start()
        port = server.getsockname()[1]
        program = f'import socket\nsocket.create_connection(("127.0.0.1", {port}), 5)'
        lock(tiny, source(tiny, {"setup.py": SETUP.format(program).encode()}))

        with pytest.raises(BuildFailed, match=r"pure-1\.0\.tar\.gz .* could not be built\. Correct what"):
            build(tiny, "tiny")
        # `accept` ends at once when the other end is shut down.
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert asked == []


C_CODE = (
    SETUP.format("")
    .replace('py_modules=["pure"]', 'py_modules=["pure"], ext_modules=[Extension("fast", ["fast.c"]{0})]')
    .replace("import setup\n", "import Extension, setup\n")
)


@pytest.mark.parametrize("optional", ["", ", optional=True"], ids=["needed", "optional"])
def test_c_code_is_refused_and_the_compiler_is_named(tiny: Project, optional: str) -> None:
    build(tiny, "tiny")
    before = tree(tiny.path / "dist")
    files = {"setup.py": C_CODE.format(optional).encode(), "fast.c": b"int fast(void) { return 1; }\n"}
    lock(tiny, source(tiny, files))

    with pytest.raises(BuildFailed) as refusal:
        build(tiny, "tiny")

    sentence = "pure-1.0.tar.gz (a source archive: no wheel of it fits) holds code that has to be compiled"
    assert sentence in str(refusal.value)
    assert "(its build starts cc)" in str(refusal.value)
    assert "Use a version that has a wheel for the functions' platform." in str(refusal.value)
    assert tree(tiny.path / "dist") == before
    assert not (Cache.of_user().path / "built").exists()


@pytest.mark.parametrize("way", ["absolute path", "sysconfig", "PATH of its own"])
def test_a_compiler_that_is_found_otherwise_makes_no_wheel(tiny: Project, way: str) -> None:
    """A wheel that holds compiled code is refused whoever compiled it, whatever its tag says."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        # Without one nothing can be compiled, which is what is refused here; machines of CI have one.
        pytest.skip("no compiler on this machine")
    rest = '"-shared", "-o", "pure/fast.so", "fast.c"])'
    start = {
        "absolute path": f'subprocess.run(["{compiler}", {rest}',
        "sysconfig": f'subprocess.run([*__import__("sysconfig").get_config_var("CC").split(), {rest}',
        "PATH of its own": f'os.environ["PATH"] = "{Path(compiler).parent}"; subprocess.run(["cc", {rest}',
    }[way]
    program = f"import os, subprocess\n{start}"
    setup = SETUP.format(program).replace('py_modules=["pure"]', 'packages=["pure"], package_data={"pure": ["*.so"]}')
    files = {"setup.py": setup.encode(), "fast.c": b"int fast(void) { return 1; }\n", "pure/__init__.py": b""}
    lock(tiny, make_source(tiny.path / "vendor", "pure", files))

    with pytest.raises(BuildFailed, match=r"pure-1\.0\.tar\.gz .*(has to be compiled|compiled code)"):
        build(tiny, "tiny")


def test_what_builds_writes_nowhere_but_into_its_own_place(tiny: Project, tmp_path: Path) -> None:
    program = "import os\nopen(os.path.expanduser('~/left-behind'), 'w').write('x')"
    lock(tiny, source(tiny, {"setup.py": SETUP.format(program).encode()}))

    assert "pure.py" in packed(tiny)
    assert not list(Cache.of_user().path.rglob("left-behind"))
    assert not (Path.home() / "left-behind").exists()


def test_a_build_requirement_that_is_not_locked_is_a_sentence(tiny: Project) -> None:
    lock(tiny, source(tiny, {"pyproject.toml": backend("frobnicator>=3", "frobnicator")}))

    with pytest.raises(BuildFailed, match=r"is built with frobnicator>=3, which build.in lacks. Add"):
        build(tiny, "tiny")


def test_a_build_requirement_in_another_version_is_a_sentence(tiny: Project) -> None:
    lock(tiny, source(tiny, {"pyproject.toml": backend("setuptools<50", "setuptools.build_meta")}))

    with pytest.raises(BuildFailed, match=r"is built with setuptools<50, which build.in has \d"):
        build(tiny, "tiny")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[build-system\n", "has a pyproject.toml that is not valid TOML"),
        ("build-system = 3\n", "has a pyproject.toml whose [build-system]"),
        ('[build-system]\nrequires = "hatchling"\n', "has a pyproject.toml whose [build-system]"),
        ("[build-system]\nrequires = [3]\n", "has a pyproject.toml whose [build-system]"),
        ("[build-system]\nrequires = []\nbuild-backend = 3\n", "has a pyproject.toml whose [build-system]"),
        ('[build-system]\nrequires = []\nbuild-backend = "x"\nbackend-path = ["../.."]\n', "inside source tree"),
        ('[build-system]\nrequires = []\nbuild-backend = "nowhere.to_be_found"\n', "could not be built"),
        ('[build-system]\nrequires = ["=="]\nbuild-backend = "hatchling.build"\n', "which is not a requirement"),
    ],
)  # fmt: skip
def test_a_build_system_that_nobody_understands_is_a_sentence(tiny: Project, content: str, words: str) -> None:
    lock(tiny, source(tiny, {"pyproject.toml": content.encode()}))

    with pytest.raises(BuildFailed) as refusal:
        build(tiny, "tiny")

    assert words in str(refusal.value)
    assert "pure-1.0.tar.gz" in str(refusal.value)


@pytest.mark.parametrize("damage", ["cut", "no archive", "two directories", "leaves", "link"])
def test_a_damaged_source_archive_is_a_sentence(tiny: Project, damage: str) -> None:
    path = source(tiny, SOURCES["setup.py alone"])
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "no archive":
        path.write_bytes(b"<html>")
    else:
        write_odd(path, damage)
    lock(tiny, path)

    with pytest.raises(BuildFailed, match=r"^pure-1\.0\.tar\.gz (could not be unpacked|is not a source archive)"):
        build(tiny, "tiny")


def write_odd(path: Path, damage: str) -> None:
    import tarfile  # noqa: PLC0415 # here alone

    with tarfile.open(path, "w:gz") as archive:
        names = {"two directories": ["a/x", "b/x"], "leaves": ["pure-1.0/../../x"], "link": ["pure-1.0/x"]}[damage]
        for name in names:
            info = tarfile.TarInfo(name)
            if damage == "link":
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)


BACKENDS = {
    "no hook": "",
    "another name": "def build_wheel(*_, **__): return 'pure.txt'",
    "no name": "def build_wheel(*_, **__): return None",
    "no wheel": "def build_wheel(*_, **__): return 'pure-1.0-py3-none-any.whl'",
    "a name that leaves": "def build_wheel(*_, **__): return '../../pure-1.0-py3-none-any.whl'",
    "an error": "def build_wheel(*_, **__): raise RuntimeError('what the backend says')",
    "an end": "import os; os._exit(3)",
    "odd requirements": "def get_requires_for_build_wheel(*_): return 3",
    "no zip": (
        "NAME = 'pure-1.0-py3-none-any.whl'\ndef build_wheel(out, *_, **__): open(out + '/' + NAME, 'w'); return NAME"
    ),
}


@pytest.mark.parametrize("what", BACKENDS)
def test_a_backend_that_fails_in_any_way_is_a_sentence(tiny: Project, what: str) -> None:
    build(tiny, "tiny")
    before = tree(tiny.path / "dist")
    system = '[build-system]\nrequires = []\nbuild-backend = "odd"\nbackend-path = ["."]\n'
    lock(tiny, source(tiny, {"pyproject.toml": system.encode(), "odd.py": BACKENDS[what].encode()}))

    with pytest.raises(BuildFailed, match=r"pure-1\.0") as refusal:
        build(tiny, "tiny")

    if what == "an error":
        assert "what the backend says" in str(refusal.value)
    assert tree(tiny.path / "dist") == before
    assert not (Cache.of_user().path / "built").exists()


def test_a_source_archive_of_an_index_runs_nowhere_but_where_it_is_built(
    tiny: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Metadata 1.1 says nothing of dependencies, so a resolver that wants them has to run setup.py."""
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    program = f"import os\nopen({str(tmp_path / 'homes')!r}, 'a').write(os.environ.get('HOME', '') + '\\n')"
    path = make_source(tmp_path / "wheels", "pure", {**MODULE, "setup.py": SETUP.format(program).encode()}, core="1.1")
    write_lock(tiny, pinned(path))

    assert packed(tiny)["pure.py"] == (b"VALUE = 1\n", False)

    homes = set((tmp_path / "homes").read_text().split())
    assert len(homes) == 1
    assert homes.pop().startswith(str(Cache.of_user().path))


def test_machine_code_that_came_with_the_source_is_as_it_was_locked(tiny: Project) -> None:
    setup = SETUP.format("").replace('py_modules=["pure"]', 'packages=["pure"], package_data={"pure": ["*.so"]}')
    files = {"setup.py": setup.encode(), "pure/__init__.py": b"", "pure/given.so": b"\x7fELF and so on"}
    lock(tiny, make_source(tiny.path / "vendor", "pure", files))

    assert packed(tiny)["pure/given.so"][0] == b"\x7fELF and so on"

"""A package has what its own sources reach of `lambda/shared`, and is not touched by the rest."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.build.build import build
from sawhorse.build.build_state import BuildInputs
from sawhorse.build.code_packing import Code, pack_sources
from sawhorse.build.manifest import read_manifest
from sawhorse.build.reused_parts import Known
from sawhorse.build.sources import Sources
from sawhorse.build.stale_check import refuse_stale
from sawhorse.errors import BuildFailed
from sawhorse.project import Project

MODULES = ("shared.a", "shared.b", "shared.c", "shared.pkg", "shared.pkg.x", "shared.pkg.y")
HANDLER = "def handler(event, context):\n    use()\n"
# Imports everything that can be imported of the app, calls it, and says what that brought along of `shared`.
LOADED = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
main = importlib.import_module("tiny.main")
main.handler({}, None)
print("\\n".join(sorted(name for name in sys.modules if name.partition(".")[0] == "shared")))
"""
OWN_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


def inputs(**more: object) -> BuildInputs:
    settled: dict[str, object] = {
        "app": "tiny", "runtime": f"python{OWN_PYTHON}", "architecture": "x86_64", "root_files": [], "layer": False,
        "handlers": {"api": "tiny.main.handler"}, "upload": None, "target": "here", "python": OWN_PYTHON,
        "compiler": sys.executable, "compiled_by": OWN_PYTHON, "own": ["shared", "tiny"], "modules": [], "expected": [],
        "parts": {}, "pruned": [], "config": b"", "directories": {}, "lock": b"", "declared": ("x.in", "make lock"),
        "notes": [], "builder": "",
    }  # fmt: skip
    return BuildInputs(**{**settled, **more})  # type: ignore[arg-type]


def sources_of(files: Mapping[str, str]) -> Sources:
    return {name: (text.encode(), False) for name, text in files.items()}


def packed(files: Mapping[str, str], **more: object) -> Code:
    return pack_sources(inputs(**more), sources_of(files), Known())


def shared_in(files: Mapping[str, str], **more: object) -> set[str]:
    return {name for name in packed(files, **more).sources if name.startswith("shared/")}


def path_of(module: str) -> str:
    return f"{module.replace('.', '/')}{'/__init__' if module == 'shared.pkg' else ''}.py"


FORMS = ("import {0}", "import {0} as it", "from {1} import {2}", "from {1} import {2} as it", "import_module('{0}')")


@st.composite
def statements(draw: st.DrawFn) -> str:
    """Statements that import some shared modules when a source is imported, and some when it is used."""
    lines = ["from importlib import import_module" if draw(st.booleans()) else "import_module = __import__"]
    later = ["pass"]
    for module in draw(st.lists(st.sampled_from(MODULES), max_size=2, unique=True)):
        form = draw(st.sampled_from(FORMS)).format(module, *module.rpartition(".")[::2])
        (lines if draw(st.booleans()) else later).append(form)
    lines = [
        line for line in lines if "import_module" not in line or any("import_module(" in one for one in lines + later)
    ]
    body = "".join(f"    {line}\n" for line in later)
    return "\n".join(lines) + f"\n\n\ndef use():\n{body}"


@st.composite
def programs(draw: st.DrawFn) -> dict[str, str]:
    files = {"tiny/__init__.py": "", "shared/__init__.py": "", "tiny/main.py": f"{draw(statements())}\n\n{HANDLER}"}
    files["tiny/other.py"] = draw(statements())
    for module in MODULES:
        files[path_of(module)] = draw(statements())
    return files


def write(directory: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)


def loaded(directory: Path) -> set[str]:
    command = [sys.executable, "-I", "-S", "-B", "-c", LOADED, str(directory)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


@settings(max_examples=25, deadline=None)
@given(files=programs())
def test_what_python_loads_is_packed_and_loads_the_same_from_there(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
) -> None:
    whole, package = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("package")
    write(whole, files)
    write(package, {name: content.decode() for name, (content, _) in packed(files).sources.items()})

    assert loaded(package) == loaded(whole)


MAIN = "{}\n\n\ndef handler(event, context): ...\n"
TREE = {
    "tiny/__init__.py": "",
    "shared/__init__.py": "",
    "shared/a.py": "from shared.pkg import x\n",
    "shared/b.py": "from .c import C\n",
    "shared/c.py": "C = 1\n",
    "shared/pkg/__init__.py": "",
    "shared/pkg/x.py": "",
    "shared/pkg/y.py": "",
    "shared/pkg/rules.json": "{}",
    "shared/page.html": "",
}


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("import boto3", ""),
        ("# shared.a, 'b'", ""),
        ("import shared", "__init__.py"),
        ("import shared.c", "__init__.py c.py"),
        ("from shared.b import C", "__init__.py b.py c.py"),
        ("from shared import a", "__init__.py a.py pkg/__init__.py pkg/x.py"),
        ("def later():\n    from shared.pkg import y", "__init__.py pkg/__init__.py pkg/y.py"),
        ("try:\n    import shared.c\nexcept ImportError:\n    pass", "__init__.py c.py"),
        ("NAMES = ['shared.c']", "__init__.py c.py"),
        ("PAGE = 'shared/page.html'", "page.html"),
        ("import importlib\nimportlib.import_module('shared.' + NAME)", "*"),
        ("exec('import shared.c')", "*"),
        ("from shared.pkg import *", "*"),
        ("from shared import pkg\nprint(pkg.__path__)", "*"),
    ],
)
def test_a_package_has_what_a_source_reaches(text: str, reached: str) -> None:
    known = {name.removeprefix("shared/") for name in TREE if name.startswith("shared/")}
    wanted = {name for name in known if name.endswith(".py")} if reached == "*" else set(reached.split())

    found = {
        name.removeprefix("shared/")
        for name in shared_in({**TREE, "tiny/main.py": MAIN.format(text)}, modules=["boto3"])
    }

    assert (found if reached != "*" else {name for name in found if name.endswith(".py")}) == wanted


@pytest.mark.parametrize(
    ("reader", "taken"),
    [
        ("from pathlib import Path\nRULES = Path(__file__).with_name('rules.json')\n", True),
        ("from pathlib import Path\nEVERY = sorted(Path(__file__).parent.iterdir())\n", True),
        ("from importlib.resources import files\n", True),
        ("RULES = 'rules.json'\n", True),
        ("RULES = 1\n", False),
    ],
)
def test_data_comes_along_with_what_may_read_it(reader: str, taken: bool) -> None:  # noqa: FBT001
    files = {**TREE, "shared/pkg/x.py": reader, "tiny/main.py": MAIN.format("import shared.pkg.x")}

    assert ("shared/pkg/rules.json" in shared_in(files, modules=[])) == taken
    # Nothing reads what lies beside a module that is not reached.
    assert "shared/pkg/rules.json" not in shared_in({**files, "tiny/main.py": MAIN.format("import shared.c")})


def test_a_program_at_the_top_names_modules_in_any_way() -> None:
    files = {**TREE, "run.sh": "exec python -m shared.b\n", "tiny/main.py": MAIN.format("")}

    found = shared_in(files, handlers={"api": "run.sh"}, root_files=["run.sh"])

    assert found == {"shared/__init__.py", "shared/b.py", "shared/c.py"}


def test_the_module_of_a_handler_is_there_although_nothing_names_it() -> None:
    files = {**TREE, "shared/b.py": MAIN.format("from .c import C"), "tiny/main.py": ""}

    found = shared_in(files, handlers={"api": "shared.b.handler"})

    assert found == {"shared/__init__.py", "shared/b.py", "shared/c.py"}
    assert shared_in(files, handlers={"api": "shared.b.handler"}, compiler="", compiled_by="") >= found


def test_a_name_beyond_ascii_is_reached_in_any_spelling() -> None:
    files = {
        **TREE,
        "shared/gr\u00f6\u00dfe.py": "",
        "tiny/main.py": MAIN.format("from shared import gro\u0308\u00dfe"),
    }

    assert "shared/gr\u00f6\u00dfe.py" in shared_in(files)


def test_without_an_interpreter_whatever_may_be_reached_is_there() -> None:
    files = {**TREE, "tiny/main.py": MAIN.format("from shared.b import C")}

    assert {"shared/b.py", "shared/c.py"} <= shared_in(files, compiler="", compiled_by="")
    assert shared_in({**TREE, "tiny/main.py": MAIN.format("import boto3")}, compiler="", compiled_by="") == set()


# Whole builds


@pytest.fixture
def sharing(tiny: Project) -> Project:
    """A project whose app reaches one of two shared modules."""
    (tiny.lambda_path / "shared/used.py").write_text("VALUE = 1\n")
    (tiny.lambda_path / "shared/unused.py").write_text("VALUE = 1\n")
    main = "from shared.used import VALUE\n\n\ndef handler(event, context):\n    return VALUE\n"
    (tiny.lambda_path / "tiny/main.py").write_text(main)
    build(tiny, "tiny")
    return tiny


def content_of(project: Project) -> str:
    return read_manifest(project.path / "dist")["tiny"]["api"].content_sha256


def shared_of(project: Project) -> list[str]:
    with zipfile.ZipFile(project.path / "dist/tiny.zip") as package:
        return sorted(name for name in package.namelist() if name.startswith("shared/") and name.endswith(".py"))


def test_an_app_that_shares_nothing_has_a_package_of_its_own_files_alone(tiny: Project) -> None:
    package = build(tiny, "tiny")

    assert shared_of(tiny) == []
    assert package.size < 2_000


def change(project: Project, name: str, text: str) -> None:
    (project.lambda_path / name).write_text(text)


@pytest.mark.parametrize(
    ("edit", "deployed", "stale"),
    [
        (lambda p: change(p, "shared/unused.py", "VALUE = 2\n"), False, False),
        (lambda p: change(p, "shared/used.py", "VALUE = 2\n"), True, True),
        (lambda p: change(p, "shared/used.py", "from shared.unused import VALUE\n"), True, True),
        (lambda p: (p.lambda_path / "shared/unused.py").unlink(), False, True),
        (lambda p: change(p, "shared/new.py", "VALUE = 2\n"), False, True),
    ],
    ids=["not reached", "reached", "reached now", "gone", "new"],
)
def test_a_package_changes_with_what_it_reaches_alone(
    sharing: Project,
    tmp_path: Path,
    edit: Callable[[Project], object],
    *,
    deployed: bool,
    stale: bool,
) -> None:
    before = content_of(sharing)
    edit(sharing)

    if stale:
        # Whether an import finds what is new or gone, only a build says.
        with pytest.raises(BuildFailed, match=r"was not made of what stands here now: lambda/shared/"):
            refuse_stale(sharing, sharing.path / "dist", "tiny")
    else:
        refuse_stale(sharing, sharing.path / "dist", "tiny")
    assert build(sharing, "tiny").changed == stale
    refuse_stale(sharing, sharing.path / "dist", "tiny")
    assert (content_of(sharing) != before) == deployed
    # What was built beside the last package is what is built of nothing.
    assert build(sharing, "tiny", dist=tmp_path / "anew").sha256 == build(sharing, "tiny").sha256


def test_a_module_that_is_reached_no_more_is_left_out_again(sharing: Project) -> None:
    change(sharing, "tiny/main.py", "def handler(event, context): ...\n")

    build(sharing, "tiny")

    assert shared_of(sharing) == []


def test_what_is_not_reached_may_be_broken_and_lack_what_it_imports(sharing: Project) -> None:
    change(sharing, "shared/unused.py", "import nowhere\n")
    change(sharing, "shared/broken.py", "def (:\n")

    assert build(sharing, "tiny").warnings == []
    change(sharing, "tiny/main.py", "from shared import unused\n\n\ndef handler(event, context): ...\n")
    with pytest.raises(
        BuildFailed, match=r"^lambda/shared/unused\.py, line 1, imports nowhere, which the package of tiny"
    ):
        build(sharing, "tiny")

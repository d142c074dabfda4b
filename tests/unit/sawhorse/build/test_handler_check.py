"""A handler is taken exactly where Lambda finds it in the package, and is refused with what to do elsewhere."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sawhorse.build.build import build
from sawhorse.build.module_paths import modules_of
from sawhorse.errors import BadConfiguration
from sawhorse.project import Project
from tests.unit.sawhorse.support import assert_refused, sawhorse

SOURCE = "def handler(event, context): ...\n"


def write(project: Project, files: dict[str, str], config: str) -> None:
    for name, text in files.items():
        path = project.lambda_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (project.lambda_path / "tiny/package.toml").write_text(config)


def config_of(handler: str, more: str = "") -> str:
    return f"{more}\n[functions.api]\nhandler = '{handler}'\n"


@pytest.mark.parametrize(
    ("files", "handler", "more"),
    [
        ({}, "tiny.main.handler", ""),
        ({"tiny/api/__init__.py": SOURCE}, "tiny.api.handler", ""),
        ({"tiny/__init__.py": SOURCE}, "tiny.handler", ""),
        ({"tiny/__init__.py": SOURCE}, "tiny.__init__.handler", ""),
        ({"tiny/a/b/c.py": SOURCE}, "tiny.a.b.c.handler", ""),
        ({"tiny/a/__init__.py": "", "tiny/a/b.py": SOURCE}, "tiny.a.b.handler", ""),
        ({"shared/entry.py": SOURCE}, "shared.entry.handler", ""),
        ({"tiny/entry.py": SOURCE}, "entry.handler", 'root_files = ["entry.py"]'),
        ({"tiny/main/data.txt": ""}, "tiny.main.handler", ""),
        ({"tiny/my-entry.py": SOURCE}, "tiny.my-entry.handler", ""),
        ({"tiny/entry.cpython-313-x86_64-linux-gnu.so": ""}, "tiny.entry.handler", ""),
    ],
)
def test_a_handler_that_lambda_finds_is_taken(tiny: Project, files: dict[str, str], handler: str, more: str) -> None:
    write(tiny, files, config_of(handler, more))

    assert build(tiny, "tiny").warnings == []


AT_TOP = (
    r"root_files puts main\.py at the top of the package, where tiny\.main\.handler is not found; name main\.handler "
    r"as handler, or take main\.py out of root_files\."
)


@pytest.mark.parametrize(
    ("files", "handler", "more", "sentence"),
    [
        ({}, "tiny.main.handler", 'root_files = ["main.py"]', AT_TOP),
        (
            {"tiny/api/data.txt": ""}, "tiny.api.handler", "",
            r"lambda/tiny/api is a directory without __init__\.py, .* add lambda/tiny/api/__init__\.py, or name a mod",
        ),
        (
            {"tiny/main/sub.py": SOURCE}, "tiny.main.sub.handler", "",
            r"Python does not find lambda/tiny/main/sub\.py for handler tiny\.main\.sub\.handler, since a module above",
        ),
        ({}, "tiny.main.api.handler", "", r"there is no lambda/tiny/main/api\.py for handler tiny\.main\.api\.handler"),
        ({"tiny/.venv/x.py": SOURCE}, "tiny.venv.x.handler", "", r"there is no lambda/tiny/venv/x\.py for handler"),
        ({"tiny/a.b.py": SOURCE}, "tiny.a.b.handler", "", r"there is no lambda/tiny/a/b\.py for handler"),
        ({}, "tiny.Main.handler", "", r"there is no lambda/tiny/Main\.py for handler tiny\.Main\.handler\."),
        ({"tiny/entry.py": SOURCE}, "entry.handler", "", r"entry\.handler is not in the package of tiny; name a"),
    ],
)  # fmt: skip
def test_a_handler_that_lambda_would_not_find_is_refused(
    tiny: Project, files: dict[str, str], handler: str, more: str, sentence: str
) -> None:
    write(tiny, files, config_of(handler, more))

    with pytest.raises(BadConfiguration, match=rf"^lambda/tiny/package\.toml: functions\.api: .*{sentence}"):
        build(tiny, "tiny")

    assert not (tiny.path / "dist/tiny.zip").exists()


@pytest.mark.parametrize(
    "handler",
    [
        "tiny..main.handler", "tiny.main.", ".main.handler", "tiny.main.1 2", "tiny.main.12", "tiny.main.class",
        "tiny.../../x.main.handler", "tiny./etc/x.main.handler", "tiny/main.handler", "tiny.main. handler", "...", ".",
        "tiny.main.handler\u00a0", "tiny.main.hand-ler", "tiny\\main.handler", "tiny.main.handler()",
        f"tiny.{'x' * 128}.handler", "tiny.main.\u200bhandler",
    ],
)  # fmt: skip
def test_words_that_can_be_no_handler_are_a_sentence(tiny: Project, handler: str) -> None:
    write(tiny, {}, config_of(handler))

    assert_refused(sawhorse(tiny, "build"), f"lambda/tiny/package.toml: functions.api: {handler!r} is no handler")


@pytest.mark.parametrize("name", ["", "a\\nb", "a b", "a.b", "\\u00e9", "x" * 65, "a/b"])
def test_a_name_that_no_function_can_have_is_a_sentence(tiny: Project, name: str) -> None:
    (tiny.lambda_path / "tiny/package.toml").write_text(f'[functions."{name}"]\nhandler = "tiny.main.handler"\n')

    assert_refused(sawhorse(tiny, "build"), "lambda/tiny/package.toml: functions has '", "rename it.")


TOPS = ("zz_a", "zz_b", "zz_c", "__init__")
PARTS = st.sampled_from(TOPS)
FILES = st.lists(
    st.tuples(st.lists(PARTS, min_size=1, max_size=4), st.sampled_from([".py", ".txt", ".x.py"])), max_size=8
)


@settings(max_examples=300, deadline=None)
@given(FILES, st.lists(st.lists(PARTS, min_size=1, max_size=5), min_size=1, max_size=8))
def test_modules_are_those_that_python_finds_in_the_files_that_it_finds_them_in(
    files: list[tuple[list[str], str]], asked: list[list[str]]
) -> None:
    with TemporaryDirectory() as directory:
        top = Path(directory)
        for parts, end in files:
            path = top.joinpath(*parts).with_name(parts[-1] + end)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        names = [path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()]
        found = modules_of(names)
        try:
            sys.path.insert(0, directory)
            importlib.invalidate_caches()
            for module in {".".join(parts) for parts in asked} | set(found):
                try:
                    file = importlib.import_module(module).__file__
                except ImportError:
                    assert module not in found
                else:
                    assert found[module] == (Path(file).relative_to(top).as_posix() if file else "")
        finally:
            sys.path.remove(directory)
            for module in [name for name in sys.modules if name.partition(".")[0] in TOPS]:
                del sys.modules[module]

"""What a package's own sources import of each other is in the package, and so is what a handler names."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sawhorse.build.build import build
from sawhorse.build.bytecode_client import Imports
from sawhorse.build.bytecode_worker import compiled
from sawhorse.build.import_reach import Own, judge, opens_modules
from sawhorse.errors import BadConfiguration, BuildFailed
from sawhorse.project import Project

HANDLER = "def handler(event, context): ...\n"
WHOLE = (
    r"main\.py, line 2, imports tiny\.nothing, and the package of tiny has no such module\. Correct it, or, where a "
    r'layer brings it, name it under "expected" in lambda/tiny/package\.toml\.$'
)


def write(project: Project, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = project.lambda_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"tiny/main.py": "X = 1\nfrom .nothing import x\n"},
            WHOLE,
        ),
        ({"tiny/main.py": "import tiny.nothing"}, r"main\.py, line 1, imports tiny\.nothing, and the package of tiny"),
        ({"tiny/main.py": "from shared.absent import x"}, r"main\.py, line 1, imports shared\.absent, and the package"),
        ({"tiny/main.py": "import tiny.a.b.c"}, r"main\.py, line 1, imports tiny\.a\.b\.c, and"),
        ({"tiny/main.py": "import tiny.main.handler"}, r"imports tiny\.main\.handler, and the package of tiny has no"),
        ({"tiny/main.py": "from . import nothing"}, r"imports nothing from tiny, which has neither a module nor"),
        (
            {"tiny/main.py": "from tiny import X", "tiny/__init__.py": "Y = 1"},
            r"imports X from tiny, which has neither",
        ),
        ({"tiny/main.py": "from .a import b", "tiny/a/c.py": ""}, r"imports b from tiny\.a, which has neither"),
        ({"tiny/main.py": "from ..nothing import x"}, r"line 1, imports from \.\.nothing, which lies above all pack"),
        ({"tiny/main.py": "from . import a", "tiny/a.py": "from .b import c"}, r"a\.py, line 1, imports tiny\.b, and"),
        (
            {"tiny/main.py": "import shared", "shared/__init__.py": "from . import x"},
            r"__init__\.py, line 1, imports x",
        ),
        (
            {"tiny/main.py": "import tiny.a.b", "tiny/a.py": "", "tiny/a/b.py": ""},
            r"imports tiny\.a\.b, and the package",
        ),
        (
            {"tiny/main.py": "try:\n    import tiny.nothing\nexcept ImportError:\n    import tiny.other"},
            r"main\.py, line 4, imports tiny\.other, and",
        ),
    ],
)
def test_an_own_module_that_a_start_needs_and_the_package_lacks_is_refused(
    tiny: Project, files: dict[str, str], sentence: str
) -> None:
    write(tiny, {**files, "tiny/main.py": f"{files['tiny/main.py']}\n{HANDLER}"})

    with pytest.raises(BuildFailed, match=sentence):
        build(tiny, "tiny")


@pytest.mark.parametrize(
    ("files", "config"),
    [
        ({"tiny/main.py": "try:\n    from .nothing import x\nexcept ImportError:\n    x = None"}, ""),
        ({"tiny/main.py": "try:\n    from . import nothing\nexcept ImportError:\n    x = None"}, ""),
        ({"tiny/main.py": "from contextlib import suppress\nwith suppress(ImportError):\n    import tiny.x"}, ""),
        ({"tiny/main.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .nothing import X"}, ""),
        ({"tiny/main.py": "from .made import x"}, 'expected = ["tiny.made"] # the layer of the team\n'),
        ({"tiny/main.py": "import tiny.made.deep"}, 'expected = ["tiny.made"] # the layer of the team\n'),
        ({"tiny/main.py": "from . import made"}, 'expected = ["tiny.made"] # the layer of the team\n'),
        ({"tiny/main.py": "from shared.made import x"}, 'expected = ["shared.made"] # the layer of the team\n'),
        ({"tiny/main.py": "from . import X, Y", "tiny/__init__.py": "if 1:\n    X = Y = 1"}, ""),
        ({"tiny/main.py": "from . import X", "tiny/__init__.py": "from typing import *"}, ""),
        ({"tiny/main.py": "from . import X", "tiny/__init__.py": "def __getattr__(name): ..."}, ""),
        ({"tiny/main.py": "from . import X", "tiny/__init__.py": "globals()['X'] = 1"}, ""),
        ({"tiny/main.py": "import tiny\ntiny.X = 1\nfrom . import X"}, ""),
        ({"tiny/main.py": "import tiny\nsetattr(tiny, 'X', 1)\nfrom . import X"}, ""),
        ({"tiny/main.py": "import sys, types\nsys.modules['tiny.x'] = types.ModuleType('x')\nimport tiny.x"}, ""),
        ({"tiny/main.py": "import tiny.x", "tiny/__init__.py": "__path__.append('/opt/x')"}, ""),
        ({"tiny/main.py": "from . import data, lib", "tiny/data/x.txt": "", "tiny/lib.abi3.so": ""}, ""),
        ({"tiny/main.py": "from .__init__ import x\nfrom . import __version__, __doc__"}, ""),
        ({"tiny/main.py": "import tiny.a.b", "tiny/a.py": "", "tiny/a/__init__.py": "", "tiny/a/b.py": ""}, ""),
    ],
)
def test_what_may_be_there_is_taken_without_a_word(tiny: Project, files: dict[str, str], config: str) -> None:
    write(tiny, {**files, "tiny/main.py": f"{files['tiny/main.py']}\n{HANDLER}"})
    path = tiny.lambda_path / "tiny/package.toml"
    path.write_text(config + path.read_text())

    assert build(tiny, "tiny").warnings == []


def test_what_is_imported_later_is_a_warning_of_its_own(tiny: Project) -> None:
    write(
        tiny,
        {"tiny/main.py": "def handler(event, context):\n    import yaml\n    from . import a\n    import tiny.b\n"},
    )

    [theirs, ours] = build(tiny, "tiny").warnings

    assert "will not have yaml (lambda/tiny/main.py, line 2). " in theirs
    assert "will not have tiny.a (lambda/tiny/main.py, line 3), tiny.b (lambda/tiny/main.py, line 4). " in ours
    assert "requirements" not in ours


@pytest.mark.parametrize("name", ["tiny.main", "tiny.other", "shared"])
def test_an_own_module_that_is_there_cannot_be_expected(tiny: Project, name: str) -> None:
    write(tiny, {"tiny/other/__init__.py": ""})
    path = tiny.lambda_path / "tiny/package.toml"
    path.write_text(f'expected = ["{name}"] # the layer\n{path.read_text()}')

    with pytest.raises(BadConfiguration, match=f"expected has {name}, which the package or its runtime has anyway"):
        build(tiny, "tiny")


def test_a_changed_source_that_makes_modules_changes_what_is_known_of_all(tiny: Project) -> None:
    write(
        tiny, {"tiny/main.py": f"from . import maker\nfrom .made import x\n{HANDLER}", "tiny/maker.py": "import sys\n"}
    )
    with pytest.raises(BuildFailed, match=r"imports tiny\.made"):
        build(tiny, "tiny")
    write(tiny, {"tiny/maker.py": "import sys\nsys.modules['tiny.made'] = sys\n"})
    assert build(tiny, "tiny").warnings == []
    write(tiny, {"tiny/maker.py": "import sys\n"})

    with pytest.raises(BuildFailed, match=r"imports tiny\.made"):
        build(tiny, "tiny")

    write(tiny, {"tiny/maker.py": "import sys\nsys.modules['tiny.made'] = sys\n# again\n"})
    assert build(tiny, "tiny").changed


# The function that a handler names


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def Handler(event, context): ...",
        "def outer():\n    def handler(event, context): ...",
        "class Api:\n    def handler(self): ...",
        "class Api:\n    handler = 1",
        "x = lambda handler: handler",
        "print('handler')",
        "def f():\n    handler = 1",
        "x = [handler for handler in ()]",
        "import os as handlers",
        "def __getattr(name): ...",
        "class A:\n    def __getattr__(self, name): ...",
        "handler: object",
        "".join(f"name{number} = {number}\n" for number in range(70_000)),
    ],
)
def test_a_handler_whose_module_has_no_such_function_is_refused(tiny: Project, source: str) -> None:
    write(tiny, {"tiny/main.py": source})

    with pytest.raises(
        BuildFailed,
        match=r"^lambda/tiny/main\.py has no handler, so Lambda does not find the handler tiny\.main\.handler of tiny; "
        r"write that function, or name another one in lambda/tiny/package\.toml\.$",
    ):
        build(tiny, "tiny")


def test_a_package_hides_the_module_beside_it_and_is_asked_for_the_function(tiny: Project) -> None:
    write(tiny, {"tiny/main/__init__.py": ""})

    with pytest.raises(BuildFailed, match=r"^lambda/tiny/main/__init__\.py has no handler, so Lambda does not find"):
        build(tiny, "tiny")

    write(tiny, {"tiny/main/__init__.py": HANDLER})
    assert build(tiny, "tiny").changed


@pytest.mark.parametrize(
    "source",
    [
        "async def handler(event, context): ...",
        "handler = print",
        "handler: object = print",
        "a, (handler, *b) = 1, (2, 3)",
        "from builtins import print as handler",
        "from typing import *",
        "def __getattr__(name): ...",
        "from os import getenv as __getattr__",
        "globals().update(handler=print)",
        "vars()['handler'] = print",
        "exec('handler = print')",
        "import sys\nsetattr(sys.modules[__name__], 'handler', print)",
        "if unknown():\n    handler = print",
        "try:\n    1\nexcept E:\n    def handler(): ...",
        "try:\n    1\nfinally:\n    handler = 1",
        "with x as handler: ...",
        "for handler in x: ...",
        "x = [handler := 1 for _ in 'a']",
        "def f(x=(handler := print)): ...",
        "match 1:\n    case handler: ...",
        "def f():\n    global handler\n    handler = print",
        "class handler: ...",
        "import os.path as handler",
        "".join(f"name{number} = {number}\n" for number in range(70_000)) + "handler = print",
        "import tiny.main as me\nme.handler = print",
        "from . import other",
    ],
)
def test_a_handler_that_its_module_may_have_is_taken(tiny: Project, source: str) -> None:
    write(tiny, {"tiny/main.py": source, "tiny/other.py": "from tiny import main\nmain.handler = print\n"})

    assert build(tiny, "tiny").changed


# Against Python itself

APP, OTHER = "zz_app", "zz_shared"
FILES = [f"{APP}/{name}.py" for name in ("__init__", "a", "b", "b/__init__", "b/c")] + [f"{OTHER}/x.py"]
MODULES = st.sampled_from([
    APP, f"{APP}.a", f"{APP}.b", f"{APP}.b.c", f"{APP}.absent", f"{APP}.a.c", OTHER, f"{OTHER}.x", f"{OTHER}.y",
])  # fmt: skip
RELATIVE = st.sampled_from(["from . import a", "from .b import c", "from .absent import x", "from . import b, absent"])
STATEMENT = MODULES.map("import {}".format) | MODULES.filter(lambda one: "." in one).map(
    lambda one: "from {0} import {2}".format(*one.rpartition("."))
)
TRIED = STATEMENT.map("try:\n    {}\nexcept ImportError:\n    pass".format)


def is_refused(sources: dict[str, str]) -> bool:
    recipe = SimpleNamespace(
        app=APP,
        own=[APP, OTHER],
        expected=[],
        root_files=[],
        handlers={"api": f"{APP}.main.handler"},
        declared=("lambda/tiny/requirements.in", '"make lock APP=tiny"'),
    )
    contents = {name: (text.encode(), False) for name, text in sources.items()}
    opens = any(opens_modules(content) for content, _ in contents.values())
    own = Own(cast("Any", recipe), contents, opens=opens)
    surroundings = [[APP, OTHER], [], [], [], None if opens else own.modules]
    imports = {}
    for name, (content, _) in contents.items():
        [_, _, found, error, _] = compiled((name, content, "imported", name in own.binding), surroundings)
        assert error is None
        imports[name] = Imports.of(cast("Any", found))
    try:
        judge(cast("Any", recipe), imports, own)
    except BuildFailed:
        return True
    return False


def fails(sources: dict[str, str]) -> bool:
    """Import the handler's module as Lambda does."""
    with TemporaryDirectory() as directory:
        for name, text in sources.items():
            path = Path(directory) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        sys.path.insert(0, directory)
        importlib.invalidate_caches()
        try:
            return not hasattr(importlib.import_module(f"{APP}.main"), "handler")
        except ImportError:
            return True
        finally:
            sys.path.remove(directory)
            for module in [name for name in sys.modules if name.partition(".")[0] in {APP, OTHER}]:
                del sys.modules[module]


def sources_of(statements: Any) -> Any:
    bodies = st.lists(statements, max_size=3).map("\n".join)
    others = st.dictionaries(st.sampled_from(FILES), bodies, max_size=len(FILES))
    main = st.tuples(bodies, st.sampled_from(["handler = print", "handlers = print"])).map("\n".join)
    return st.tuples(others, main).map(lambda both: {**both[0], f"{APP}/main.py": both[1]})


@settings(max_examples=300, deadline=None)
@given(sources_of(STATEMENT | RELATIVE | TRIED | st.sampled_from(["a = 1", "absent = 1", "c = 1"])))
@example(
    {
        f"{APP}/__init__.py": f"a = 1\nfrom {APP} import a",
        f"{APP}/a.py": f"import {APP}.b",
        f"{APP}/main.py": "handler = print",
    }
)
def test_what_is_refused_fails_in_python(sources: dict[str, str]) -> None:
    assert not is_refused(sources) or fails(sources)


# What a module has that is not a package is not looked at.
@settings(max_examples=300, deadline=None)
@given(sources_of(MODULES.map("import {}".format) | RELATIVE.filter(lambda one: one.startswith("from . "))))
def test_what_fails_in_python_for_an_absent_module_is_refused(sources: dict[str, str]) -> None:
    assert is_refused(sources) or not fails(sources)

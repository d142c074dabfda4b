"""An import is refused where it certainly runs when a function starts and cannot work, and only there."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given, settings

from sawhorse.build.build import build
from sawhorse.build.import_statements import imports_of
from sawhorse.build.present_modules import Surroundings
from sawhorse.errors import BuildFailed
from sawhorse.project import Project
from tests.unit.sawhorse.build.programs import HERE, Grammar, outcomes, parsed
from tests.unit.sawhorse.support import script

# Hypothesis writes the whole grammar out where an example ends early, and warns that this is long: nothing is wrong.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr:hypothesis.errors.HypothesisWarning")

PRESENT = frozenset({*(f"{HERE}{number}" for number in range(4)), "here", "also_here"})


def judged(
    source: str, *, name: str | None = "tiny.main", expected: frozenset[str] = frozenset()
) -> tuple[set[str], set[str], set[str]]:
    """Return what is imported for certain, possibly, and what may fail."""
    tree = parsed(dedent(source))
    found = imports_of(tree, "tiny", Surroundings(name, frozenset({"tiny"}), PRESENT, expected))
    return set(found[0]), set(found[1]), set(found[2])


@settings(max_examples=300, deadline=None)
@given(Grammar(flags=True).programs(3) | Grammar(flags=False).programs(2))
def test_what_is_refused_can_never_be_imported(program: str) -> None:
    certain, _, _ = judged(program)

    assert not certain or "imported" not in outcomes(program)


# With two blocks in each other, what one of them rules out for the other is not always seen: then there is a warning.
@settings(max_examples=300, deadline=None)
@given(Grammar(flags=False).programs(1).filter(lambda program: "[1] * unknown" not in program))
def test_what_can_never_be_imported_because_of_what_is_absent_is_refused(program: str) -> None:
    certain, _, _ = judged(program)

    assert certain or outcomes(program) != {"absent"}


@pytest.mark.parametrize(
    "source",
    [
        "import __main__",
        "if __name__ == '__main__':\n    import absent",
        "if '__main__' == __name__: import absent",
        "if __name__ != '__main__': pass\nelse: import absent",
        "from importlib.util import find_spec\nif find_spec('absent'):\n    import absent",
        "import importlib.util\nif importlib.util.find_spec('absent.below') is not None: import absent.below",
        "from importlib import util\nhas = util.find_spec('absent')\nif has: import absent",
        "import pkgutil\nif pkgutil.find_loader('absent'): import absent",
        "try:\n    import absent\nexcept Exception: pass",
        "try:\n    import absent\nexcept: pass",
        "try:\n    import absent\nexcept BaseException: absent = None",
        "try:\n    import absent\nexcept (KeyError, ImportError): pass",
        "Missing = ImportError\ntry:\n    import absent\nexcept Missing: pass",
        "ERRORS = (OSError,) + (ImportError,)\ntry:\n    import absent\nexcept ERRORS: pass",
        "ERRORS = [ImportError]\ntry:\n    import absent\nexcept (KeyError, *ERRORS): pass",
        "try:\n    import absent\nexcept* ImportError: pass",
        "try:\n    try:\n        import absent\n    except KeyError: pass\n    finally: pass\nexcept ImportError: pass",
        "from contextlib import suppress\nwith suppress(Exception): import absent",
        "import contextlib as c\nwith open('x') as f, c.suppress(ImportError): import absent",
        "import typing\nif typing.TYPE_CHECKING: import absent",
        "import typing as t\nif not t.TYPE_CHECKING: pass\nelif True: import absent",
        "from typing import TYPE_CHECKING as CHECKING\nif CHECKING and x: import absent",
        "TYPE_CHECKING = False\nif TYPE_CHECKING: import absent",
        "if x or True: pass\nelse: import absent",
        "import sys\nif sys.version_info < (3, 8): import absent",
        "from sys import version_info as v\nif v[0] == 2: import absent",
        "import sys\nif sys.version_info >= (99,): import absent",
        "import sys\nif sys.platform == 'win32': import absent\nelif sys.platform.startswith('darwin'): import absent",
        "from sys import platform\nif platform in {'win32', 'cygwin'}: import absent",
        "import os\nWINDOWS = os.name == 'nt'\nif WINDOWS: import absent",
        "import platform\nif platform.system() == 'Windows': import absent",
        "import os\nif 'AWS_LAMBDA_FUNCTION_NAME' not in os.environ: import absent",
        "import os\nif not os.environ.get('AWS_REGION'): import absent",
        "if False: import absent",
        "if 0:\n    import absent",
        "while 0: import absent",
        "for x in (): import absent",
        "raise NotImplementedError\nimport absent",
        "import sys\nsys.exit()\nimport absent",
        "for x in (1,):\n    break\n    import absent",
        "while True: pass\nimport absent",
        "try:\n    import absent\n    HAS = True\nexcept ImportError:\n    HAS = False\nif HAS: import absent",
        "try:\n    import absent\nexcept ImportError:\n    absent = None\nif absent is not None: from absent import x",
        "try:\n    import here\nexcept ImportError: import absent",
        "import sys\nmatch sys.platform:\n    case 'win32': import absent\n    case _: pass",
        "while x:\n    try: import absent\n    finally:\n        try: break\n        except KeyError: pass",
        "__import__('absent')",
        "lambda: 0",
        "import sys\nif 'absent' in sys.modules: import absent",
    ],
)
def test_what_does_not_run_or_may_fail_is_passed_over_without_a_word(source: str) -> None:
    certain, possible, _ = judged(source)

    assert (certain, possible) == (set(), set())


@pytest.mark.parametrize(
    "source",
    [
        "import absent",
        "import json, absent.below as one",
        "from absent.below import one",
        "if __name__ != '__main__': import absent",
        "class C:\n    class D:\n        import absent",
        "from importlib.util import find_spec\nif not find_spec('absent'): import absent",
        "from importlib.util import find_spec\nif find_spec('here'): import absent",
        "try:\n    import absent\nexcept KeyError: pass",
        "try:\n    pass\nfinally:\n    import absent",
        "try:\n    import here\nexcept ImportError: pass\nelse: import absent",
        "try:\n    import gone\nexcept ImportError: import absent",
        "try:\n    import absent\nexcept ImportError as error:\n    raise RuntimeError('install it') from error",
        "import sys\ntry:\n    import absent\nexcept ImportError:\n    sys.exit('install it')",
        "try:\n    import absent\nexcept ImportError:\n    raise",
        "from contextlib import suppress\nwith suppress(KeyError): import absent",
        "import warnings\nwith warnings.catch_warnings(): import absent",
        "from typing import TYPE_CHECKING\nif not TYPE_CHECKING: import absent",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING: pass\nelse: import absent",
        "import sys\nif sys.version_info >= (3, 8): import absent",
        "import sys\nif sys.platform != 'win32': import absent",
        "if x: import absent\nelse: import absent",
        "if x: raise KeyError\nelse: import absent",
        "if x: raise KeyError\nimport absent",
        "for one in (1, 2): import absent",
        "for one in some: pass\nelse: import absent",
        "while True:\n    import absent\n    break",
        "match x:\n    case 1: import absent\n    case _: import absent",
        "if (n := 3) > 2: import absent",
        "def f(x=[y for y in ()]): ...\n@f\ndef g(): ...\nimport absent",
        "if x:\n    pass\n" + "elif x:\n    pass\n" * 500 + "import absent",
    ],
)
def test_what_runs_for_certain_and_must_not_fail_is_refused(source: str) -> None:
    certain, _, _ = judged(source)

    assert "absent" in certain


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import absent",
        "async def f():\n    async with x:\n        import absent",
        "class C:\n    def f(self):\n        if x: import absent",
        "import os\nif os.environ.get('STAGE') == 'production': import absent",
        "for one in some: import absent",
        "while x(): import absent",
        "match x:\n    case 1: import absent",
        "try:\n    x()\nexcept KeyError:\n    import absent",
        "try:\n    import absent\nexcept SomethingElse: pass",
        "with x(): import absent",
        "H = 0\nfor x in y:\n    if z: break\nelse:\n    H = None\nif H is None: import absent",
        "def f():\n    global HAS\n    HAS = 1\nHAS = 0\nif HAS: import absent",
    ],
)
def test_what_may_run_for_some_or_later_is_warned_of(source: str) -> None:
    certain, possible, _ = judged(source)

    assert (certain, possible) == (set(), {"absent"})


def test_a_module_that_may_be_started_as_a_program_is_warned_of_what_it_imports_then() -> None:
    source = "if __name__ == '__main__': import absent"

    assert judged(source, name=None)[:2] == (set(), {"absent"})
    assert judged(source, name="__main__")[:2] == ({"absent"}, set())


def test_what_is_expected_may_be_there_or_not() -> None:
    source = (
        "import brought\ntry:\n    import brought\n    HAS = 1\nexcept ImportError: import absent\nif HAS: import more"
    )

    assert judged(source, expected=frozenset({"brought"}))[:2] == (set(), set())


def test_relative_imports_are_of_the_package_itself() -> None:
    certain, _, optional = judged(
        "from . import a\nfrom .b.c import d\ntry:\n    from ..x import y\nexcept ImportError: ..."
    )

    assert certain == {"tiny", "tiny.a", "tiny.b.c", "tiny.b.c.d"}
    assert optional == set()


# Whole apps


def write(project: Project, sources: dict[str, str]) -> None:
    for name, text in sources.items():
        path = project.lambda_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_module_that_no_handler_reaches_is_warned_of_and_packed(tiny: Project) -> None:
    write(tiny, {"tiny/other.py": "import yaml\n"})

    package = build(tiny, "tiny")

    [warning] = package.warnings
    assert warning == (
        "The package of tiny will not have yaml (lambda/tiny/other.py, line 1). No function needs that to start, but "
        "what imports it later fails in Lambda. Add it to lambda/tiny/requirements.in and run "
        '"make lock APP=tiny", or, where a layer or the runtime brings it, name it under "expected" in '
        "lambda/tiny/package.toml."
    )
    assert build(tiny, "tiny").warnings == [warning]


@pytest.mark.parametrize(
    "sources",
    [
        {"tiny/main.py": "from tiny import other"},
        {"tiny/main.py": "from . import other"},
        {"tiny/main.py": "from .other import x"},
        {"tiny/main.py": "import shared.way", "shared/way.py": "import tiny.other"},
        {"tiny/main.py": "import tiny.a.b", "tiny/a/__init__.py": "from .. import other", "tiny/a/b.py": ""},
        {"tiny/main.py": "import tiny.a", "tiny/a.py": "import tiny.b", "tiny/b.py": "import tiny.a, tiny.other"},
    ],
    ids=["from package", "relative", "relative module", "shared", "parent package", "circle"],
)
def test_what_a_handler_reaches_through_other_modules_is_refused(tiny: Project, sources: dict[str, str]) -> None:
    write(tiny, {"tiny/other.py": "import yaml\n", **sources})

    with pytest.raises(BuildFailed, match=r"^lambda/tiny/other\.py, line 1, imports yaml, which the package"):
        build(tiny, "tiny")


def test_shared_modules_of_other_apps_are_neither_refused_nor_warned_of(tiny: Project) -> None:
    write(tiny, {"shared/routers.py": "import fastapi\n"})

    assert build(tiny, "tiny").warnings == []


def test_a_module_that_is_only_tried_is_not_warned_of(tiny: Project) -> None:
    tried = "try:\n    from tiny import fast\nexcept ImportError:\n    fast = None\nhandler = print\n"
    write(tiny, {"tiny/main.py": tried, "tiny/fast.py": "import numpy\n"})

    assert build(tiny, "tiny").warnings == []


def test_a_changed_module_is_judged_together_with_those_that_did_not_change(tiny: Project) -> None:
    write(tiny, {"tiny/other.py": "import yaml\n"})
    assert build(tiny, "tiny").warnings
    before = (tiny.path / "dist/tiny.zip").read_bytes()

    write(tiny, {"tiny/main.py": "import tiny.other\nhandler = print\n"})
    with pytest.raises(BuildFailed, match=r"other\.py, line 1, imports yaml"):
        build(tiny, "tiny")
    assert (tiny.path / "dist/tiny.zip").read_bytes() == before

    write(tiny, {"tiny/other.py": "X = 1\n"})
    assert build(tiny, "tiny").warnings == []


def test_where_a_handler_is_a_program_every_module_counts(tiny: Project) -> None:
    script(tiny.lambda_path / "tiny/run.sh", "exec python3 -m tiny.other")
    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text('root_files = ["run.sh"]\n[functions.web]\nhandler = "run.sh"\n')
    write(tiny, {"tiny/other.py": "import yaml\n"})

    with pytest.raises(BuildFailed, match=r"^lambda/tiny/other\.py, line 1, imports yaml"):
        build(tiny, "tiny")


def test_a_warning_names_three_and_counts_the_rest(tiny: Project) -> None:
    write(
        tiny, {"tiny/main.py": "def handler(e, c):\n    import a1\n    import b1\n    import c1\n    import d1, e1\n"}
    )

    [warning] = build(tiny, "tiny").warnings
    assert "a1 (lambda/tiny/main.py, line 2), b1 (lambda/tiny/main.py, line 3), c1 " in warning
    assert "line 4) and 2 more. " in warning

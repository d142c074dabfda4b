"""A name at a package's top stands for one thing, or the build says which two it would stand for."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sawhorse.build.build import build
from sawhorse.build.config import PackageConfig
from sawhorse.build.name_conflicts import module_at_top, refuse_names, standard_library
from sawhorse.errors import BadConfiguration, BuildFailed, SawhorseError
from sawhorse.project import Project
from tests.unit.sawhorse.conftest import MakeTiny
from tests.unit.sawhorse.support import write_lock, write_wheel

TINY = PackageConfig("tiny", "python3.13", "3.13", "x86_64", {"api": "tiny.main.handler"})
DECLARED = ("lambda/tiny/requirements.in", '"make lock APP=tiny"')
OWN = ["tiny/main.py", "tiny/__init__.py", "shared/__init__.py"]


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("one.py", "one"),
        ("one/__init__.py", "one"),
        ("one/two/three.py", "one"),
        ("one.cpython-313-x86_64-linux-gnu.so", "one"),
        ("one.abi3.so", "one"),
        ("one.so", "one"),
        ("one.pyc", "one"),
        ("one.txt", ""),
        ("LICENSE", ""),
        ("one-1.0.dist-info/METADATA", "one-1.0.dist-info"),
        ("one.libs/libx.so", "one.libs"),
    ],
)
def test_a_path_is_imported_by_the_name_at_its_top(path: str, module: str) -> None:
    assert module_at_top(path) == module


@pytest.mark.parametrize(
    "path",
    [
        "tiny.py",
        "tiny/__init__.py",
        "tiny/data.txt",
        "tiny.cpython-313-x86_64-linux-gnu.so",
        "tiny.abi3.so",
        "shared/x.py",
    ],
)
def test_a_dependency_of_the_apps_or_the_shared_name_is_refused(path: str) -> None:
    with pytest.raises(
        BuildFailed, match=r"^lambda/(tiny|shared) and otherdep, a dependency of tiny, both are"
    ) as refusal:
        refuse_names(TINY, OWN, [("gooddep", "good/__init__.py"), ("otherdep", path)], DECLARED)

    assert str(refusal.value).endswith(
        'leave otherdep out of lambda/tiny/requirements.in and run "make lock APP=tiny".'
    )


@pytest.mark.parametrize(
    ("root", "path"),
    [("run.sh", "run.sh"), ("helper.py", "helper/__init__.py"), ("helper.py", "helper.py"), ("tool.so", "tool/x.py")],
)
def test_a_root_file_of_a_dependencys_name_is_refused(root: str, path: str) -> None:
    with pytest.raises(BuildFailed, match=rf"^lambda/tiny/{root} and otherdep, a dependency of tiny, both are"):
        refuse_names(TINY, [*OWN, root], [("otherdep", path)], DECLARED)


def test_a_root_file_of_the_apps_own_name_is_refused() -> None:
    for root in ("tiny", "tiny.py", "shared.py"):
        with pytest.raises(BuildFailed, match="at the top of the package; rename one"):
            refuse_names(TINY, [*OWN, root], [], DECLARED)


@pytest.mark.parametrize("app", ["json", "email", "asyncio", "sys", "types"])
def test_an_app_named_like_a_part_of_python_is_refused(make_tiny: MakeTiny, app: str) -> None:
    project = make_tiny(f"project-{app}")
    (project.lambda_path / "tiny").rename(project.lambda_path / app)
    (project.lambda_path / app / "package.toml").write_text(f'[functions.api]\nhandler = "{app}.main.handler"\n')
    (project.lambda_path / app / "requirements.txt").touch()

    with pytest.raises(BuildFailed, match=rf"^lambda/{app} has the name of {app} in Python's standard library"):
        build(project, app)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("enum/__init__.py", "enum/*"),
        ("enum.py", "enum.py"),
        ("enum.pyc", "enum.pyc"),
        ("enum/__init__.pyc", "enum/*"),
        ("dataclasses.py", "dataclasses.py"),
        ("typing.py", "typing.py"),
        ("sys.py", "sys.py"),
        ("_ssl.cpython-313-x86_64-linux-gnu.so", "_ssl.cpython-313-x86_64-linux-gnu.so"),
    ],
)
def test_a_dependency_that_hides_a_part_of_python_is_refused(path: str, pattern: str) -> None:
    module = path.partition("/")[0].partition(".")[0]

    with pytest.raises(BuildFailed) as refusal:
        refuse_names(TINY, OWN, [("gooddep", "good/__init__.py"), ("enum34", path)], DECLARED)

    assert str(refusal.value) == (
        f"enum34, a dependency of tiny, brings {path}, which hides {module} of Python 3.13's standard library, or is "
        'hidden by it. Leave enum34 out of lambda/tiny/requirements.in and run "make lock APP=tiny"; where another '
        f'distribution needs it, name "{pattern}" under prune in lambda/tiny/package.toml.'
    )


@pytest.mark.parametrize(
    "path",
    [
        "enum/data.json",  # what has no __init__ comes after Python's own
        "calendar/more/__init__.py",
        "enum.txt",
        "alpha/enum.py",
        "bin/enum.py",
        "audioop/__init__.py",  # not in Python 3.13
        "imp.py",
        "enum34-1.1.10.dist-info/METADATA",
        "test/__init__.py",  # no function imports Python's own tests
    ],
)
def test_a_dependency_that_hides_nothing_is_packed(path: str) -> None:
    refuse_names(TINY, OWN, [("somedep", path)], DECLARED)


def test_a_backport_can_be_pruned_where_a_distribution_needs_it(tiny: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = tiny.path / "wheels"
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_OFFLINE", "1")
    write_lock(tiny, write_wheel(wheels, {"enum/__init__.py": b""}, name="enum34"))
    with pytest.raises(BuildFailed, match=r"^enum34, a dependency of tiny, brings enum/__init__\.py, which hides enum"):
        build(tiny, "tiny")

    config = tiny.lambda_path / "tiny/package.toml"
    config.write_text('prune = ["enum/*"]\n' + config.read_text())

    assert build(tiny, "tiny").changed


def test_an_app_named_like_what_the_runtime_provides_is_refused(make_tiny: MakeTiny) -> None:
    project = make_tiny("provided")
    (project.lambda_path / "tiny").rename(project.lambda_path / "dateutil")
    config = project.lambda_path / "dateutil/package.toml"
    config.write_text('[functions.api]\nhandler = "dateutil.main.handler"\n')
    (project.lambda_path / "dateutil/requirements.txt").touch()
    assert build(project, "dateutil").changed

    config.write_text('provided = ["python-dateutil"]\n' + config.read_text())

    with pytest.raises(
        BuildFailed, match=r"^lambda/dateutil hides dateutil of python-dateutil, which Lambda's runtime"
    ):
        build(project, "dateutil")


def test_a_collision_is_refused_before_anything_is_written(tiny: Project, tmp_path: object, locked_wheel: str) -> None:
    write_lock(tiny, locked_wheel)
    (tiny.lambda_path / "tiny/tinydep.py").touch()
    config = tiny.lambda_path / "tiny/package.toml"
    plain = config.read_text()
    config.write_text('root_files = ["tinydep.py"]\n' + plain)

    with pytest.raises(
        BuildFailed, match=r"^lambda/tiny/tinydep\.py and tinydep, a dependency of tiny, both are tinydep"
    ):
        build(tiny, "tiny")
    assert not (tiny.path / "dist/tiny.zip").exists()

    config.write_text(plain)
    assert build(tiny, "tiny").changed


def test_a_dependency_called_shared_is_refused(
    tiny: Project, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = tiny.path / "wheels"
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_OFFLINE", "1")
    write_lock(tiny, write_wheel(wheels, {"shared/other.py": b""}, name="taker"))

    with pytest.raises(
        BuildFailed, match=r"^lambda/shared and taker, a dependency of tiny, both are shared .*; leave taker"
    ):
        build(tiny, "tiny")


def test_the_standard_library_is_that_of_the_functions() -> None:
    assert "distutils" in standard_library("3.11")
    assert "distutils" not in standard_library("3.12")
    assert "cgi" in standard_library("3.12")
    assert "cgi" not in standard_library("3.13")
    assert "compression" not in standard_library("3.13")
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert standard_library(own) == set(sys.stdlib_module_names)


words = st.sampled_from(["tiny", "shared", "alpha", "beta", "json", "boto3", "run"])
files = st.builds(
    "{}{}".format, words, st.sampled_from([".py", ".so", ".abi3.so", ".txt", "", "/__init__.py", "/x/y.py"])
)


@given(
    app=words, roots=st.lists(files.filter(lambda name: "/" not in name), max_size=3, unique=True),
    theirs=st.lists(files, max_size=4), provided=st.booleans(),
)  # fmt: skip
def test_a_package_is_taken_exactly_when_each_name_at_its_top_stands_for_one_thing(
    app: str,
    roots: list[str],
    theirs: list[str],
    provided: bool,  # noqa: FBT001
) -> None:
    config = PackageConfig(app, "python3.13", "3.13", "x86_64", {}, provided=("boto3",) if provided else ())
    own = {f"{app}/main.py", "shared/__init__.py", *roots}
    tops = {(name.partition("/")[0], "/" in name) for name in own}
    # What Python imports, and what the zip has, by each side.
    ours = [{top, top if below else module_at_top(top)} - {""} for top, below in sorted(tops)]
    others = {top for name in theirs for top in (name.partition("/")[0], module_at_top(name)) if top}
    modules = {module_at_top(name) for name in own} - {""}
    hiding = {module_at_top(name) for name in theirs if "/" not in name or name.endswith("/__init__.py")}
    clash = (
        any(one & others for one in ours)
        or len(set().union(*ours)) < sum(map(len, ours))
        or "json" in modules
        or (provided and "boto3" in modules)
        or "json" in hiding
        or (provided and "boto3" in hiding)
    )

    refused = None
    try:
        refuse_names(config, own, [("dep", name) for name in theirs], DECLARED)
    except SawhorseError as error:
        refused = str(error)

    assert (refused is not None) == clash, refused


# Modules that are expected

EXPECTED = 'expected = ["numpy"] # the layer of the data team\n'


def with_config(project: Project, text: str) -> None:
    (project.lambda_path / "tiny/package.toml").write_text(f'{text}\n[functions.api]\nhandler = "tiny.main.handler"\n')


@pytest.mark.parametrize(
    "text",
    [
        EXPECTED,
        '# The layer brings it.\nexpected = ["numpy"]',
        "# The layer brings it.\n# From version 3 on.\nexpected = ['numpy', 'scipy']",
        'expected = [\n  "numpy", # the layer\n  # The runtime has it.\n  "awslambdaric",\n]',
        'expected = [ # all of the layer\n "numpy",\n "scipy" ]',
        'expected=["numpy","scipy"]#the layer',
        '"expected" = ["numpy"] # the layer',
        '"\\u0065xpected" = ["numpy"] # the layer',
        'runtime = "python3.13" # expected = ["x"]\nexpected = ["numpy"] # the layer',
        "expected = []",
    ],
)
def test_expected_modules_have_reasons(tiny: Project, text: str) -> None:
    with_config(tiny, text)
    (tiny.lambda_path / "tiny/main.py").write_text(
        '"""Asks for numpy, scipy and awslambdaric by their names."""\ndef handler(event, context): ...\n'
    )

    assert build(tiny, "tiny").warnings == []


@pytest.mark.parametrize(
    "text",
    [
        'expected = ["numpy"]',
        'expected = ["numpy"] #',
        'expected = ["numpy"] # -- !',
        'expected = [\n "scipy", # the layer\n "numpy",\n]',
        'expected = [\n "numpy",\n] # the layer',
        '# The layer brings it.\n\nexpected = ["numpy"]',
        'runtime = "python3.13" # the layer\nexpected = ["numpy"]',
        "expected = ['''numpy''']\n# The layer brings it.",
        'prune = ["# no comment"]\nexpected = ["numpy"]',
        '"\\u0065xpected" = ["numpy"]',
        '"expecte\\U00000064"=["numpy"]',
        "'expected' = ['numpy']",
        '# the runtime, as everywhere\nruntime = "python3.13"\nexpected = ["numpy"]',
        'expected = ["numpy"]\n# the runtime, as everywhere\nruntime = "python3.13"',
        'expected = ["numpy"]\nruntime = "python3.13" # the runtime, as everywhere',
        'expected = [\n "scipy", # the layer\n # the layer\n "pandas",\n "numpy", # -\n]',
    ],
)
def test_an_expected_module_without_a_reason_is_refused(tiny: Project, text: str) -> None:
    with_config(tiny, text)

    with pytest.raises(BadConfiguration, match=r"package\.toml: expected has numpy without a reason; say in a comment"):
        build(tiny, "tiny")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('expected = "numpy" # x y', r'expected must be a list of words, such as \["numpy"\]\.'),
        ('expected = ["num-py"] # the layer', r"expected has 'num-py', which no module at the top can be called"),
        ('expected = ["numpy.linalg"] # the layer', r"expected has 'numpy\.linalg', which no module"),
        ('expected = ["class"] # the layer', r"expected has 'class', which no module"),
        ('expected = ["json"] # the layer', r"expected has json, which is in Python's standard library; remove it"),
        ('expected = ["tiny"] # the layer', r"expected has tiny, which the package or its runtime has anyway"),
        ('expected = ["shared"] # the layer', r"expected has shared, which the package or its runtime has anyway"),
        (
            'provided = ["six"]\nexpected = ["six"] # the layer',
            r"expected has six, which the package or its runtime has",
        ),
    ],
)
def test_an_expected_module_that_nobody_has_to_expect_is_refused(tiny: Project, text: str, sentence: str) -> None:
    with_config(tiny, text)

    with pytest.raises(BadConfiguration, match=sentence):
        build(tiny, "tiny")


def test_an_expected_module_of_a_dependency_is_refused(tiny: Project, locked_wheel: str) -> None:
    write_lock(tiny, locked_wheel)
    with_config(tiny, 'expected = ["tinydep"] # the layer')

    with pytest.raises(BadConfiguration, match="expected has tinydep, which the package or its runtime has anyway"):
        build(tiny, "tiny")


def test_an_expected_module_can_be_imported(tiny: Project) -> None:
    (tiny.lambda_path / "tiny/main.py").write_text("import numpy.linalg\ndef handler(event, context): ...\n")
    with pytest.raises(BuildFailed, match="imports numpy"):
        build(tiny, "tiny")

    with_config(tiny, EXPECTED)

    assert build(tiny, "tiny").warnings == []


def test_an_expected_module_that_nothing_imports_is_said_until_something_does(tiny: Project) -> None:
    with_config(tiny, 'expected = ["numpy", "scipy"] # the layer')
    source = tiny.lambda_path / "tiny/main.py"
    handler = "def handler(event, context): ...\n"
    source.write_text(f"import scipy\n{handler}")
    unused = (
        "lambda/tiny/package.toml: expected has numpy, which no source of the package names; remove what nothing "
        "imports."
    )
    assert build(tiny, "tiny").warnings == [unused]
    assert build(tiny, "tiny").warnings == [unused]

    source.write_text(f"import scipy, numpy\n{handler}")
    assert build(tiny, "tiny").warnings == []

    source.write_text(f"import scipy\n{handler}")
    assert build(tiny, "tiny").warnings == [unused]


def test_a_pattern_that_prunes_nothing_is_said_by_every_build(tiny: Project, locked_wheel: str) -> None:
    write_lock(tiny, locked_wheel)
    with_config(tiny, 'prune = ["tinydep/__main__.py", "tinydep/tests/*", "*.pyi"]')
    unused = (
        "lambda/tiny/package.toml: prune has tinydep/tests/*, *.pyi, which leaves no file of the dependencies out; "
        "correct or remove it."
    )

    assert build(tiny, "tiny").warnings == [unused]
    assert build(tiny, "tiny").warnings == [unused]
    source = tiny.lambda_path / "tiny/main.py"
    source.write_text(f"{source.read_text()}\n# changed\n")
    assert build(tiny, "tiny").warnings == [unused]
    with_config(tiny, 'prune = ["tinydep/__main__.py"]')
    assert build(tiny, "tiny").warnings == []
    with_config(tiny, "prune = []")
    assert build(tiny, "tiny").warnings == []


def test_a_comment_may_be_any_text_and_a_text_any_comment() -> None:
    from sawhorse.build.reason_comments import words_without_reason  # noqa: PLC0415 # nothing else of this file needs it

    @given(
        st.lists(
            st.tuples(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), st.booleans()), max_size=4
        ),
        st.booleans(),
    )
    def check(entries: list[tuple[str, bool]], above: bool) -> None:  # noqa: FBT001
        def quoted(text: str) -> str:
            escaped = text.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'

        lines = [f"  {quoted(text)},{' # a reason' if reason else ''}" for text, reason in entries]
        written = "x = '''\nexpected = [\"no\"]\n'''\n" + ("# a reason\n" if above else "")
        written += "expected = [\n" + "\n".join(lines) + "\n]\n[t]\nexpected = ['other']\n"

        missing = [] if above else [number for number, (_, reason) in enumerate(entries) if not reason]
        assert words_without_reason(written, "expected") == missing

    check()

"""No marker that holds somewhere in Lambda leaves its line out: patch releases and kernels are not known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from sawhorse.build.environment_markers import marker_environment, may_hold, may_run
from sawhorse.build.platform import Target

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
KERNELS = ("", "4.14.255-319.amzn2", "5.10.0", "6.1.0-13-generic", "#1 SMP")
VERSIONS = st.one_of(
    st.sampled_from(["3", "3.13", "3.13.*", "3.12", "3.14", "3.13.1 3.13.2", "3.13.0rc1", "x"]),
    st.builds(lambda minor, patch: f"3.{minor}.{patch}", st.integers(10, 14), st.integers(0, 30)),
)
OPERATORS = st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "in", "not in"])
COMPARISONS = st.one_of(
    st.builds(
        lambda name, how, version, turned: f'"{version}" {how} {name}' if turned else f'{name} {how} "{version}"',
        st.sampled_from(["python_version", "python_full_version", "implementation_version"]),
        OPERATORS,
        VERSIONS,
        st.booleans(),
    ),
    st.builds(
        lambda name, how, value: f"{name} {how} '{value}'",
        st.sampled_from(["platform_release", "platform_version", "sys_platform", "os.name", "platform_machine"]),
        OPERATORS,
        st.sampled_from(["linux", "posix", "5", "6.1.0", "x86_64", 'a "platform_release" == b', "python_full_version"]),
    ),
)
MARKERS = st.recursive(
    COMPARISONS,
    lambda inner: st.builds(
        lambda one, how, other: f"({one} {how} {other})", inner, st.sampled_from(["and", "or"]), inner
    ),
    max_leaves=6,
)
SPECIFIERS = st.lists(
    st.builds(lambda how, version: f"{how}{version}", st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "~="]),
              st.builds(lambda minor, patch: f"3.{minor}.{patch}", st.integers(10, 14), st.integers(0, 30))),
    min_size=1, max_size=3,
).map(",".join)  # fmt: skip


@given(marker=MARKERS, python=st.sampled_from(PYTHONS), patch=st.integers(0, 32), kernel=st.sampled_from(KERNELS))
def test_a_marker_that_holds_for_some_patch_release_and_kernel_may_hold(
    marker: str, python: str, patch: int, kernel: str
) -> None:
    known = marker_environment(Target(python, "x86_64-manylinux_2_28"))
    release = f"{python}.{patch}"
    lambdas = {"python_full_version": release, "implementation_version": release}
    there = {**known, **lambdas, "platform_release": kernel, "platform_version": kernel}

    assert may_hold(marker, known) >= Marker(marker).evaluate(there)


@given(marker=MARKERS, python=st.sampled_from(PYTHONS))
def test_a_marker_of_what_is_known_holds_as_it_says(marker: str, python: str) -> None:
    known = marker_environment(Target(python, "aarch64-manylinux_2_28"))
    for name in ("python_full_version", "implementation_version", "platform_release", "platform_version"):
        marker = marker.replace(f"{name} ", "python_version ").replace(f" {name}", " python_version")

    assert may_hold(marker, known) == Marker(marker).evaluate(known)


@given(
    marker=st.builds(
        lambda how, minor: f'python_full_version {how} "3.{minor}"', st.sampled_from(["<", ">="]), st.integers(9, 15)
    )
)
def test_a_whole_minor_version_is_decided(marker: str) -> None:
    known = marker_environment(Target("3.13", "x86_64-manylinux_2_28"))

    assert may_hold(marker, known) == Marker(marker).evaluate(known)


@given(requires=SPECIFIERS, python=st.sampled_from(PYTHONS), patch=st.integers(0, 40))
def test_a_python_that_a_distribution_takes_may_run_it(requires: str, python: str, patch: int) -> None:
    assert may_run(requires, python) >= SpecifierSet(requires).contains(f"{python}.{patch}")

"""Sources are shared out between compilers, and come back in their order."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from sawhorse.build.bytecode_client import WORTH_TWO, compile_sources, shared_out

SIZES = st.lists(st.integers(0, 100_000), max_size=80)


@given(SIZES, st.integers(1, 4))
def test_every_source_goes_to_one_compiler(sizes: list[int], compilers: int) -> None:
    shares = shared_out(sizes, compilers)
    assert len(shares) == compilers
    assert sorted(number for share in shares for number in share) == list(range(len(sizes)))


@given(SIZES, st.integers(1, 4))
def test_no_compiler_has_more_than_another_by_more_than_one_source(sizes: list[int], compilers: int) -> None:
    loads = [sum(sizes[number] for number in share) for share in shared_out(sizes, compilers)]
    assert max(loads) - min(loads) <= max(sizes, default=0)


def test_what_two_compilers_made_comes_in_the_order_of_the_sources() -> None:
    sources = [(f"tiny/m{number}.py", b"x = 1\n" * (number % 5)) for number in range(WORTH_TWO + 3)]
    version = ".".join(map(str, sys.version_info[:3]))
    assert [one.name for one in compile_sources(sys.executable, version, sources)] == [name for name, _ in sources]

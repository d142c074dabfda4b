"""A part of the calls is told as it was asked for, and a duration is one that can be waited for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sawhorse.errors import BadConfiguration
from sawhorse.operate.releases.canary import LONGEST, UNITS, canary_of, seconds_of
from sawhorse.operate.releases.lambdas import percent


@given(asked=st.decimals("0.0000000001", "99.9999999999", places=10))
@example(asked=Decimal("0.4"))
@example(asked=Decimal("33.3"))
def test_a_part_of_the_calls_is_told_as_it_was_asked_for(asked: Decimal) -> None:
    share = canary_of(f"{asked}%", "10m").share

    assert 0 < share < 1
    assert Decimal(percent(share).removesuffix("%")) == asked


@pytest.mark.parametrize("share", ["0.00000000001%", "99.99999999999%", "1e-300%"])
def test_a_part_that_would_be_told_as_none_or_all_is_refused(share: str) -> None:
    with pytest.raises(BadConfiguration, match="is no part of the calls"):
        canary_of(share, "10m")


@given(
    number=st.integers(0) | st.integers(1, 999).map(lambda digits: int("9" * digits)), unit=st.sampled_from([*UNITS])
)
def test_a_duration_is_waited_for_or_refused(number: int, unit: str) -> None:
    text = f"{number}{unit}"
    if number * UNITS[unit] <= LONGEST:
        assert seconds_of(text, "--watch") == number * UNITS[unit]
        return
    with pytest.raises(BadConfiguration, match=r"--watch \S{1,20} is too long; 48h are the longest"):
        seconds_of(text, "--watch")

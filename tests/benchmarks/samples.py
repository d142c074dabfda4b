"""Say what a list of measurements comes to: the median with its extremes, a percentile, a ratio against a target."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MILLISECONDS = 1000
# Above this many seconds a figure is shown in seconds.
IN_SECONDS = 1.0


def shown(samples: Sequence[float]) -> str:
    """Write seconds as `median (min-max)`, in one unit for all three; a dash when nothing was measured."""
    if not samples:
        return "-"
    middle, least, most = statistics.median(samples), min(samples), max(samples)
    if middle >= IN_SECONDS:
        return f"{middle:.2f} s ({least:.2f}-{most:.2f})"
    digits = 0 if middle * MILLISECONDS >= 10 else 2  # fewer than ten milliseconds need decimals
    low, high = (f"{value * MILLISECONDS:.{digits}f}" for value in (least, most))
    return f"{middle * MILLISECONDS:.{digits}f} ms ({low}-{high})"


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that at least `percent` of the samples do not exceed (the nearest rank)."""
    ranked = sorted(samples)
    return ranked[max(math.ceil(len(ranked) * percent / 100) - 1, 0)]


@dataclass(frozen=True)
class Target:
    """What a figure has to reach: at least, or at most, `bound`."""

    figure: float
    bound: float
    at_least: bool

    @property
    def met(self) -> bool:
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    @property
    def verdict(self) -> str:
        """One word."""
        return "pass" if self.met else "fail"


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Return the median of one list over the median of the other."""
    return statistics.median(above) / statistics.median(below)

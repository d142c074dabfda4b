"""What lists of measurements come to."""

from tests.benchmarks.builders import CHANGED, COLD, OURS, SAM, SAM_CACHED, SAM_UV, STRICT, UNCHANGED
from tests.benchmarks.samples import Target, percentile, ratio, shown
from tests.benchmarks.tables import builder_tables


def test_samples_are_shown_as_their_median_between_their_extremes() -> None:
    assert shown([0.3, 0.1, 0.2]) == "200 ms (100-300)"
    assert shown([0.0031, 0.00298, 0.0032]) == "3.10 ms (2.98-3.20)"
    assert shown([4.0, 5.0, 0.5]) == "4.00 s (0.50-5.00)"


def test_nothing_measured_is_a_dash() -> None:
    assert shown([]) == "-"


def test_a_percentile_is_one_of_the_samples() -> None:
    samples = [float(number) for number in range(1, 201)]
    assert percentile(samples, 50) == 100
    assert percentile(samples, 99) == 198
    assert percentile([7.0], 99) == 7


def test_a_target_is_met_at_its_bound() -> None:
    assert Target(3.0, 3, at_least=True).verdict == "pass"
    assert Target(2.9, 3, at_least=True).verdict == "fail"
    assert Target(0.45, 0.45, at_least=False).verdict == "pass"
    assert Target(0.46, 0.45, at_least=False).verdict == "fail"


def test_a_ratio_is_of_medians() -> None:
    assert ratio([10.0, 1.0, 4.0], [2.0, 1.0, 100.0]) == 2


def test_the_table_of_builders_judges_every_target() -> None:
    peers = {SAM: [4.0], SAM_UV: [1.0], SAM_CACHED: [0.9]}
    ours = {COLD: 0.25, STRICT: 0.5, CHANGED: 0.06, UNCHANGED: 0.07}
    written = builder_tables({row: {OURS: [seconds], **peers} for row, seconds in ours.items()})
    verdicts = [line.split(" | ")[-3:] for line in written.splitlines() if line.endswith(("pass |", "fail |"))]
    assert [(measured, verdict) for measured, _, verdict in verdicts] == [
        ("4.0", "pass |"),
        ("16.0", "pass |"),
        ("2.0", "pass |"),
        ("15.0", "pass |"),
        ("12.9", "fail |"),
        ("70 ms", "fail |"),
    ]

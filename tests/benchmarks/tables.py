"""Write results as Markdown: the figures of one run, with the targets beside them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from tests.benchmarks import builders, starts
from tests.benchmarks.samples import Target, percentile, ratio, shown

ROWS = {
    builders.COLD: "nothing built before, caches warm",
    builders.STRICT: "the same, without our prepared wheels",
    builders.CHANGED: "one source file changed",
    builders.UNCHANGED: "no change",
}
COLUMNS = (builders.OURS, builders.SAM, builders.SAM_UV, builders.SAM_CACHED, builders.CHALICE)
# Row, peer, and how many times faster than it ours has to be.
RATIOS = (
    (builders.COLD, builders.SAM_UV, 3),
    (builders.COLD, builders.SAM, 8),
    (builders.CHANGED, builders.SAM_CACHED, 12),
    (builders.UNCHANGED, builders.SAM_CACHED, 15),
)
UNCHANGED_SECONDS = 0.060
# Import and first request against those of the same app installed with pip and zipped.
START_RATIO = 0.45
MEGABYTE = 1_000_000


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers_from: int = 1) -> str:
    """Write a table; columns from `numbers_from` on are aligned to the right."""
    rule = ["---" if number < numbers_from else "---:" for number in range(len(heads))]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (heads, rule, *rows))


def builder_tables(times: builders.Times) -> str:
    """Write what builders took, and ours against the targets."""
    figures = table(
        ["", *COLUMNS],
        [[title, *(shown(times[row].get(column, [])) for column in COLUMNS)] for row, title in ROWS.items()],
    )
    verdicts = []
    for row, peer, bound in RATIOS:
        target = Target(ratio(times[row][peer], times[row][builders.OURS]), bound, at_least=True)
        verdicts.append([ROWS[row], f"{peer} / ours", f"{target.figure:.1f}", f">= {bound}", target.verdict])
    unchanged = Target(statistics.median(times[builders.UNCHANGED][builders.OURS]), UNCHANGED_SECONDS, at_least=False)
    verdicts.append(
        [ROWS[builders.UNCHANGED], "ours", f"{unchanged.figure * 1000:.0f} ms", "<= 60 ms", unchanged.verdict]
    )
    targets = table(["", "what", "measured", "target", "verdict"], verdicts, numbers_from=2)
    runs = len(times[builders.COLD][builders.OURS])
    return (
        f"Medians (least-most) of {runs} runs, whole processes in turns. `sam build` makes no zip. `chalice package` "
        "builds another app: its own runtime around the same sources and requirements.\n\n"
        f"{figures}\nThe targets, by medians:\n\n{targets}"
    )


def start_tables(times: starts.StartTimes) -> str:
    """Write how functions start against the baselines, and how they answer when warm."""
    measured = {title: found for title, found in times.starts.items() if title in times.asked}
    heads = ["function", "first request", "package", "import", "first", "both", "ours / it", "target", "verdict"]
    rows = [
        start_row(title, times.asked[title], variant, found)
        for title, found in measured.items()
        for variant in starts.VARIANTS
    ]
    empty = times.starts[starts.EMPTY][starts.OURS]
    how = (
        f"Medians (least-most) of {len(empty.imports)} starts, packages in turns. Import is from the process's start "
        f"to its first question for an event; with a handler that does nothing it is {shown(empty.imports)}, "
        f"and a request {shown(empty.firsts)}."
    )
    also = (
        "Import and first request when that is the health route; warm requests of all starts; "
        "memory after the first request:"
    )
    parts = [
        how,
        table(heads, rows, numbers_from=3),
        also,
        warm_table(measured),
        "Packages, in MB zipped:",
        size_table(times.sizes),
        *(f"Left out: {title}. {why}\n" for title, why in times.left_out.items()),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def start_row(title: str, asked: str, variant: str, found: Mapping[str, starts.Starts]) -> list[str]:
    cells = [shown(found[variant].imports), shown(found[variant].firsts), shown(found[variant].totals)]
    if variant == starts.OURS:
        return [title, asked, variant, *cells, "", "", ""]
    figure = ratio(found[starts.OURS].totals, found[variant].totals)
    if variant != starts.PIP:
        return ["", "", variant, *cells, f"{figure:.2f}", "", ""]
    target = Target(figure, START_RATIO, at_least=False)
    return ["", "", variant, *cells, f"{figure:.2f}", f"<= {START_RATIO}", target.verdict]


def warm_table(measured: Mapping[str, Mapping[str, starts.Starts]]) -> str:
    heads = ["function", "package", "health: both", "read p50", "read p99", "health p50", "health p99", "memory"]
    rows = []
    for title, found in measured.items():
        for variant in (starts.OURS, starts.PIP):
            one = found[variant]
            quick = [
                [percentile(samples, share)] for samples in (one.reads, one.healths) if samples for share in (50, 99)
            ]
            cells = [f"{value[0] * 1000:.2f} ms" for value in quick]
            cells += ["-"] * (4 - len(cells))
            memory = f"{statistics.median(one.rss) / MEGABYTE:.0f} MB"
            rows.append([title if variant == starts.OURS else "", variant, shown(one.health_totals), *cells, memory])
    return table(heads, rows, numbers_from=2)


def size_table(sizes: Mapping[str, Mapping[str, int]]) -> str:
    rows = [[app, *(f"{found[variant] / MEGABYTE:.2f}" for variant in starts.VARIANTS)] for app, found in sizes.items()]
    return table(["app", *starts.VARIANTS], rows)

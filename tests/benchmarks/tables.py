"""Write results as Markdown: the figures of one run, with the targets beside them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from tests.benchmarks import builders, extracted, starts
from tests.benchmarks.builders import BEFORE
from tests.benchmarks.samples import Target, percentile, ratio, shown

ROWS = {
    builders.EMPTY: "nothing at all, downloads included",
    builders.COLD: "nothing built before, caches warm",
    builders.STRICT: "the same, without our prepared wheels",
    builders.CHANGED: "one source file changed",
    builders.UNCHANGED: "no change",
}
COLUMNS = (builders.OURS, builders.BEFORE, *builders.PEERS.values())
# Row, peer, and how many times faster than it ours has to be.
RATIOS = (
    (builders.COLD, builders.SAM_UV, 3),
    (builders.COLD, builders.SAM, 8),
    (builders.STRICT, builders.SAM_UV, 1),
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


def builder_tables(times: builders.Times, before: str | None = None) -> str:
    """Write what builders took, and ours against the targets; `before` says which commit that column is."""
    rows = [row for row in ROWS if row in times]
    columns = [column for column in COLUMNS if any(column in times[row] for row in rows)]
    figures = table(
        ["", *columns],
        [[ROWS[row], *(shown(times[row].get(column, [])) for column in columns)] for row in rows],
    )
    targets = table(["", "what", "measured", "target", "verdict"], verdicts(times, rows), numbers_from=2)
    runs = max(len(times[row][builders.OURS]) for row in rows)
    notes = ["`sam build` makes no zip."] if {builders.SAM, builders.SAM_UV, builders.SAM_CACHED} & set(columns) else []
    if builders.CHALICE in columns:
        notes.append("`chalice package` builds another app: its own runtime around the same sources and requirements.")
    if before:
        notes.append(f"`{builders.BEFORE}` is {before}, which builds its own sources with its own locks.")
    how = " ".join([f"Medians (least-most) of {runs} runs, whole processes in turns.", *notes])
    return f"{how}\n\n{figures}\nThe targets, by medians:\n\n{targets}"


def verdicts(times: builders.Times, rows: Sequence[str]) -> list[list[str]]:
    """Compare ours with the targets of these rows, and with itself as it was before, which has none."""
    found = []
    for row, peer, bound in RATIOS:
        if row in rows and peer in times[row]:
            target = Target(ratio(times[row][peer], times[row][builders.OURS]), bound, at_least=True)
            found.append([ROWS[row], f"{peer} / ours", f"{target.figure:.1f}", f">= {bound}", target.verdict])
    if builders.UNCHANGED in rows:
        ours = Target(statistics.median(times[builders.UNCHANGED][builders.OURS]), UNCHANGED_SECONDS, at_least=False)
        figure = f"{ours.figure * 1000:.0f} ms"
        found.append([ROWS[builders.UNCHANGED], "ours", figure, "<= 60 ms", ours.verdict])
    for row in rows:
        if builders.BEFORE in times[row]:
            figure = f"{ratio(times[row][builders.BEFORE], times[row][builders.OURS]):.2f}"
            found.append([ROWS[row], f"{builders.BEFORE} / ours", figure, "", ""])
    return found


def start_tables(times: starts.StartTimes) -> str:
    """Write how functions start against the baselines, and how they respond when warm."""
    measured = {title: found for title, found in times.starts.items() if title in times.asked}
    heads = ["function", "first request", "package", "import", "first", "both", "ours / it", "target", "verdict"]
    rows = [
        start_row(title, times.asked[title], variant, found)
        for title, found in measured.items()
        for variant in extracted.VARIANTS
        if variant in found
    ]
    empty = times.starts[starts.EMPTY][extracted.OURS]
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
        *([beside_table(measured, times)] if times.before else []),
        *(f"Left out: {title}. {why}\n" for title, why in times.left_out.items()),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def start_row(title: str, asked: str, variant: str, found: Mapping[str, starts.Starts]) -> list[str]:
    cells = [shown(found[variant].imports), shown(found[variant].firsts), shown(found[variant].totals)]
    if variant == extracted.OURS:
        return [title, asked, variant, *cells, "", "", ""]
    figure = ratio(found[extracted.OURS].totals, found[variant].totals)
    if variant != extracted.PIP:
        return ["", "", variant, *cells, f"{figure:.2f}", "", ""]
    target = Target(figure, START_RATIO, at_least=False)
    return ["", "", variant, *cells, f"{figure:.2f}", f"<= {START_RATIO}", target.verdict]


def warm_table(measured: Mapping[str, Mapping[str, starts.Starts]]) -> str:
    heads = ["function", "package", "health: both", "read p50", "read p99", "health p50", "health p99", "memory"]
    rows = []
    for title, found in measured.items():
        for variant in (extracted.OURS, extracted.PIP):
            one = found[variant]
            quick = [
                [percentile(samples, share)] for samples in (one.reads, one.healths) if samples for share in (50, 99)
            ]
            cells = [f"{value[0] * 1000:.2f} ms" for value in quick]
            cells += ["-"] * (4 - len(cells))
            memory = f"{statistics.median(one.rss) / MEGABYTE:.0f} MB"
            rows.append([title if variant == extracted.OURS else "", variant, shown(one.health_totals), *cells, memory])
            for words, samples in one.others.items():
                cells = [f"{percentile(samples, share) * 1000:.2f} ms" for share in (50, 99)]
                rows.append([f"({words})", variant, "-", *cells, "-", "-", "-"])
    return table(heads, rows, numbers_from=2)


def beside_table(measured: Mapping[str, Mapping[str, starts.Starts]], times: starts.StartTimes) -> str:
    """Write ours over another commit, which noise leaves alone as far as medians and minimums do."""
    rows = []
    for title, found in measured.items():
        if title in times.not_before:
            rows.append([title, times.not_before[title].replace("\n", " ").replace("|", "/"), "-", "-", "-", "-"])
            continue
        ours, earlier = (requests_of(found[variant], times.asked[title]) for variant in (extracted.OURS, BEFORE))
        for number, (words, samples) in enumerate(ours.items()):
            cells = [shown(samples), shown(earlier[words])]
            cells += [f"{ratio(samples, earlier[words]):.2f}", f"{min(samples) / min(earlier[words]):.2f}"]
            rows.append(["" if number else title, words, *cells])
    how = (
        f"Ours beside {times.before}, whose own command has built its packages, in turns in the same run; each has "
        "tables of its own, which its own functions have filled:"
    )
    heads = ["function", "what", "ours", BEFORE, "medians: ours / it", "minimums: ours / it"]
    return f"{how}\n\n{table(heads, rows, numbers_from=2)}"


def requests_of(found: starts.Starts, asked: str) -> dict[str, list[float]]:
    """Give what was measured of one package, by what it is in words."""
    requests = {"import and first request": found.totals, f"warm: {asked}": found.reads}
    requests |= {f"warm: {words}": samples for words, samples in found.others.items()}
    return requests | ({"warm: health": found.healths} if found.healths else {})


def size_table(sizes: extracted.Sizes) -> str:
    """Write how large packages are."""
    variants = [one for one in extracted.VARIANTS if any(one in found for found in sizes.values())]
    rows = [
        [app, *(f"{found[one] / MEGABYTE:.2f}" if one in found else "-" for one in variants)]
        for app, found in sizes.items()
    ]
    heads = ["app", *variants]
    return f"Packages, in MB zipped:\n\n{table(heads, rows)}"

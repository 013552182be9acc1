"""A soak's samples as a CSV and as charts, drawn as the console draws its own."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from service.http.console.charts import HEIGHT, WIDTH, draw
from tests.reliability.soak.bounds import BOUNDED_TABLES, BUSY_TABLES, Series

TITLE, GAP = 22, 14
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)  # any: axes show minutes
STYLE = (
    "text{font:12px sans-serif;fill:#333}path{fill:none}.line{stroke:#1f5fa8;stroke-width:1.5}"
    ".area{fill:#1f5fa822}.floor{stroke:#bbb}"
)
CHURNED = ("lists_due", "consumer_offsets", "provider_freshness")
PLOTS = {
    "process": ("memory, MB", "open files", "sockets", "threads"),
    "database": ("connections", "oldest transaction, s", "lag, messages"),
    "dead-rows": [f"dead rows: {table}" for table in ("claims", "analytics_cache", *CHURNED)],
    "bounded-tables": [f"size, MB: {table}" for table in BOUNDED_TABLES],
    "growing-tables": [
        f"{what}: {table}"
        for table in BUSY_TABLES
        for what in ("size, MB", "indexes, MB", "bytes a row")
    ],
}


def write(series: Series, folder: Path) -> None:
    """`samples.csv`, without what never changes, and a file of charts for each of PLOTS."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        name: values
        for name, values in series.items()
        if min(values) < max(values) and not name.startswith("bytes a row")
    }
    with (folder / "samples.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(told)
        rows.writerows(
            [f"{value:.4g}" for value in row] for row in zip(*told.values(), strict=True)
        )
    for name, lines in PLOTS.items():
        (folder / f"{name}.svg").write_text(plot(series, lines), "utf-8")


def plot(series: Series, names: Sequence[str]) -> str:
    """One chart below the other, each from 0."""
    seconds = series["seconds"]
    begin, end = BEGIN, BEGIN + timedelta(seconds=seconds[-1])
    step = timedelta(seconds=seconds[-1] / len(seconds))
    height = TITLE + HEIGHT + GAP
    charts = []
    for number, name in enumerate(names):
        points = [
            (BEGIN + timedelta(seconds=at), value)
            for at, value in zip(seconds, series[name], strict=True)
        ]
        drawn = draw([points], begin, end, 3 * step)
        [line] = drawn.lines
        title = f"{name} (the top is {drawn.top:,.0f}, the last {drawn.latest:,.1f})"
        charts.append(
            f'<g transform="translate(10 {number * height})">'
            f'<text y="16">{escape(title)}</text><g transform="translate(0 {TITLE})">'
            f'<path class="floor" d="M0 {HEIGHT}H{WIDTH}M0 0H{WIDTH}"/>'
            f'<path class="area" d="{line.area}"/><path class="line" d="{line.path}"/></g></g>'
        )
    whole = len(names) * height + TITLE
    foot = f'<text x="10" y="{whole - 8}">0 to {seconds[-1] / 60:.0f} minutes</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 20} {whole}">'
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
        + "\n".join([*charts, foot])
        + "</svg>\n"
    )

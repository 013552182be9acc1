"""The table of metrics in docs/telemetry.md: `python -m service.telemetry.page [--check]`."""

import argparse
import sys
from pathlib import Path

from service.telemetry.metrics import METRICS, Metric

PAGE = Path(__file__).parents[2] / "docs" / "telemetry.md"
HEAD = "| metric | type | labels | of | means |"
RULE = "| --- | --- | --- | --- | --- |"


def table() -> str:
    return "\n".join([HEAD, RULE, *map(_row, METRICS)]) + "\n"


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return (
        f"| `{metric.full_name}` | {metric.kind} | {labels} | {metric.scope} | {metric.meaning} |"
    )


def with_table(page: str) -> str:
    """The page with the table as it should be. Raises ValueError where it has none."""
    before, head, after = page.partition(f"{HEAD}\n")
    if not head:
        raise ValueError(f"{PAGE} has no table that begins with: {HEAD}")
    _, _, rest = after.partition("\n\n")
    return f"{before}{table()}\n{rest}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m service.telemetry.page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 on drift")
    options = parser.parse_args(arguments)
    page = PAGE.read_text("utf-8")
    wanted = with_table(page)
    if not options.check:
        PAGE.write_text(wanted, "utf-8")
    elif wanted != page:
        sys.stderr.write(
            f"{PAGE} is not what the metrics are: run `python -m service.telemetry.page`.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

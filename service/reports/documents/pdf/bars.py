"""Bar charts: shades that stay apart in grey, outlines, and amounts above the bars."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import accumulate

from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib.colors import white

from service.reports.documents.model import BarChart
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.fonts import REGULAR, text_width
from service.reports.documents.pdf.plot import SAMPLE_WIDTH, SMALL, Plot

WIDEST_BAR = 34.0
THOUSAND = 1000
Values = Sequence[Decimal | int]


def bar_chart(chart: BarChart, width: float) -> Drawing:
    values = [list(series.values) for series in chart.series]
    tops = _stack(values) if chart.stacked else values
    plot = Plot(chart, tops, width)
    if chart.stacked:
        _draw_stacks(plot, tops)
    else:
        _draw_beside(plot, tops)
    plot.legend([series.name for series in chart.series], _sample)
    return plot.drawing


def _stack(values: Sequence[Values]) -> list[list[Decimal | int]]:
    """The height at which each series ends, over those before it."""
    columns = [list(accumulate(column)) for column in zip(*values, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


def _draw_stacks(plot: Plot, tops: Sequence[Values]) -> None:
    """From the last series down, so that each lower part is drawn over the taller ones."""
    width = min(plot.slot * 0.7, WIDEST_BAR)
    for series in reversed(range(len(tops))):
        for i, value in enumerate(tops[series]):
            if value:
                plot.drawing.add(_bar(plot, plot.middle(i) - width / 2, width, value, series))
    if tops:
        _write_values(plot, [tops[-1]], [0.0])


def _draw_beside(plot: Plot, tops: Sequence[Values]) -> None:
    width = min(plot.slot * 0.78 / max(1, len(tops)), WIDEST_BAR)
    starts = [(series - len(tops) / 2) * width for series in range(len(tops))]
    for series, values in enumerate(tops):
        for i, value in enumerate(values):
            if value:
                plot.drawing.add(_bar(plot, plot.middle(i) + starts[series], width, value, series))
    _write_values(plot, tops, [start + width / 2 for start in starts])


def _bar(plot: Plot, x: float, width: float, value: Decimal | int, series: int) -> Rect:
    height = plot.y(value) - plot.y(0)
    return _box(x, plot.y(0), width, height, series)


def _box(x: float, y: float, width: float, height: float, series: int) -> Rect:
    fill = looks.FILLS[series]
    return Rect(x, y, width, height, fillColor=fill, strokeColor=looks.ACCENT, strokeWidth=0.6)


def _write_values(plot: Plot, tops: Sequence[Values], offsets: Sequence[float]) -> None:
    """Each bar's value above it, in full or in thousands, if all of them fit side by side."""
    room = plot.slot / max(1, len(tops)) - 2
    styles: tuple[Callable[[Decimal | int], str], ...] = (_whole, _in_thousands)
    for style in styles:
        if all(text_width(style(v), REGULAR, SMALL) <= room for row in tops for v in row):
            for row, offset in zip(tops, offsets, strict=True):
                for i, value in enumerate(row):
                    _write(plot, plot.middle(i) + offset, plot.y(value) + 2.5, style(value))
            return


def _write(plot: Plot, x: float, y: float, text: str) -> None:
    """On white, so that no line of the grid runs through it."""
    width = text_width(text, REGULAR, SMALL)
    if text:
        plot.drawing.add(
            Rect(x - width / 2, y - 1, width, SMALL, fillColor=white, strokeColor=None)
        )
        plot.text(x, y, text, anchor="middle")


def _whole(value: Decimal | int) -> str:
    return f"{value:,.0f}" if value else ""


def _in_thousands(value: Decimal | int) -> str:
    return f"{value / THOUSAND:,.1f}k" if value >= THOUSAND else _whole(value)


def _sample(drawing: Drawing, x: float, y: float, series: int) -> None:
    drawing.add(_box(x + SAMPLE_WIDTH - 9, y - 3.5, 9, 7, series))

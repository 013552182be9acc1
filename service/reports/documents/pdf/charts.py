"""Bar and line charts, drawn as vectors; they must be readable in grey."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from math import ceil, floor, log10

from reportlab.graphics.shapes import Circle, Drawing, Line, Polygon, PolyLine, Rect, Shape, String
from reportlab.lib.colors import Color, white

from service.reports.documents.model import BarChart, Kind, LineChart
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.fonts import BOLD, REGULAR, text_width
from service.reports.documents.wording import printable

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_TICKS = 5
ROOM_BELOW = 1.15  # of the longest bar below zero: its value is written under it

HEIGHT = 178.0
HEAD, FOOT = 32.0, 26.0  # room for title and legend, and for the labels below the axis
SMALL = 6.8
LEGEND_SIZE = 7.5
SAMPLE_WIDTH = 18.0
Heights = Sequence[Sequence[Decimal | int]]
Sample = Callable[[Drawing, float, float, int], None]  # into, x, y of its middle line, series
WIDEST_BAR = 34.0
THOUSAND = 1000
Values = Sequence[Decimal | int]
DASHES = (None, (4, 2), (1.5, 2))
RADIUS = 2.3


@dataclass(frozen=True, slots=True)
class Scale:
    """Ticks at multiples of a round step: from zero to the first at or above the largest value,
    and `below` zero to the first at or under the least, if that is negative."""

    step: float
    ticks: int
    below: int = 0

    @property
    def top(self) -> float:
        return self.step * self.ticks

    @property
    def bottom(self) -> float:
        return -self.step * self.below

    def values(self) -> list[float]:
        return [self.step * n for n in range(-self.below, self.ticks + 1)]


def scale_for(largest: float, whole: bool, least: float = 0.0) -> Scale:
    """`whole` for counts: no tick lies between two integers."""
    largest, depth = max(largest, 0.0), max(-least, 0.0)
    span = max(largest, depth)
    if not span:
        return Scale(1.0, 1)
    magnitude = 10.0 ** floor(log10(span / MOST_TICKS))
    steps = [step * magnitude for step in STEPS]
    if whole:
        steps = [step for step in steps if step >= 1 and step == int(step)] or [1.0]
    step = next((s for s in steps if span <= s * MOST_TICKS), steps[-1])
    return Scale(step, max(1, _steps(largest, step)), _steps(ROOM_BELOW * depth, step))


def _steps(length: float, step: float) -> int:
    return ceil(length / step - 1e-9)


class Plot:
    """The frame of a chart; it knows where a value and a label belong, in points."""

    def __init__(self, chart: BarChart | LineChart, heights: Heights, width: float) -> None:
        values = [float(value) for row in heights for value in row] or [0.0]
        self._scale = scale_for(max(values), chart.kind is Kind.COUNT, min(values))
        self._ticks = [self._tick(value) for value in self._scale.values()]
        self._left = max(text_width(tick, REGULAR, SMALL) for tick in self._ticks) + 7
        self.slot = (width - self._left) / max(1, len(chart.labels))
        self.drawing = Drawing(width, HEIGHT)
        self._draw_axis(width)
        self._draw_labels(chart.labels)
        self.text(0, HEIGHT - 11, chart.title, font=BOLD, size=9, color=looks.INK)

    def y(self, value: Decimal | float) -> float:
        scale = self._scale
        share = (float(value) - scale.bottom) / (scale.top - scale.bottom)
        return FOOT + (HEIGHT - HEAD - FOOT) * share

    def middle(self, index: int) -> float:
        return self._left + self.slot * (index + 0.5)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        font: str = REGULAR,
        size: float = SMALL,
        color: Color = looks.SOFT,
        anchor: str = "start",
    ) -> None:
        self.drawing.add(
            String(
                x,
                y,
                printable(text),
                fontName=font,
                fontSize=size,
                fillColor=color,
                textAnchor=anchor,
            )
        )

    def legend(self, names: Sequence[str], sample: Sample) -> None:
        """On the title's line, at the right; a single series needs none."""
        x = float(self.drawing.width)
        for series in reversed(range(len(names)) if len(names) > 1 else range(0)):
            x -= text_width(printable(names[series]), REGULAR, LEGEND_SIZE)
            self.text(x, HEIGHT - 11, names[series], size=LEGEND_SIZE, color=looks.INK)
            x -= SAMPLE_WIDTH + 5
            sample(self.drawing, x, HEIGHT - 8.4, series)
            x -= 14

    def _draw_axis(self, width: float) -> None:
        for value, tick in zip(self._scale.values(), self._ticks, strict=True):
            y = self.y(value)
            color, weight = (looks.RULE, 0.4) if value else (looks.SOFT, 0.8)
            self.drawing.add(Line(self._left, y, width, y, strokeColor=color, strokeWidth=weight))
            self.text(self._left - 4, y - 2.4, tick, anchor="end")

    def _draw_labels(self, labels: Sequence[str]) -> None:
        for i, label in enumerate(labels):
            for line, part in enumerate(label.split("\n")):
                self.text(self.middle(i), FOOT - 10 - 8 * line, part, anchor="middle")

    def _tick(self, value: float) -> str:
        step = self._scale.step
        return f"{value:,.0f}" if step == int(step) else f"{value:,.2f}"


def bar_chart(chart: BarChart, width: float) -> Drawing:
    values = [list(series.values) for series in chart.series]
    tops = _stack(values) if chart.stacked else values
    plot = Plot(chart, tops, width)
    if chart.stacked:
        _draw_stacks(plot, tops)
    else:
        _draw_beside(plot, tops)
    plot.legend([series.name for series in chart.series], _bar_sample)
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
    low, high = sorted((plot.y(0), plot.y(value)))
    return _box(x, low, width, high - low, series)


def _box(x: float, y: float, width: float, height: float, series: int) -> Rect:
    fill = looks.FILLS[series]
    return Rect(x, y, width, height, fillColor=fill, strokeColor=looks.ACCENT, strokeWidth=0.6)


def _write_values(plot: Plot, tops: Sequence[Values], offsets: Sequence[float]) -> None:
    """Each bar's value at its end, in full or in thousands, if all of them fit side by side."""
    room = plot.slot / max(1, len(tops)) - 2
    styles: tuple[Callable[[Decimal | int], str], ...] = (_whole, _in_thousands)
    for style in styles:
        if all(text_width(style(v), REGULAR, SMALL) <= room for row in tops for v in row):
            for row, offset in zip(tops, offsets, strict=True):
                for i, value in enumerate(row):
                    beside = -SMALL - 1 if value < 0 else 2.5  # below the bar, or above it
                    _write(plot, plot.middle(i) + offset, plot.y(value) + beside, style(value))
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
    short = -THOUSAND < value < THOUSAND
    return _whole(value) if short else f"{value / THOUSAND:,.1f}k"


def _bar_sample(drawing: Drawing, x: float, y: float, series: int) -> None:
    drawing.add(_box(x + SAMPLE_WIDTH - 9, y - 3.5, 9, 7, series))


def line_chart(chart: LineChart, width: float) -> Drawing:
    plot = Plot(chart, [series.values for series in chart.series], width)
    for number, series in enumerate(chart.series):
        points = [(plot.middle(i), plot.y(value)) for i, value in enumerate(series.values)]
        _draw_line(plot.drawing, points, number)
    plot.legend([series.name for series in chart.series], _line_sample)
    return plot.drawing


def _draw_line(drawing: Drawing, points: list[tuple[float, float]], series: int) -> None:
    if len(points) > 1:
        flat = [coordinate for point in points for coordinate in point]
        dash = DASHES[series]
        drawing.add(PolyLine(flat, strokeColor=looks.ACCENT, strokeWidth=1.3, strokeDashArray=dash))
    for x, y in points:
        drawing.add(_marker(x, y, series))


def _marker(x: float, y: float, series: int) -> Shape:
    """A full circle, a hollow square, a hollow triangle."""
    r, hollow = RADIUS, {"fillColor": white, "strokeColor": looks.ACCENT, "strokeWidth": 1.0}
    if series == 0:
        return Circle(x, y, r, fillColor=looks.ACCENT, strokeColor=looks.ACCENT, strokeWidth=1.0)
    if series == 1:
        return Rect(x - r, y - r, 2 * r, 2 * r, **hollow)
    return Polygon([x - r, y - r, x + r, y - r, x, y + r], **hollow)


def _line_sample(drawing: Drawing, x: float, y: float, series: int) -> None:
    _draw_line(drawing, [(x, y), (x + SAMPLE_WIDTH, y)], series)

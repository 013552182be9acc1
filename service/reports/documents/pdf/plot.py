"""What bar and line charts share: title, legend, value axis and labels, drawn as vectors."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from reportlab.graphics.shapes import Drawing, Line, String
from reportlab.lib.colors import Color

from service.reports.documents.model import BarChart, Kind, LineChart
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.fonts import BOLD, REGULAR, text_width
from service.reports.documents.pdf.scale import scale_for
from service.reports.documents.wording import printable

HEIGHT = 178.0
HEAD, FOOT = 32.0, 26.0  # room for title and legend, and for the labels below the axis
SMALL = 6.8
LEGEND_SIZE = 7.5
SAMPLE_WIDTH = 18.0

Heights = Sequence[Sequence[Decimal | int]]
Sample = Callable[[Drawing, float, float, int], None]  # into, x, y of its middle line, series


class Plot:
    """The frame of a chart; it knows where a value and a label belong, in points."""

    def __init__(self, chart: BarChart | LineChart, heights: Heights, width: float) -> None:
        largest = max((value for row in heights for value in row), default=0)
        self._scale = scale_for(float(largest), whole=chart.kind is Kind.COUNT)
        self._ticks = [self._tick(value) for value in self._scale.values()]
        self._left = max(text_width(tick, REGULAR, SMALL) for tick in self._ticks) + 7
        self.slot = (width - self._left) / max(1, len(chart.labels))
        self.drawing = Drawing(width, HEIGHT)
        self._draw_axis(width)
        self._draw_labels(chart.labels)
        self.text(0, HEIGHT - 11, chart.title, font=BOLD, size=9, color=looks.INK)

    def y(self, value: Decimal | float) -> float:
        return FOOT + (HEIGHT - HEAD - FOOT) * float(value) / self._scale.top

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

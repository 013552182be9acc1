"""Line charts: dashes and markers tell the lines apart, not hues."""

from reportlab.graphics.shapes import Circle, Drawing, Polygon, PolyLine, Rect, Shape
from reportlab.lib.colors import white

from service.reports.documents.model import LineChart
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.plot import SAMPLE_WIDTH, Plot

DASHES = (None, (4, 2), (1.5, 2))
RADIUS = 2.3


def line_chart(chart: LineChart, width: float) -> Drawing:
    plot = Plot(chart, [series.values for series in chart.series], width)
    for number, series in enumerate(chart.series):
        points = [(plot.middle(i), plot.y(value)) for i, value in enumerate(series.values)]
        _draw(plot.drawing, points, number)
    plot.legend([series.name for series in chart.series], _sample)
    return plot.drawing


def _draw(drawing: Drawing, points: list[tuple[float, float]], series: int) -> None:
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


def _sample(drawing: Drawing, x: float, y: float, series: int) -> None:
    _draw(drawing, [(x, y), (x + SAMPLE_WIDTH, y)], series)

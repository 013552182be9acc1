"""Charts as SVG paths, drawn on the server: they need no script, and a poll brings them anew."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from repositories.offset_samples import Moment

WIDTH, HEIGHT = 600, 100
PADDING = 3  # above the highest point, for the width of its line
SHORTEST = timedelta(minutes=5)  # that an axis covers

Point = tuple[datetime, float]


@dataclass(frozen=True)
class Line:
    """One line of a chart: its path, and the path of the area below it."""

    path: str
    area: str


@dataclass(frozen=True)
class Chart:
    """`top` is the value at the upper edge; `latest` and `highest` are of the first line, None
    without any point."""

    lines: Sequence[Line]
    begin: datetime
    end: datetime
    top: float
    latest: float | None
    highest: float | None
    highest_at: datetime | None


def draw(
    series: Sequence[Sequence[Point]], begin: datetime, end: datetime, step: timedelta
) -> Chart:
    """The first line is what the chart is about. Where more than three steps have no point there is
    a gap; what has only begun to be sampled fills the width."""
    points = [point for line in series for point in line]
    first = min((at for at, _ in points), default=end)
    begin = max(begin, min(first, end - SHORTEST))
    top = _rounded_up(max((value for _, value in points), default=0.0))
    highest = max(series[0], key=lambda point: point[1], default=None)
    return Chart(
        [_line(line, begin, end, top, 3 * step) for line in series],
        begin,
        end,
        top,
        series[0][-1][1] if series[0] else None,
        highest[1] if highest else None,
        highest[0] if highest else None,
    )


def _line(
    points: Sequence[Point], begin: datetime, end: datetime, top: float, gap: timedelta
) -> Line:
    paths, areas = [], []
    for piece in _pieces([point for point in points if point[0] >= begin], gap):
        placed = [
            f"{(at - begin) / (end - begin) * WIDTH:.1f} "
            f"{HEIGHT - value / top * (HEIGHT - PADDING):.1f}"
            for at, value in piece
        ]
        if len(placed) == 1:  # a dot, as a line of no length with round ends
            placed *= 2
        paths.append(f"M{placed[0]}L{' '.join(placed[1:])}")
        from_x, to_x = placed[0].split()[0], placed[-1].split()[0]
        areas.append(f"M{from_x} {HEIGHT}L{' '.join(placed)} {to_x} {HEIGHT}Z")
    return Line("".join(paths), "".join(areas))


def _pieces(points: Sequence[Point], gap: timedelta) -> Sequence[Sequence[Point]]:
    pieces: list[list[Point]] = []
    for point in points:
        if pieces and point[0] - pieces[-1][-1][0] <= gap:
            pieces[-1].append(point)
        else:
            pieces.append([point])
    return pieces


def _rounded_up(value: float) -> float:
    """To 1, 2 or 5 and zeros, so that the axis does not jump with each new value; at least 1."""
    power = 1.0
    while power * 10 < value:
        power *= 10
    return next((m * power for m in (1, 2, 5) if m * power >= value), 10 * power)


def lags(moments: Iterable[Moment]) -> Sequence[Point]:
    """Messages that wait, over all topics."""
    return _added((moment.taken_at, moment.lag) for moment in moments)


def rates(moments: Iterable[Moment], *, published: bool = False) -> Sequence[Point]:
    """Messages that were read, or published, in a second, over all topics."""
    found = []
    for each in by_topic(moments).values():
        for before, after in pairwise(each):
            seconds = (after.taken_at - before.taken_at).total_seconds()
            grown = after.published - before.published if published else after.read - before.read
            if seconds > 0:
                found.append((after.taken_at, max(0, grown) / seconds))
    return _added(found)


def _added(points: Iterable[Point]) -> Sequence[Point]:
    sums: dict[datetime, float] = {}
    for at, value in points:
        sums[at] = sums.get(at, 0.0) + value
    return sorted(sums.items())


def by_topic(moments: Iterable[Moment]) -> Mapping[str, Sequence[Moment]]:
    found: dict[str, list[Moment]] = {}
    for moment in moments:
        found.setdefault(moment.topic, []).append(moment)
    return found

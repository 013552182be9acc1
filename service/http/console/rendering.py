"""Templates, the words that they need, and the files that pages are made with."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from service.http.console.access import VISIT_COOKIE, is_https, visit_of
from service.operations.receipt import became
from service.wiring import MEMBER_PREFIX

HERE = Path(__file__).parent
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ROOT = "/console"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
YEAR = 365 * DAY


@dataclass(frozen=True)
class StaticFile:
    """One that pages ask for; `tag` changes with what is in it."""

    content: bytes
    media_type: str
    tag: str


def static_files() -> Mapping[str, StaticFile]:
    """All of them, by name: few, and small."""
    return {
        file.name: StaticFile(
            content := file.read_bytes(),
            MEDIA_TYPES[file.suffix],
            hashlib.sha256(content).hexdigest()[:16],
        )
        for file in (HERE / "static").iterdir()
        if file.suffix in MEDIA_TYPES
    }


class Pages:
    """Makes pages of templates."""

    def __init__(self) -> None:
        self.files = static_files()
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "number": number,
            "rate": rate,
            "duration": duration,
            "time": time_of,
            "ago": ago,
            "day_time": day_time,
            "member": member,
            "shown": shown,
        }
        self._templates.globals |= {
            "version": version("claim-analytics"),
            "static": self._static,
            "url": url,
            "number_of": number,
            "rate_of": rate,
            "became": became,
        }

    def _static(self, name: str) -> str:
        return f"{ROOT}/static/{name}?{self.files[name].tag}"

    def answer(
        self, request: Request, template: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """The page; `visitor` is None where nobody has logged in."""
        values = {"visitor": None, "tallies": None, "live": False, "level": "fine"} | values
        path, query = request.url.path, request.url.query
        here = f"{path}?{query}" if query else path
        html = self._templates.get_template(template).render(here=here, path=path, **values)
        answer = HTMLResponse(html, status)
        if VISIT_COOKIE not in request.cookies:
            answer.set_cookie(
                VISIT_COOKIE,
                visit_of(request),
                path=ROOT,
                httponly=True,
                samesite="strict",
                secure=is_https(request),
            )
        return answer


def url(path: str, **query: Any) -> str:
    """Of the console, with what is given of the query."""
    given = {name: value for name, value in query.items() if value not in (None, "", False)}
    return f"{ROOT}/{quote(path)}" + (f"?{urlencode(given)}" if given else "")


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def rate(value: float | None) -> str:
    """In a second."""
    if value is None:
        return "–"
    return f"{value:,.1f}" if 0 < value < 10 else f"{value:,.0f}"


def duration(seconds: float | timedelta | None) -> str:
    if seconds is None:
        return "–"
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} s" if seconds >= 1 or seconds == 0 else "under 1 s"


def time_of(moment: datetime | date | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """In UTC."""
    if moment is None:
        return "–"
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime(form)
    return moment.isoformat()


def day_time(moment: datetime | None) -> str:
    """In UTC, with the year where it is another than now."""
    if moment is None:
        return "–"
    this_year = moment.astimezone(UTC).year == datetime.now(UTC).year
    return time_of(moment, "%b %d, %H:%M" if this_year else "%Y-%m-%d %H:%M")


def ago(moment: datetime | None) -> str:
    if moment is None:
        return "–"
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    return "just now" if seconds < MINUTE else f"{duration(seconds)} ago"


def member(client_id: str) -> str:
    return client_id.removeprefix(MEMBER_PREFIX)


def shown(value: Any) -> str:
    """What was asked for or counted, of a row of `operator_actions`."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)

"""Errors as RFC 9457 problem details, in which nothing is ours: no path, no SQL, no other's id."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
TYPE = "tag:meritum.ca,2026:claim-analytics/"  # RFC 4151: names that need no page behind them


@dataclass(eq=False)
class Problem(Exception):
    """An answer that is an error. `kind` is what programs tell it by, `detail` is for people."""

    status: HTTPStatus
    kind: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[Mapping[str, str]] = ()  # of parameters: which, and what is wrong with it

    def response(self) -> Response:
        told = {
            "type": TYPE + self.kind,
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        body = told | ({"errors": list(self.errors)} if self.errors else {})
        return Response(
            json.dumps(body, ensure_ascii=False, separators=(",", ":")),
            self.status,
            self.headers,
            MEDIA_TYPE,
        )


def wrong_parameter(name: str, detail: str) -> Problem:
    """422: understood as HTTP, and asks for what cannot be."""
    return wrong_parameters([{"parameter": name, "detail": detail}])


def wrong_parameters(errors: Sequence[Mapping[str, str]]) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "wrong-parameters",
        "The request's parameters are not as they must be: errors says which.",
        errors=errors,
    )


def no_such_report() -> Problem:
    """One text for all reasons: it must not tell that another provider's report exists."""
    return Problem(
        HTTPStatus.NOT_FOUND,
        "no-such-report",
        "There is no such report for this provider, or it is not ready.",
    )


def not_set_up() -> Problem:
    return Problem(
        HTTPStatus.NOT_FOUND, "not-set-up", "Reading over HTTP is not set up on this server."
    )


def unavailable(seconds: int = 5) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        "Something that is needed for this does not answer at the moment. Try again later.",
        {"Retry-After": str(seconds)},
    )


def internal() -> Problem:
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong here, and was noted. If it happens again, tell those who run this.",
    )

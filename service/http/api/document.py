"""The OpenAPI document, made from the routes: `python -m service.http.api.document` keeps it."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from service.http.api.problems import MEDIA_TYPE
from service.http.api.shapes import ProblemDetails

FILE = Path(__file__).parents[3] / "docs" / "api" / "openapi.json"
VERSION = "1.0.0"
REFERENCE = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}
PROBLEMS = {
    "401": "No token, or one that is refused; WWW-Authenticate says which",
    "403": "The token does not permit this, or names no provider",
    "404": "There is no such thing for this provider, or reading is not set up on this server",
    "414": "What follows the ? is too long",
    "422": "A parameter is wrong; `errors` says which",
    "429": "Too many downloads of this provider at once",
    "500": "A fault of the service",
    "503": "The database, the issuer's keys or the report store does not answer: try again",
}
OF_DOWNLOADS = ("429",)
DESCRIPTION = """\
Figures and reports of one provider, whom the token names. No parameter names another.

Money, averages and rates are strings with two decimals. Times are in UTC. Errors are RFC 9457
problem details. Answers are not to be cached.
"""


def document(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """OpenAPI 3.1; every error is a problem."""
    made = get_openapi(
        title="Claim Analytics",
        version=VERSION,
        description=DESCRIPTION,
        routes=routes,
        servers=[{"url": "/v1"}],
    )
    schemas = made["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas[ProblemDetails.__name__] = problem
    made["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    made["security"] = [{"token": []}]
    for path, item in made["paths"].items():
        answers = item["get"]["responses"]
        for status, said in PROBLEMS.items():
            if status not in OF_DOWNLOADS or path.endswith("/download"):
                answers[status] = {"description": said}
        for status, given in answers.items():
            if status != "200":
                given["content"] = {MEDIA_TYPE: {"schema": REFERENCE}}
    return made


def text() -> str:
    from service.http.api.app import api_document  # noqa: PLC0415  # which imports this module

    return json.dumps(api_document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m service.http.api.document",
        description="Writes the OpenAPI document from the routes.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 on drift")
    if not parser.parse_args(arguments).check:
        FILE.write_text(text(), "utf-8")
    elif not FILE.is_file() or FILE.read_text("utf-8") != text():
        sys.stderr.write(
            f"{FILE} is not what the routes say. Run `python -m service.http.api.document`, look at"
            " what changed, and keep it.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

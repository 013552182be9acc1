"""The OpenAPI document: kept, whole, and with nothing in it that is the service's alone."""

import json
from typing import Any

from service.http.api import document

KEPT: dict[str, Any] = json.loads(document.FILE.read_text("utf-8"))
OPERATIONS = {path: item["get"] for path, item in KEPT["paths"].items()}


def test_the_document_that_is_kept_is_what_the_routes_say() -> None:
    assert document.main(["--check"]) == 0


def test_every_error_is_a_problem_and_every_answer_has_a_shape() -> None:
    assert KEPT["openapi"].startswith("3.1")
    for operation in OPERATIONS.values():
        for status, answer in operation["responses"].items():
            kinds = set(answer["content"])
            assert kinds == {"application/problem+json"} or status == "200", operation
    assert {"401", "403", "404", "422", "503"} <= set(OPERATIONS["/reports"]["responses"])
    assert "410" in OPERATIONS["/reports/{report_id}/download"]["responses"]


def test_no_parameter_names_a_provider_and_no_answer_says_where_a_file_lies() -> None:
    named = {p["name"] for operation in OPERATIONS.values() for p in operation["parameters"]}
    assert not {name for name in named if "provider" in name}
    assert "file_path" not in json.dumps(KEPT)

"""Whatever the OpenAPI document lets one think of, sent to the real service with a valid token."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from repositories.postgres.database import Database
from service.http.address import listen
from service.http.api.app import api_document
from service.http.app import build_app
from service.http.process import ServedProcess
from service.http.server import served
from service.settings import Settings
from tests.harness.issuer import Issuer
from tests.integration.repositories.database_state import clear
from tests.integration.repositories.examples import apply, paid, uuid_of
from tests.integration.repositories.report_examples import P, Q, record, report_id, request

# Without what it says of tokens, of which the fuzzer would make some of its own.
DOCUMENT = schemathesis.openapi.from_dict(
    api_document()
    | {"security": [], "components": {"schemas": api_document()["components"]["schemas"]}}
)
# Of a document without faults each of them is there.
OPERATIONS = {
    operation.path: operation
    for found in DOCUMENT.get_all_operations()
    if isinstance(found, Ok) and (operation := found.ok())
}
CHECKS: list[Any] = [  # of kinds that the library's own hints leave out
    checks.not_a_server_error,
    *(
        checks.CHECKS.get_one(name)
        for name in (
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
            "negative_data_rejection",
        )
    ),
]
EXAMPLES = 40
ELSEWHERE = uuid_of("a place of Q's")


async def fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    await clear(connection)
    await connection.close()
    database = Database(url)
    theirs = paid("B", provider="Q", location_id=str(ELSEWHERE), hsc_code="99.99Q")
    await apply(database, paid("A"), theirs)
    await record(database, request("A", "P"), request("B", "Q"))
    await database.close()


@pytest.fixture
def url(api_settings: Settings, migrated_url: str) -> Iterator[str]:
    """Of the service, with data of two providers."""
    with start_blocking_portal() as portal:
        portal.call(fill, migrated_url)
        serving = served(build_app(ServedProcess(api_settings)), listen("127.0.0.1:0"))
        with portal.wrap_async_context_manager(serving) as url:
            yield f"{url}/v1"


def others() -> list[str]:
    named: list[UUID] = [Q, ELSEWHERE, report_id("B"), uuid_of("claim B")]
    return [*map(str, named), "99.99Q"]


@pytest.mark.parametrize("path", OPERATIONS)
def test_no_request_is_a_fault_breaks_the_document_or_shows_anothers(
    path: str, url: str, issuer: Issuer
) -> None:
    headers = issuer.bearer(P, exp=4_000_000_000)
    statuses: set[int] = set()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=OPERATIONS[path].as_strategy(mode))
        def send(case: schemathesis.Case[Any]) -> None:
            answer = case.call(base_url=url, headers=headers)
            if answer.status_code != 414:  # in place of a 422, where what is wrong is long too
                case.validate_response(answer, checks=CHECKS)
            statuses.add(answer.status_code)
            asked = answer.request.url or ""
            assert not [one for one in others() if one in answer.text and one not in asked]

        send()
    assert statuses & {200, 404, 422}
    assert not statuses & {401, 403}

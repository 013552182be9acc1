"""The HTTP side on a real port."""

from pydantic import SecretStr

from service.settings import Settings
from tests.harness.http import http_client


async def test_a_process_that_lives_says_so(migrated_url: str) -> None:
    async with http_client(Settings(database_url=SecretStr(migrated_url))) as client:
        answer = await client.get("/healthz/live")
    assert answer.status_code == 200

"""Who may look and who may act, on a real port, and what every answer of the console carries."""

from pathlib import Path

import httpx
import pytest
from asyncpg import Connection
from pydantic import SecretStr

from service.http.console.sessions import WRONG_LOGINS
from service.settings import Settings
from tests.harness.console import (
    CLOSED,
    LOOKED_AT,
    OPERATOR,
    READER,
    READER_KEPT,
    TOKENS,
    console,
    followed,
    log_in,
    proof_of,
)

PLACE = "topic=claim-paid&partition=0&offset=7"
ASKED = (f"letters/redrive?{PLACE}", f"letters/park?{PLACE}")
LETTER = (
    "INSERT INTO dead_letters (source_topic, source_partition, source_offset, source_timestamp,"
    " reason, detail, consumer_group) VALUES ('claim-paid', 0, 7, now(), 'not-json',"
    " 'value: must be JSON', 'claim-analytics.claims')"
)


async def test_without_tokens_this_machine_looks_and_acts(
    alone: Settings, observer: Connection
) -> None:
    await observer.execute(LETTER)
    async with console(alone) as client:
        for page in LOOKED_AT:
            assert (await client.get(page)).status_code == 200
        assert (await client.get(ASKED[1])).status_code == 200


async def test_without_tokens_what_comes_from_elsewhere_is_refused(alone: Settings) -> None:
    async with console(alone) as client:
        for page in (*LOOKED_AT, "static/console.css"):
            for headers in ({"host": "evil.test"}, {"x-forwarded-for": "10.0.0.1"}):
                answer = await client.get(page, headers=headers)
                assert answer.status_code == 403
                assert "Without tokens the console" in answer.text


async def test_with_tokens_nothing_is_shown_before_the_login(guarded: Settings) -> None:
    async with console(guarded) as client:
        for page in (*LOOKED_AT, *ASKED, "topics/claim-paid", "letters/each"):
            answer = await client.get(page)
            assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")
        poll = await client.get("", headers={"hx-request": "true"})
        assert (poll.status_code, poll.headers["hx-redirect"]) == (401, "/console/login")
        assert (await client.post(ASKED[1], data={"why": "x"})).status_code == 303


async def test_a_reader_looks_and_cannot_act(guarded: Settings, observer: Connection) -> None:
    await observer.execute(LETTER)
    async with console(guarded, READER) as client:
        for page in LOOKED_AT:
            assert (await client.get(page)).status_code == 200
        letters = await client.get("letters")
        assert "/console/letters/park" not in letters.text
        for path in ASKED:
            assert (await client.get(path)).status_code == 403
            answer = await client.post(path, data={"why": "x", "proof": proof_of(letters)})
            assert answer.status_code == 403
    assert await observer.fetchval("SELECT state FROM dead_letters") == "open"
    assert await observer.fetchval("SELECT count(*) FROM operator_actions") == 0


async def test_an_operator_acts_under_the_name_of_the_token(
    guarded: Settings, observer: Connection
) -> None:
    await observer.execute(LETTER)
    async with console(guarded, OPERATOR) as client:
        data = {"why": "seen\r\nto", "proof": proof_of(await client.get(ASKED[1]))}
        answer = await client.post(ASKED[1], data=data)
        assert answer.status_code == 303
        assert "dlq park" in (await followed(client, answer)).text
        again = await client.post(ASKED[1], data=data | {"why": "  "})
        assert (again.status_code, "Say why" in again.text) == (400, True)
    assert await observer.fetchval("SELECT state FROM dead_letters") == "parked"
    row = await observer.fetchrow("SELECT who, command, why, outcome, counts FROM operator_actions")
    assert tuple(row) == ("operator.one", "dlq park", "seen to", "done", '{"letters": 1}')


async def test_a_post_of_another_site_does_nothing(guarded: Settings, observer: Connection) -> None:
    await observer.execute(LETTER)
    async with console(guarded, OPERATOR) as client:
        data = {"why": "x", "proof": proof_of(await client.get(ASKED[1]))}
        for headers in (
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "https://evil.test"},
            {"origin": "null"},
        ):
            answer = await client.post(ASKED[1], data=data, headers=headers)
            assert answer.status_code == 403
    assert await observer.fetchval("SELECT state FROM dead_letters") == "open"


async def test_a_form_without_its_own_proof_does_nothing(
    guarded: Settings, observer: Connection
) -> None:
    await observer.execute(LETTER)
    async with console(guarded, OPERATOR) as client:
        before_login = proof_of(await client.get("login"))
        for proof in ("", "x" * 64, before_login, "ü"):
            answer = await client.post(ASKED[1], data={"why": "x", "proof": proof})
            assert answer.status_code == 403
        client.cookies.delete("claim_analytics_visit")  # another browser's, with a stolen session
        proof = proof_of(await client.get(ASKED[1]))
        client.cookies.delete("claim_analytics_visit")
        assert (await client.post(ASKED[1], data={"why": "x", "proof": proof})).status_code == 403
    assert await observer.fetchval("SELECT state FROM dead_letters") == "open"


async def test_a_session_is_in_a_cookie_that_scripts_and_other_sites_do_not_get(
    guarded: Settings,
) -> None:
    async with console(guarded) as client:
        answer = await log_in(client, OPERATOR)
        [cookie] = answer.headers.get_list("set-cookie")
        assert {"HttpOnly", "Path=/console", "SameSite=strict"} <= set(cookie.split("; "))
        assert OPERATOR not in cookie
        assert "Secure" not in cookie
        behind_tls = {"x-forwarded-proto": "https"}
        data = {"token": OPERATOR, "proof": proof_of(await client.get("login"))}
        [secure] = (await client.post("login", data=data, headers=behind_tls)).headers.get_list(
            "set-cookie"
        )
        assert "Secure" in secure.split("; ")
        client.cookies.delete("claim_analytics_session")
        await log_in(client, OPERATOR)
        assert (await client.get("")).status_code == 200
        await client.post("logout", data={"proof": proof_of(await client.get("letters"))})
        assert (await client.get("")).status_code == 303


async def test_wrong_tokens_are_bounded_and_told(
    guarded: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with console(guarded) as client:
        for _ in range(WRONG_LOGINS):
            assert (await log_in(client, "a guess")).status_code == 401
        answer = await log_in(client, OPERATOR)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "300")
    told = [line for line in caplog.messages if "wrong token" in line]
    assert len(told) == WRONG_LOGINS
    assert "a guess" not in caplog.text


async def test_every_answer_forbids_what_comes_from_elsewhere(guarded: Settings) -> None:
    async with console(guarded, READER) as client:
        answers = [
            await client.get(path)
            for path in (
                *LOOKED_AT,
                "static/htmx.min.js",
                "nowhere",
                "static/../access.py",
                "login",
            )
        ]
        answers.append(await client.post("letters/park", headers={"origin": "https://evil.test"}))
        client.cookies.clear()
        answers.append(await client.get(""))  # a redirect
    assert {answer.status_code for answer in answers} == {200, 303, 403, 404}
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        static = answer.url.path.endswith(".js")
        assert ("immutable" if static else "no-store") in answer.headers["cache-control"]


MARKUP = '"><script>alert(1)</script>'


ODD = (
    f"receipt?claim={MARKUP}",
    f"receipt?claim=1&version={MARKUP}",
    f"letters/each?topic={MARKUP}&detail={MARKUP}",
    f"letters/park?topic={MARKUP}&lift=1",
    f"topics/{MARKUP}",
    "letters?did=1%0d%0aset-cookie:%20a=b",
    "letters?state=gone",
    "letters/one?topic=a&partition=99999999999&offset=-1",
    "topics?hours=1000000",
    f"letters?topic={'x' * 5_000}",
    "reports/not-a-uuid/retry",
    "letters/redrive",
)


async def test_nothing_of_a_request_becomes_part_of_a_page_or_header(alone: Settings) -> None:
    async with console(alone) as client:
        for path in ODD:
            answer = await client.get(path.replace(" ", "%20"))
            assert answer.status_code in {200, 400, 404}, path
            assert "<script>alert" not in answer.text
            assert "a=b" not in str(answer.headers.get("set-cookie"))
            assert "Traceback" not in answer.text


async def test_a_form_of_megabytes_is_refused(guarded: Settings) -> None:
    async with console(guarded) as client:
        answer = await client.post("login", data={"token": "x" * 3_000_000})
    assert answer.status_code in {400, 413}


async def test_the_root_leads_to_the_console(alone: Settings) -> None:
    async with console(alone) as client:
        for path in ("/", "/console"):
            url = httpx.URL(client.base_url).copy_with(path=path)
            answer = await client.get(url)
            assert (answer.status_code, answer.headers["location"]) == (307, "/console/")


async def test_without_kafka_and_database_the_pages_say_so() -> None:
    nowhere = SecretStr(f"postgresql://someone@{CLOSED}/none")
    settings = Settings(database_url=nowhere, kafka_bootstrap_servers=CLOSED)
    async with console(settings) as client:
        first = await client.get("")
        assert first.status_code == 200
        assert "A person is needed" in first.text
        assert "PostgreSQL" in first.text
        for page in ("letters", "reports", "nights", "actions", "topics"):
            answer = await client.get(page)
            assert (answer.status_code, "No answer" in answer.text) == (503, True)


async def test_without_kafka_the_rest_is_shown(alone: Settings) -> None:
    async with console(alone) as client:
        while "refuses connections" not in (first := (await client.get("")).text):
            assert "A person is needed" not in first
        assert "A person is needed" in first
        assert "no answer since" in first
        assert (await client.get("topics")).status_code == 200


async def test_tokens_in_a_file_count_as_the_file_is_now(
    alone: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "tokens"
    file.write_text(TOKENS)
    monkeypatch.setenv("CLAIM_ANALYTICS_CONSOLE_TOKENS_FILE", str(file))
    settings = alone.model_copy(update={"console_tokens": Settings().console_tokens})
    async with console(settings, OPERATOR) as client:
        file.write_text("half of")  # what is no token changes nothing
        assert (await client.get("")).status_code == 200
        file.write_text(READER_KEPT.line)
        assert (await client.get("")).status_code == 303
        assert (await log_in(client, OPERATOR)).status_code == 401
        assert (await log_in(client, READER)).status_code == 303

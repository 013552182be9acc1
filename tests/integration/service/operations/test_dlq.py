"""`claim-analytics dlq` as a person uses it, on real servers; most of it in the test's process."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service import logs
from service.cli.app import build_app
from service.kafka import Message
from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import publish
from tests.harness.messages import message, nonsense
from tests.harness.process import consuming
from tests.harness.rows import connected
from tests.harness.waiting import until_async
from tests.integration.repositories.examples import submitted
from tests.integration.service.command_line import NOTHING_ANSWERS, Finished

NUMBER = "987654321"
WHY = ("--why", "tried")
Dlq = Callable[..., Finished]


@pytest.fixture
def dlq(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dlq:
    """The command, with settings from the environment and no terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(logs, "configure", lambda *_: None)  # those of this process stay pytest's

    def run(*arguments: str) -> Finished:
        done = CliRunner().invoke(build_app(["dlq"]), ["dlq", *arguments])
        return Finished(done.exit_code, done.stdout, done.stderr)

    return run


def test_a_letter_from_the_list_to_its_end(
    deployment: Deployment, dlq: Dlq, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in deployment.environment.items():
        monkeypatch.setenv(name, value)
    bad = message(deployment, submitted(patient_phn=NUMBER, submitted_fee="too much"))
    asyncio.run(_consumed(deployment, [bad, *nonsense(deployment, 2)], 3, redrives=0))
    place = _from_list_to_forecast(dlq, deployment)
    assert dlq("redrive", "--reason", "invalid-field", *WHY).output == "1 redriven\n"
    asyncio.run(_consumed(deployment, [], 1, redrives=1, state="open"))
    _what_is_left(dlq, place)
    rows = asyncio.run(_actions(deployment))
    assert [(row["command"], row["why"], row["outcome"], row["counts"]) for row in rows] == [
        ("dlq show --payload", None, "done", '{"messages": 1}'),
        ("dlq redrive", "tried", "done", '{"redriven": 1}'),
        ("dlq park", "tried", "done", '{"letters": 2}'),
    ]
    assert json.loads(rows[0]["arguments"])["providers"] == [place[-1]]
    assert NUMBER not in "".join(map(repr, rows))


async def _consumed(
    deployment: Deployment, messages: Sequence[Message], letters: int, **columns: Any
) -> None:
    """Publish, and run the service until there are so many letters with these values."""
    async with consuming(deployment):
        await publish(deployment, messages)
        await _until_letters(deployment, letters, **columns)


async def _actions(deployment: Deployment) -> list[Any]:
    async with connected(deployment) as observer:
        return list(await observer.fetch("SELECT * FROM operator_actions ORDER BY started_at"))


def _from_list_to_forecast(dlq: Dlq, deployment: Deployment) -> tuple[str, ...]:
    """Topic, partition and offset of the letter that is to be redriven, and its provider."""
    groups = {group["reason"]: group for group in _json(dlq, "list", "--topic", SUBMITTED)}
    assert {reason: group["letters"] for reason, group in groups.items()} == {
        "invalid-field": 1,
        "not-cloudevent": 2,
    }
    assert "submitted_fee: must be" in dlq("list").words
    [one] = _json(dlq, "list", "--each", "--reason", "invalid-field")
    assert one["topic"] == deployment.topic(SUBMITTED)
    place = (one["topic"], str(one["partition"]), str(one["offset"]))
    shown = dlq("show", *place)
    assert (one["claim_id"] in shown.output, NUMBER in shown.words) == (True, False)
    [whole] = _json(dlq, "show", *place, "--payload")
    assert json.loads(whole["value"])["patient_phn"] == NUMBER
    forecast = dlq("redrive", *place, "--dry-run")
    assert "1 would be dead again: invalid-field" in forecast.words
    assert NUMBER not in forecast.words
    return (*place, one["provider_id"])


def _what_is_left(dlq: Dlq, place: tuple[str, ...]) -> None:
    assert dlq("park", "--reason", "not-cloudevent", *WHY).words == "parked 2 letters"
    [left] = _json(dlq, "list", "--each")
    assert (left["state"], left["redrives"]) == ("open", 1)
    [parked] = {group["state"] for group in _json(dlq, "list", "--state", "parked")}
    assert parked == "parked"
    refused = dlq("redrive", "--state", "parked", *WHY)
    assert (refused.code, "Parked letters are not redriven" in refused.words) == (2, True)
    assert dlq("show", place[0], "0", "999").code == 5


def _json(dlq: Dlq, *arguments: str) -> Any:
    done = dlq(*arguments, "--json")
    assert done.code == 0, done.words
    return json.loads(done.output)


async def _until_letters(deployment: Deployment, number: int, **columns: Any) -> None:
    """Until so many letters have these values, and lie on the dead letter topic."""
    rules = " AND ".join(f"{name} = ${n}" for n, name in enumerate(columns, 1))
    count = f"SELECT count(copy_offset) FROM dead_letters WHERE {rules}"

    async def reached() -> bool:
        async with connected(deployment) as observer:
            return bool(await observer.fetchval(count, *columns.values()) == number)

    await until_async(reached, f"{number} letters with {columns}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--topic", "claim-payed"), "claim-payed is no topic that this service reads"),
        (("list", "--since", "2026-03-01T08:00:00"), "has no offset from UTC"),
        (("show", "claim-paid", "3", "last"), "A place is TOPIC PARTITION OFFSET"),
        (("redrive", "claim-paid", "3"), "A place is TOPIC PARTITION OFFSET"),
        (("redrive", "claim-paid", "3", "1", "--reason", "not-json"), "not both"),
        (("redrive", "--state", "resolved"), "Resolved letters need no redrive"),
        (("redrive",), "Say why"),
    ],
)
def test_what_is_asked_wrongly_is_told_before_anything_is_touched(
    arguments: tuple[str, ...], said: str, dlq: Dlq, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in NOTHING_ANSWERS.items():
        monkeypatch.setenv(name, value)
    refused = dlq(*arguments)
    assert (refused.code, said in refused.words) == (2, True), refused.words

"""The vault's backup of the keys is older than the rest, or there is none.

What is had back by which commands stands in docs/deployment.md.
"""

import io
import json
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import pyzipper

from service.reports.files.keys import new_master_key
from service.reports.files.passwords import new_private_key, with_new_key
from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.operations import refused
from tests.harness.process import ServiceProcess, command
from tests.harness.reports import (
    RUN_REPORTS,
    ZIP,
    all_told,
    downloaded,
    request,
    sealed,
    states_told,
)
from tests.reliability.drill import (
    PROVIDER,
    doctors_words,
    fetch_in_vain,
    has_status,
    make_report,
    status_over_http,
    stop,
    words_of,
)

WHY = ("--why", "the drill")
KEYS = "CLAIM_ANALYTICS_REPORT_MASTER_KEYS"
PASSWORD = "correct horse battery"


async def test_a_master_key_that_is_missing_is_named_and_putting_it_back_heals(
    reports: Deployment, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Older than the last change of keys; then all keys are lost."""
    ready, newer, other, anew = (uuid4() for _ in range(4))
    old, new, last = (
        reports.values["report_master_keys"],
        *(new_master_key(date(2026, month, 1)) for month in (1, 2)),
    )
    new_id = new.split(":")[0]
    both = reports.having(report_master_keys=f"{new},{old}")
    await make_report(reports, ready)
    await make_report(both, newer)
    was = await downloaded(both, PROVIDER, newer)

    said = words_of(await fetch_in_vain(reports, newer, tmp_path))
    assert f"the master key {new_id}" in said
    assert "add it to REPORT_MASTER_KEYS again" in said
    said = words_of(await refused(reports, 1, "doctor"))
    assert f"1 report files open with the master key {new_id}, and {KEYS} lacks it" in said
    assert await status_over_http(reports, newer, tmp_path) == 500
    assert f"the master key {new_id}" in caplog.text
    assert await downloaded(reports, PROVIDER, ready) == was
    await make_report(reports, other)  # the service goes on with the keys that it has
    assert f"the master key {new_id}" in words_of(await refused(reports, 1, "keys", "rotate"))
    healed = reports.having(report_master_keys=f"{old},{new}")
    for each in (ready, newer, other):
        assert await downloaded(healed, PROVIDER, each) == was
    assert "lacks it" not in words_of(await doctors_words(healed))

    lost = reports.having(report_master_keys=last)
    await fetch_in_vain(lost, ready, tmp_path)
    assert "and this is neither" in await refused(lost, 1, "report", "retry", str(ready))
    await make_report(lost, anew)
    assert await downloaded(lost, PROVIDER, anew) == was
    (folder / "reports").rename(folder / "unreadable")
    await command(lost, "report", "retry", str(ready), *WHY)
    with ServiceProcess(lost, *RUN_REPORTS) as process:
        await has_status(lost, ready, "ready")
        await stop(process)
    assert await downloaded(lost, PROVIDER, ready) == was


async def test_an_archive_whose_password_key_is_missing_is_made_once_it_is_back(
    reports: Deployment,
) -> None:
    """And a file that is made needs no such key, though all are lost."""
    made, given_up, anew = uuid4(), uuid4(), uuid4()
    older = str(reports.values["report_password_keys"])
    whole = reports.having(report_password_keys=with_new_key(older, new_private_key()))
    token = sealed(PASSWORD, json.loads(await command(whole, "keys", "public")))
    await _make_archive(whole, made, token, "ready")
    content = await downloaded(whole, PROVIDER, made)

    said = await _make_archive(reports, given_up, token, "failed")
    assert "password-refused" in said
    assert PASSWORD not in said
    assert "cannot be opened" in await command(reports, "report", "show", str(given_up))
    assert await downloaded(reports, PROVIDER, made) == content
    await command(reports, "report", "retry", str(given_up), *WHY)
    with ServiceProcess(whole, *RUN_REPORTS) as process:
        await all_told(whole, 2)
        await stop(process)

    lost = reports.having(report_password_keys=new_private_key())
    token = sealed(PASSWORD, json.loads(await command(lost, "keys", "public")))
    await _make_archive(lost, anew, token, "ready")
    for each in (made, given_up, anew):
        with pyzipper.AESZipFile(io.BytesIO(await downloaded(lost, PROVIDER, each))) as archive:
            assert archive.read("claims.csv", pwd=PASSWORD.encode())
    assert await states_told(lost, given_up) == ["failed", "ready"]


async def _make_archive(deployment: Deployment, report_id: UUID, token: str, status: str) -> str:
    """Asked for with this password, until its status is this; all that the instance wrote."""
    with ServiceProcess(deployment, *RUN_REPORTS) as process:
        asked = request(deployment, report_id, PROVIDER, **ZIP, archive_password=token)
        await publish(deployment, [asked])
        await has_status(deployment, report_id, status)
        await stop(process)
        return process.output()

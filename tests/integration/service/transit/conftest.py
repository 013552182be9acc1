"""A broker that asks who comes, and a look at what is said of secrets."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.conftest import OWN, or_fail
from tests.harness.deployment import Deployment, deploy
from tests.harness.secure_kafka import PASSWORD, SECRET, USER, SecureKafka, own_secure_kafka, permit
from tests.harness.waiting import until


@pytest.fixture(scope="package")
def secure() -> Iterator[SecureKafka]:
    with or_fail(own_secure_kafka(), OWN) as broker:
        yield broker


@pytest.fixture(autouse=True)
async def _all_is_closed_when_the_loop_is() -> AsyncIterator[None]:
    """A connection with TLS that is closed says goodbye first, which takes turns of the loop."""
    yield
    selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]  # no public name
    await until(lambda: len(selector.get_map()) == 1, "the end of all connections")


@pytest.fixture(autouse=True)
def _no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test of this folder makes go wrong."""
    for name in ("consumers", "repositories", "service"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield
    assert SECRET not in "\n".join(str(vars(record)) for record in caplog.records)


@pytest.fixture
async def guarded(secure: SecureKafka, postgres: str) -> Deployment:
    """A deployment that logs in as a user that may do nothing there yet."""
    deployment = await deploy(secure.bootstrap_servers, postgres)
    # Who may write nowhere is refused before any topic is named.
    await permit(secure, USER, "Write", "topic", ["elsewhere"])
    return deployment.having(
        kafka_bootstrap_servers=secure.server("SASL"),
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_mechanism="SCRAM-SHA-256",
        kafka_sasl_username=USER,
        kafka_sasl_password=PASSWORD,
    )


def as_anybody(deployment: Deployment, secure: SecureKafka) -> Deployment:
    """By the listener that asks nobody who they are and lets them do everything."""
    return deployment.having(
        kafka_bootstrap_servers=secure.bootstrap_servers, kafka_security_protocol="PLAINTEXT"
    )

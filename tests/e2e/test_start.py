"""Starting without what the service needs: it says what is missing and what to do."""

from tests.harness.deployment import Deployment, plan_deployment
from tests.harness.process import DRAIN, RUN, ServiceProcess

NOBODY = "127.0.0.1:1"  # no broker listens on this port


async def test_without_topics_it_ends_and_names_the_command_that_creates_them(
    kafka: str, postgres: str
) -> None:
    deployment = plan_deployment(kafka, postgres)
    await deployment.migrate()
    with ServiceProcess(deployment, *RUN) as process:
        assert await process.ended() == 4
        assert "run `claim-analytics topics`" in process.output()


async def test_without_tables_it_ends_and_names_the_command_that_makes_them(
    kafka: str, postgres: str
) -> None:
    deployment = plan_deployment(kafka, postgres)
    await deployment.create_topics()
    with ServiceProcess(deployment, *RUN) as process:
        assert await process.ended() == 1
        assert "run `claim-analytics migrate`" in process.output()
        assert "Traceback" not in process.output()


async def test_a_session_that_the_broker_does_not_allow_ends_it(deployment: Deployment) -> None:
    deployment = deployment.having(group_session_seconds=0.5)
    with ServiceProcess(deployment, *RUN) as process:
        assert await process.ended() == 4
        assert "InvalidSessionTimeoutError" in process.output()
        assert "Traceback" not in process.output()


async def test_it_waits_for_kafka_and_can_be_stopped_meanwhile(postgres: str) -> None:
    deployment = plan_deployment(NOBODY, postgres)
    await deployment.migrate()
    with ServiceProcess(deployment, *RUN) as process:
        await process.logged("failed while connecting to Kafka", times=2)
        process.terminate()
        assert await process.ended() == 0


async def test_a_drain_without_kafka_ends_with_its_own_code(postgres: str) -> None:
    with ServiceProcess(plan_deployment(NOBODY, postgres), *DRAIN) as process:
        assert await process.ended() == 3
        assert "CLAIM_ANALYTICS_KAFKA_BOOTSTRAP_SERVERS" in process.output()

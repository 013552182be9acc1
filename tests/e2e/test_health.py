"""Probes of real processes: the port, `--only http`, an instance that stands by, a stop."""

from contextlib import ExitStack

from service.http.address import DEFAULT_ADDRESS, listen
from service.http.errors import AddressNotFree
from tests.e2e.raw_batches import produce, with_undecodable_header
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.http import answers, free_address, probe
from tests.harness.messages import simulated
from tests.harness.process import RUN, ServiceProcess
from tests.harness.waiting import until_async


async def test_only_http_serves_and_consumes_nothing(deployment: Deployment) -> None:
    address = free_address()
    deployment = deployment.having(http_address=address)
    with ServiceProcess(deployment, "run", "--only", "http") as process:
        await answers(address, "ready", 200)
        assert (await probe(address, "live")).code == 200
        status = (await probe(address, "status")).said
        assert (status["parts"], status["subscriptions"]) == (["http"], {})
        assert process.log("partitions assigned") == []
        with ServiceProcess(deployment, "run", "--only", "http") as second:
            assert await second.ended() == 2
            assert f"{address} cannot be listened on" in second.output()
        process.terminate()
        assert await process.ended() == 0
        assert process.strays() == []


async def test_without_an_address_of_its_own_a_taken_port_is_a_warning(
    deployment: Deployment,
) -> None:
    try:
        taken = listen(DEFAULT_ADDRESS)
    except AddressNotFree:  # by somebody else on this machine, which does as well
        taken = None
    with ServiceProcess(deployment, *RUN) as process:
        [warning] = await process.logged("nothing is served over HTTP")
        assert warning["level"] == "warning"
        await process.logged("partitions assigned")
        process.terminate()
        assert await process.ended() == 0
    if taken:
        taken.close()


async def test_an_instance_is_ready_without_a_partition_and_without_a_topic(
    deployment: Deployment,
) -> None:
    """As the seventh instance of six partitions is."""
    one = deployment.having(claim_lanes=1, topic_claim_paid=f"{deployment.topic(PAID)}-not-there")
    addresses = [free_address() for _ in range(4)]
    with ExitStack() as fleet:
        for address in addresses:
            fleet.enter_context(ServiceProcess(one.having(http_address=address), *RUN))

        async def spread() -> list[dict[str, object]]:
            found = [(await probe(address, "status")).said for address in addresses]
            claims = [one["subscriptions"]["claims"] for one in found if one]
            held = sorted(len({at.rpartition("-")[2] for at in c["partitions"]}) for c in claims)
            return claims if held == [0, 1, 1, 1] else []

        for address in addresses:
            await answers(address, "ready", 200)
        claims = await until_async(spread, "three partitions in four hands")
        for address in addresses:
            assert (await probe(address, "ready")).code == 200
            assert (await probe(address, "live")).code == 200
        assert all(each["missing_topics"] == [one.topic(PAID)] for each in claims)


async def test_a_partition_that_stopped_fails_no_probe_and_stands_in_the_status(
    deployment: Deployment,
) -> None:
    address, topic = free_address(), deployment.topic(SUBMITTED)
    first = simulated(deployment, 20).of(topic).messages[0]
    await produce(deployment, 0, [with_undecodable_header(first)])
    with ServiceProcess(deployment.having(http_address=address), *RUN) as process:
        await process.logged(f"{topic}-0 stopped at offset 0")
        await answers(address, "ready", 200)
        assert (await probe(address, "live")).code == 200
        claims = (await probe(address, "status")).said["subscriptions"]["claims"]
        [(name, stop)] = claims["stopped"].items()
        assert (name, stop["offset"], stop["cause"]) == (f"{topic}-0", 0, "undecodable")
        process.terminate()
        assert await process.ended() == 4

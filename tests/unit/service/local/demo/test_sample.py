"""Rates from a running total."""

from service.local.demo.sample import Throughput


def test_one_total_gives_no_rate() -> None:
    throughput = Throughput()
    throughput.note(0.0, 100)
    assert throughput.per_second() == 0.0
    assert throughput.recent() == []


def test_the_rate_is_over_the_latest_notes() -> None:
    throughput = Throughput(smoothed=2)
    for at, total in ((0.0, 0), (1.0, 1_000), (2.0, 1_020), (3.0, 1_040)):
        throughput.note(at, total)
    assert throughput.per_second() == 20.0
    assert throughput.recent() == [1_000.0, 20.0, 20.0]


def test_only_so_many_rates_are_remembered() -> None:
    throughput = Throughput(remembered=3)
    for at in range(10):
        throughput.note(float(at), at * at)
    assert throughput.recent() == [13.0, 15.0, 17.0]


def test_two_notes_at_once_give_no_rate() -> None:
    throughput = Throughput()
    throughput.note(1.0, 5)
    throughput.note(1.0, 9)
    assert throughput.per_second() == 0.0

"""What the first page says of the state of things."""

from datetime import UTC, date, datetime, timedelta

from consumers.kafka.groups import GroupState, Member
from consumers.topics.claims import CLAIMS
from consumers.topics.suggestions import AI_SUGGESTIONS
from repositories.offset_samples import OffsetSample, TakenSample
from repositories.operations.job_runs import RecordedRun
from repositories.operations.orders import Pause
from service.http.console import glance
from service.http.console.fleet import Seen, samples_of
from service.operations.doctor.findings import Level
from service.operations.standing import GroupStanding, Standing
from service.settings import Settings

SETTINGS = Settings()
NOW = datetime.now(UTC)
MEMBER = Member("claim-analytics/one:1/0", "10.0.0.1")
GROUP = SETTINGS.group(CLAIMS.name)


def standing(
    partition: int, end: int, stored: int, *, seconds: float = 0, pause: Pause | None = None
) -> Standing:
    return Standing(
        GROUP, "claim-paid", partition, 0, end, stored, stored, seconds, MEMBER, None, pause
    )


def seen(*partitions: Standing, members: int = 1, group: str = GROUP) -> Seen:
    state = GroupState("Stable", [MEMBER] * members, {})
    return Seen([GroupStanding(group, state, partitions, [])], NOW)


def five_minutes_ago(*ends: int) -> dict[str, TakenSample]:
    return {"claim-paid": TakenSample(NOW, OffsetSample("claim-paid", [0, 0], ends, None))}


def said(of: Seen, earlier: dict[str, TakenSample]) -> list[tuple[Level, str]]:
    return [(found.level, found.said) for found in glance.of_kafka(SETTINGS, of, earlier)]


def test_lag_is_added_and_time_is_of_the_furthest() -> None:
    both = [standing(0, 10, 4, seconds=2), standing(1, 10, 9, seconds=90)]
    assert glance.behind(both) == glance.Behind(7, 90)


def test_what_waits_for_five_minutes_needs_a_person() -> None:
    [(level, text)] = said(seen(standing(0, 100, 50), standing(1, 9, 9)), five_minutes_ago(70, 9))
    assert level is Level.WRONG
    assert text.startswith("20 messages wait for longer than five minutes, in claim-paid 0.")


def test_a_backlog_that_is_new_needs_nobody() -> None:
    assert said(seen(standing(0, 100, 50)), five_minutes_ago(50, 0)) == []
    assert said(seen(standing(0, 100, 50)), {}) == []


def test_what_is_paused_is_not_late() -> None:
    pause = Pause("claim-paid", NOW, "ann", "because")
    assert said(seen(standing(0, 100, 50, pause=pause)), five_minutes_ago(70, 0)) == []


def test_messages_that_nobody_reads_need_a_person() -> None:
    [(level, text)] = said(seen(standing(0, 100, 50), members=0), {})
    assert (level, "50 messages wait" in text) == (Level.WRONG, True)
    [(level, _)] = said(seen(standing(0, 50, 50), members=0), {})
    assert level is Level.LOOK


def test_an_optional_topic_that_nobody_reads_and_that_is_empty_needs_nobody() -> None:
    coach = SETTINGS.group(AI_SUGGESTIONS.name)
    assert said(seen(standing(0, 50, 50), members=0, group=coach), {}) == []


def run(night: date, *, ended: bool = True, held: bool = False, repaired: int = 0) -> RecordedRun:
    return RecordedRun(night, NOW, NOW if ended else None, held, {"repaired_rows": repaired})


def test_a_night_that_was_missed_needs_a_person() -> None:
    settings = Settings(nightly_at="00:00", nightly_zone="UTC")
    today, long_ago = NOW.date(), NOW.date() - timedelta(days=3)
    late = Settings(nightly_at=f"{NOW - timedelta(hours=3):%H:%M}", nightly_zone="UTC")
    assert [one.level for one in glance.of_nights(late, [run(long_ago)])] == [Level.WRONG]
    assert [*glance.of_nights(settings, [run(today)])] == []
    assert [*glance.of_nights(late, [run(long_ago, ended=False, held=True)])] == []
    assert [*glance.of_nights(Settings(nightly_at="off"), [run(long_ago)])] == []


def test_repaired_rows_are_to_be_looked_at() -> None:
    settings = Settings(nightly_at="off")
    [found] = glance.of_nights(settings, [run(NOW.date(), repaired=3)])
    assert (found.level, "repaired 3 rows" in found.said) == (Level.LOOK, True)


def test_a_sample_has_a_value_for_each_partition() -> None:
    both = [standing(0, 10, 4, seconds=2), standing(1, 10, 9, seconds=90)]
    assert samples_of(seen(*both)) == [OffsetSample("claim-paid", [4, 9], [10, 10], 90)]

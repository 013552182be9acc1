"""What one test's service works on: topics, groups and a database that no other test has."""

import asyncio
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import uuid4

from consumers.topics.claims import CLAIMS
from consumers.topics.suggestions import AI_SUGGESTIONS
from service.kafka import kafka_admin
from service.settings import PREFIX, Settings
from service.settings.topics import setting_of
from service.topics import create_missing_topics
from service.wiring import kafka_connection
from tests import servers

SUBMITTED, PAID = "claim-submitted", "claim-paid"
OTHERS = tuple(name for name in CLAIMS.decoders if name not in {SUBMITTED, PAID})
SESSION_SECONDS = 6
# Small batches: a process that is killed at random dies in the middle of things.
SMALL = {
    "batch_max_events": 100,
    "top_codes_seconds": 0.5,
    "retry_longest_pause_seconds": 0.5,
    "log_format": "json",
    "log_level": "debug",  # a line for each batch
    "nightly_at": "off",  # else a run of the tests at that hour would move the horizon
}


@dataclass(frozen=True)
class Deployment:
    """Settings by their names in `Settings`; `environment` is what a process of it is given."""

    values: dict[str, str]

    @cached_property
    def settings(self) -> Settings:
        return Settings.model_validate(self.values)

    @property
    def environment(self) -> dict[str, str]:
        return {PREFIX + name.upper(): value for name, value in self.values.items()}

    @property
    def bootstrap_servers(self) -> str:
        return self.values["kafka_bootstrap_servers"]

    @property
    def database_url(self) -> str:
        return self.values["database_url"]

    @property
    def topics(self) -> list[str]:
        """All claim topics, those of submitted and of paid claims first."""
        return [self.topic(name) for name in (SUBMITTED, PAID, *OTHERS)]

    def topic(self, name: str) -> str:
        return self.settings.topic(name)

    @property
    def group(self) -> str:
        """The consumer group of claims."""
        return self.settings.group(CLAIMS.name)

    def having(self, **settings: object) -> "Deployment":
        """The same with other settings."""
        return replace(self, values=self.values | {n: str(v) for n, v in settings.items()})

    async def create_topics(self, *, even: bool = False) -> None:
        """All claim topics, `even`: with as many partitions each, as they should have. Else those
        of few events get one: a broker bears the topics of all tests of a run."""
        small = self.settings if even else self.having(topic_partitions=1).settings
        async with kafka_admin(kafka_connection(self.settings)) as admin:
            await create_missing_topics(admin, self.settings, [SUBMITTED, PAID])
            await create_missing_topics(admin, small, OTHERS)

    async def create_coach_topic(self) -> None:
        """The AI coach's, which few tests need: the service runs without it."""
        await self.create_topic(AI_SUGGESTIONS.name)

    async def create_topic(self, name: str) -> None:
        """The topic of this default name, and its dead letter topic."""
        async with kafka_admin(kafka_connection(self.settings)) as admin:
            await create_missing_topics(admin, self.settings, [name])

    async def migrate(self) -> None:
        await asyncio.to_thread(servers.migrate, self.database_url)


def plan_deployment(bootstrap_servers: str, database_url: str) -> Deployment:
    """Names of its own on these servers; nothing is created yet."""
    own = uuid4().hex[:12]
    return Deployment({}).having(
        kafka_bootstrap_servers=bootstrap_servers,
        database_url=database_url,
        **{setting_of(name): f"{name.removeprefix('claim-')}-{own}" for name in CLAIMS.decoders},
        topic_ai_suggestion=f"suggestions-{own}",
        topic_cache_refresh_request=f"refreshes-{own}",
        topic_partitions=3,
        group_prefix=f"group-{own}",
        group_session_seconds=SESSION_SECONDS,
        **SMALL,
    )


async def deploy(bootstrap_servers: str, database_url: str, *, even: bool = False) -> Deployment:
    """A deployment with its topics and its schema."""
    deployment = plan_deployment(bootstrap_servers, database_url)
    await deployment.create_topics(even=even)
    await deployment.migrate()
    return deployment

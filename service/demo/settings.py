"""The demo's settings: those of its own servers, and nothing of what the user has set up."""

from datetime import UTC, datetime

from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from service.reports.files.keys import new_master_key
from service.reports.files.passwords import new_private_key
from service.settings import Settings
from service.stack import Stack


class DemoSettings(Settings):
    """Takes values from arguments alone: no environment, no `.env` file."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def demo_settings(stack: Stack) -> Settings:
    """With fresh keys, and a place for report files that goes with the stack."""
    return DemoSettings(
        database_url=SecretStr(stack.postgres.url),
        kafka_bootstrap_servers=stack.kafka.bootstrap_servers,
        report_storage_url=str(stack.folder / "report-files"),
        report_master_keys=SecretStr(new_master_key(datetime.now(UTC).date())),
        report_password_keys=SecretStr(new_private_key()),
        # Nobody takes over from the one consumer, and a busy laptop may keep it from its
        # heartbeats: a group that gave it up would read again and count duplicates of its own.
        group_session_seconds=45.0,
        shutdown_seconds=3.0,
    )

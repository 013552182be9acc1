"""The demo's settings for another shell, so that the commands work on the demo's servers."""

import os
import shlex
import sys
from pathlib import Path

from service.settings import PREFIX, Settings
from service.simulator import SimulatedProvider

NAME = "environment.sh"


def write_environment(folder: Path, settings: Settings, physician: SimulatedProvider) -> Path:
    """A script to be sourced, for this user alone: it holds the demo's throw-away keys."""
    file = folder / NAME
    text = "\n".join([*_usage(file), *_exports(settings, physician), ""])
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
    with os.fdopen(handle, "w") as opened:
        opened.write(text)
    return file


def _usage(file: Path) -> list[str]:
    return [
        f"#   . {shlex.quote(str(file))}",
        "#   claim-analytics report list",
        '#   claim-analytics report fetch REPORT_ID --provider "$PHYSICIAN" --out report.pdf',
    ]


def _exports(settings: Settings, physician: SimulatedProvider) -> list[str]:
    masters, passwords = settings.report_master_keys, settings.report_password_keys
    values = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "REPORT_STORAGE_URL": settings.report_storage_url,
        "REPORT_MASTER_KEYS": masters.get_secret_value() if masters else "",
        "REPORT_PASSWORD_KEYS": passwords.get_secret_value() if passwords else "",
    }
    return [
        *(f"export {PREFIX}{name}={shlex.quote(value)}" for name, value in values.items()),
        f"export PHYSICIAN={physician.provider_id}",
        f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"',
    ]

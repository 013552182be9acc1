"""The demo's settings for another shell."""

import stat
import subprocess
from pathlib import Path

from pydantic import SecretStr

from service.demo.environment import write_environment
from service.settings import Settings
from service.simulator.providers import make_providers

PHYSICIAN = make_providers(1, 1)[0]
PASSWORD_KEYS = '{"kty": "EC", "d": "it\'s"}'


def settings(folder: Path) -> Settings:
    return Settings.model_construct(
        database_url=SecretStr("postgresql://u:p@127.0.0.1:1/d"),
        kafka_bootstrap_servers="127.0.0.1:2",
        report_storage_url=str(folder / "report files"),
        report_master_keys=SecretStr("id:key="),
        report_password_keys=SecretStr(PASSWORD_KEYS),
    )


def test_it_is_for_this_user_alone(tmp_path: Path) -> None:
    file = write_environment(tmp_path, settings(tmp_path), PHYSICIAN)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_shell_that_reads_it_has_the_settings_as_they_are(tmp_path: Path) -> None:
    file = write_environment(tmp_path, settings(tmp_path), PHYSICIAN)
    names = ("STORAGE_URL", "MASTER_KEYS", "PASSWORD_KEYS")
    shown = " ".join(f'"$CLAIM_ANALYTICS_REPORT_{name}"' for name in names)
    script = f'. {file} && printf "%s\\n" {shown} "$PHYSICIAN"'
    lines = subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, check=True, text=True
    ).stdout.splitlines()
    assert lines == [
        *(str(tmp_path / "report files"), "id:key=", PASSWORD_KEYS, PHYSICIAN.provider_id)
    ]

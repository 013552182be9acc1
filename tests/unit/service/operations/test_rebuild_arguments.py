"""What `rebuild` and `refresh` refuse before they look at anything."""

import pytest
from typer.testing import CliRunner

from service.cli.app import build_app

PROVIDER = ("--provider", "0d0f5f7c-6d8e-4b8e-8a53-0c5f3b1f7a11")
WHY = ("--why", "a test")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("rebuild",), "Say --why it is done"),
        (("rebuild", "--why", " "), "Say --why it is done"),
        (("rebuild", "--resume", "--dry-run"), "give it no --provider"),
        (("rebuild", "--resume", *PROVIDER, *WHY), "give it no --provider"),
        (("rebuild", "--from-month", "2024-13", *WHY), "is no month: write it as 2026-03"),
        (("rebuild", "--from-month", "March", "--dry-run"), "is no month"),
        (("rebuild", "--provider", "me", *WHY), "Invalid value for '--provider'"),
        (("rebuild", "--dry-run", "--limit", "0"), "Invalid value for '--limit'"),
        (("refresh",), "Missing option '--why'"),
        (("refresh", "--why", ""), "Say --why it is done"),
    ],
)
def test_odd_arguments_are_refused_with_a_sentence(
    arguments: tuple[str, ...], sentence: str
) -> None:
    refused = CliRunner().invoke(build_app(arguments), arguments)
    assert refused.exit_code == 2
    assert sentence in refused.output

"""What `offsets` refuses before it asks any server."""

from pathlib import Path

import pytest

from tests.integration.service.command_line import NOTHING_ANSWERS, claim_analytics

WHY = ("--why", "a test")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("skip", "clam-paid", "0", "--to", "next", *WHY), "did you mean claim-paid?"),
        (("skip", "claim-paid", "0", "--to", "-1", *WHY), "--to is an offset, a number, or `next`"),
        (("skip", "claim-paid", "0", "--to", "5"), "--why"),
        (("pause", "--topic", "report-status", *WHY), "reads nothing of"),
    ],
)
def test_garbage_is_wrong_usage(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    refused = claim_analytics(tmp_path, "offsets", *arguments, environment=NOTHING_ANSWERS)
    assert refused.code == 2
    assert said in refused.words
    assert not refused.output

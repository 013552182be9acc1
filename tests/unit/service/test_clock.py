"""When an instance says that its clock is not the database's."""

import logging

import pytest

from service.checks.clock import _tell


def test_it_says_so_at_once_then_rarely_and_when_they_agree_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    looks = 0
    for ahead in [29.0, -30.0, *[-31.0] * 11, 5.0, 5.0, 31.0]:
        looks = _tell(ahead, looks)
    said = [record.message.split(":")[0] for record in caplog.records]
    assert said == [
        "this instance's clock is 31 seconds behind the database's",
        "this instance's clock is 31 seconds behind the database's",
        "this instance's clock agrees with the database's again",
        "this instance's clock is 31 seconds ahead of the database's",
    ]

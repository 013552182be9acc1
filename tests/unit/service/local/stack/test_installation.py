"""Which PostgreSQL is there, and what is said when it is not."""

from collections.abc import Iterator

import pytest

from service.local.stack import StackError
from service.local.stack.postgres import find_installation, is_installed
from service.local.stack.workspace import Workspace


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace() as workspace:
        yield workspace


def test_the_wheel_has_the_programs(workspace: Workspace) -> None:
    home = find_installation(18, workspace)
    assert (home / "bin" / "postgres").exists()
    assert is_installed(18)


@pytest.mark.parametrize(
    ("version", "remedy"), [(18, r"claim-analytics\[stack\]"), (16, "install pgserver")]
)
def test_a_missing_wheel_is_named_with_the_remedy(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, version: int, remedy: str
) -> None:
    monkeypatch.setattr("service.local.stack.postgres.find_spec", lambda _: None)
    assert not is_installed(version)
    with pytest.raises(StackError, match=rf"PostgreSQL {version} is not installed.*{remedy}"):
        find_installation(version, workspace)

"""The protocol, explored state by state; and the same with one thing wrong, which must be found."""

import pytest

from tests.reliability.model.exploring import explore
from tests.reliability.model.protocol import Bug
from tests.reliability.model.scenarios import SHORT, WHERE


@pytest.mark.parametrize("scenario", SHORT)
def test_nothing_is_lost_or_counted_twice_in_any_state(scenario: str) -> None:
    explored = explore(SHORT[scenario])
    assert explored.problem is None, "\n".join([*explored.trace, explored.problem])
    assert explored.states > 1_000


@pytest.mark.parametrize("bug", Bug)
def test_a_seeded_bug_is_found(bug: Bug) -> None:
    explored = explore(WHERE[bug])
    assert explored.problem, f"not found in {explored.states} states"
    assert explored.trace

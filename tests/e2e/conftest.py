"""Fixtures of the tests in this package."""

from tests.harness.fixtures import deployment
from tests.harness.losing import remaining

__all__ = ["deployment", "remaining"]

"""Fixtures of the tests in this package."""

from tests.harness.fixtures import deployment

__all__ = ["deployment"]

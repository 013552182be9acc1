"""A real Kafka broker and a real PostgreSQL without Docker, for trying things out and for tests."""

from service.stack.errors import StackError
from service.stack.stack import Stack

__all__ = ["Stack", "StackError"]

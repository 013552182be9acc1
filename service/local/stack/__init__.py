"""A real Kafka broker and a real PostgreSQL without Docker, for trying things out and for tests."""

from service.local.stack.stack import Stack
from service.local.stack.workspace import StackError

__all__ = ["Stack", "StackError"]

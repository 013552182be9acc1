"""Keeping the service's logs off the screen."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.logs import TextFormatter


@contextmanager
def logged_to(file: Path, *, warnings_too: bool) -> Iterator[None]:
    """Logs go to the file; the service's own warnings to standard error too if `warnings_too`."""
    handlers: list[logging.Handler] = [logging.FileHandler(file)]
    if warnings_too:
        handlers.append(logging.StreamHandler(sys.stderr))
        handlers[-1].setLevel(logging.WARNING)
        handlers[-1].addFilter(_is_ours)
    for handler in handlers:
        handler.setFormatter(TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    # As in `service.logs`: it repeats what the service says itself, and quotes messages at DEBUG.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for handler in handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()


def _is_ours(record: logging.LogRecord) -> bool:
    """Libraries also log what is of no account, such as a query that Ctrl-C cut short."""
    return record.name.split(".")[0] in {"service", "consumers", "repositories"}

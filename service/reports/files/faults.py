"""The store's errors as the service's."""

from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError

from service.reports.files.errors import FileMissing, StoreUnavailable


@contextmanager
def store_faults(key: str) -> Iterator[None]:
    """Raises FileMissing and StoreUnavailable, without the store's texts: those name hosts."""
    try:
        yield
    except FileNotFoundError:
        raise FileMissing(f"{key} is not in the report store") from None
    except (BaseError, OSError) as error:
        raise StoreUnavailable(
            f"the report store failed for {key} ({type(error).__name__}); "
            "check REPORT_STORAGE_URL, its credentials and the room that is left"
        ) from error

"""What an operator asked for and cannot have."""

from collections.abc import Collection
from uuid import UUID


class UnknownProviders(Exception):
    """There are none of these ids."""

    def __init__(self, provider_ids: Collection[UUID]) -> None:
        listed = ", ".join(map(str, sorted(provider_ids)))
        super().__init__(f"No such provider is known: {listed}. Nothing was changed.")


class CannotBegin(Exception):
    """It makes no sense here, or now; nothing was changed."""


class NothingToRead(Exception):
    """The topics are not there."""


class TooManyMisread(Exception):
    """More records are other events than can be held at once."""

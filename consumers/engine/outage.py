"""Trouble that lasts: told at once, told louder when it does not end, and told when it is over."""

import logging
import time
from collections.abc import Mapping
from weakref import ReferenceType, ref

log = logging.getLogger(__name__)

_lasting: set[ReferenceType["Outage"]] = set()  # those that are told and not over

LONG_SECONDS = 60.0  # after this a passing fault is one that a person should look at


class Outage:
    """One thing that the process does again and again because it does not succeed.

    For a minute each failure is a warning. After that an error line once a minute says how long it
    has lasted and what to do; what fails in between is not told. `doing` is what is being done.
    """

    def __init__(self, doing: str) -> None:
        self.doing = doing
        self._since: float | None = None
        self._next_error = 0.0

    def tell(
        self,
        what: str,
        remedy: str,
        *,
        seconds: float = 0.0,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Log `what`, which has lasted for so many seconds already when it is told first."""
        now = time.monotonic()
        if self._since is None:
            self._since = now - seconds
            # It goes too with whoever is cancelled amid it, and says nothing.
            _lasting.add(ref(self, _lasting.discard))
            self._next_error = self._since + LONG_SECONDS
        lasted = now - self._since
        if now >= self._next_error:
            self._next_error = now + LONG_SECONDS
            log.error("%s. This has lasted for %.0f s: %s", what, lasted, remedy, extra=extra)
        elif lasted < LONG_SECONDS:
            log.warning("%s", what, extra=extra)

    def over(self) -> None:
        """It succeeded. Says so if anything else had been said."""
        if self._since is not None:
            log.info("recovered after %.1f s: %s", time.monotonic() - self._since, self.doing)
            self._since = None
            _lasting.discard(ref(self))

    @property
    def seconds(self) -> float:
        """For how long it has lasted; 0 where nothing fails."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since


def lasting() -> dict[str, float]:
    """What fails right now, as `doing` names it, and for how many seconds. From any thread."""
    found: dict[str, float] = {}
    for one in [each() for each in list(_lasting)]:
        if one and one.seconds:
            found[one.doing] = max(one.seconds, found.get(one.doing, 0.0))
    return found

"""Trouble that lasts: told at once, told louder when it does not end, and told when it is over."""

import logging
import threading
import time
from collections.abc import Mapping
from weakref import WeakSet

log = logging.getLogger(__name__)

LONG_SECONDS = 60.0  # after this a passing fault is one that a person should look at

# Those that are told and not over. Whoever is cancelled amid one says nothing: it goes with him.
_lasting: "WeakSet[Outage]" = WeakSet()
_lock = threading.Lock()  # whoever serves HTTP asks from another thread


def lasting() -> list["Outage"]:
    """What this process fails to do at the moment and tries again. From any thread."""
    with _lock:
        return list(_lasting)


class Outage:
    """One thing that the process does again and again because it does not succeed.

    For a minute each failure is a warning. After that an error line once a minute says how long it
    has lasted and what to do; what fails in between is not told. `doing` is what is being done,
    `what` the last failure in the words of the log; `kept_out`: over a password, a certificate or
    the like, which one side refuses.
    """

    def __init__(self, doing: str) -> None:
        self.doing = doing
        self.what = ""
        self.kept_out = False
        self._since: float | None = None
        self._next_error = 0.0

    @property
    def seconds(self) -> float:
        """For how long it has lasted; 0 where nothing fails."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def tell(
        self,
        what: str,
        remedy: str,
        *,
        seconds: float = 0.0,
        kept_out: bool = False,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Log `what`, which has lasted for so many seconds already when it is told first."""
        now = time.monotonic()
        self.what, self.kept_out = what, kept_out
        if self._since is None:
            self._since = now - seconds
            with _lock:
                _lasting.add(self)
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
            with _lock:
                _lasting.discard(self)

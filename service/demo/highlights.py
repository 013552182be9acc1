"""Which texts have just changed."""

from collections.abc import Mapping

from service.demo.grid import Cell

SECONDS = 1.5


class Highlights:
    """Compares each round of texts with the one before it; the first changes nothing."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._texts: Mapping[Cell, str] = {}
        self._changed: dict[Cell, float] = {}

    def note(self, texts: Mapping[Cell, str], at: float) -> frozenset[Cell]:
        """The cells that have changed within the last seconds; `at` is the time, from any zero."""
        if self._texts:
            self._changed |= {c: at for c, text in texts.items() if self._texts.get(c) != text}
        self._texts = dict(texts)
        self._changed = {c: t for c, t in self._changed.items() if at - t < self._seconds}
        return frozenset(self._changed)

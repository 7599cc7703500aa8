"""Front pages kept in memory until anything changes: most readers ask for the same few."""

from __future__ import annotations

import threading
from collections import OrderedDict

from ..model import dates
from ..store import Store

# A front page has about 25 KB.
_MOST = 128


class KeptPages:
    """The newest pages of one workspace; one that is older than the last change is forgotten."""

    def __init__(self, store: Store):
        self._store = store
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, tuple[tuple[int, str], bytes]] = OrderedDict()

    def state(self, also: str = "") -> tuple[int, str]:
        """What pages depend on: the last change of the store, the day (for trending), and ``also``."""
        return self._store.last_change(), f"{dates.today()} {also}"

    def get(self, address: str, state: tuple[int, str]) -> bytes | None:
        """The page of ``address`` as it is in ``state``, if it is kept."""
        with self._lock:
            known = self._pages.get(address)
            if known is None or known[0] != state:
                return None
            self._pages.move_to_end(address)
            return known[1]

    def keep(self, address: str, state: tuple[int, str], body: bytes) -> None:
        """Keeps ``body``; ``state`` is from before it was made, so that a change meanwhile is not lost."""
        with self._lock:
            self._pages[address] = (state, body)
            self._pages.move_to_end(address)
            while len(self._pages) > _MOST:
                self._pages.popitem(last=False)

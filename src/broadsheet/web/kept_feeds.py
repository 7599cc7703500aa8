"""Feeds kept in memory until anything changes, each with the moment at which its content last did."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

# A feed of a hundred papers has about 200 KB.
_MOST = 64


@dataclass(frozen=True, slots=True)
class KeptFeed:
    """A feed as bytes; ``modified`` is since when (seconds since 1970) it has had this content."""

    body: bytes
    modified: int


class KeptFeeds:
    """The feeds last asked for, by address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._feeds: OrderedDict[str, tuple[tuple[int, str], KeptFeed]] = OrderedDict()

    def get(self, address: str, state: tuple[int, str]) -> KeptFeed | None:
        """The feed of ``address`` as it is in ``state``, if it is kept."""
        with self._lock:
            known = self._feeds.get(address)
            if known is None or known[0] != state:
                return None
            self._feeds.move_to_end(address)
            return known[1]

    def keep(self, address: str, state: tuple[int, str], body: bytes) -> KeptFeed:
        """Keeps ``body``, made in ``state``, and tells since when it has had this content.

        The same content again keeps its moment. Another one gets a later moment even within the same
        second: who asks for what changed since the former must not be told that nothing did.
        """
        with self._lock:
            known = self._feeds.get(address)
            if known is not None and known[1].body == body:
                kept = known[1]
            else:
                kept = KeptFeed(body, max(int(time.time()), known[1].modified + 1 if known else 0))
            self._feeds[address] = (state, kept)
            self._feeds.move_to_end(address)
            while len(self._feeds) > _MOST:
                self._feeds.popitem(last=False)
            return kept

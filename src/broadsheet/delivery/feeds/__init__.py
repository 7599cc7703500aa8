"""Papers as feeds: one shape (`Feed`), written as Atom, RSS 2.0 or JSON Feed 1.1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import atom as _atom
from . import json_feed as _json
from . import rss as _rss
from .model import MOST_AUTHORS, NEVER, Feed, Item, item_of, permanent_id, written

__all__ = ["FORMATS", "MOST_AUTHORS", "NEVER", "Feed", "Format", "Item", "item_of", "permanent_id", "written"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of feeds: what people call it, its media type, and what writes it."""

    name: str
    media_type: str
    write: Callable[[Feed], bytes]


# By the ending of the address.
FORMATS = {
    "atom": Format("Atom", _atom.MEDIA_TYPE, _atom.atom),
    "rss": Format("RSS", _rss.MEDIA_TYPE, _rss.rss),
    "json": Format("JSON Feed", _json.MEDIA_TYPE, _json.json_feed),
}

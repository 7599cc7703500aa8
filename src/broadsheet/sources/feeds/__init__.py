"""Feeds (RSS 2.0, RSS 1.0, Atom, JSON Feed) of laboratories, journals and archives; lists of them (OPML)."""

from .source import Feed

__all__ = ["Feed"]

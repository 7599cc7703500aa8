"""OPML, the lists of feeds that feed readers export: read, and kept in the home as ``feeds.opml``."""

from .parse import OpmlError, Subscription, parse
from .subscriptions import subscribe, subscriptions

__all__ = ["OpmlError", "Subscription", "parse", "subscribe", "subscriptions"]

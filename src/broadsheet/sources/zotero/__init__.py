"""Zotero: the items of a library, from its web API or the program on this machine, or from a file."""

from .source import Zotero

__all__ = ["Zotero"]

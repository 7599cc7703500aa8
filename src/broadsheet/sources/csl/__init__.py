"""CSL-JSON: what Zotero and Pandoc export and what DOIs answer to those who ask for it."""

from . import adapter

__all__ = ["adapter"]

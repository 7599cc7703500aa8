"""arXiv: its API's answers (Atom) by id list, fetched politely, parsed, and adapted to the model."""

from .adapter import parse_atom
from .fetch import API_URL, ARXIV, BATCH, fetch_entries

__all__ = ["API_URL", "ARXIV", "BATCH", "fetch_entries", "parse_atom"]

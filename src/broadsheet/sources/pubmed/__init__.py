"""PubMed: the answers of its E-utilities, fetched, parsed, and adapted to the model."""

from .adapter import record
from .parse import PubmedError, articles
from .source import PubMed, sources

__all__ = ["PubMed", "PubmedError", "articles", "record", "sources"]

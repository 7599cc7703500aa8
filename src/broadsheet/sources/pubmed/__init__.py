"""PubMed: the answers of its E-utilities, parsed and adapted to the model; `source` gathers a search."""

from .adapter import record
from .parse import PubmedError, articles

__all__ = ["PubmedError", "articles", "record"]

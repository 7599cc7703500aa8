"""bioRxiv and medRxiv: the answers of their API, fetched, parsed, and adapted to the model."""

from .adapter import record
from .parse import DetailsError, answer, is_answer
from .source import Preprints, sources

__all__ = ["DetailsError", "Preprints", "answer", "is_answer", "record", "sources"]

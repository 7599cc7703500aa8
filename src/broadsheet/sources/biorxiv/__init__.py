"""bioRxiv and medRxiv: the answers of their API, parsed and adapted to the model; `source` gathers them."""

from .adapter import record
from .parse import DetailsError, answer, is_answer

__all__ = ["DetailsError", "answer", "is_answer", "record"]

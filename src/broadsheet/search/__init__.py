"""Search: by id, title, words and meaning, over an index that follows the store's change log."""

from __future__ import annotations

from .answers import Answer, Hit, IndexState
from .engine import Engine
from .following import Outcome
from .query import Query
from .tuning import Tuning

__all__ = ["Answer", "Engine", "Hit", "IndexState", "Outcome", "Query", "Tuning"]

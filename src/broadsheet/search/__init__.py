"""Search: by id, title, words and meaning, over an index that follows the store's change log."""

from __future__ import annotations

from .engine import Answer, Engine, Hit, IndexState
from .following import Outcome

__all__ = ["Answer", "Engine", "Hit", "IndexState", "Outcome"]

"""OpenReview: the notes of its API, parsed and adapted to the model; `source` gathers them."""

from .adapter import record
from .parse import NotesError, answer, is_answer, is_note, notes

__all__ = ["NotesError", "answer", "is_answer", "is_note", "notes", "record"]

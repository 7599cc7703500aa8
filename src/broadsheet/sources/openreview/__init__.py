"""OpenReview: the notes of its API, fetched, parsed, and adapted to the model."""

from .adapter import record
from .parse import NotesError, answer, is_answer, is_note, notes
from .source import OpenReview, sources

__all__ = ["NotesError", "OpenReview", "answer", "is_answer", "is_note", "notes", "record", "sources"]

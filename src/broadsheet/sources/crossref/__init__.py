"""Crossref: venues, citation counts, references, licences and retractions of papers that have a DOI."""

from .source import Crossref

__all__ = ["Crossref"]

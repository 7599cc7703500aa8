"""OpenAlex: venues, citation counts, references, abstracts, retractions of papers with a DOI or on arXiv."""

from .source import OpenAlex

__all__ = ["OpenAlex"]

"""Semantic Scholar: venues, DOIs, citation counts and references of papers under any of their ids."""

from .source import SemanticScholar

__all__ = ["SemanticScholar"]

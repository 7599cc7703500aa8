"""The ACL Anthology: the XML files of its collections, fetched, parsed, and adapted to the model."""

from .adapter import record
from .parse import AnthologyError, papers
from .source import AclAnthology, sources

__all__ = ["AclAnthology", "AnthologyError", "papers", "record", "sources"]

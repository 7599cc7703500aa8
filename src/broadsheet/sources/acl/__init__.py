"""The ACL Anthology: XML files of its collections, parsed and adapted to the model; `source` gathers them."""

from .adapter import record
from .parse import AnthologyError, papers

__all__ = ["AnthologyError", "papers", "record"]

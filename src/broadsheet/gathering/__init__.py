"""Gathering from the configured sources: one run of a source, page by page, and who does it when."""

from .choosing import UnknownSource, chosen, configured_sources
from .gaps import fill_gaps
from .running import Gathered, gather
from .schedule import Schedule

__all__ = ["Gathered", "Schedule", "UnknownSource", "chosen", "configured_sources", "fill_gaps", "gather"]

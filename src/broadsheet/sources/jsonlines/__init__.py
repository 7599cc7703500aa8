"""JSON lines: one paper a line, in the form that `docs/sources.md` describes."""

from . import adapter

__all__ = ["adapter"]

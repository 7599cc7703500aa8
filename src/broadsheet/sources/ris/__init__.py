"""RIS, the reference format of publishers and reference managers: `parser` and `adapter`."""

from . import adapter, parser

__all__ = ["adapter", "parser"]

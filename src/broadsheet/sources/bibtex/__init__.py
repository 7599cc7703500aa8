"""BibTeX and BibLaTeX: `parser` reads entries with their macros and crossrefs, `adapter` makes records."""

from . import adapter, parser

__all__ = ["adapter", "parser"]

"""Plain ids and addresses of papers, one or several a line: papers that are asked for."""

from .parser import identifiers_in, looks_like_identifiers, wanted

__all__ = ["identifiers_in", "looks_like_identifiers", "wanted"]

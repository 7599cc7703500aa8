"""Composing editions: which papers, in which order, and why each stands where it stands."""

from .front_page import front_page, newest, trending

__all__ = ["front_page", "newest", "trending"]

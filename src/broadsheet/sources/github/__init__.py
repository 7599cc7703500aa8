"""GitHub: how many stars the repositories have that papers link to, day by day."""

from .source import GitHub

__all__ = ["GitHub"]

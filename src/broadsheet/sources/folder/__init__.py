"""A folder that is watched: what is dropped into it is read as `broadsheet add` reads it."""

from .source import Folder

__all__ = ["Folder"]

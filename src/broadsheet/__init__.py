"""Broadsheet, the daily paper of a research community."""

__version__ = "0.1.0"

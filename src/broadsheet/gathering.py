"""Gathering from the configured sources: one run of a source, page by page, and who does it when."""

"""The Daily Papers site: its pages saved as text or HTML, and the answers of its API.

`saved_text`, `saved_html` parse, `adapter` turns what they give into the model, `fetch` and `source`
gather the days of the API.
"""

from . import adapter, saved_html, saved_text
from .source import DailyPapers, sources

__all__ = ["DailyPapers", "adapter", "saved_html", "saved_text", "sources"]

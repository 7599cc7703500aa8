"""The Daily Papers site: its pages saved as text or HTML, and the answers of its API.

`saved_text`, `saved_html` parse, `adapter` turns what they give into the model, `source` gathers the
days of the API.
"""

from . import adapter, saved_html, saved_text

__all__ = ["adapter", "saved_html", "saved_text"]

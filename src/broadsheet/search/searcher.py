"""tantivy's view of the committed files, which remembers how many papers have a term."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import tantivy

# Each segment of the index is asked for a term, and a query asks for some hundred terms. So many take 10 MB.
_REMEMBERED = 50_000


class Searcher:
    """Reads one state of the index; see `tantivy.Searcher` for what each function takes and gives."""

    def __init__(self, searcher: tantivy.Searcher):
        self.num_docs: int = searcher.num_docs
        self.search: Any = searcher.search
        self.aggregate: Any = searcher.aggregate
        self.fast_field_values: Any = searcher.fast_field_values
        self.terms_with_prefix: Any = searcher.terms_with_prefix
        self.doc_freq: Any = lru_cache(maxsize=_REMEMBERED)(searcher.doc_freq)

"""The query language: what a person typed into plain data, and plain data back into what can be typed.

Read in three steps. `tokens` cuts the text into words, phrases and operators and gives each its meaning;
`booleans` resolves AND, OR and NOT; `parsing` adds up the restrictions. Nothing raises, and everything takes
time in proportion to the length of the text. docs/query_language.md tells readers the same.
"""

from .keys import FACET_KEYS
from .model import SORTS, Clause, Filters, Query
from .parsing import MAX_RESTRICTIONS, MAX_TYPED, parse
from .pasted import Pasted
from .writing import has_filter, with_filter, with_sort, without_filter, written

__all__ = [
    "FACET_KEYS",
    "MAX_RESTRICTIONS",
    "MAX_TYPED",
    "SORTS",
    "Clause",
    "Filters",
    "Pasted",
    "Query",
    "has_filter",
    "parse",
    "with_filter",
    "with_sort",
    "without_filter",
    "written",
]

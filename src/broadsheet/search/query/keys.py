"""The words of the query language: keys, their synonyms, and the values that are fixed."""

from __future__ import annotations

# Every way to write a key, and the key that it means.
KEYS = {
    **dict.fromkeys(("title", "ti"), "title"),
    **dict.fromkeys(("abstract", "abs"), "abstract"),
    **dict.fromkeys(("author", "authors", "au"), "author"),
    **dict.fromkeys(("cat", "category", "categories"), "cat"),
    **dict.fromkeys(("listed", "list"), "listed"),
    **dict.fromkeys(("venue", "venues"), "venue"),
    **dict.fromkeys(("has",), "has"),
    **dict.fromkeys(("year", "years"), "year"),
    **dict.fromkeys(("after", "since"), "after"),
    **dict.fromkeys(("before",), "before"),
    **dict.fromkeys(("until",), "until"),
    **dict.fromkeys(("sort",), "sort"),
}
TEXT_KEYS = ("any", "title", "abstract")
CLAUSE_KEYS = (*TEXT_KEYS, "author")
# The filters whose values form groups: key -> field of `Filters`, and of its opposite.
GROUPS = {
    "cat": ("categories", "not_categories"),
    "listed": ("lists", "not_lists"),
    "venue": ("venues", "not_venues"),
    "has": ("has", "not_has"),
}
# The names of facets, and the keys that their values are filtered by.
FACET_KEYS = {"category": "cat", "list": "listed", "venue": "venue", "has": "has", "year": "year"}

HAS = {
    **dict.fromkeys(("code", "github", "repo", "repository"), "code"),
    **dict.fromkeys(("project", "projects", "page", "website"), "project"),
    **dict.fromkeys(("abstract", "abstracts"), "abstract"),
    **dict.fromkeys(("model", "models"), "model"),
    **dict.fromkeys(("dataset", "datasets", "data"), "dataset"),
    **dict.fromkeys(("space", "spaces", "demo", "demos"), "space"),
    **dict.fromkeys(("video", "videos"), "video"),
    **dict.fromkeys(("pdf",), "pdf"),
    **dict.fromkeys(("doi",), "doi"),
    **dict.fromkeys(("other",), "other"),
}
ORDERS = {
    **dict.fromkeys(("relevance", "relevant", "best"), "relevance"),
    **dict.fromkeys(("date", "newest", "new", "latest", "recent"), "date"),
    **dict.fromkeys(("votes", "upvotes", "top", "popular"), "votes"),
}
ARCHIVES = frozenset({
    "astro-ph", "cond-mat", "cs", "econ", "eess", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th", "math",
    "math-ph", "nlin", "nucl-ex", "nucl-th", "physics", "q-bio", "q-fin", "quant-ph", "stat",
})  # fmt: skip
# What to write where a value was not understood.
EXAMPLES = {
    "title": 'title:attention or title:"neural networks"',
    "abstract": 'abstract:pruning or abstract:"neural networks"',
    "author": 'author:hinton or author:"geoffrey hinton"; twice for papers by both',
    "cat": "cat:cs.CV, cat:cs or cat:cs.CV,cs.LG",
    "listed": "listed:daily_papers",
    "venue": 'venue:neurips or venue:"machine learning research"',
    "has": "has:code, has:project, has:abstract, has:models, has:datasets, has:spaces, has:video, has:doi",
    "year": "year:2025 or year:2023-2025",
    "after": "after:2026, after:2026-01, after:2026-01-31 or after:7d",
    "before": "before:2026, before:2026-01 or before:2026-01-31",
    "until": "until:2026, until:2026-01 or until:2026-01-31",
    "sort": "sort:relevance, sort:date or sort:votes",
}
# Keys of other search engines and what they are called here.
ELSEWHERE = {"date": "after: and before:", "published": "after: and before:", "journal": "venue:"}

BOOLEANS = ("AND", "OR", "NOT")
# "Attention is NOT all you need" excludes nothing; nor does "this AND that" demand small words.
SMALL_WORDS = frozenset({
    "a", "all", "always", "an", "and", "any", "are", "as", "at", "be", "by", "do", "does", "every", "for",
    "from", "how", "i", "in", "is", "it", "its", "just", "my", "necessarily", "of", "on", "only", "or",
    "our", "so", "than", "that", "the", "this", "to", "too", "very", "we", "what", "when", "why", "with",
    "yet", "you", "your",
})  # fmt: skip
# "What NOT to count", "models do NOT really know"
BEFORE_EMPHASIS = frozenset({
    "am", "are", "be", "can", "could", "did", "do", "does", "had", "has", "have", "how", "is", "may", "might",
    "must", "need", "should", "to", "was", "were", "what", "when", "where", "why", "will", "would",
})  # fmt: skip

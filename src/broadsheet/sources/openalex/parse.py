"""Works as OpenAlex answers them, as plain data.

Source: developers.openalex.org, "Work object" (abstract_inverted_index, locations, ids).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from ..markup import line_of, text_of
from ..values import number, object_in, objects_in, text

# The longest abstracts have some thousand words; a place beyond this is a damaged index.
_MAX_WORDS = 20_000


@dataclass(slots=True)
class Work:
    """One work; what is missing is empty. ``references`` are OpenAlex ids (``W…``)."""

    id: str
    doi: str = ""
    pmid: str = ""
    pmcid: str = ""
    title: str = ""
    abstract: str = ""
    authors: list[str] = field(default_factory=list)
    published: str = ""
    venue: str = ""
    landing_page: str = ""
    pdf: str = ""
    citations: int | None = None
    references: list[str] = field(default_factory=list)
    is_retracted: bool = False


def work(value: dict[str, Any]) -> Work:
    """``value``, an object of OpenAlex; never raises."""
    ids, place = object_in(value.get("ids")), object_in(value.get("primary_location"))
    return Work(
        id=_last(value.get("id")),
        doi=text(value.get("doi")) or text(ids.get("doi")),
        pmid=_last(ids.get("pmid")),
        pmcid=_last(ids.get("pmcid")),
        title=line_of(text(value.get("display_name")) or text(value.get("title"))),
        abstract=text_of(abstract(value.get("abstract_inverted_index"))),
        authors=[name for author in objects_in(value.get("authorships")) if (name := _name(author))],
        published=text(value.get("publication_date")) or text(value.get("publication_year")),
        venue=_venue(object_in(place.get("source"))),
        landing_page=text(place.get("landing_page_url")),
        pdf=text(object_in(value.get("best_oa_location")).get("pdf_url")) or text(place.get("pdf_url")),
        citations=number(value.get("cited_by_count")),
        references=[_last(name) for name in _list(value.get("referenced_works")) if _last(name)],
        is_retracted=value.get("is_retracted") is True,
    )


def abstract(index: Any) -> str:
    """The text whose words stand at the places that ``index`` (word: places from 0) tells.

    >>> abstract({"know": [1, 4], "we": [0, 3], "what": [2]})
    'we know what we know'
    """
    words: dict[int, str] = {}
    for word, places in object_in(index).items():
        for place in _list(places):
            if number(place) is not None and 0 <= place < _MAX_WORDS:
                words[place] = word
    return " ".join(words[place] for place in sorted(words))


def _last(value: Any) -> str:
    """The id at the end of an address."""
    return text(value).rstrip("/").rpartition("/")[2]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _name(authorship: dict[str, Any]) -> str:
    """The name as the work has it; the author's display name is how OpenAlex writes it elsewhere."""
    raw = line_of(text(authorship.get("raw_author_name")))
    return raw or line_of(text(object_in(authorship.get("author")).get("display_name")))


def _venue(source: dict[str, Any]) -> str:
    """The journal or conference; a repository is no venue."""
    name = line_of(text(source.get("display_name")))
    return "" if source.get("type") == "repository" or re.match(r"arxiv\b", name, re.IGNORECASE) else name

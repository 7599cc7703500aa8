"""Answers of the bioRxiv and medRxiv API (``details`` and ``pubs``) as plain posts.

Source: api.biorxiv.org ("Content detail", "Published article detail"): one message with status, cursor,
count and total, and the collection; of details a post for each version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ...model.papers import Rejection
from ..values import text

_TEXTS = (
    "title", "authors", "doi", "date", "version", "type", "license", "category", "abstract", "published",
    "server", "jatsxml", "author_corresponding_institution",
)  # fmt: skip


class DetailsError(ValueError):
    """A value that is no answer of the API, or one that reports an error; the message says which."""


@dataclass(slots=True)
class Post:
    """One version of a preprint, its texts as they stand there; what is missing or ``NA`` is empty."""

    place: int
    title: str = ""
    authors: str = ""
    doi: str = ""
    date: str = ""
    version: str = ""
    type: str = ""
    license: str = ""
    category: str = ""
    abstract: str = ""
    published: str = ""
    server: str = ""
    jatsxml: str = ""
    author_corresponding_institution: str = ""


@dataclass(slots=True)
class Printed:
    """A preprint that a journal has printed; what is missing is empty."""

    place: int
    doi: str = ""
    published: str = ""
    journal: str = ""


T = TypeVar("T")


@dataclass(slots=True)
class Answer(Generic[T]):
    """One page: ``cursor`` is the place of its first post, ``total`` how many posts there are in all."""

    cursor: int
    total: int
    posts: list[T | Rejection] = field(default_factory=list)


def is_answer(value: Any) -> bool:
    """Whether ``value`` has the form of an answer of the API."""
    return isinstance(value, dict) and isinstance(value.get("messages"), list) and "collection" in value


def answer(value: Any, name: str = "bioRxiv answer") -> Answer[Post]:
    """The posts of an answer ("details"); what in it is no post comes as a `Rejection`.

    Raises:
        DetailsError: if it is no answer of the API, or says that something went wrong.
    """
    return _answer(value, name, _post)


def printed(value: Any, name: str = "bioRxiv answer") -> Answer[Printed]:
    """The preprints of an answer ("pubs") that journals have printed; see `answer`."""
    return _answer(value, name, _printed)


def _answer(value: Any, name: str, read: Callable[[dict[str, Any], int], T]) -> Answer[T]:
    if not is_answer(value):
        raise DetailsError("it has no messages and no collection")
    message = next((m for m in value["messages"] if isinstance(m, dict)), {})
    status = str(message.get("status", "ok"))
    if "no posts found" in status.lower():
        return Answer(0, 0)
    if status.lower() != "ok":
        raise DetailsError(f"the service says: {status[:200]}")
    collection = value["collection"]
    if not isinstance(collection, list):
        raise DetailsError("its collection is no list")
    cursor = _number(message.get("cursor"))
    posts: list[T | Rejection] = []
    for place, entry in enumerate(collection, start=cursor + 1):
        if isinstance(entry, dict):
            posts.append(read(entry, place))
        else:
            posts.append(Rejection(f"{name} post {place}", f"it is {str(entry)[:60]!r}, no post"))
    return Answer(cursor, max(_number(message.get("total")), cursor + len(posts)), posts)


def _post(value: dict[str, Any], place: int) -> Post:
    post = Post(place)
    for key in _TEXTS:
        setattr(post, key, _text(value.get(key)))
    return post


def _printed(value: dict[str, Any], place: int) -> Printed:
    # The key of the preprint's DOI is the same on both servers, and was renamed.
    doi = _text(value.get("preprint_doi")) or _text(value.get("biorxiv_doi"))
    return Printed(place, doi, _text(value.get("published_doi")), _text(value.get("published_journal")))


def _text(value: Any) -> str:
    """A field of the collection; ``NA`` stands for nothing."""
    found = text(value)
    return "" if found == "NA" else found


def _number(value: Any) -> int:
    """Numbers come as numbers and as texts."""
    try:
        return max(0, int(value))
    except (TypeError, ValueError):
        return 0

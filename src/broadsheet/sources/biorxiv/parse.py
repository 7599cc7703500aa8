"""Answers of the bioRxiv and medRxiv API (``details``) as plain posts.

Source: api.biorxiv.org ("Content detail"): one message with status, cursor, count and total, and the
collection; a post for each version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...model.papers import Rejection

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
class Answer:
    """One page: ``cursor`` is the place of its first post, ``total`` how many posts there are in all."""

    cursor: int
    total: int
    posts: list[Post | Rejection] = field(default_factory=list)


def is_answer(value: Any) -> bool:
    """Whether ``value`` has the form of an answer of the API."""
    return isinstance(value, dict) and isinstance(value.get("messages"), list) and "collection" in value


def answer(value: Any, name: str = "bioRxiv answer") -> Answer:
    """What an answer of the API holds; what in it is no post comes as a `Rejection`.

    Raises:
        DetailsError: if it is no answer of the API, or says that something went wrong.
    """
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
    posts = list(_posts(collection, name, cursor))
    return Answer(cursor, max(_number(message.get("total")), cursor + len(posts)), posts)


def _posts(collection: list[Any], name: str, cursor: int) -> Iterator[Post | Rejection]:
    for place, value in enumerate(collection, start=cursor + 1):
        if not isinstance(value, dict):
            yield Rejection(f"{name} post {place}", f"it is {str(value)[:60]!r}, no post")
            continue
        post = Post(place)
        for key in _TEXTS:
            text = value.get(key)
            if isinstance(text, str | int) and not isinstance(text, bool) and str(text).strip() != "NA":
                setattr(post, key, str(text).strip())
        yield post


def _number(value: Any) -> int:
    """Numbers come as numbers and as texts."""
    try:
        return max(0, int(value))
    except (TypeError, ValueError):
        return 0

"""Papers in the JSON form of the Daily Papers API, as the published client parses it.

Shapes and field names are those of the Hugging Face Hub API ("Paper pages" in its OpenAPI). Where
the client looks for a field at another level than the Hub sends it, it is sent at both. Fields
that the Hub does not have (``categories``, ``identifiers``, ``versions``, ...) use names that the
client keeps as they are.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from ..model.papers import Author, Link, Listing, Paper
from ..search.answers import Hit
from . import shapes
from .highlight import NOTHING, Wanted, highlighted, nearest_sentence

_HUB = "https://huggingface.co/"


def stable_id(*parts: object) -> str:
    """24 hexadecimal digits that are always the same for ``parts``: the form of the Hub's own ids."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:24]


_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}:\d{2})(\.\d{1,6})?Z)?")


def instant(text: Any) -> str | None:
    """A day or timestamp in the only form of time that the client parses; None for anything else.

    >>> instant("2026-05-29T08:15:00Z")
    '2026-05-29T08:15:00.000Z'
    """
    match = _INSTANT.fullmatch(text) if isinstance(text, str) else None
    return f"{match[1]}T{match[2] or '00:00:00'}{match[3] or '.000'}Z" if match else None


def user(name: str, account: dict[str, Any] | None) -> shapes.User:
    """The account ``name`` with what its source says of it."""
    account = account or {}
    name = account.get("user") or account.get("name") or name
    return {
        "_id": stable_id("user", name),
        "fullname": name,
        "avatarUrl": "",
        "type": "user",
        "isPro": False,
        **account,
        "user": name,
        "name": name,
    }


def author(paper_id: str, position: int, given: Author) -> shapes.Author:
    """The author at ``position`` (from 0) of a paper."""
    said = dict(given.account or {})
    account = said.pop("user", None)
    if isinstance(account, dict):
        said["user"] = user("", account)
    # A time in another form would keep the client from reading the whole list.
    if not instant(said.get("statusLastChangedAt")):
        said.pop("statusLastChangedAt", None)
    return {
        "_id": stable_id("author", paper_id, position, given.name),
        "hidden": False,
        **said,
        "name": given.name,
    }


def organization(given: dict[str, Any]) -> shapes.Organization:
    """An organization, with its picture under both names."""
    name = given.get("name") or given.get("fullname") or ""
    picture = given.get("avatar") or given.get("avatarUrl")
    pictures = {"avatar": picture, "avatarUrl": picture} if picture else {}
    return {"_id": stable_id("organization", name), "name": name, "fullname": name, **given, **pictures}


def repository(link: Link) -> shapes.Repository:
    """A linked model, data set or space; the client needs at least its id."""
    if link.data and link.data.get("id"):
        return link.data  # type: ignore[return-value]
    path = link.url.removeprefix(_HUB).removeprefix("datasets/").removeprefix("spaces/")
    return {"id": path.strip("/") or link.url}


def repositories(paper: Paper) -> shapes.Repositories:
    """What is linked with ``paper``, by kind."""
    return {
        "models": [repository(link) for link in paper.links if link.kind == "model"],
        "datasets": [repository(link) for link in paper.links if link.kind == "dataset"],
        "spaces": [repository(link) for link in paper.links if link.kind == "space"],
    }


def _code_link(paper: Paper) -> Link | None:
    """The paper's repository on GitHub: the one that a source names, else one printed in the abstract."""
    links = [link for link in paper.links if link.kind == "code" and "://github.com/" in link.url.lower()]
    return min(links, key=lambda link: link.provenance == "abstract", default=None)


def _project_link(paper: Paper) -> Link | None:
    links = [link for link in paper.links if link.kind == "project"]
    return min(links, key=lambda link: link.provenance == "abstract", default=None)


def _submitted_at(paper: Paper, listing: Listing | None) -> str | None:
    """When the paper was put on the list: the day of ``listing``, else the day it was first listed.

    The exact time is taken where a source gives one for that day.
    """
    exact = instant(paper.extra.get("submittedOnDailyAt"))
    if listing is None:
        return exact or instant(paper.first_listed)
    return exact if exact and exact[:10] == listing.day else instant(listing.day)


def _submitter(paper: Paper, listing: Listing | None) -> tuple[str, dict[str, Any] | None] | None:
    """The name and account of who submitted the paper, or None where nobody is known."""
    for known in (listing, paper):
        if known is not None and known.submitter:
            account = known.submitter_account
            if account is None and known.submitter == paper.submitter:
                account = paper.submitter_account
            return known.submitter, account
    return None


def _common(paper: Paper) -> dict[str, Any]:
    """What stands both in the paper and, for the client's sake, beside it."""
    code, project = _code_link(paper), _project_link(paper)
    known = {
        "ai_summary": paper.ai_summary,
        "ai_keywords": paper.ai_keywords,
        "projectPage": project.url if project else None,
        "githubRepo": code.url if code else None,
        "githubStars": paper.github_stars,
        "organization": organization(paper.organization) if paper.organization else None,
        "mediaUrls": paper.extra.get("mediaUrls"),
    }
    return {
        "title": paper.title,
        "summary": paper.abstract,
        "upvotes": paper.upvotes or 0,
        "discussionId": paper.extra.get("discussionId") or stable_id("discussion", paper.id),
        "source": paper.identifiers[0].scheme if paper.identifiers else "title",
        **{name: value for name, value in known.items() if value is not None and value != []},
    }


def wire_paper(paper: Paper, listing: Listing | None = None) -> shapes.Paper:
    """``paper`` as the object that stands under ``paper`` in lists."""
    return _wire_paper(paper, listing, _common(paper))


def _wire_paper(paper: Paper, listing: Listing | None, common: dict[str, Any]) -> shapes.Paper:
    submitter = _submitter(paper, listing)
    code = _code_link(paper)
    known = {
        "submittedOnDailyAt": _submitted_at(paper, listing),
        "submittedOnDailyBy": user(*submitter) if submitter else None,
        "githubRepoAddedBy": paper.extra.get("githubRepoAddedBy")
        or ("auto" if code and code.provenance == "abstract" else None),
        "ai_summary_model": paper.extra.get("ai_summary_model"),
        "withdrawnAt": instant(paper.withdrawn),
        "categories": paper.categories,
        "venue": paper.venue,
        "doi": paper.identifier("doi"),
    }
    return {
        "id": paper.id,
        "authors": [author(paper.id, position, given) for position, given in enumerate(paper.authors)],
        "publishedAt": instant(paper.published),
        **common,
        **{name: value for name, value in known.items() if value is not None and value != []},
    }  # type: ignore[return-value]


def item(paper: Paper, listing: Listing | None = None) -> shapes.Item:
    """``paper`` as an entry of a list, with the listing that brought it there."""
    common = _common(paper)
    submitted = _submitted_at(paper, listing)
    submitter = _submitter(paper, listing)
    comments = paper.num_comments if paper.num_comments is not None else listing and listing.num_comments
    wire: dict[str, Any] = {
        "paper": _wire_paper(paper, listing, common),
        # Where the publication is not known the client would take this for it: see below.
        "publishedAt": (submitted or instant(paper.published)) if paper.published else None,
        "thumbnail": paper.extra.get("thumbnail") or "",
        "numComments": comments or 0,
        "submittedBy": None,
        "isAuthorParticipating": bool(paper.extra.get("isAuthorParticipating")),
        **common,
    }
    if submitter:
        follows = {"isHf": False, "isHfAdmin": False, "isMod": False, "isUserFollowing": False}
        wire["submittedBy"] = {**follows, **user(*submitter)}
    if not paper.published and submitted:
        wire["submittedOnDailyAt"] = submitted
    return wire  # type: ignore[return-value]


def _pieces(text: str, query: Wanted) -> list[shapes.Piece]:
    return [
        {"type": "highlight" if marked else "text", "text": piece}
        for marked, piece in highlighted(text, query)
    ]


def search_item(
    paper: Paper, hit: Hit | None = None, query: Wanted = NOTHING, folded: list[str] | None = None
) -> shapes.SearchItem:
    """``paper`` as a result of a search for ``query``.

    ``hit`` says why it was found; None where nothing was searched for. ``folded`` are the ids of the papers
    that stand behind it.
    """
    found: dict[str, Any] = {
        **item(paper),
        "upvoted": False,
        "highlightedTitle": _pieces(paper.title, query),
        "highlightedSummary": _pieces(paper.abstract, query),
    }
    if hit is not None:
        found |= why(paper, hit) | {"folded": folded or []}
    return found  # type: ignore[return-value]


def why(paper: Paper, hit: Hit) -> dict[str, Any]:
    """Why ``hit`` found ``paper``: the shares of its score, and the sentence nearest to the query."""
    nearest = nearest_sentence(paper, hit)
    sentence = None
    if nearest:
        first, last = nearest
        sentence = {"text": paper.abstract[first:last], "start": first, "end": last}
    return {
        "score": round(hit.score, 4),
        "words": None if hit.words is None else round(hit.words, 4),
        "meaning": None if hit.meaning is None else round(hit.meaning, 4),
        "reason": hit.reason,
        "nearestSentence": sentence,
    }


def similar_item(paper: Paper, hit: Hit) -> shapes.SimilarItem:
    """``paper`` as one that is like others."""
    return {**item(paper), "score": round(hit.score, 4)}  # type: ignore[typeddict-item]


def whole_paper(paper: Paper) -> shapes.WholePaper:
    """``paper`` (with versions and listings) as the answer for one paper."""
    listing = max(paper.listings, key=lambda known: known.day, default=None)
    linked = repositories(paper)
    submitter = _submitter(paper, listing)
    known = {
        "submittedBy": user(*submitter) if submitter else None,
        "updatedAt": instant(paper.updated),
        "authorsComment": paper.comment,
    }
    return {
        **wire_paper(paper, listing),
        **{name: value for name, value in known.items() if value is not None},
        "linkedModels": linked["models"],
        "numTotalModels": paper.extra.get("numTotalModels") or len(linked["models"]),
        "linkedDatasets": linked["datasets"],
        "numTotalDatasets": paper.extra.get("numTotalDatasets") or len(linked["datasets"]),
        "linkedSpaces": linked["spaces"],
        "numTotalSpaces": paper.extra.get("numTotalSpaces") or len(linked["spaces"]),
        "numComments": paper.num_comments or 0,
        "thumbnail": paper.extra.get("thumbnail") or "",
        "identifiers": [identifier.key for identifier in paper.identifiers],
        "links": [
            {"kind": link.kind, "url": link.url, "source": link.source, "provenance": link.provenance}
            for link in paper.links
        ],
        "versions": [{"number": version.number, "date": instant(version.date)} for version in paper.versions],
        "listings": [
            {
                "list": told.list,
                "day": told.day,
                "rank": told.rank,
                "source": told.source,
                "upvotes": told.upvotes,
                "numComments": told.num_comments,
                "submitter": told.submitter,
            }
            for told in paper.listings
        ],
    }  # type: ignore[typeddict-item]

"""Papers as plain data: what one source tells (`Record`) and what is known (`Paper`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .identifiers import Identifier

# Kinds of link, in the order in which a page shows them.
LINK_KINDS = ("abstract", "pdf", "doi", "code", "project", "model", "dataset", "space", "video", "other")


@dataclass(slots=True)
class Author:
    """One author, in the order of the paper.

    ``account`` holds what a source says of the author's account there (Daily Papers: ``user``,
    ``status``, ``hidden``, ``_id``), as it said it.
    """

    name: str
    account: dict[str, Any] | None = None


@dataclass(slots=True)
class Link:
    """A link of a paper, and where it is known from.

    ``provenance`` names the field of the source that held it: ``abstract`` for a link printed in
    the abstract, ``githubRepo`` and so on otherwise. ``data`` holds what the source says of the
    linked thing (for ``model``, ``dataset``, ``space``: the repository object, always with ``id``).
    """

    kind: str
    url: str
    source: str = ""
    provenance: str = ""
    data: dict[str, Any] | None = None


@dataclass(slots=True)
class Listing:
    """Paper P stood at place ``rank`` (from 1) in ``list`` on ``day``, according to ``source``.

    ``source`` names one telling of the list: two imports of the same saved page have the same
    source, two different pages saved on one day have different ones.
    ``upvotes`` and ``num_comments`` are as that source counted them.
    """

    list: str
    day: str
    rank: int
    source: str
    upvotes: int | None = None
    num_comments: int | None = None
    submitter: str | None = None
    submitter_account: dict[str, Any] | None = None


@dataclass(slots=True)
class Version:
    """One version of a paper: ``number`` from 1, ``date`` (timestamp) where known."""

    number: int
    date: str | None = None


@dataclass(slots=True)
class Counts:
    """Counts as one source reported them on ``day`` (empty: at no known day)."""

    source: str
    day: str = ""
    upvotes: int | None = None
    num_comments: int | None = None
    github_stars: int | None = None
    citations: int | None = None


@dataclass(slots=True)
class Record:
    """One paper as one source tells it. Everything but ``title`` may be missing.

    Without ``title`` (``""``) a record with identifiers only adds to a paper that is stored already.
    ``source`` names the kind of source (``arxiv``, ``daily_papers``, ``saved_page``, ``bibtex``,
    ``starter``, ...); ``where`` the place in the input (``FILE line 12``) for error messages.
    Titles, abstracts and names may be raw: `model.validation.checked` cleans them.
    """

    title: str
    source: str
    where: str = ""
    identifiers: list[Identifier] = field(default_factory=list)
    abstract: str | None = None
    authors: list[Author] = field(default_factory=list)
    published: str | None = None
    updated: str | None = None
    categories: list[str] = field(default_factory=list)
    venue: str | None = None
    comment: str | None = None
    versions: list[Version] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    upvotes: int | None = None
    num_comments: int | None = None
    github_stars: int | None = None
    submitter: str | None = None
    submitter_account: dict[str, Any] | None = None
    ai_summary: str | None = None
    ai_keywords: list[str] = field(default_factory=list)
    organization: dict[str, Any] | None = None
    withdrawn: str | None = None
    # What a source says that no field above holds and that its API must give back
    # (thumbnail, mediaUrls, discussionId, submittedOnDailyAt, ai_summary_model, ...).
    extra: dict[str, Any] = field(default_factory=dict)
    # Day (``YYYY-MM-DD``) on which its counts were counted; empty: on the day of its listing, if any.
    counted: str = ""
    citations: int | None = None
    # Keys (``doi:10.1/x``, ``arxiv:2407.21783``) of the works that it cites.
    references: list[str] = field(default_factory=list)
    # Address of the licence under which the paper can be had.
    licence: str | None = None


@dataclass(slots=True)
class Paper:
    """One work with everything that is known of it. ``key`` is the store's own number for it."""

    key: int
    id: str
    title: str
    abstract: str = ""
    authors: list[Author] = field(default_factory=list)
    published: str | None = None
    updated: str | None = None
    # The earliest day on which it was listed anywhere: stands in where ``published`` is unknown.
    first_listed: str | None = None
    categories: list[str] = field(default_factory=list)
    venue: str | None = None
    comment: str | None = None
    upvotes: int | None = None
    num_comments: int | None = None
    github_stars: int | None = None
    citations: int | None = None
    submitter: str | None = None
    submitter_account: dict[str, Any] | None = None
    ai_summary: str | None = None
    ai_keywords: list[str] = field(default_factory=list)
    organization: dict[str, Any] | None = None
    withdrawn: str | None = None
    licence: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    identifiers: list[Identifier] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    # Filled where one paper is asked for, empty in lists of papers:
    versions: list[Version] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    # field name -> source that gave it
    provenance: dict[str, str] = field(default_factory=dict)

    def identifier(self, scheme: str) -> str | None:
        """The paper's identifier of ``scheme`` (``arxiv``, ``doi``, ...), if it has one."""
        return next((i.value for i in self.identifiers if i.scheme == scheme), None)

    def link(self, kind: str) -> Link | None:
        """The first link of ``kind``, if there is one."""
        return next((link for link in self.links if link.kind == kind), None)


@dataclass(slots=True)
class Wanted:
    """A paper that was asked for by its identifier; what is known of it must be fetched."""

    identifier: Identifier
    where: str


@dataclass(slots=True)
class Withdrawal:
    """A source says that the paper of ``identifier`` was withdrawn or deleted there, on ``day``."""

    identifier: Identifier
    day: str
    source: str
    where: str
    reason: str = ""


@dataclass(slots=True)
class Rejection:
    """An input that was not stored: ``where`` it stands, ``why``, with the remedy."""

    where: str
    why: str


@dataclass(slots=True)
class ImportReport:
    """What became of the records of one import."""

    read: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "new": self.new,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "rejected": [{"where": r.where, "why": r.why} for r in self.rejected],
        }

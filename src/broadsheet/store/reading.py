"""Questions to the store: each function says in its name what it returns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..model.events import Event
from ..model.identifiers import find_identifier
from ..model.papers import Author, Link, Listing, Paper, Version
from . import schema as s
from .connection import in_chunks
from .merging import title_hash
from .statements import Among, numbers, rows_of
from .whole import papers_of


@dataclass(frozen=True, slots=True)
class Change:
    """The newest change of the paper ``key``: ``kind`` is ``changed`` or ``removed``."""

    seq: int
    key: int
    kind: str


def authors_of(connection: Connection, keys: Sequence[int]) -> dict[int, list[Author]]:
    found: dict[int, list[Author]] = defaultdict(list)
    columns = (s.authors.c.paper, s.authors.c.name, s.authors.c.account)
    query = (
        sa.select(*columns)
        .where(s.authors.c.paper.in_(keys))
        .order_by(s.authors.c.paper, s.authors.c.position)
    )
    for key, name, account in connection.execute(query):
        found[key].append(Author(name, account))
    return found


def papers(
    connection: Connection, keys: Sequence[int], *, listings: bool = False, brief: bool = False
) -> list[Paper]:
    """The papers with ``keys`` in that order, with authors, categories, identifiers and links.

    With ``listings`` these too, by day; where it is ``brief``, without categories and identifiers.
    """
    found: dict[int, Paper] = {}
    if listings and not connection.in_transaction():
        # Several statements shall see one state.
        connection.begin()
    for chunk in in_chunks(dict.fromkeys(keys)):
        found |= papers_of(connection, chunk, brief)
        if listings:
            query = sa.select(s.listings).where(s.listings.c.paper.in_(chunk))
            order = (s.listings.c.day, s.listings.c.list, s.listings.c.rank)
            for row in connection.execute(query.order_by(s.listings.c.paper, *order)):
                found[row.paper].listings.append(listing_of(row))
    return [found[key] for key in keys if key in found]


def key_of(connection: Connection, text: str) -> int | None:
    """The key of the paper that ``text`` names, in any written form of any of its ids."""
    identifier = find_identifier(text)
    names = [identifier.key] if identifier else []
    # An OpenReview id cannot be told from a word by its form, only by being known.
    if len(text) <= 200 and "\x00" not in text:
        names.append(f"openreview:{text.strip()}")
        names.append(f"title:{text.strip()}")
    if not names:
        return None
    # Three in any case: a statement of one form is made once.
    one, two, three = (names * 3)[:3]
    found = rows_of(connection, _CALLED, one=one, two=two, three=three)
    return found[0][0] if found else None


_CALLED = sa.select(s.identifiers.c.paper).where(
    s.identifiers.c.identifier.in_([sa.bindparam("one"), sa.bindparam("two"), sa.bindparam("three")])
)


def whole_paper(connection: Connection, key: int) -> Paper | None:
    """One paper with its versions, listings and references too."""
    found = papers(connection, [key], listings=True)
    if not found:
        return None
    paper = found[0]
    query = sa.select(s.versions).where(s.versions.c.paper == key).order_by(s.versions.c.number)
    paper.versions = [Version(row.number, row.date) for row in connection.execute(query)]
    query = sa.select(s.bibliographies.c.identifiers).where(s.bibliographies.c.paper == key)
    paper.references = connection.execute(query).scalar() or []
    return paper


def link_of(row: Any) -> Link:
    return Link(row.kind, row.url, row.source, row.provenance, row.data)


def listing_of(row: Any) -> Listing:
    return Listing(
        row.list,
        row.day,
        row.rank,
        row.source,
        row.upvotes,
        row.num_comments,
        row.submitter,
        row.submitter_account,
    )


def keys_with_title(connection: Connection, title: str) -> list[int]:
    return [key for (key,) in rows_of(connection, _TITLED, hash=title_hash(title))]


_TITLED = (
    sa.select(s.papers.c.key).where(s.papers.c.title_hash == sa.bindparam("hash")).order_by(s.papers.c.key)
)


def titles(connection: Connection, keys: Sequence[int]) -> dict[int, str]:
    """The titles of the papers with ``keys``, by key."""
    return dict(rows_of(connection, _TITLES, keys=numbers(keys)))


_TITLES = sa.select(s.papers.c.key, s.papers.c.title).where(Among(s.papers.c.key, "keys"))


def _where(
    first: str | None, last: str | None, lists: Sequence[str] | None, submitter: str | None
) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if first is not None:
        conditions.append(s.listings.c.day >= first)
    if last is not None:
        conditions.append(s.listings.c.day <= last)
    if lists is not None:
        conditions.append(s.listings.c.list.in_(list(lists)))
    if submitter is not None:
        conditions.append(s.listings.c.submitter == submitter)
    return conditions


def listed(
    connection: Connection,
    first: str | None,
    last: str | None,
    lists: Sequence[str] | None,
    submitter: str | None,
    limit: int,
    offset: int,
    latest_first: bool,
) -> tuple[int, list[tuple[Paper, Listing]]]:
    """Papers listed from ``first`` to ``last``; see `Store.listed`."""
    conditions = _where(first, last, lists, submitter)
    total_query = sa.select(sa.func.count(sa.distinct(s.listings.c.paper))).where(*conditions)
    total = connection.execute(total_query).scalar() or 0
    votes = sa.func.coalesce(s.papers.c.upvotes, 0)
    place = sa.func.min(s.listings.c.rank)
    query = (
        sa.select(s.papers.c.key)
        .join(s.listings, s.listings.c.paper == s.papers.c.key)
        .where(*conditions)
        .group_by(s.papers.c.key, s.papers.c.upvotes)
        .order_by(*([sa.func.max(s.listings.c.day).desc()] if latest_first else []))
        .order_by(votes.desc(), place, s.papers.c.key)
        .limit(limit)
        .offset(offset)
    )
    keys = list(connection.execute(query).scalars())
    best: dict[int, Listing] = {}
    for chunk in in_chunks(keys):
        query = sa.select(s.listings).where(s.listings.c.paper.in_(chunk), *conditions)
        order = (s.listings.c.day.desc(), s.listings.c.rank)
        for row in connection.execute(query.order_by(*order)):
            best.setdefault(row.paper, listing_of(row))
    return total, [(paper, best[paper.key]) for paper in papers(connection, keys)]


def ids_between(connection: Connection, first: str, last: str) -> list[tuple[str, str]]:
    query = sa.select(s.papers.c.id, sa.func.max(s.listings.c.day)).join(
        s.listings, s.listings.c.paper == s.papers.c.key
    )
    query = (
        query.where(*_where(first, last, None, None))
        .group_by(s.papers.c.key, s.papers.c.id)
        .order_by(s.papers.c.key)
    )
    return [tuple(row) for row in connection.execute(query)]


def lists_between(connection: Connection, first: str, last: str) -> dict[str, int]:
    query = sa.select(s.listings.c.list, sa.func.count(sa.distinct(s.listings.c.paper)))
    query = (
        query.where(*_where(first, last, None, None)).group_by(s.listings.c.list).order_by(s.listings.c.list)
    )
    return dict(tuple(row) for row in connection.execute(query))


def last_day(connection: Connection, before: str | None, lists: Sequence[str] | None) -> str | None:
    """The last day with listings, before ``before`` where that is given."""
    conditions = _where(None, None, lists, None)
    if before is not None:
        conditions.append(s.listings.c.day < before)
    return connection.execute(sa.select(sa.func.max(s.listings.c.day)).where(*conditions)).scalar()


def first_day(connection: Connection, after: str | None, lists: Sequence[str] | None) -> str | None:
    """The first day with listings, after ``after`` where that is given."""
    conditions = _where(None, None, lists, None)
    if after is not None:
        conditions.append(s.listings.c.day > after)
    return connection.execute(sa.select(sa.func.min(s.listings.c.day)).where(*conditions)).scalar()


def days(connection: Connection) -> list[tuple[str, str, int]]:
    """(day, list, number of papers) of every day that has listings, oldest first."""
    query = sa.select(s.listings.c.day, s.listings.c.list, sa.func.count())
    query = query.group_by(s.listings.c.day, s.listings.c.list).order_by(s.listings.c.day, s.listings.c.list)
    return [tuple(row) for row in connection.execute(query)]


def papers_by_day(connection: Connection, lists: Sequence[str] | None) -> list[tuple[str, int]]:
    """(day, number of papers) of every day on which ``lists`` have papers, latest first."""
    query = sa.select(s.listings.c.day, sa.func.count(sa.distinct(s.listings.c.paper)))
    query = query.where(*_where(None, None, lists, None)).group_by(s.listings.c.day)
    return [tuple(row) for row in connection.execute(query.order_by(s.listings.c.day.desc()))]


def newest_keys(connection: Connection, limit: int, offset: int) -> list[int]:
    query = sa.select(s.papers.c.key).order_by(s.papers.c.newest.desc(), s.papers.c.key.desc())
    return list(connection.execute(query.limit(limit).offset(offset)).scalars())


def keys_without_abstract(connection: Connection, limit: int, after: int) -> list[int]:
    query = sa.select(s.papers.c.key).join(s.identifiers, s.identifiers.c.paper == s.papers.c.key)
    query = query.where(
        s.papers.c.abstract == "", s.papers.c.key > after, s.identifiers.c.identifier.like("arxiv:%")
    )
    return list(connection.execute(query.order_by(s.papers.c.key).limit(limit)).scalars())


def keys_to_enrich(
    connection: Connection,
    source: str,
    limit: int,
    after: tuple[str, int] | None,
    older_than: str,
    since: str | None,
    above: int | None,
    schemes: Sequence[str],
    linked: str,
) -> list[tuple[str, int]]:
    """Papers, the newest first, that ``source`` did not count lately; see `Store.keys_to_enrich`."""
    newest, key = s.papers.c.newest, s.papers.c.key
    counted = sa.select(s.counts.c.paper).where(
        s.counts.c.paper == key, s.counts.c.source == source, s.counts.c.day >= older_than
    )
    query = sa.select(newest, key).where(~counted.exists())
    if schemes:
        named = sa.or_(*(s.identifiers.c.identifier.startswith(f"{scheme}:") for scheme in schemes))
        query = query.where(
            sa.select(s.identifiers.c.paper).where(s.identifiers.c.paper == key, named).exists()
        )
    if linked:
        leads = sa.and_(s.links.c.paper == key, s.links.c.kind == "code", s.links.c.url.contains(linked))
        query = query.where(sa.select(s.links.c.paper).where(leads).exists())
    if since is not None or above is not None:
        bounds = []
        if since is not None:
            bounds.append(newest >= since)
        if above is not None:
            bounds.append(key > above)
        query = query.where(sa.or_(*bounds))
    if after is not None:
        day, last = after
        query = query.where(newest <= day, sa.or_(newest < day, key < last))
    query = query.order_by(newest.desc(), key.desc()).limit(limit)
    return [tuple(row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Standing:
    """What trending is computed from: a paper's reported counts and the day it was first listed.

    ``stars_gained`` is what its repository gained since the day that was asked for, ``lists`` in how many
    of the lists that were asked for it stood.
    """

    key: int
    upvotes: int
    num_comments: int
    first_listed: str
    stars_gained: int = 0
    lists: int = 0


def standings_since(
    connection: Connection, first: str, limit: int, stars_since: str, lists: Sequence[str]
) -> list[Standing]:
    votes, comments = sa.func.coalesce(s.papers.c.upvotes, 0), sa.func.coalesce(s.papers.c.num_comments, 0)
    listed_since = sa.select(s.listings.c.paper).where(s.listings.c.day >= first)
    stars = _stars_gained(connection, listed_since, stars_since, limit)
    query = sa.select(s.papers.c.key, votes, comments, s.papers.c.first_listed)
    voted = query.where(s.papers.c.key.in_(listed_since), votes + comments > 0)
    rows = list(connection.execute(voted.order_by(votes.desc(), s.papers.c.key).limit(limit)))
    starred = set(stars) - {row.key for row in rows}
    for chunk in in_chunks(starred):
        rows += connection.execute(query.where(s.papers.c.key.in_(chunk)))
    stood = _lists_of(connection, [row.key for row in rows], first, lists)
    return [Standing(*row, stars.get(row.key, 0), stood.get(row.key, 0)) for row in rows]


def _stars_gained(connection: Connection, among: sa.Select[Any], since: str, limit: int) -> dict[int, int]:
    """Stars that papers ``among`` gained since the day ``since``, by what one source counted at both ends."""
    stars, day = s.counts.c.github_stars, s.counts.c.day
    gained = sa.func.max(stars) - sa.func.min(stars)
    query = sa.select(s.counts.c.paper, gained.label("gained"))
    query = query.where(s.counts.c.paper.in_(among), day >= since, stars.is_not(None))
    query = query.group_by(s.counts.c.paper, s.counts.c.source).having(gained > 0)
    found: dict[int, int] = {}
    for paper, number in connection.execute(query.order_by(gained.desc(), s.counts.c.paper).limit(limit)):
        found.setdefault(paper, number)
    return found


def _lists_of(
    connection: Connection, keys: Sequence[int], first: str, lists: Sequence[str]
) -> dict[int, int]:
    """In how many of ``lists`` each of ``keys`` stood on or after the day ``first``."""
    found: dict[int, int] = {}
    for chunk in in_chunks(keys):
        query = sa.select(s.listings.c.paper, sa.func.count(sa.distinct(s.listings.c.list)))
        query = query.where(
            s.listings.c.paper.in_(chunk), s.listings.c.day >= first, s.listings.c.list.in_(list(lists))
        )
        found |= dict(tuple(row) for row in connection.execute(query.group_by(s.listings.c.paper)))
    return found


def changes(connection: Connection, after: int, limit: int) -> list[Change]:
    query = sa.select(s.changes.c.seq, s.changes.c.paper, s.changes.c.kind).where(s.changes.c.seq > after)
    return [Change(*row) for row in connection.execute(query.order_by(s.changes.c.seq).limit(limit))]


def events(connection: Connection, after: int, limit: int, kinds: Collection[str] | None) -> list[Event]:
    query = sa.select(s.events).where(s.events.c.seq > after)
    if kinds is not None:
        query = query.where(s.events.c.kind.in_(list(kinds)))
    query = query.order_by(s.events.c.seq).limit(limit)
    return [Event(row.seq, row.paper, row.kind, row.at, row.data or {}) for row in connection.execute(query)]


def last_change(connection: Connection) -> int:
    return rows_of(connection, _LAST_CHANGE)[0][0] or 0


_LAST_CHANGE = sa.select(sa.func.max(s.changes.c.seq))


def counts(connection: Connection) -> dict[str, int]:
    tables = (s.papers, s.listings, s.identifiers, s.authors, s.links, s.versions)
    found = {
        t.name: connection.execute(sa.select(sa.func.count()).select_from(t)).scalar() or 0 for t in tables
    }
    with_abstract = sa.select(sa.func.count()).select_from(s.papers).where(s.papers.c.abstract != "")
    found["abstracts"] = connection.execute(with_abstract).scalar() or 0
    found["days"] = connection.execute(sa.select(sa.func.count(sa.distinct(s.listings.c.day)))).scalar() or 0
    return found

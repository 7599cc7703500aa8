"""The ACL Anthology gathered collection by collection, each only when its file has changed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from ...model.gathering import Announced
from ...model.papers import Record, Rejection
from ..answers import unusable
from ..days import Failures, listed, next_due
from ..http import Response, Service, ServiceError
from ..source import Page, Run, Source
from . import fetch
from .adapter import SOURCE, record
from .parse import AnthologyError, Paper, Volume, papers

# The Anthology is built once a day; nothing in it is urgent.
_HOURS = (3,)
# The letters of the venues in the ids until 2019.
_LETTERS = {
    "acl": "P", "emnlp": "D", "naacl": "N", "eacl": "E", "conll": "K", "coling": "C", "tacl": "Q",
    "cl": "J", "lrec": "L", "ijcnlp": "I", "semeval": "S", "anlp": "A", "ws": "W",
}  # fmt: skip
_COLLECTION = re.compile(r"[A-Z]\d{2}|\d{4}\.[a-z0-9_]+")
_VENUE = re.compile(r"[a-z][a-z0-9_]*")


class AclAnthology:
    """Collections of the ACL Anthology.

    Args:
        wanted: venues (``acl``: this year and the last) and collections (``2021.metanlp``, ``P19``).

    Raises:
        ValueError: if one of them is neither; the message names it.
    """

    name = SOURCE
    title = "ACL Anthology"
    home_page = "https://aclanthology.org/"

    def __init__(self, wanted: Sequence[str], url: str = fetch.URL, *, service: Service = fetch.ACL):
        for name in wanted:
            if not _COLLECTION.fullmatch(name) and not _VENUE.fullmatch(name):
                raise ValueError(
                    f"{name!r} is neither a venue (acl) nor a collection (2021.metanlp, P19) of the Anthology"
                )
        self._wanted, self._url, self._service = list(wanted), url, service

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page is a volume.

        The cursor holds what is known of each collection: ``etags``, ``part`` of the one that was being
        read (its name, its etag and how many of its volumes are stored), and ``failed``, the days on which
        collections gave no answer.
        """
        state = {name: dict(run.cursor.get(name) or {}) for name in ("etags", "part")}
        failures = Failures(run.cursor.get("failed"))
        problem: ServiceError | None = None
        for name in self._collections(run):
            try:
                for page in self._collection(name, state, run):
                    page.cursor = {**state, "failed": failures.as_json()}
                    yield page
                if told := failures.made_good(name):
                    yield Page([], {**state, "failed": failures.as_json()}, told)
            except ServiceError as error:
                problem = problem or error
                told = [failures.add(name, run.now.date().isoformat(), error)]
                yield Page([], {**state, "failed": failures.as_json()}, told)
                if error.status != 200:
                    # What is wrong with the service shows in all files, a damaged one only in itself.
                    break
        if problem:
            raise problem

    def _collection(self, name: str, state: dict[str, Any], run: Run) -> Iterator[Page]:
        """The pages of a collection, none where nothing has changed; ``state`` is kept up with them."""
        known = state["etags"].get(name)
        begun = state["part"] if state["part"].get("name") == name else {}
        answer = fetch.fetch_collection(
            name,
            run.client,
            etag=None if begun else known,
            url=self._url,
            service=self._service,
            stop=run.stop,
        )
        if answer.status == 404 and name in self._wanted:
            reason = f"the ACL Anthology has no collection {name} (yet); check the setting"
            yield Page([], {}, [Announced(name, run.now.date().isoformat(), state="refused", reason=reason)])
        if answer.status != 200:
            # Not modified, or a venue's collection that is still to come.
            return
        etag = answer.etag or hashlib.sha256(answer.content).hexdigest()
        if etag == known and not begun:
            # A mirror that sends everything each time.
            return
        stored = begun.get("volumes", 0) if begun.get("etag") == etag else 0
        for number, items, announced in self._volumes(name, answer):
            if number > stored:
                state["part"] = {"name": name, "etag": etag, "volumes": number}
                yield Page(items, {}, announced)
        state["etags"], state["part"] = {**state["etags"], name: etag}, {}
        yield Page([], {})

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`."""
        return next_due(_HOURS, last_success, now)

    def _collections(self, run: Run) -> list[str]:
        """The names of the collections that are asked for: those of a backfill from its year on."""
        this_year = run.now.year
        first = int(run.since[:4]) if run.since else this_year - 1
        names = []
        for wanted in self._wanted:
            if _COLLECTION.fullmatch(wanted):
                names.append(wanted)
                continue
            for year in range(first, this_year + 1):
                if year >= 2020:
                    names.append(f"{year}.{wanted}")
                elif wanted in _LETTERS:
                    names.append(f"{_LETTERS[wanted]}{year % 100:02d}")
        return list(dict.fromkeys(names))

    def _volumes(
        self, name: str, answer: Response
    ) -> Iterator[tuple[int, list[Record | Rejection], list[Announced]]]:
        """The volumes of a collection with papers, numbered from 1: items and what was announced."""
        try:
            volumes = groupby(papers(answer.content), key=_volume_key)
            for number, (_, found) in enumerate(volumes, start=1):
                in_volume = list(found)
                items = [
                    record(paper, f"ACL Anthology {paper.volume.key} paper {paper.number}")
                    for paper in in_volume
                ]
                yield number, items, _announced(in_volume[0].volume, items)
        except AnthologyError as error:
            raise unusable(answer, self._service, f"cannot be read: {error}") from error


def _volume_key(paper: Paper) -> str:
    return paper.volume.key


def _announced(volume: Volume, items: list[Record | Rejection]) -> list[Announced]:
    """What came to the Anthology with the volume; nothing where it does not say when."""
    records = [item for item in items if isinstance(item, Record)]
    if not records or not records[0].listings:
        return []
    keys = [item.identifiers[0].key for item in records]
    return [listed(volume.key, volume.ingested, keys, len(items) - len(records))]


def sources(settings: Any) -> list[Source]:
    """The source, where collections are chosen."""
    wanted = [name.strip() for name in settings.acl_collections.split(",") if name.strip()]
    return [AclAnthology(wanted, settings.acl_url)] if wanted else []

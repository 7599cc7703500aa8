"""The papers of chosen venues at OpenReview, gathered where something in a venue has changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from ...model.gathering import Announced
from ...model.papers import Record, Rejection, Withdrawal
from ..days import Failures, next_due
from ..http import Service, ServiceError
from ..source import Page, Run, Source
from . import fetch
from .adapter import SOURCE, record
from .parse import Answer, Note

# Venues decide and publish at any hour.
_HOURS = (5, 17)
# What is asked besides an accepted paper's venue id where all submissions are wanted.
SUBMISSIONS = ("Submission", "Rejected_Submission", "Withdrawn_Submission", "Desk_Rejected_Submission")
# Also where nothing seems to have changed, a venue is read again after so many days.
_AGAIN_DAYS = 7


class OpenReview:
    """The papers of ``venues`` (venue ids: ``ICLR.cc/2024/Conference``), with all their public submissions
    where ``submissions`` is set.
    """

    name = SOURCE
    title = "OpenReview"
    home_page = "https://openreview.net/"

    def __init__(
        self,
        venues: Sequence[str],
        url: str = fetch.URL,
        *,
        submissions: bool = False,
        limit: int = fetch.LIMIT,
        service: Service = fetch.OPENREVIEW,
    ):
        parts = ("", *(f"/{part}" for part in SUBMISSIONS)) if submissions else ("",)
        self._venues = [f"{venue.rstrip('/')}{part}" for venue in venues for part in parts]
        self._url, self._limit, self._service = url, limit, service

    def pages(self, run: Run) -> Iterator[Page]:
        """See `Source.pages`; a page is one of the API's.

        The cursor holds ``marks``, by venue what was last changed there and when it was read to its end,
        ``part``, the venue that is being read, its mark, and how many of its notes are stored, and
        ``failed``, the days on which venues gave no answer.
        """
        state = {name: dict(run.cursor.get(name) or {}) for name in ("marks", "part")}
        failures = Failures(run.cursor.get("failed"))
        for venue in self._venues:
            try:
                for page in self._venue(venue, state, run):
                    page.cursor = {**state, "failed": failures.as_json()}
                    yield page
                if told := failures.made_good(venue[:100]):
                    yield Page([], {**state, "failed": failures.as_json()}, told)
            except ServiceError as error:
                told = failures.add(venue[:100], run.now.date().isoformat(), error)
                yield Page([], {**state, "failed": failures.as_json()}, [told])
                raise

    def due(self, last_success: datetime | None, now: datetime) -> datetime:
        """See `Source.due`."""
        return next_due(_HOURS, last_success, now)

    def _venue(self, venue: str, state: dict[str, Any], run: Run) -> Iterator[Page]:
        """The pages of ``venue``, none where nothing has changed there; ``state`` is kept up with them."""
        mark = self._mark(venue, run)
        known = state["marks"].get(venue) or {}
        today = run.now.date()
        if mark == known.get("mark") and not _is_old(known.get("read"), today):
            return
        part = state["part"]
        # Where something was changed meanwhile, the notes may stand at other places.
        offset = part["offset"] if (part.get("venue"), part.get("mark")) == (venue, mark) else 0
        seen: set[str] = set()
        while True:
            page = self._ask(venue, run, offset, self._limit)
            _check_new(page, seen, self._service, self._url)
            offset += len(page.notes)
            whole = not page.notes or (
                offset >= page.count if page.count is not None else len(page.notes) < self._limit
            )
            if whole:
                state["marks"] = {**state["marks"], venue: {"mark": mark, "read": today.isoformat()}}
            state["part"] = {} if whole else {"venue": venue, "mark": mark, "offset": offset}
            items = [_item(note, venue) for note in page.notes]
            yield Page(items, {}, self._announced(venue, items, offset, run), page.count)
            if whole:
                return

    def _mark(self, venue: str, run: Run) -> list[Any]:
        """What changes with any note of ``venue``: their number, which was changed last, and when."""
        newest = self._ask(venue, run, 0, 1, "tmdate:desc")
        note = next((note for note in newest.notes if isinstance(note, Note)), None)
        return [newest.count, note.id if note else "", note.changed if note else 0]

    def _ask(self, venue: str, run: Run, offset: int, limit: int, sort: str = "tcdate:asc") -> Answer:
        return fetch.fetch_notes(
            venue,
            offset,
            run.client,
            limit=limit,
            sort=sort,
            url=self._url,
            service=self._service,
            stop=run.stop,
        )

    def _announced(
        self, venue: str, items: list[Record | Withdrawal | Rejection], offset: int, run: Run
    ) -> list[Announced]:
        """The papers of ``items`` by the day on which they became papers of the venue."""
        if not offset and not venue.endswith(SUBMISSIONS):
            reason = f"OpenReview has no papers of {venue} (yet); check its venue id"
            return [Announced(venue[:100], run.now.date().isoformat(), state="late", reason=reason)]
        days: dict[str, list[str]] = defaultdict(list)
        for item in items:
            if isinstance(item, Record) and item.listings:
                days[item.listings[0].day].append(item.identifiers[0].key)
        return [Announced(venue[:100], day, keys) for day, keys in sorted(days.items())]


def _item(note: Note | Rejection, venue: str) -> Record | Withdrawal | Rejection:
    return record(note, f"OpenReview {venue} note {note.id}") if isinstance(note, Note) else note


def _check_new(page: Answer, seen: set[str], service: Service, url: str) -> None:
    """Adds the notes of ``page`` to ``seen``.

    Raises:
        ServiceError: if it has notes, but none that was not seen: there would be no end.
    """
    ids = {note.id for note in page.notes if isinstance(note, Note)}
    if page.notes and ids <= seen:
        raise ServiceError(service.name, url, "sent a page with no other notes", "try again later", 200)
    seen |= ids


def _is_old(day: Any, today: date) -> bool:
    """Whether ``day``, on which a venue was read, is so long ago that it is read again."""
    try:
        return not today - timedelta(days=_AGAIN_DAYS) < date.fromisoformat(day) <= today
    except (TypeError, ValueError):
        return True


def sources(settings: Any) -> list[Source]:
    """The source, where venues are chosen."""
    venues = [name.strip() for name in settings.openreview_venues.split(",") if name.strip()]
    if not venues:
        return []
    return [OpenReview(venues, settings.openreview_url, submissions=settings.openreview_submissions)]

"""The account of gathering: what each source announced, what is stored of it, and what is wrong, in words."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import quote

from ..config import Settings
from ..delivery.links import all_links
from ..gathering import configured_sources
from ..model import dates
from ..model.gathering import Coverage, GatherState
from ..model.identifiers import Identifier
from ..model.papers import Paper
from ..store import Store
from .stories import counted, list_title, short_day

# Whole weeks, so that a year back is always shown.
WEEKS = 53
# The states of a day, the worst first: of several lists the worst is shown.
STATES = ("failed", "refused", "incomplete", "late", "complete", "holiday")
# Something broke. All others are as they should be: nothing was published, or not yet, or all is here.
TROUBLE = frozenset(STATES[:3])
# How often one looks whether a run of a source began or ended, which costs one small query.
_LOOK_S = 10.0
# While a run is under way each of its papers changes the account; it may be that much behind.
_BEHIND_S = 60.0

# Addresses of papers that only the sources of one field name so.
_ADDRESSES = {
    "pmid": "https://pubmed.ncbi.nlm.nih.gov/{}/",
    "pmcid": "https://pmc.ncbi.nlm.nih.gov/articles/{}/",
    "openalex": "https://openalex.org/{}",
    "s2": "https://www.semanticscholar.org/paper/{}",
}


@dataclass(frozen=True, slots=True)
class Day:
    """All that is known of one source on one day; ``announced`` is None where there was no listing."""

    day: str
    state: str
    announced: int | None
    stored: int
    rows: tuple[Coverage, ...]

    @property
    def missing(self) -> int:
        return sum(missing_of(row) for row in self.rows)

    @property
    def words(self) -> str:
        """What a person should know of the day, in a few words."""
        return state_words(self.state, self.announced, self.missing)


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """One source: how its gathering goes, and its days of the last year, oldest first."""

    name: str
    title: str
    home_page: str
    gathered: GatherState
    days: dict[str, Day] = field(default_factory=dict)

    @property
    def lists(self) -> list[str]:
        """The lists that it announced, the one with most days first."""
        days: dict[str, int] = defaultdict(int)
        for day in self.days.values():
            for row in day.rows:
                days[row.list] += 1
        return sorted(days, key=lambda name: (-days[name], name))

    def of_list(self, name: str) -> dict[str, Day]:
        """The days of one of its lists."""
        found = {}
        for day in self.days.values():
            rows = [row for row in day.rows if row.list == name]
            if rows:
                found[day.day] = _day(day.day, rows)
        return found

    @property
    def troubled(self) -> list[Day]:
        """The days on which something broke, latest first."""
        return [day for day in reversed(self.days.values()) if day.state in TROUBLE]

    def number(self, state: str) -> int:
        """How many days are in ``state``."""
        return sum(day.state == state for day in self.days.values())

    @property
    def missing(self) -> int:
        return sum(day.missing for day in self.days.values())

    @property
    def private(self) -> bool:
        """Whether its messages may tell of this machine or of somebody's library."""
        return self.name.partition(":")[0] in ("folder", "zotero")


@dataclass(frozen=True, slots=True)
class Account:
    """All sources, from day ``first`` to ``last``; ``stamp`` is another one whenever anything is."""

    first: str
    last: str
    sources: tuple[SourceAccount, ...]
    stamp: int = 0

    def source(self, name: str) -> SourceAccount | None:
        return next((source for source in self.sources if source.name == name), None)

    def on(self, day: str) -> list[tuple[SourceAccount, Day]]:
        """The sources that have something to say of ``day``."""
        return [(source, source.days[day]) for source in self.sources if day in source.days]


def missing_of(row: Coverage) -> int:
    """How many announced papers of ``row`` are not stored, whether they were named or only counted."""
    return max(len(row.missing), (row.announced or 0) - row.stored)


def state_words(state: str, announced: int | None, missing: int) -> str:
    """A state in words; never the same ones for a quiet day and for one on which something broke."""
    match state:
        case "complete":
            return f"all {counted(announced or 0, 'paper')} are here" if announced else "complete"
        case "incomplete":
            return f"{missing:,} of {counted(announced or 0, 'paper')} missing"
        case "holiday":
            return "nothing was published"
        case "late":
            return "not published yet"
        case "refused":
            return "the service refused to tell"
    return "could not be read"


def row_words(row: Coverage) -> str:
    """One list of one day in words."""
    words = state_words(row.state, row.announced, missing_of(row))
    return words[0].upper() + words[1:]


def moment(text: str) -> str:
    """A UTC timestamp as ``29 May 2026, 14:05 UTC``."""
    return f"{short_day(text)}, {text[11:16]} UTC" if len(text) >= 16 else short_day(text)


def sentence(text: str) -> str:
    """``text`` with a full stop."""
    text = text.strip()
    return text + ("" if text.endswith((".", "!", "?")) else ".")


def identifier_link(key: str) -> tuple[str, str]:
    """(what people call it, address) of the paper with the identifier ``key``; empty where it has none."""
    identifier = Identifier.from_key(key)
    if pattern := _ADDRESSES.get(identifier.scheme):
        return f"{identifier.scheme.upper()} {identifier.value}", pattern.format(quote(identifier.value))
    links = all_links(Paper(0, identifier.value, "", identifiers=[identifier]))
    return identifier.value, links[0].url if links else ""


def _day(day: str, rows: Sequence[Coverage]) -> Day:
    state = min((row.state for row in rows), key=STATES.index)
    told = [row.announced for row in rows if row.announced is not None]
    return Day(day, state, sum(told) if told else None, sum(row.stored for row in rows), tuple(rows))


def days_of(rows: Iterable[Coverage]) -> dict[str, dict[str, Day]]:
    """The days of each source, oldest first."""
    found: dict[str, dict[str, list[Coverage]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.source][row.day].append(row)
    return {
        source: {day: _day(day, days[day]) for day in sorted(days)} for source, days in sorted(found.items())
    }


def account(store: Store, settings: Settings, stamp: int = 0) -> Account:
    """The account of the last year as it is now."""
    today = date.fromisoformat(dates.today())
    monday = today - timedelta(days=today.weekday())
    # Where it is tomorrow already, papers are announced for it.
    first, last = monday - timedelta(weeks=WEEKS - 1), today + timedelta(days=1)
    days = days_of(store.coverage(first.isoformat(), last.isoformat()))
    states = {state.source: state for state in store.gather_states()}
    made, _ = configured_sources(settings)
    known = {source.name: (source.title, source.home_page) for source in made}
    # A source that is configured no more still told what it told.
    names = [*known, *(name for name in days if name not in known)]
    return Account(
        first.isoformat(),
        today.isoformat(),
        tuple(
            SourceAccount(
                name,
                *known.get(name, (list_title(name), "")),
                states.get(name) or GatherState(name, {}),
                days.get(name, {}),
            )
            for name in names
        ),
        stamp,
    )


class Accounts:
    """The newest account of one workspace, made anew only when something was gathered."""

    def __init__(self, store: Store, settings: Settings):
        self._store, self._settings = store, settings
        self._lock = threading.Lock()
        self._account: Account | None = None
        self._of: tuple[object, int] = (None, -1)
        self._looked = self._made = 0.0

    def current(self) -> Account:
        known = self._account
        if known is not None and time.monotonic() - self._looked < _LOOK_S:
            return known
        # Whoever comes while it is made anew gets the former one.
        if not self._lock.acquire(blocking=known is None):
            return known  # type: ignore[return-value]
        try:
            return self._looked_at()
        finally:
            self._lock.release()

    def _looked_at(self) -> Account:
        known, now = self._account, time.monotonic()
        runs, change = (dates.today(), self._store.gather_states()), self._store.last_change()
        stale = runs != self._of[0] or (change != self._of[1] and now - self._made > _BEHIND_S)
        if known is None or stale:
            known = account(self._store, self._settings, known.stamp + 1 if known else 1)
            self._account, self._of, self._made = known, (runs, change), now
        self._looked = now
        return known


# -- what the front page says of its day


class Line(NamedTuple):
    """A sentence, whether it tells of something that broke, and the day to read more about."""

    text: str
    broken: bool
    day: str


def front_line(told: Account, day: str, lists: Sequence[str], latest: bool) -> Line | None:
    """What is to be said above the front page of ``day``, made of ``lists``; None where all is well.

    ``latest`` says that it stands for today: then the days since count as well.
    """
    if latest and (stalled := _stalled(told, lists)):
        # A run that failed has said so of the first day that it asked for; nobody asked for the others.
        return Line(stalled, True, "")
    since = _since(told, day, lists) if latest else []
    here = [(source, rows) for source, rows in _of_lists(told, day, lists) if rows.state in TROUBLE]
    for source, rows in [*reversed(since), *here]:
        if rows.state in TROUBLE:
            return Line(_broken(source, rows, day), True, rows.day)
    late = [rows.day for _, rows in since if rows.state == "late"]
    if late:
        return Line(f"The papers of {short_day(late[-1])} are not published yet.", False, late[-1])
    quiet = list(dict.fromkeys(rows.day for _, rows in since if rows.state == "holiday"))
    if quiet:
        span = short_day(quiet[0]) if len(quiet) == 1 else f"{short_day(quiet[0])} to {short_day(quiet[-1])}"
        return Line(f"These are the newest papers: nothing was published on {span}.", False, quiet[-1])
    return None


def _of_lists(told: Account, day: str, lists: Sequence[str]) -> list[tuple[SourceAccount, Day]]:
    """What the sources say of those of their lists that are ``lists``."""
    found = []
    for source, known in told.on(day):
        rows = [row for row in known.rows if row.list in lists]
        if rows:
            found.append((source, _day(day, rows)))
    return found


def _since(told: Account, day: str, lists: Sequence[str]) -> list[tuple[SourceAccount, Day]]:
    later = sorted({known for source in told.sources for known in source.days if day < known <= told.last})
    return [found for known in later for found in _of_lists(told, known, lists)]


def _broken(source: SourceAccount, rows: Day, shown: str) -> str:
    if rows.state == "incomplete":
        said = (
            f"{rows.missing:,} of the {counted(rows.announced or 0, 'paper')} that {source.title} announced"
        )
        verb = "is" if rows.missing == 1 else "are"
        return f"Incomplete: {said} for {short_day(rows.day)} {verb} missing here."
    of_day = "this day" if rows.day == shown else short_day(rows.day)
    if rows.state == "refused":
        return f"Something broke: {source.title} refused to give the papers of {of_day}."
    return f"Something broke: {source.title} could not be read for {of_day}."


def _stalled(told: Account, lists: Sequence[str]) -> str:
    """That a source of ``lists`` fails."""
    for source in told.sources:
        if source.gathered.failures and set(lists) & {source.name, *source.lists}:
            return f"Something broke: {not_read(source)}."
    return ""


def not_read(source: SourceAccount) -> str:
    """That ``source`` fails, and since when."""
    last = source.gathered.succeeded
    return f"{source.title} could not be read" + (f" since {short_day(last)}" if last else " yet")

"""Going over the stored papers for a service that adds to them: the newest first, and again after a while.

Every month all papers are asked for, every week those of the last two months, every day those that are
new in the store. The cursor says which walk is under way and where it is; a paper that the service told
of within a week is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from ..model.identifiers import Identifier
from ..model.papers import Paper, Record, Rejection, Withdrawal
from ..model.text import abstracts_agree, authors_agree, title_key
from .http import Stopped
from .source import Page, Run

# Citations of most papers change slowly; of new ones venue and DOI become known.
ALL_DAYS = 30
NEW_DAYS = 7
# How old a paper may be to count as new.
NEW_FOR_DAYS = 60
# So short a title may begin another one by chance.
_SHORT_TITLE = 20

Items: TypeAlias = Sequence[Record | Rejection | Withdrawal]


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk of ``source`` over papers with an identifier in one of ``schemes``, or with a link that holds
    ``linked``; ``size`` papers are asked for at a time.
    """

    source: str
    size: int
    schemes: tuple[str, ...] = ()
    linked: str = ""

    def pages(self, run: Run, ask: Callable[[list[Paper]], Items | None]) -> Iterator[Page]:
        """Pages of what ``ask`` tells of the papers, ``size`` of them at a time.

        ``ask`` gives None where the service wants to be left alone: the walk ends, and goes on from there
        in the next run.

        Raises:
            ServiceError, Stopped: as ``ask`` does; the cursor is that of the papers before.
        """
        state = _begun(run)
        while True:
            if run.stop.is_set():
                raise Stopped
            found = run.store.keys_to_enrich(
                self.source,
                self.size,
                after=tuple(state["after"]) if state.get("after") else None,
                older_than=state["older_than"],
                since=state["since"],
                above=state["above"],
                schemes=self.schemes,
                linked=self.linked,
            )
            if not found:
                yield Page([], _ended(state))
                return
            papers = run.store.papers([key for _, key in found])
            items = ask(papers)
            if items is None:
                return
            state = {**state, "after": list(found[-1]), "top": max(state["top"], *(key for _, key in found))}
            yield Page(list(items), state)


def _begun(run: Run) -> dict[str, Any]:
    """The cursor of the walk that is under way, or that of the one that begins now.

    ``all`` and ``new`` are the days on which the last walks over all and over the new papers began, ``top``
    the highest key that was met; ``since`` and ``above`` bound the walk (papers published since a day, or
    with a higher key), ``after`` is where it is.
    """
    known, today = _sane(run.cursor), run.now.date().isoformat()
    if "after" in known:
        return known
    state = {"all": known.get("all", ""), "new": known.get("new", ""), "top": known.get("top", 0)}
    week_ago = _before(run.now, NEW_DAYS)
    if run.since:
        bounds = {"since": run.since, "above": None, "older_than": today}
    elif not state["all"] or state["all"] <= _before(run.now, ALL_DAYS) or state["all"] > today:
        state |= {"all": today, "new": today}
        bounds = {"since": None, "above": None, "older_than": week_ago}
    elif state["new"] <= week_ago or state["new"] > today:
        state |= {"new": today}
        bounds = {"since": _before(run.now, NEW_FOR_DAYS), "above": state["top"], "older_than": week_ago}
    else:
        # No day is as late: only the keys bound it.
        bounds = {"since": "9999", "above": state["top"], "older_than": week_ago}
    return {**state, **bounds, "after": None}


def _ended(state: dict[str, Any]) -> dict[str, Any]:
    return {name: state[name] for name in ("all", "new", "top")}


def _sane(cursor: dict[str, Any]) -> dict[str, Any]:
    """``cursor`` as far as it is one of a walk, so that a damaged one can only begin a walk anew."""
    after = cursor.get("after")
    whole = {"all", "new", "top", "since", "above", "older_than"} <= cursor.keys()
    if "after" in cursor and (
        not whole or not (after is None or (isinstance(after, list) and len(after) == 2))
    ):
        return {}
    if not isinstance(cursor.get("top", 0), int):
        return {}
    return cursor


def _before(now: datetime, days: int) -> str:
    return (now - timedelta(days=days)).date().isoformat()


def is_wanted(settings: Any, name: str, *switches: str) -> bool:
    """Whether ``settings`` name the source, or set one of the ``switches`` (its key) that switch it on."""
    named = {word.strip() for word in settings.sources.split(",")}
    return name in named or any(switches)


def daily(hour: int, last_success: datetime | None, now: datetime) -> datetime:
    """When a service is due that is asked once a day at ``hour`` (UTC)."""
    if last_success is None or last_success > now:
        return now
    moment = datetime(last_success.year, last_success.month, last_success.day, hour, tzinfo=UTC)
    return moment if moment > last_success else moment + timedelta(days=1)


def addition(told: Record, paper: Paper, day: str) -> Record | Rejection:
    """``told``, which a service tells of ``paper``, as what it adds to it; its counts are of ``day``.

    A service may mean another work by the same identifier (a DOI that was written down wrongly): where
    neither title nor authors nor abstract agree, nothing is added.
    """
    if not _agree(told, paper):
        return Rejection(
            told.where,
            f"it is {told.title[:80]!r} there, but {paper.title[:80]!r} here; "
            f"correct the identifiers of {paper.id}, if they are wrong",
        )
    known = {identifier.key for identifier in paper.identifiers}
    news = [identifier for identifier in told.identifiers if identifier.key not in known]
    return replace(
        told,
        title="",
        identifiers=[name_of(paper), *news],
        listings=[],
        counted=day,
        withdrawn=None,
        ai_keywords=[],
    )


def name_of(paper: Paper) -> Identifier:
    """The identifier by which a record names ``paper``."""
    return next((i for i in paper.identifiers if i.value == paper.id), paper.identifiers[0])


def _agree(told: Record, paper: Paper) -> bool:
    if not told.title:
        return True
    ours, theirs = title_key(paper.title), title_key(told.title)
    shorter, longer = sorted((ours, theirs), key=len)
    if ours == theirs or (len(shorter) >= _SHORT_TITLE and longer.startswith(shorter)):
        return True
    if told.authors and paper.authors:
        return authors_agree([a.name for a in told.authors], [a.name for a in paper.authors])
    return bool(told.abstract and paper.abstract) and abstracts_agree(told.abstract, paper.abstract)

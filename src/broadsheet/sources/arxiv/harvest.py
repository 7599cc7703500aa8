"""Keeping a copy by OAI-PMH: what changed in one set since the last time, page by page.

The state of a set is a part of the source's cursor. Between two harvests it is ``{"from": DAY}``, the day
of the server's last answer. In the middle of one it also holds ``token`` (the next page), ``at`` (the day
that was asked from), ``reached`` (the latest datestamp so far), ``ordered`` (whether datestamps only rose),
``began`` (the day of the first answer) and ``pages``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...model import dates
from ...model.papers import Record, Rejection, Withdrawal
from ..http import ServiceError
from ..source import Run
from .fetch import ARXIV, OAI_URL, OaiPage, fetch_oai
from .files import items_of
from .oai import Damage, OaiRecord

Items = list[Record | Rejection | Withdrawal]

# Older papers all share this datestamp, and an earlier day may be refused.
EARLIEST = "2005-09-16"
# Tokens end at midnight; who is refused this often on one day asks for something else.
_MAX_BEGUN_AGAIN = 3
_MAX_REPEATED = 3


@dataclass(frozen=True, slots=True)
class Harvester:
    """How the server is asked: see `fetch_oai`."""

    url: str = OAI_URL
    metadata: str = "arXivRaw"
    service: Any = ARXIV

    def items(
        self, run: Run, set_name: str, state: dict[str, Any], first: str, lost: list[str]
    ) -> Iterator[Items]:
        """What changed in ``set_name`` since ``state``, a page at a time; ``state`` is brought along.

        Args:
            first: the day to begin with where ``state`` is empty; empty for all there is.
            lost: gains the OAI identifiers of records that came damaged.

        Raises:
            ServiceError: if there is no usable answer, or an error; ``state`` is where to go on.
            Stopped: if ``run.stop`` was set while waiting.
        """
        first = first if first > EARLIEST else ""
        state.setdefault("from", first)
        begun_again, tokens, seen, repeated = 0, set(), {}, 0
        while True:
            state.setdefault("at", state["from"])
            token = state.get("token", "")
            page = fetch_oai(
                run.client,
                set_name=set_name,
                metadata=self.metadata,
                since=state["at"],
                token=token,
                url=self.url,
                service=self.service,
                stop=run.stop,
            )
            where = f"{self.service.name} {set_name} page {state.get('pages', 0) + 1}"
            refused = self._refused(page, token)
            if refused and begun_again < _MAX_BEGUN_AGAIN:
                begun_again += 1
                _begin_again(state)
                tokens, seen, repeated = set(), {}, 0
                since = state["at"] or "the beginning"
                yield [Rejection(where, f"{refused}; the harvest begins again with {since}")]
                continue
            if refused:
                raise ServiceError(
                    self.service.name,
                    page.url,
                    f"refuses its own tokens ({refused})",
                    "try again tomorrow",
                    200,
                )
            state["pages"] = state.get("pages", 0) + 1
            state.setdefault("began", _day(page.response_date))
            items = _page_items(page, where, lost)
            mark = hash(tuple(told.identifier for told in page.records))
            if page.records and mark in seen:
                repeated += 1
                items = [Rejection(where, f"it repeats page {seen[mark]}, and was left out")]
            seen.setdefault(mark, state["pages"])
            if _goes_back(page, state):
                items = [_back_in_time(page, where, state), *_not_older(run, items)]
            _reach(page, state)
            tokens.add(token)
            if repeated >= _MAX_REPEATED or (page.token and page.token in tokens):
                _begin_again(state)
                items.append(Rejection(where, "its token leads back to a page that was read already"))
                yield items
                raise ServiceError(
                    self.service.name, page.url, "goes in circles", "it is asked again the next time", 200
                )
            if page.token:
                state["token"] = page.token
                yield items
                continue
            _finish(state, run)
            yield items
            return

    def _refused(self, page: OaiPage, token: str) -> str:
        """Why the server refuses ``token``, empty where it does not.

        Raises:
            ServiceError: for errors that asking again does not mend.
        """
        for code, message in page.errors:
            if code == "noRecordsMatch":
                # Nothing new; but this is also how an unknown set is told.
                if "match any sets" not in message:
                    continue
            elif token and code in ("badResumptionToken", "badArgument"):
                return f"arXiv refuses the resumption token ({message[:200] or code})"
            raise ServiceError(
                self.service.name,
                page.url,
                f"answers with the error {code}: {message[:300]}",
                "correct BROADSHEET_ARXIV_CATEGORIES, BROADSHEET_ARXIV_OAI_FORMAT or the day",
                400,
            )
        return ""


def _page_items(page: OaiPage, where: str, lost: list[str]) -> Items:
    items: Items = []
    for told in page.records:
        items += items_of(told, where)
        if isinstance(told, Damage) and told.identifier:
            lost.append(told.identifier)
    return items


def _begin_again(state: dict[str, Any]) -> None:
    """Sets ``state`` to what was surely reached: the last datestamp, where they came in order."""
    reached = state.get("reached", "") if state.get("ordered", True) else ""
    state["at"] = max(state["from"], reached)
    state.pop("token", None)


def _reach(page: OaiPage, state: dict[str, Any]) -> None:
    for told in page.records:
        day = _day(told.datestamp) if isinstance(told, OaiRecord) else ""
        if day and day < state.get("reached", ""):
            state["ordered"] = False
        state["reached"] = max(day, state.get("reached", ""))


def _finish(state: dict[str, Any], run: Run) -> None:
    """The harvest is complete: the next one begins with the day of this one's first answer."""
    today = run.now.date().isoformat()
    # A clock that is ahead, theirs or ours, must not leave days out.
    began = min(state["began"] or today, today)
    since = max(began, state["from"])
    state.clear()
    state["from"] = min(since, today)


def _goes_back(page: OaiPage, state: dict[str, Any]) -> bool:
    """Whether the page, or a record in it, is older than what was asked for."""
    day = _day(page.response_date)
    return bool(day and day < state["from"]) or any(_is_before(told, state["at"]) for told in page.records)


def _is_before(told: OaiRecord | Damage, day: str) -> bool:
    stamp = _day(told.datestamp) if isinstance(told, OaiRecord) else ""
    return bool(stamp) and stamp < day


def _back_in_time(page: OaiPage, where: str, state: dict[str, Any]) -> Rejection:
    older = [told for told in page.records if _is_before(told, state["at"])]
    what = f"{len(older)} of its records, such as {older[0].identifier[:60]}, are" if older else "it is"
    return Rejection(
        where,
        f"the service goes back in time: {what} older than {state['at'] or state['from']}, which was asked "
        f"for (answered {page.response_date[:30]!r}); what is stored in a later version was left as it is",
    )


def _not_older(run: Run, items: Items) -> Items:
    """``items`` without the papers of which a later version is stored."""
    kept: Items = []
    for item in items:
        if isinstance(item, Record):
            paper = run.store.paper(item.identifiers[0].key)
            latest = max((version.number for version in paper.versions), default=0) if paper else 0
            if latest > (item.identifiers[0].version or latest):
                continue
        kept.append(item)
    return kept


def _day(text: str) -> str:
    """The day of ``text``, a date of OAI-PMH; empty where it is none."""
    try:
        return dates.day(text) if text else ""
    except dates.DateError:
        return ""

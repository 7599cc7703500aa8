"""Sends what stands in the outbox: every row by one worker at a time, until the other side took it.

A row is taken from the store for some minutes and handed to its channel. That it was taken there is written
to a journal at once, and to the store a moment later, for many rows together. A worker that is killed in
between leaves a journal, which the next one reads, and rows, which others take up again: a copy can come
twice only where the other side took it and its answer did not arrive, or the kill came just then. So that
this is short, rows go in rounds: whatever takes long (reading, rendering, writing) is done while nothing is
on its way.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ..model.editions import ComposedEdition
from ..model.papers import Paper
from ..model.subscriptions import OutboxItem, Subscription
from ..store import Store
from .channels import Channel, Links, Outgoing, Refused, Retry, Sent
from .journal import Journal, left_behind

log = logging.getLogger(__name__)

# Seconds until the next try, by the number of tries before; the last one goes on.
PAUSES = (60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0)
# An edition that could not be handed over for so long is not news any more.
GIVE_UP_SECONDS = 3 * 86_400.0
# Pauses of a channel whose server does not answer at all.
AWAY_PAUSES = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
# So long one try may take; a row is kept for longer than that.
TRY_SECONDS = 300.0
LEASE_SECONDS = 900.0
# What is under way at the end may take so long.
CLOSE_SECONDS = 10.0
# A round is over when all is sent, or when nothing was for so long: a server that hangs does not hold up the
# others.
_QUIET_SECONDS = 0.5
# A row whose domain is at its rate for longer than this goes back into the queue.
_PATIENCE = 2.0
_IDLE_SECONDS = 1.0
_KEPT = 4_000


@dataclass(slots=True)
class SendReport:
    """What became of the rows that were tried; ``problems`` counts the reasons."""

    sent: int = 0
    retry: int = 0
    failed: int = 0
    suppressed: int = 0
    away: str = ""
    problems: dict[str, int] = field(default_factory=dict)

    def add_problem(self, reason: str) -> None:
        if reason in self.problems or len(self.problems) < 50:
            self.problems[reason] = self.problems.get(reason, 0) + 1


@dataclass(slots=True)
class _Away:
    """A channel whose server did not answer: how often in a row, and until when it is left alone."""

    times: int = 0
    until: float = 0.0


class Sender:
    """Sends from the outbox of ``store`` through ``channels``.

    Args:
        links: the links that go with an edition of a subscription.
        worker: the name of this worker among all, never used by two at a time.
        folder: where the journals of the workers of this machine are.
        at_once: rows of a round, which the channel is given at the same time.
        domain_rate: mails a second to one mail domain; 0 means no limit.
        pauses: seconds until the next try, by the number of tries before.
        dead: whether a worker of that name was killed, so that its rows can be sent at once.
    """

    def __init__(
        self,
        store: Store,
        channels: Iterable[Channel],
        links: Callable[[Subscription], Links],
        worker: str,
        folder: Path,
        *,
        at_once: int = 32,
        domain_rate: float = 0.0,
        pauses: Sequence[float] = PAUSES,
        away_pauses: Sequence[float] = AWAY_PAUSES,
        dead: Callable[[str], bool] = lambda worker: False,
        stop: threading.Event | None = None,
    ):
        self._store = store
        self._channels = {channel.name: channel for channel in channels}
        self._links = links
        self._worker = worker
        self._folder = folder
        # What is to be written to the store at the end of the round.
        self._taken_there: list[tuple[int, str]] = []
        self._marks: list[Callable[[], object]] = []
        self._at_once = at_once
        self._rate = domain_rate
        self._pauses, self._away_pauses = pauses, away_pauses
        self._dead = dead
        self._stop = stop or threading.Event()
        self._away: dict[str, _Away] = {}
        self._next_of_domain: dict[str, float] = {}
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._editions: OrderedDict[int, ComposedEdition] = OrderedDict()
        self._papers: OrderedDict[int, Paper] = OrderedDict()
        self.report = SendReport()

    async def run(self, until_empty: bool = False, patience: float = math.inf) -> SendReport:
        """Sends until stopped, or until nothing waits any more that could be sent now.

        ``patience`` is for how many seconds it then goes on for mail domains that are at their rate.
        """
        # What changed since the last run is read anew.
        self._editions.clear()
        self._papers.clear()
        end = time.monotonic() + patience
        self._take_over()
        self._journal = Journal(self._folder, self._worker)
        try:
            while not self._stop.is_set():
                taken = await asyncio.to_thread(self._taken)
                for outgoing, created in taken:
                    self._begin(outgoing, created)
                if self._sending:
                    await self._round()
                    await self._write()
                elif until_empty and not (self._busy(0.0) and time.monotonic() < end):
                    break
                else:
                    await asyncio.sleep(_IDLE_SECONDS)
        finally:
            await self._finish()
        return self.report

    def _take_over(self) -> None:
        """Takes up what killed workers left; what this worker is named as having, it does not have."""

        def is_gone(worker: str) -> bool:
            return worker == self._worker or self._dead(worker)

        for path, sent in left_behind(self._folder, is_gone):
            self._store.mark_all_sent(sent)
            path.unlink(missing_ok=True)
        for worker in self._store.senders():
            if is_gone(worker):
                rows = self._store.give_back(worker)
                log.info("%d editions that a worker was sending when it ended wait again", rows)

    async def _round(self) -> None:
        """Waits until nothing is on its way, or nothing comes back any more."""
        while self._sending and not self._stop.is_set():
            ended, _ = await asyncio.wait(
                self._sending.values(), timeout=_QUIET_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not ended:
                return

    async def _finish(self) -> None:
        if self._sending:
            await asyncio.wait(self._sending.values(), timeout=CLOSE_SECONDS)
        for task in self._sending.values():
            task.cancel()
        await asyncio.gather(*self._sending.values(), return_exceptions=True)
        await self._write()
        self._store.give_back(self._worker)
        self._journal.close()
        for channel in self._channels.values():
            await channel.close()

    # -- taking

    def _taken(self) -> list[tuple[Outgoing, str]]:
        """Rows of the next round with all that goes with them, and when each was composed."""
        now = time.time()
        limit, open_channels = self._at_once - len(self._sending), []
        if limit < self._at_once // 2:
            return []
        for name in self._channels:
            away = self._away.get(name)
            if away and away.times:
                if now < away.until or self._sending:
                    continue
                # One row finds out whether the server is back.
                limit = 1
            open_channels.append(name)
        if not open_channels:
            return []
        return self._prepared(limit, now, open_channels, self._busy(_PATIENCE))

    def _busy(self, seconds: float) -> list[str]:
        """The domains that are at their rate for more than ``seconds`` from now."""
        now = time.time()
        return [domain for domain, free in self._next_of_domain.items() if free > now + seconds]

    def _prepared(
        self, limit: int, now: float, channels: Collection[str], busy: Collection[str]
    ) -> list[tuple[Outgoing, str]]:
        store = self._store
        # A row of ours whose time is over while its try goes on must not begin a second one.
        items = [
            item
            for item in store.take(limit, now, self._worker, LEASE_SECONDS, channels=channels, without=busy)
            if item.id not in self._sending
        ]
        subscriptions = store.subscriptions_by_id({item.subscription for item in items})
        self._read(items)
        found = []
        for item in items:
            subscription, edition = subscriptions.get(item.subscription), self._editions.get(item.edition)
            papers = [self._papers[key] for key in item.papers if key in self._papers]
            if subscription is None or edition is None or not papers:
                store.mark_failed(item.id, "the edition, its papers or the subscription were deleted")
                continue
            chosen = edition.only([paper.key for paper in papers])
            by_key = {paper.key: paper for paper in papers}
            in_order = [by_key[entry.paper] for entry in chosen.entries]
            outgoing = Outgoing(
                item.id,
                subscription,
                replace(chosen, id=item.edition),
                in_order,
                self._links(subscription),
                item.slot,
                item.attempts,
            )
            self._prepare(outgoing)
            found.append((outgoing, item.created))
        return found

    def _prepare(self, outgoing: Outgoing) -> None:
        prepare = getattr(self._channels[outgoing.subscription.channel], "prepare", None)
        if prepare:
            # What is wrong is told by `send`, which tries once more.
            with suppress(Exception):
                prepare(outgoing)

    def _read(self, items: Sequence[OutboxItem]) -> None:
        """Reads editions and papers that are not at hand; those used last stay."""
        editions = {item.edition for item in items}
        for number, edition in self._store.editions_by_id(editions - self._editions.keys()).items():
            self._editions[number] = edition
        papers = {key for item in items for key in item.papers}
        for paper in self._store.papers(sorted(papers - self._papers.keys())):
            self._papers[paper.key] = paper
        for kept, used in ((self._editions, editions), (self._papers, papers)):
            for key in used & kept.keys():
                kept.move_to_end(key)
            while len(kept) > max(_KEPT, len(used)):
                kept.popitem(last=False)

    # -- sending

    def _begin(self, outgoing: Outgoing, created: str) -> None:
        task = asyncio.create_task(self._send(outgoing, created))
        self._sending[outgoing.id] = task
        task.add_done_callback(lambda _: self._sending.pop(outgoing.id, None))

    async def _send(self, outgoing: Outgoing, created: str) -> None:
        subscription = outgoing.subscription
        wait = self._wait_for_domain(subscription.domain)
        if wait > _PATIENCE:
            self._marks.append(lambda: self._store.give_back(self._worker, [outgoing.id]))
            return
        if wait > 0:
            await asyncio.sleep(wait)
        channel = self._channels[subscription.channel]
        try:
            # Not wait_for, which would take another turn of the loop behind the answer.
            async with asyncio.timeout(TRY_SECONDS):
                answer = await channel.send(outgoing)
        except TimeoutError:
            answer = Retry(f"no answer within {TRY_SECONDS:.0f} seconds")
        except Exception as error:  # whatever a channel does not tell, it is tried again
            log.exception("the channel %s failed", channel.name)
            answer = Retry(f"the channel {channel.name} failed ({type(error).__name__})")
        self._record(outgoing, created, answer)

    def _wait_for_domain(self, domain: str) -> float:
        """Seconds until the next mail may go to ``domain``; its place in the row is taken."""
        if not self._rate or not domain:
            return 0.0
        now = time.time()
        turn = max(self._next_of_domain.get(domain, 0.0), now)
        if turn - now <= _PATIENCE:
            self._next_of_domain[domain] = turn + 1 / self._rate
        return turn - now

    def _record(self, outgoing: Outgoing, created: str, answer: Sent | Retry | Refused) -> None:
        """Notes what became of a row. Nothing comes between the answer and this."""
        store, number, channel = self._store, outgoing.id, outgoing.subscription.channel
        if isinstance(answer, Sent):
            self._journal.sent(number, answer.message_id)
            self._taken_there.append((number, answer.message_id))
            self._away.pop(channel, None)
            self.report.sent += 1
            return
        self.report.add_problem(answer.reason)
        reason, when = answer.reason, 0.0
        if isinstance(answer, Refused):
            self._marks.append(lambda: store.mark_failed(number, reason))
            if answer.suppress:
                self._marks.append(lambda: store.suppress(outgoing.subscription.address, reason))
                self.report.suppressed += 1
            self.report.failed += 1
            self._away.pop(channel, None)
            return
        if answer.away:
            self._leave_alone(channel, answer)
            self.report.away = reason
        else:
            self._away.pop(channel, None)
        if _age(created) > GIVE_UP_SECONDS:
            given_up = f"given up after {GIVE_UP_SECONDS / 86_400:g} days: {reason}"
            self._marks.append(lambda: store.mark_failed(number, given_up))
            self.report.failed += 1
        elif answer.away:
            when = self._away[channel].until
            self._marks.append(lambda: store.mark_retry(number, when, reason, counted=False))
            self.report.retry += 1
        else:
            pause = self._pauses[min(outgoing.attempts, len(self._pauses) - 1)]
            when = time.time() + max(pause, answer.after or 0.0)
            self._marks.append(lambda: store.mark_retry(number, when, reason))
            self.report.retry += 1

    def _leave_alone(self, channel: str, answer: Retry) -> None:
        away = self._away.setdefault(channel, _Away())
        if time.time() >= away.until:
            # Many tries that fail together are one sign.
            pause = self._away_pauses[min(away.times, len(self._away_pauses) - 1)]
            away.times += 1
            away.until = time.time() + max(pause, answer.after or 0.0)
            log.warning("%s waits %.0f seconds: %s", channel, away.until - time.time(), answer.reason)

    async def _write(self) -> None:
        """Writes to the store what became of the round.

        While that is busy or away, the rows stay ours and it is tried again.
        """
        pause = 0.05
        while self._taken_there or self._marks:
            sent, marks = self._taken_there, self._marks
            self._taken_there, self._marks = [], []
            try:
                await asyncio.to_thread(self._write_to_store, sent, marks)
            except Exception as error:
                log.warning("the outbox cannot be written, which is tried again: %s", type(error).__name__)
                self._taken_there, self._marks = sent + self._taken_there, marks + self._marks
                await asyncio.sleep(pause)
                pause = min(pause * 2, 10.0)
        self._journal.clear()

    def _write_to_store(self, sent: list[tuple[int, str]], marks: list[Callable[[], object]]) -> None:
        if sent:
            self._store.mark_all_sent(sent)
            sent.clear()
        while marks:
            marks[0]()
            marks.pop(0)


def _age(created: str) -> float:
    """Seconds since the UTC timestamp ``created``."""
    return (datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds()

"""The outbox: what is to be sent to whom, who is sending it, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..model import dates
from ..model.editions import ComposedEdition
from ..model.subscriptions import Deliveries, NewItem, OutboxItem, address_key
from . import editions
from . import schema as s
from .connection import in_chunks
from .states import take_numbers

_T = s.outbox
_WAITING = ("queued", "retry")
_MOST_REASONS = 50


def of_row(row: Any) -> OutboxItem:
    return OutboxItem(
        row.id,
        row.subscription,
        row.edition,
        row.slot,
        tuple(paper for paper, _ in row.papers),
        row.state,
        row.attempts,
        row.next_try,
        row.created,
        row.sent,
        row.error,
        row.message_id,
        row.worker,
    )


def add(
    connection: Connection, batch: Sequence[tuple[ComposedEdition, Sequence[NewItem]]], now: float
) -> list[int]:
    """Stores editions with what is to be sent of them; see `Store.save_editions`. The ids of the editions."""
    numbers = editions.add(connection, [edition for edition, _ in batch])
    wanted = [(number, item) for number, (_, items) in zip(numbers, batch, strict=True) for item in items]
    about = _about(connection, {item.subscription for _, item in wanted})
    taken = _taken(connection, [item for _, item in wanted])
    # Whoever left meanwhile gets nothing, and whom another worker was quicker with nothing more.
    fresh = [
        (number, item)
        for number, item in wanted
        if item.subscription in about and (item.subscription, item.slot) not in taken
    ]
    first, created = take_numbers(connection, "next_item", len(fresh)), dates.now()
    rows = [
        {
            "id": place,
            "subscription": item.subscription,
            "slot": item.slot,
            "edition": number,
            "papers": [list(pair) for pair in item.papers],
            "channel": about[item.subscription][0],
            "domain": about[item.subscription][1],
            "state": "skipped" if item.skipped else "queued",
            "attempts": 0,
            "next_try": now,
            "worker": "",
            "until": 0.0,
            "created": created,
            "sent": "",
            "error": item.skipped,
            "message_id": "",
        }
        for place, (number, item) in enumerate(fresh, first)
    ]
    if rows:
        connection.execute(_T.insert(), rows)
    editions.mark_delivered(
        connection,
        (
            (paper, version, item.subscription)
            for _, item in fresh
            if not item.skipped
            for paper, version in item.papers
        ),
    )
    return numbers


def _about(connection: Connection, subscriptions: Collection[int]) -> dict[int, tuple[str, str]]:
    """Channel and mail domain of each of ``subscriptions`` that is active."""
    table = s.subscriptions
    found: dict[int, tuple[str, str]] = {}
    for chunk in in_chunks(subscriptions):
        query = sa.select(table.c.id, table.c.channel, table.c.address_key)
        query = query.where(table.c.id.in_(chunk), table.c.state == "active")
        for number, channel, address in connection.execute(query):
            found[number] = (channel, address.rpartition("@")[2] if channel == "mail" else "")
    return found


def _taken(connection: Connection, items: Sequence[NewItem]) -> set[tuple[int, str]]:
    by_slot: dict[str, list[int]] = defaultdict(list)
    for item in items:
        by_slot[item.slot].append(item.subscription)
    found: set[tuple[int, str]] = set()
    for slot, numbers in by_slot.items():
        for chunk in in_chunks(numbers):
            query = sa.select(_T.c.subscription).where(_T.c.slot == slot, _T.c.subscription.in_(chunk))
            found |= {(number, slot) for number in connection.execute(query).scalars()}
    return found


# -- sending --------------------------------------------------------------------------------


def take(
    connection: Connection,
    limit: int,
    now: float,
    worker: str,
    seconds: float,
    channels: Collection[str] | None,
    without: Collection[str],
) -> list[OutboxItem]:
    """Gives up to ``limit`` rows to ``worker``; see `Store.take`."""
    ready = sa.or_(
        sa.and_(_T.c.state.in_(_WAITING), _T.c.next_try <= now),
        sa.and_(_T.c.state == "sending", _T.c.until < now),
    )
    query = sa.select(_T).where(ready)
    if channels is not None:
        query = query.where(_T.c.channel.in_(list(channels)))
    if without:
        query = query.where(_T.c.domain.not_in(list(without)))
    rows = connection.execute(query.order_by(_T.c.next_try, _T.c.id).limit(limit)).all()
    unwanted = _unwanted(connection, rows)
    for number, (state, why) in unwanted.items():
        end(connection, number, state, why)
    rows = [row for row in rows if row.id not in unwanted]
    for chunk in in_chunks([row.id for row in rows]):
        held = {"state": "sending", "worker": worker, "until": now + seconds}
        connection.execute(_T.update().where(_T.c.id.in_(chunk)).values(held))
    return [of_row(row) for row in rows]


def _unwanted(connection: Connection, rows: Sequence[Any]) -> dict[int, tuple[str, str]]:
    """Rows that must not be sent any more: what becomes of each, and why."""
    subscriptions, table = {row.subscription for row in rows}, s.subscriptions
    states: dict[int, tuple[str, str]] = {}
    for chunk in in_chunks(subscriptions):
        why = sa.select(table.c.id, table.c.state, s.suppressions.c.reason).where(table.c.id.in_(chunk))
        joined = sa.and_(s.suppressions.c.address_key == table.c.address_key, table.c.channel == "mail")
        why = why.select_from(table.outerjoin(s.suppressions, joined))
        for number, state, reason in connection.execute(why):
            states[number] = (state, reason or "")
    found: dict[int, tuple[str, str]] = {}
    for row in rows:
        state, reason = states.get(row.subscription, ("left", ""))
        if state != "active":
            found[row.id] = ("skipped", f"the subscription: {state}")
        elif reason:
            found[row.id] = ("suppressed", reason)
    return found


def mark_sent(connection: Connection, number: int, message_id: str) -> None:
    sent = {"state": "sent", "sent": dates.now(), "message_id": message_id, "error": ""}
    ended = {"worker": "", "until": 0.0, "attempts": _T.c.attempts + 1}
    connection.execute(_T.update().where(_T.c.id == number).values(sent | ended))


def mark_all_sent(connection: Connection, sent: Collection[tuple[int, str]]) -> None:
    """`mark_sent` for many at once."""
    if sent:
        row = _T.update().where(_T.c.id == sa.bindparam("number"))
        row = row.values(
            state="sent", sent=dates.now(), message_id=sa.bindparam("name"), error="", worker="", until=0.0,
            attempts=_T.c.attempts + 1,
        )  # fmt: skip
        connection.execute(row, [{"number": number, "name": name} for number, name in sent])


def mark_retry(connection: Connection, number: int, when: float, error: str, counted: bool) -> None:
    attempts = _T.c.attempts + (1 if counted else 0)
    values = {"state": "retry", "next_try": when, "error": error, "worker": "", "until": 0.0}
    where = (_T.c.id == number, _T.c.state == "sending")
    connection.execute(_T.update().where(*where).values(**values, attempts=attempts))


def mark_failed(connection: Connection, number: int, error: str, state: str) -> None:
    connection.execute(_T.update().where(_T.c.id == number).values(attempts=_T.c.attempts + 1))
    end(connection, number, state, error)


def end(connection: Connection, number: int, state: str, error: str) -> None:
    """Ends a row without delivery: what it held counts as not delivered."""
    row = connection.execute(sa.select(_T.c.subscription, _T.c.papers).where(_T.c.id == number)).first()
    if row is not None:
        ended = {"state": state, "error": error, "worker": "", "until": 0.0}
        connection.execute(_T.update().where(_T.c.id == number).values(ended))
        editions.unmark_delivered(connection, row.subscription, row.papers)


def give_back(connection: Connection, worker: str, numbers: Collection[int] | None) -> int:
    """Rows that ``worker`` has go back into the queue; only ``numbers`` of them where given."""
    where = [_T.c.state == "sending", _T.c.worker == worker]
    if numbers is not None:
        where.append(_T.c.id.in_(list(numbers)))
    return connection.execute(_T.update().where(*where).values(state="queued", worker="", until=0.0)).rowcount


def holders(connection: Connection) -> list[str]:
    """The workers that are sending something."""
    query = sa.select(_T.c.worker).where(_T.c.state == "sending").distinct()
    return list(connection.execute(query).scalars())


def next_try(connection: Connection) -> float | None:
    query = sa.select(sa.func.min(_T.c.next_try)).where(_T.c.state.in_(_WAITING))
    return connection.execute(query).scalar()


# -- reading --------------------------------------------------------------------------------


def items(
    connection: Connection, subscription: int | None, slot: str | None, state: str | None, limit: int
) -> list[OutboxItem]:
    """Rows of the outbox, newest first; see `Store.outbox`."""
    query = sa.select(_T)
    for column, value in ((_T.c.subscription, subscription), (_T.c.slot, slot), (_T.c.state, state)):
        if value is not None:
            query = query.where(column == value)
    return [of_row(row) for row in connection.execute(query.order_by(_T.c.id.desc()).limit(limit))]


def by_message(connection: Connection, message_id: str) -> OutboxItem | None:
    if not message_id:
        return None
    row = connection.execute(sa.select(_T).where(_T.c.message_id == message_id)).first()
    return of_row(row) if row else None


def latest_of_address(connection: Connection, address: str) -> OutboxItem | None:
    """The last row that was sent to a mail ``address``, for bounces that name nothing else."""
    table = s.subscriptions
    query = sa.select(_T).join(table, table.c.id == _T.c.subscription)
    query = query.where(table.c.address_key == address_key("mail", address), _T.c.state == "sent")
    row = connection.execute(query.order_by(_T.c.id.desc()).limit(1)).first()
    return of_row(row) if row else None


def deliveries(connection: Connection, day: str) -> Deliveries:
    """What became of the editions of one day; see `Store.deliveries`."""
    states: dict[str, dict[str, int]] = defaultdict(dict)
    counted = sa.select(_T.c.channel, _T.c.state, sa.func.count()).where(_T.c.slot == day)
    for channel, state, number in connection.execute(counted.group_by(_T.c.channel, _T.c.state)):
        states[channel][state] = number
    number = sa.func.count()
    told = sa.select(_T.c.state, _T.c.error, number).where(_T.c.slot == day, _T.c.error != "")
    told = told.group_by(_T.c.state, _T.c.error).order_by(number.desc()).limit(_MOST_REASONS)
    reasons = [tuple(row) for row in connection.execute(told)]
    composed = sa.select(sa.func.count(sa.distinct(_T.c.edition))).where(_T.c.slot == day)
    return Deliveries(
        day, connection.execute(composed).scalar() or 0, dict(states), reasons, next_try(connection)
    )


def counts(connection: Connection, states: Collection[str] | None) -> dict[tuple[str, str], int]:
    """How many rows there are, by channel and state."""
    query = sa.select(_T.c.channel, _T.c.state, sa.func.count()).group_by(_T.c.channel, _T.c.state)
    if states is not None:
        query = query.where(_T.c.state.in_(list(states)))
    return {(channel, state): number for channel, state, number in connection.execute(query)}


def slots(connection: Connection, limit: int) -> list[str]:
    """The days that have editions, latest first."""
    query = sa.select(_T.c.slot).distinct().order_by(_T.c.slot.desc()).limit(limit)
    return list(connection.execute(query).scalars())


def last_sent(connection: Connection) -> str:
    """When something was last taken by the other side (a UTC timestamp); empty where nothing was."""
    return connection.execute(sa.select(sa.func.max(_T.c.sent))).scalar() or ""

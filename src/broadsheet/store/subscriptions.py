"""Subscriptions and suppressed addresses: who gets what, and who gets nothing any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..model import dates
from ..model.audiences import Audience
from ..model.subscriptions import Due, Schedule, Subscription, Suppression, address_key
from . import outbox
from . import schema as s
from .connection import in_chunks
from .states import take_numbers

_T = s.subscriptions
# What `update` may change.
CHANGEABLE = ("audience", "frequency", "days", "hour", "zone", "options")


def of_row(row: Any) -> Subscription:
    return Subscription(
        row.id,
        row.channel,
        row.address,
        Audience.parse(row.audience),
        row.frequency,
        tuple(map(int, row.days)),
        row.hour,
        row.zone,
        row.state,
        row.created,
        row.confirmed,
        row.changed,
        row.options or {},
    )


def subscribe(connection: Connection, wanted: Subscription, confirmed: bool) -> Subscription:
    """Stores ``wanted`` unless it is there; see `Store.subscribe`."""
    now = dates.now()
    key = address_key(wanted.channel, wanted.address)
    query = sa.select(_T).where(
        _T.c.channel == wanted.channel, _T.c.address_key == key, _T.c.audience == wanted.audience.key
    )
    row = connection.execute(query).first()
    begun = {"state": "active" if confirmed else "pending", "confirmed": now if confirmed else ""}
    if row is None:
        values = {
            "id": take_numbers(connection, "next_subscription", 1),
            "channel": wanted.channel,
            "address": wanted.address,
            "address_key": key,
            "audience": wanted.audience.key,
            "created": now,
            "changed": now,
            **_schedule(wanted),
            **begun,
        }
        connection.execute(_T.insert().values(values))
        return _get(connection, values["id"])
    if row.state in ("pending", "left"):
        # Nobody else's choices are at stake: it is as if it were new.
        _change(connection, row.id, {**_schedule(wanted), **begun, "created": now})
    elif confirmed:
        _change(connection, row.id, {**_schedule(wanted), "state": "active"})
    return _get(connection, row.id)


def _schedule(wanted: Subscription) -> dict[str, Any]:
    return {
        "frequency": wanted.frequency,
        "days": "".join(map(str, wanted.days)),
        "hour": wanted.hour,
        "zone": wanted.zone,
        "options": wanted.options or None,
    }


def _get(connection: Connection, number: int) -> Subscription:
    return of_row(connection.execute(sa.select(_T).where(_T.c.id == number)).one())


def _change(connection: Connection, number: int, values: dict[str, Any]) -> bool:
    changed = connection.execute(_T.update().where(_T.c.id == number).values(changed=dates.now(), **values))
    return bool(changed.rowcount)


def subscription(connection: Connection, number: int) -> Subscription | None:
    row = connection.execute(sa.select(_T).where(_T.c.id == number)).first()
    return of_row(row) if row else None


def by_id(connection: Connection, numbers: Collection[int]) -> dict[int, Subscription]:
    found: dict[int, Subscription] = {}
    for chunk in in_chunks(set(numbers)):
        rows = connection.execute(sa.select(_T).where(_T.c.id.in_(chunk)))
        found |= {row.id: of_row(row) for row in rows}
    return found


def subscriptions(
    connection: Connection,
    address: str | None,
    channel: str | None,
    state: str | None,
    audience: Audience | None,
    limit: int | None,
    after: int,
) -> list[Subscription]:
    """Subscriptions by id; see `Store.subscriptions`."""
    query = sa.select(_T).where(_T.c.id > after)
    if address is not None:
        query = query.where(_T.c.address_key.in_({address, address_key("mail", address)}))
    for column, value in ((_T.c.channel, channel), (_T.c.state, state)):
        if value is not None:
            query = query.where(column == value)
    if audience is not None:
        query = query.where(_T.c.audience == audience.key)
    query = query.order_by(_T.c.id)
    return [of_row(row) for row in connection.execute(query.limit(limit) if limit else query)]


def count(connection: Connection) -> dict[str, int]:
    """How many subscriptions there are in each state."""
    query = sa.select(_T.c.state, sa.func.count()).group_by(_T.c.state)
    return dict(tuple(row) for row in connection.execute(query))


def set_state(connection: Connection, number: int, state: str) -> Subscription | None:
    """Puts the subscription into ``state``; a first confirmation is dated. None where there is none."""
    found = subscription(connection, number)
    if found is None:
        return None
    values: dict[str, Any] = {"state": state}
    if state == "active" and not found.confirmed:
        values["confirmed"] = dates.now()
    if found.state != state:
        _change(connection, number, values)
        if state != "active":
            _drop_waiting(connection, number, state)
    return subscription(connection, number)


def _drop_waiting(connection: Connection, number: int, state: str) -> None:
    """What waits for a subscription that was paused or left is not sent."""
    table = s.outbox
    waiting = sa.select(table.c.id).where(
        table.c.subscription == number, table.c.state.in_(("queued", "retry"))
    )
    for item in list(connection.execute(waiting).scalars()):
        outbox.end(connection, item, "skipped", f"the subscription: {state}")


def update(connection: Connection, number: int, values: dict[str, Any]) -> Subscription | None:
    """Changes a subscription; see `Store.update`."""
    unknown = values.keys() - set(CHANGEABLE)
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]} of a subscription cannot be changed")
    row = dict(values)
    if "audience" in row:
        row["audience"] = row["audience"].key
    if "days" in row:
        row["days"] = "".join(map(str, row["days"]))
    found = subscription(connection, number)
    if found is None:
        return None
    if "audience" in row:
        same = sa.select(_T.c.id).where(
            _T.c.channel == found.channel,
            _T.c.address_key == address_key(found.channel, found.address),
            _T.c.audience == row["audience"],
            _T.c.id != number,
        )
        # There is one for that already: it takes these settings, and this one ends.
        other = connection.execute(same).scalar()
        if other is not None:
            set_state(connection, number, "left")
            _change(connection, other, {"state": found.state, **row})
            return subscription(connection, other)
    _change(connection, number, row)
    return subscription(connection, number)


def forget(connection: Connection, number: int) -> bool:
    """Deletes a subscription and all that is known of what it got."""
    connection.execute(s.outbox.delete().where(s.outbox.c.subscription == number))
    connection.execute(s.delivered.delete().where(s.delivered.c.subscription == number))
    return bool(connection.execute(_T.delete().where(_T.c.id == number)).rowcount)


# -- who is due -----------------------------------------------------------------------------


def due(connection: Connection, now: datetime, today: bool, day: date | None) -> list[Due]:
    """Active subscriptions whose edition is to be composed; see `Store.due`."""
    columns = (_T.c.frequency, _T.c.days, _T.c.hour, _T.c.zone)
    groups = connection.execute(sa.select(*columns).where(_T.c.state == "active").distinct()).all()
    found: list[Due] = []
    for row in groups:
        schedule = Schedule(row.frequency, tuple(map(int, row.days)), row.hour, row.zone)
        slot, confirmed = _slot(schedule, now, today, day)
        if slot is None:
            continue
        done = sa.select(s.outbox.c.id).where(
            s.outbox.c.subscription == _T.c.id, s.outbox.c.slot == slot.isoformat()
        )
        same = [column == value for column, value in zip(columns, row, strict=True)]
        query = sa.select(_T).where(_T.c.state == "active", *same, ~done.exists())
        if confirmed:
            query = query.where(_T.c.confirmed <= confirmed)
        found += [Due(of_row(row), slot.isoformat()) for row in connection.execute(query.order_by(_T.c.id))]
    return _with_since(connection, found)


def _slot(schedule: Schedule, now: datetime, today: bool, day: date | None) -> tuple[date | None, str]:
    """The local day that is due, and until when (a UTC timestamp) one must have been confirmed for it."""
    if day is not None or today:
        chosen = day or schedule.today(now)
        return (chosen if schedule.falls_on(chosen) else None), ""
    latest = schedule.latest(now)
    if latest is None:
        return None, ""
    return latest, schedule.moment(latest).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _with_since(connection: Connection, found: list[Due]) -> list[Due]:
    """The same with the first day that each has to look at."""
    since: dict[int, str] = {}
    for chunk in in_chunks([due.subscription.id for due in found]):
        newest = sa.select(sa.func.max(s.outbox.c.id)).where(s.outbox.c.subscription.in_(chunk))
        newest = newest.group_by(s.outbox.c.subscription)
        columns = (s.outbox.c.subscription, s.editions.c.first, s.editions.c.last, s.editions.c.incomplete)
        query = sa.select(*columns).join(s.editions, s.editions.c.id == s.outbox.c.edition)
        for number, first, last, incomplete in connection.execute(query.where(s.outbox.c.id.in_(newest))):
            since[number] = first if incomplete else last
    return [Due(due.subscription, due.slot, since.get(due.subscription.id, "")) for due in found]


# -- addresses that nothing is sent to -------------------------------------------------------


def suppress(connection: Connection, address: str, reason: str) -> None:
    table, key = s.suppressions, address_key("mail", address)
    if connection.execute(sa.select(table.c.at).where(table.c.address_key == key)).first() is None:
        connection.execute(table.insert().values(address_key=key, reason=reason, at=dates.now()))


def unsuppress(connection: Connection, address: str) -> bool:
    table = s.suppressions
    gone = connection.execute(table.delete().where(table.c.address_key == address_key("mail", address)))
    return bool(gone.rowcount)


def suppressed(connection: Connection, address: str) -> str:
    """Why nothing is sent to ``address``; empty where it is not suppressed."""
    table = s.suppressions
    query = sa.select(table.c.reason).where(table.c.address_key == address_key("mail", address))
    return connection.execute(query).scalar() or ""


def suppressions(connection: Connection, limit: int) -> list[Suppression]:
    query = sa.select(s.suppressions).order_by(s.suppressions.c.at.desc()).limit(limit)
    return [Suppression(row.address_key, row.reason, row.at) for row in connection.execute(query)]


def suppressed_count(connection: Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(s.suppressions)).scalar() or 0

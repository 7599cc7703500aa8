"""Subscriptions: one for each address and audience, due once a local day, gone when they are left."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from broadsheet.model.audiences import Audience, AudienceError
from broadsheet.model.editions import ComposedEdition
from broadsheet.model.subscriptions import (
    NewItem,
    Schedule,
    Subscription,
    SubscriptionError,
    checked_address,
    checked_days,
    checked_zone,
)
from broadsheet.store import Store


def mail(address: str = "ada@example.org", **more: object) -> Subscription:
    return Subscription(0, "mail", address, **more)


def empty_edition(day: str, **more: object) -> ComposedEdition:
    return ComposedEdition(0, Audience(), "day", day, day, f"{day}T07:00:00Z", **more)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_an_address_has_one_subscription_for_each_audience(store: Store) -> None:
    first = store.subscribe(mail())
    again = store.subscribe(mail("ADA@example.org"))
    other = store.subscribe(mail(audience=Audience.of("category", "cs.CV")))
    assert first.id == again.id != other.id
    assert first.state == "pending"
    assert [s.audience.key for s in store.subscriptions(address="Ada@Example.org")] == [
        "everybody",
        "category:cs.CV",
    ]


def test_a_stranger_does_not_change_an_active_subscription(store: Store) -> None:
    kept = store.confirm(store.subscribe(mail(hour=6)).id)
    assert store.subscribe(mail(hour=20)) == kept
    assert store.subscribe(mail(hour=20), confirmed=True).hour == 20


def test_who_left_may_come_back_and_must_confirm_anew(store: Store) -> None:
    number = store.subscribe(mail(), confirmed=True).id
    assert store.leave(number).state == store.leave(number).state == "left"
    back = store.subscribe(mail(hour=9))
    assert (back.id, back.state, back.confirmed, back.hour) == (number, "pending", "", 9)


def test_what_waits_is_not_sent_to_who_left_and_is_not_held_to_be_delivered(store: Store) -> None:
    number = store.subscribe(mail(), confirmed=True).id
    store.save_edition(empty_edition("2026-05-29"), [NewItem(number, "2026-05-29", ((7, 0),))], now=0)
    assert store.delivered(number) == {7: 0}
    store.pause(number)
    assert store.take(10, 1.0, "one") == []
    assert store.outbox()[0].state == "skipped"
    assert store.delivered(number) == {}


def test_everything_of_a_subscription_can_be_deleted_and_its_number_is_not_given_again(store: Store) -> None:
    number = store.subscribe(mail(), confirmed=True).id
    store.save_edition(empty_edition("2026-05-29"), [NewItem(number, "2026-05-29", ((7, 0),))])
    assert store.forget(number)
    assert not store.forget(number)
    assert (store.subscription(number), store.outbox(), store.delivered(number)) == (None, [], {})
    assert store.subscribe(mail()).id != number


def test_a_changed_audience_joins_the_subscription_that_has_it(store: Store) -> None:
    one = store.subscribe(mail(), confirmed=True)
    vision = store.subscribe(mail(audience=Audience.of("category", "cs.CV")), confirmed=True)
    changed = store.update(one.id, audience=vision.audience, hour=18)
    assert (changed.id, changed.hour, store.subscription(one.id).state) == (vision.id, 18, "left")
    with pytest.raises(ValueError, match="cannot be changed"):
        store.update(one.id, state="active")


def test_a_subscription_is_due_at_its_local_hour_and_once(store: Store) -> None:
    number = store.subscribe(mail(hour=7, zone="Europe/Berlin"), confirmed=True).id
    today = datetime.now(UTC).date()
    later = datetime(today.year + 1, 5, 29, 4, 59, tzinfo=UTC)
    day = later.date().isoformat()
    assert [due.slot for due in store.due(later)] != [day]
    due = store.due(later.replace(hour=5, minute=0))
    assert [(d.subscription.id, d.slot, d.since) for d in due] == [(number, day, "")]
    store.save_edition(empty_edition(day), [NewItem(number, day, ((7, 0),))])
    assert store.due(later.replace(hour=23)) == []


def test_nobody_gets_what_was_due_before_they_confirmed(store: Store) -> None:
    store.subscribe(mail(hour=0), confirmed=True)
    now = datetime.now(UTC)
    assert store.due(now.replace(minute=0, second=0, microsecond=0)) == []
    assert len(store.due(now, today=True)) == 1
    assert [due.slot for due in store.due(now, day=date(2026, 5, 29))] == ["2026-05-29"]


def test_the_next_edition_looks_back_where_sources_were_incomplete(store: Store) -> None:
    number = store.subscribe(mail(), confirmed=True).id
    store.save_edition(empty_edition("2026-05-28"), [NewItem(number, "2026-05-28", skipped="nothing new")])
    assert store.due(day=date(2026, 5, 29))[0].since == "2026-05-28"
    edition = ComposedEdition(
        0, Audience(), "day", "2026-05-28", "2026-05-29", "", incomplete="arXiv is late"
    )
    store.save_edition(edition, [NewItem(number, "2026-05-29", skipped="arXiv is late")])
    assert store.due(day=date(2026, 5, 30))[0].since == "2026-05-28"


@pytest.mark.parametrize(
    ("zone", "day", "hour", "moment"),
    [
        ("Europe/Berlin", "2026-03-28", 2, "2026-03-28T01:00"),
        # Two o'clock does not exist on that day, and is there twice on the other.
        ("Europe/Berlin", "2026-03-29", 2, "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25", 2, "2026-10-25T00:00"),
        ("America/New_York", "2026-11-01", 1, "2026-11-01T05:00"),
        ("Pacific/Kiritimati", "2026-05-29", 7, "2026-05-28T17:00"),
    ],
)
def test_hours_are_local_through_summer_time(zone: str, day: str, hour: int, moment: str) -> None:
    assert Schedule("daily", (), hour, zone).moment(date.fromisoformat(day)) == at(moment)


def test_every_day_has_one_slot_whatever_the_clock_does() -> None:
    schedule = Schedule("daily", (), 2, "Europe/Berlin")
    hours = [datetime(2026, 3, 28 + h // 24, h % 24, 30, tzinfo=UTC) for h in range(72)]
    slots = [schedule.latest(now) for now in hours]
    assert slots == sorted(slots)
    assert sorted(set(slots))[1:] == [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]


def test_weekdays_are_local_days() -> None:
    schedule = Schedule("days", (0, 4), 7, "Asia/Tokyo")
    assert schedule.latest(at("2026-05-28T23:00")) == date(2026, 5, 29)
    assert schedule.latest(at("2026-05-28T21:00")) == date(2026, 5, 25)
    assert schedule.next(at("2026-05-29T00:00")) == at("2026-05-31T22:00")


def test_suppressed_addresses_are_found_in_any_writing(store: Store) -> None:
    store.suppress("Ada@Example.org", "550 no such user")
    store.suppress("ada@example.org", "another")
    assert store.suppressed("ADA@example.org") == "550 no such user"
    assert store.unsuppress("ada@example.org")
    assert store.suppressed("ada@example.org") == ""


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a@b@example.org",
        "ada@example.org\r\nBcc: all@example.org",
        "ada@example.org\nX: y",
        '"ada lovelace"@example.org',
        "ada@example",
        f"{'a' * 308}@example.org",
        f"{'a' * 65}@example.org",
        "ada@exa mple.org",
        "ada..l@example.org",
        "<ada@example.org>",
        "Ada <ada@example.org>",
        "ada\u202e@example.org",
        "",
        "@",
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(address: str) -> None:
    with pytest.raises(SubscriptionError) as refused:
        checked_address(address)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_addresses_of_the_whole_world_are_taken() -> None:
    assert checked_address(" Ada@EXAMPLE.org ") == "Ada@example.org"
    assert checked_address("лиза@пример.рф") == "лиза@пример.рф"
    assert checked_address("jose\u0301@example.org") == "josé@example.org"
    assert checked_address("o'neil+papers@mail.example.org") == "o'neil+papers@mail.example.org"


def test_domains_that_the_operator_refuses_are_refused() -> None:
    with pytest.raises(SubscriptionError, match="not accepted"):
        checked_address("ada@in.mailinator.com", ("mailinator.com",))
    assert checked_address("ada@notmailinator.com", ("mailinator.com",))


def test_impossible_choices_are_refused_with_the_remedy() -> None:
    assert checked_days("weekly", ()) == (0,)
    assert checked_days("daily", (3,)) == ()
    for frequency, days in (("days", ()), ("days", (7,)), ("hourly", ())):
        with pytest.raises(SubscriptionError):
            checked_days(frequency, days)
    with pytest.raises(SubscriptionError, match="Europe/Berlin"):
        checked_zone("../../etc/passwd")
    for kind, value in (
        ("search", " \t"),
        ("category", "cs.CV; DROP"),
        ("nobody", "x"),
        ("topic", "x" * 1001),
    ):
        with pytest.raises(AudienceError):
            Audience.of(kind, value)
    assert Audience.parse(Audience.of("search", "a:  b\n c").key) == Audience("search", "a: b c")

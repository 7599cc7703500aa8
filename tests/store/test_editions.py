"""Composed editions are read as they were stored, and what was delivered of them is known."""

from __future__ import annotations

from broadsheet.model.audiences import Audience
from broadsheet.model.editions import ComposedEdition, ComposedEntry
from broadsheet.model.subscriptions import NewItem, Subscription
from broadsheet.store import Store

ENTRIES = (
    ComposedEntry(7, 1, "new", 12.0, ("12 upvotes, then place 1", "“TeX” $x$")),
    ComposedEntry(3, 2, "version", 0.5, ("Version 2 came out.",), 2),
)


def edition(day: str = "2026-05-29", audience: Audience | None = None) -> ComposedEdition:
    told = (audience or Audience(), "day", day, day, f"{day}T07:00:00Z")
    return ComposedEdition(0, *told, ENTRIES, (7, 9, 2**40), "arXiv was late.")


def test_an_edition_is_read_as_it_was_stored(store: Store) -> None:
    number = store.save_edition(edition())
    found = store.edition(number)
    assert (found.id, found.audience, found.kind, found.first) == (number, Audience(), "day", "2026-05-29")
    assert (found.entries, found.matched, found.incomplete) == (ENTRIES, (7, 9, 2**40), "arXiv was late.")
    assert store.edition(number + 1) is None


def test_editions_are_found_by_audience_and_days_newest_first(store: Store) -> None:
    search = Audience.of("search", "birds")
    for day in ("2026-05-27", "2026-05-28", "2026-05-29"):
        store.save_edition(edition(day))
        store.save_edition(edition(day, search))
    assert [e.last for e in store.editions(search)] == ["2026-05-29", "2026-05-28", "2026-05-27"]
    assert [e.last for e in store.editions(search, first="2026-05-28", last="2026-05-28")] == ["2026-05-28"]
    assert len(store.editions(limit=4)) == 4


def test_what_a_subscription_got_counts_for_the_papers_asked_about(store: Store) -> None:
    one, two = (
        store.subscribe(Subscription(0, "mail", f"reader{n}@example.org"), confirmed=True).id for n in (1, 2)
    )
    store.save_edition(edition(), [NewItem(one, "2026-05-29", ((7, 0), (3, 2)))])
    store.save_edition(edition("2026-05-30"), [NewItem(one, "2026-05-30", ((7, 0),))])
    assert store.delivered(one) == {7: 0, 3: 2}
    assert store.delivered_of([7, 8], [one, two]) == {one: {(7, 0)}}
    assert store.delivered_of([7, 3], [two]) == {}


def test_papers_beyond_the_end_of_an_edition_are_known_to_have_been_considered(store: Store) -> None:
    reader = store.subscribe(Subscription(0, "mail", "ada@example.org"), confirmed=True).id
    store.save_edition(edition(), [NewItem(reader, "2026-05-29", ((7, 0),))])
    assert store.matched_before([reader], "2026-05-29") == {reader: (frozenset({7, 9, 2**40}),)}
    assert store.matched_before([reader], "2026-05-30") == {}
    store.mark_failed(store.outbox()[0].id, "given up")
    assert store.matched_before([reader], "2026-05-29") == {}


def test_an_edition_for_one_reader_has_its_papers_only_with_places_of_its_own() -> None:
    only = edition().only([3])
    assert [(entry.paper, entry.place, entry.news) for entry in only.entries] == [(3, 1, "version")]

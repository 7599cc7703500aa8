"""What an edition holds for each kind of audience, why, and what a subscription does not get again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from broadsheet.config import Settings
from broadsheet.editions.composing import UNANSWERED, Composer, compose, compose_trending
from broadsheet.editions.due import compose_due, span_of
from broadsheet.editions.matching import PeriodIndex
from broadsheet.model.audiences import Audience
from broadsheet.model.editions import ComposedEdition
from broadsheet.model.gathering import Announced
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Link, Listing, Record, Version
from broadsheet.model.subscriptions import Due, Subscription
from broadsheet.search import Engine, Query
from broadsheet.search.encoder import installed_folder
from broadsheet.store import Store

DAY, NEXT = "2026-05-28", "2026-05-29"

# Four papers of one day: what each is about decides for whom it is news.
TOLD = {
    1: ("Counting birds that migrate at night", "Microphones record the calls of birds.", ["cs.SD"], 3),
    2: ("Sparse attention for long documents", "A transformer reads whole books.", ["cs.CL"], 9),
    3: ("Theorems and language models", "A prover is trained on its own proofs.", ["cs.AI", "cs.CL"], 0),
    4: ("Robots that fold laundry", "A robot learns to fold towels from videos.", ["cs.RO"], 5),
}  # fmt: skip


def record(number: int, *days: str, lists: tuple[str, ...] = ("daily_papers",), **more: object) -> Record:
    title, abstract, categories, votes = TOLD.get(number, (f"Paper number {number}", "", ["math.CO"], 0))
    return Record(
        title,
        "test",
        identifiers=[Identifier("arxiv", f"2605.{number:05}")],
        abstract=abstract,
        authors=[Author("Grace Hopper")],
        categories=list(categories),
        upvotes=votes,
        listings=[Listing(name, day, number, name) for name in lists for day in days],
        **more,
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Store, Settings]]:
    settings = Settings(home=tmp_path)
    store = Store.open(settings.store_url)
    store.add(
        [
            *(record(n, DAY) for n in (1, 2, 4)),
            record(3, DAY, lists=("arxiv:cs.AI",)),
            record(5, "2026-01-02"),
        ]
    )
    yield store, settings
    store.close()


def numbers(store: Store, edition: ComposedEdition) -> list[int]:
    papers = store.papers([entry.paper for entry in edition.entries])
    return [int(paper.id.rpartition(".")[2]) for paper in papers]


def composed(home: tuple[Store, Settings], kind: str, value: str = "", *days: str) -> ComposedEdition:
    first, last = days or (DAY, DAY)
    return compose(*home, None, Audience.of(kind, value), first, last)


def test_everybody_gets_the_front_page_in_its_order_with_reasons(home: tuple[Store, Settings]) -> None:
    edition = composed(home, "everybody")
    assert numbers(home[0], edition) == [2, 4, 1]
    assert [entry.place for entry in edition.entries] == [1, 2, 3]
    assert edition.entries[0].reasons == (f"9 upvotes, then place 2 in daily_papers on {DAY}",)


def test_a_category_means_its_papers_of_all_lists_and_an_archive_all_of_its_categories(
    home: tuple[Store, Settings],
) -> None:
    language = composed(home, "category", "CS.cl")
    assert numbers(home[0], language) == [2, 3]
    assert "one of its categories" in language.entries[1].reasons[0]
    assert numbers(home[0], composed(home, "category", "cs")) == [2, 4, 1, 3]
    assert composed(home, "category", "c").entries == ()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("birds night", [1]),
        ("night robots", []),
        ('"long documents"', [2]),
        ('"documents long"', []),
        ("category:cs.CL", [2, 3]),
        ("learns category:cs.RO", [4]),
        ("proofs -transformer", [3]),
        ("author:Hopper towels", [4]),
        ("migrating bird", [1]),
    ],
)
def test_a_search_gets_what_has_its_words_and_fulfils_its_filters(
    home: tuple[Store, Settings], query: str, found: list[int]
) -> None:
    edition = composed(home, "search", query)
    assert numbers(home[0], edition) == found
    assert all(entry.reasons for entry in edition.entries)


def test_a_topic_is_found_by_meaning_in_other_words(home: tuple[Store, Settings]) -> None:
    if not (installed_folder() / "model.onnx").exists():
        pytest.skip("the encoder is not installed: run python -m broadsheet.search.encoder.install")
    store, settings = home
    engine = Engine.open(settings.home, store)
    engine.follow(store)
    topic = Audience.of("topic", "household robots that do chores such as tidying clothes")
    edition = compose(store, settings, engine, topic, DAY, DAY)
    assert numbers(store, edition) == [4]
    assert "in meaning" in edition.entries[0].reasons[0]
    [kept] = (settings.home / "index").glob("queries-*.npz")
    before = kept.stat().st_mtime_ns
    assert compose(store, settings, engine, topic, DAY, DAY).entries == edition.entries
    assert kept.stat().st_mtime_ns == before
    kept.write_bytes(b"damaged")
    assert compose(store, settings, engine, topic, DAY, DAY).entries == edition.entries
    engine.close()


def test_a_new_version_is_news_of_its_own_kind_behind_the_new_papers(home: tuple[Store, Settings]) -> None:
    store, settings = home
    today = date.today().isoformat()
    store.add([record(5, versions=[Version(1)]), record(6, today)])
    store.add([record(5, versions=[Version(1), Version(2, f"{today}T10:00:00Z")])])
    edition = compose(store, settings, None, Audience(), today, today)
    assert [(e.news, e.version) for e in edition.entries] == [("new", 0), ("version", 2)]
    assert numbers(store, edition) == [6, 5]
    assert edition.entries[1].reasons[0] == f"Version 2 came out on {today}."
    assert edition.matched == (edition.entries[0].paper,)


def test_a_version_of_a_paper_that_is_new_itself_is_not_news_beside_it(home: tuple[Store, Settings]) -> None:
    store, settings = home
    today = date.today().isoformat()
    store.add([record(6, today, versions=[Version(1)])])
    store.add([record(6, today, versions=[Version(1), Version(2)])])
    edition = compose(store, settings, None, Audience(), today, today)
    assert [(e.news, e.version) for e in edition.entries] == [("new", 0)]


def test_sources_that_had_not_told_all_are_named(home: tuple[Store, Settings]) -> None:
    store, _ = home
    late = Announced("daily_papers", NEXT, state="late", reason="nothing yet")
    quiet = Announced("arxiv:math.CO", NEXT, state="holiday")
    store.add_page("test", [], {}, [late, quiet])
    assert "daily_papers of 2026-05-29 (late)" in composed(home, "everybody", "", NEXT, NEXT).incomplete
    assert composed(home, "search", "birds", DAY, DAY).incomplete == ""
    assert composed(home, "search", "birds", NEXT, NEXT).incomplete != ""


def test_trending_is_an_edition_too(home: tuple[Store, Settings]) -> None:
    edition = compose_trending(*home)
    assert edition.kind == "trending"
    assert numbers(home[0], edition)[0] == 2


# -- what a subscription gets ------------------------------------------------------------------


def subscribed(store: Store, audience: Audience | None = None, **more: object) -> Subscription:
    wanted = Subscription(0, "mail", "ada@example.org", audience or Audience(), **more)
    return store.subscribe(wanted, confirmed=True)


def got(home: tuple[Store, Settings], day: str, exact: bool = False) -> list[tuple[list[int], str]]:
    """Composes what is due on ``day``; of each row its papers and why it is not sent."""
    store, settings = home
    dues = store.due(day=date.fromisoformat(day))
    compose_due(store, settings, None, dues, exact=exact)
    found = []
    for item in store.outbox(slot=day):
        papers = store.papers(list(item.papers))
        found.append(([int(paper.id.rpartition(".")[2]) for paper in papers], item.error))
    return found


def test_no_paper_comes_twice_and_nothing_new_is_said(home: tuple[Store, Settings]) -> None:
    store, _ = home
    subscribed(store)
    assert got(home, DAY) == [([2, 4, 1], "")]
    store.add([record(2, NEXT), record(6, NEXT)])
    assert got(home, NEXT) == [([6], "")]
    store.add([record(6, "2026-05-30")])
    assert got(home, "2026-05-30") == [([], "nothing new")]
    assert store.deliveries("2026-05-30").count("skipped") == 1


def test_what_was_listed_after_the_edition_comes_with_the_next(home: tuple[Store, Settings]) -> None:
    store, _ = home
    subscribed(store)
    got(home, DAY)
    store.add([record(6, DAY), record(7, NEXT)])
    assert got(home, NEXT) == [([6, 7], "")]


def test_an_empty_edition_says_that_sources_were_incomplete_and_the_next_looks_back(
    home: tuple[Store, Settings],
) -> None:
    store, _ = home
    subscribed(store)
    got(home, DAY)
    store.add_page("test", [], {}, [Announced("daily_papers", NEXT, state="failed")])
    [(papers, why)] = got(home, NEXT)
    assert papers == []
    assert "daily_papers of 2026-05-29 (failed)" in why
    store.add([record(6, DAY), record(7, NEXT)])
    assert got(home, "2026-05-31") == [([6, 7], "")]


def test_what_did_not_fit_into_an_edition_is_no_news_the_day_after(
    home: tuple[Store, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = home
    monkeypatch.setattr("broadsheet.editions.due.MOST_PAPERS", 2)
    subscribed(store)
    assert got(home, DAY) == [([2, 4], "")]
    assert got(home, NEXT) == [([], "nothing new")]


def test_what_could_not_be_delivered_comes_again(home: tuple[Store, Settings]) -> None:
    store, _ = home
    subscribed(store)
    got(home, DAY)
    store.mark_failed(store.outbox()[0].id, "given up")
    assert got(home, NEXT) == [([2, 4, 1], "")]


def test_a_paper_that_was_merged_into_another_counts_as_delivered(home: tuple[Store, Settings]) -> None:
    store, _ = home
    store.add([record(6, DAY)])
    subscribed(store)
    got(home, DAY)
    store.add([record(7, NEXT)])
    store.merge("2605.00007", "2605.00006")
    assert got(home, NEXT) == [([], "nothing new")]


def test_the_same_version_is_told_once(home: tuple[Store, Settings]) -> None:
    store, _ = home
    today = date.today()
    before = subscribed(store)
    store.add([record(5, versions=[Version(1)])])
    store.add([record(5, versions=[Version(1), Version(2)])])
    assert got(home, today.isoformat()) == [([5], "")]
    assert store.delivered(before.id) == {store.resolve("2605.00005"): 2}
    tomorrow = date.fromordinal(today.toordinal() + 1).isoformat()
    assert got(home, tomorrow) == [([], "nothing new")]


@pytest.mark.parametrize(
    ("frequency", "days", "since", "exact", "span"),
    [
        ("daily", (), "", False, ("day", "2026-05-28", "2026-05-29")),
        ("daily", (), "", True, ("day", "2026-05-29", "2026-05-29")),
        ("daily", (), "2026-05-27", False, ("day", "2026-05-27", "2026-05-29")),
        ("daily", (), "2026-01-01", False, ("day", "2026-05-15", "2026-05-29")),
        ("daily", (), "2026-06-30", False, ("day", "2026-05-29", "2026-05-29")),
        ("weekly", (4,), "", True, ("week", "2026-05-23", "2026-05-29")),
        ("days", (0, 4), "", True, ("day", "2026-05-26", "2026-05-29")),
        ("days", (0, 4), "", False, ("day", "2026-05-25", "2026-05-29")),
    ],
)
def test_the_days_that_an_edition_covers(
    frequency: str, days: tuple[int, ...], since: str, exact: bool, span: tuple[str, str, str]
) -> None:
    due = Due(Subscription(1, "mail", "ada@example.org", frequency=frequency, days=days), NEXT, since)
    found = span_of(due, exact)
    assert (found.kind, found.first, found.last) == span


def test_a_search_may_ask_for_links_of_papers(home: tuple[Store, Settings]) -> None:
    store, _ = home
    store.add([record(6, DAY, links=[Link("code", "https://github.com/example/six", "test")])])
    assert numbers(store, composed(home, "search", "has:code")) == [6]


def test_a_search_that_cannot_be_answered_holds_up_no_other_and_is_not_nothing_new(
    home: tuple[Store, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, settings = home
    answer = PeriodIndex._worded

    def broken(index: PeriodIndex, audience: Audience, query: Query) -> list[int]:
        if audience.value == "towels":
            raise ValueError("no such field")
        return answer(index, audience, query)

    monkeypatch.setattr(PeriodIndex, "_worded", broken)
    with Composer(store, settings, None, DAY, DAY) as composer:
        asked = [Audience.of("search", value) for value in ("birds", "towels", "proofs")]
        birds, towels, proofs = composer.compose(asked)
    assert (numbers(store, birds), numbers(store, proofs)) == ([1], [3])
    assert (towels.entries, towels.incomplete) == ((), UNANSWERED)

"""bioRxiv and medRxiv: the posts of their API into records, and gathered from a playing service."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from broadsheet.config import Settings
from broadsheet.model.papers import Link, Record, Rejection, Version
from broadsheet.model.validation import checked
from broadsheet.sources.biorxiv.parse import DetailsError, answer
from broadsheet.sources.biorxiv.source import Preprints, sources
from broadsheet.sources.files import read_file
from broadsheet.sources.http import Client
from tests.sources.played_source import FAILURES, FIXTURES, NOW, QUICK, gather, store_all, stored
from tests.sources.playing_service import Answer, Asked, Playing, playing_service

DETAILS = json.loads((FIXTURES / "biorxiv_details.json").read_text())
NOTHING = (FIXTURES / "biorxiv_nothing.json").read_bytes()
EVENING = NOW.replace(hour=21)
TODAY, YESTERDAY = "2026-06-12", "2026-06-11"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as opened:
        yield opened


@pytest.fixture
def read() -> list[Record | Rejection]:
    return list(read_file(FIXTURES / "biorxiv_details.json", name="posts"))


# -- posts into records


def test_all_of_a_post_is_read(read: list[Record | Rejection]) -> None:
    first = read[0]
    assert first.source == "biorxiv" and first.where == "posts post 1"
    assert [i.key for i in first.identifiers] == ["doi:10.64898/2026.07.13.700001"]
    assert [a.name for a in first.authors] == ["A. B. Example", "C. von Sample", "The Snail Consortium"]
    assert (first.published, first.updated) == ("2026-07-15", "2026-07-15")
    assert first.versions == [Version(1, "2026-07-15T00:00:00Z")]
    assert first.categories == ["neuroscience"]
    assert first.licence == "https://creativecommons.org/licenses/by/4.0/"
    assert first.venue is None
    assert [(link.kind, link.url, link.provenance) for link in first.links] == [
        ("abstract", "https://www.biorxiv.org/content/10.64898/2026.07.13.700001", "doi"),
        ("pdf", "https://www.biorxiv.org/content/10.64898/2026.07.13.700001v1.full.pdf", "doi"),
        ("doi", "https://doi.org/10.64898/2026.07.13.700001", "doi"),
        ("code", "https://github.com/example/snails", "abstract"),
    ]
    (listing,) = first.listings
    assert (listing.list, listing.day, listing.rank) == ("biorxiv", "2026-07-15", 1)


def test_a_journals_doi_names_the_same_paper_and_days_without_zeros_are_days(
    read: list[Record | Rejection],
) -> None:
    third = read[1]
    assert [i.key for i in third.identifiers] == ["doi:10.1101/029900", "doi:10.7554/elife.12345"]
    assert Link("doi", "https://doi.org/10.7554/eLife.12345", "biorxiv", "published") in third.links
    assert third.versions == [Version(3, "2026-07-05T00:00:00Z")]
    # When the first version was posted, the third does not tell.
    assert (third.published, third.updated) == (None, "2026-07-05")
    assert third.categories == ["cell biology"]


def test_a_withdrawal_keeps_the_title_and_leaves_the_abstract_alone(read: list[Record | Rejection]) -> None:
    withdrawn = read[2]
    assert withdrawn.title == "Cells that were not there"
    assert withdrawn.withdrawn == "2026-07-15"
    assert (withdrawn.abstract, withdrawn.comment) == (None, "The authors have taken it back.")
    assert withdrawn.licence is None


def test_impossible_days_and_missing_dois_are_rejected_by_post(read: list[Record | Rejection]) -> None:
    day, doi = read[3:]
    assert day.where == "posts post 4" and "2026-02-30" in day.why and "no day of the calendar" in day.why
    assert doi.where == "posts post 5" and "no DOI" in doi.why


def test_no_posts_found_is_no_error() -> None:
    assert list(read_file(FIXTURES / "biorxiv_nothing.json")) == []


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"messages": [{"status": "Error: invalid interval"}], "collection": []}, "invalid interval"),
        ({"messages": [], "collection": {}}, "no list"),
        ({"collection": []}, "no messages"),
        ([], "no messages"),
    ],
)
def test_answers_that_are_none_say_why(value: Any, why: str) -> None:
    with pytest.raises(DetailsError, match=why):
        answer(value)


@pytest.mark.parametrize("wrong", [None, 7, "post", [1], {"doi": {"x": 1}}, {"title": ["a"], "doi": 10.1}])
def test_a_post_of_another_form_is_rejected_and_the_others_are_read(wrong: Any) -> None:
    value = deepcopy(DETAILS)
    value["collection"][1] = wrong
    items = list(read_file(io.BytesIO(json.dumps(value).encode()), name="posts"))
    assert [type(item) for item in items[:3]] == [Record, Rejection, Record]
    assert items[1].where == "posts line 1 post 2"


RECORDED = {
    "details_2026-07.json": 3,
    "details_biorxiv_full_page.json": 100,
    "details_medrxiv_full_page.json": 100,
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_answers_are_read_whole(shared: Path, name: str) -> None:
    items = list(read_file(shared / "data/recorded/biorxiv" / name))
    assert len(items) == RECORDED[name]
    for item in items:
        assert isinstance(item, Record)
        checked(item)
        assert item.authors and (item.abstract or item.withdrawn)
        assert item.identifiers[0].value.startswith(("10.1101/", "10.64898/")) and item.categories
        assert item.versions[0].date[:10] == item.listings[0].day == item.updated[:10]


def test_every_recorded_answer_is_known_here(shared: Path) -> None:
    assert {path.name for path in (shared / "data/recorded/biorxiv").iterdir()} == set(RECORDED)


def test_recorded_posts_tell_server_journal_and_withdrawal(shared: Path) -> None:
    folder = shared / "data/recorded/biorxiv"
    posts = list(read_file(folder / "details_biorxiv_full_page.json"))
    assert {item.source for item in posts} == {"biorxiv"}
    assert sum(len(item.identifiers) == 2 for item in posts) == 54
    assert [item.title[:30] for item in posts if item.withdrawn] == [
        "Genomic decoding of neuronal d",
        "Oligomerization of the antimal",
    ]
    medical = list(read_file(folder / "details_medrxiv_full_page.json"))
    assert {item.listings[0].list for item in medical} == {"medrxiv"}
    assert medical[0].links[0].url == "https://www.medrxiv.org/content/10.1101/2023.10.21.23297352"


# -- gathering


def posts_of(day: str, number: int, server: str = "bioRxiv") -> list[dict[str, Any]]:
    posts = []
    for place in range(number):
        post = dict(DETAILS["collection"][0])
        post |= {
            "doi": f"10.64898/{day.replace('-', '.')}.{place:06}",
            "title": f"Post {place} of {day}",
            "date": day,
            "category": "genomics" if place % 3 else "neuroscience",
            "server": server,
        }
        posts.append(post)
    return posts


def api(
    told: dict[str, list[dict[str, Any]]],
    size: int = 30,
    printed: dict[str, list[dict[str, Any]]] | None = None,
) -> Callable[[Asked], Answer]:
    """The API with what was posted, and what journals printed, by day, in pages of ``size``."""

    def page(asked: Asked) -> Answer:
        kind, server, first, last, cursor, form = asked.path.strip("/").split("/")
        assert (first, form) == (last, "json") and server in ("biorxiv", "medrxiv")
        posts = (told if kind == "details" else printed or {}).get(first, [])
        if not posts:
            return Answer(body=NOTHING)
        here = posts[int(cursor) : int(cursor) + size]
        message = {"status": "ok", "cursor": int(cursor), "count": len(here), "total": str(len(posts))}
        return Answer(body=json.dumps({"messages": [message], "collection": here}).encode())

    return page


def source(service: Playing, *categories: str, **options: Any) -> Preprints:
    chosen = {"again": 1, "first": 1, "service": QUICK} | options
    return Preprints("biorxiv", categories or ("all",), service.url, **chosen)


def cursors(service: Playing, kind: str = "details") -> list[str]:
    asked = [asked.path.split("/") for asked in service.requests]
    return ["/".join(parts[3:6:2]) for parts in asked if parts[1] == kind]


def test_a_day_is_read_page_by_page_and_announced_once_it_is_whole(client: Client, tmp_path: Path) -> None:
    with stored(tmp_path) as store, playing_service(api({TODAY: posts_of(TODAY, 70)})) as service:
        found = gather(source(service), client)
        store_all(store, "biorxiv", found)
        (covered,) = store.coverage(TODAY, TODAY)
        state = store.gather_state("biorxiv")
    assert cursors(service) == [f"{TODAY}/0", f"{TODAY}/30", f"{TODAY}/60"]
    assert [item.listings[0].rank for item in found.records] == [*range(1, 71)]
    assert [len(page.announced) for page in found.pages] == [0, 0, 1, 0]
    assert (covered.list, covered.announced, covered.stored, covered.state) == ("biorxiv", 70, 70, "complete")
    assert state.cursor == {"next": "2026-06-13", "unfinished": False}


def test_a_killed_run_goes_on_at_the_page_it_was_on(client: Client) -> None:
    told = {YESTERDAY: posts_of(YESTERDAY, 70), TODAY: posts_of(TODAY, 5)}
    with playing_service(api(told)) as service:
        killed = gather(source(service, first=2), client, until=2)
        rest = gather(source(service, first=2), client, killed.cursor)
    assert cursors(service) == [*(f"{YESTERDAY}/{at}" for at in (0, 30, 60)), f"{TODAY}/0"]
    names = [item.identifiers[0].value for item in killed.records + rest.records]
    assert len(names) == len(set(names)) == 75
    assert [len(told.identifiers) for told in rest.announced] == [70, 5]


def test_only_chosen_categories_are_taken(client: Client) -> None:
    with playing_service(api({TODAY: posts_of(TODAY, 9)})) as service:
        found = gather(source(service, "Neuroscience"), client)
        none = gather(source(service, "cell_biology"), client)
    assert {item.categories[0] for item in found.records} == {"neuroscience"}
    assert len(found.announced[0].identifiers) == 3
    # There were posts, none of them in the category: the day is whole.
    assert (none.records, none.announced[0].state, none.announced[0].count) == ([], "", 0)


def test_no_posts_found_is_a_day_off_or_not_there_yet(client: Client) -> None:
    with playing_service(Answer(body=NOTHING)) as service:
        found = gather(source(service, first=6), client, now=EVENING)
    assert [(told.day[8:], told.state) for told in found.announced] == [
        ("07", "holiday"),
        ("08", "holiday"),
        ("09", "holiday"),
        ("10", "holiday"),
        ("11", "holiday"),
        ("12", "late"),
    ]


def test_late_posts_are_found_when_the_day_is_asked_again(client: Client, tmp_path: Path) -> None:
    with stored(tmp_path) as store, playing_service(api({})) as service:
        early = gather(source(service), client, now=EVENING)
        store_all(store, "biorxiv", early)
        (before,) = store.coverage(TODAY, TODAY)
        with playing_service(api({TODAY: posts_of(TODAY, 2)})) as later:
            store_all(
                store, "biorxiv", gather(source(later), client, early.cursor, now=NOW + timedelta(days=1))
            )
        (after,) = store.coverage(TODAY, TODAY)
    assert (before.state, after.state, after.stored) == ("late", "complete", 2)


@pytest.mark.parametrize("what", FAILURES)
def test_a_page_that_fails_is_told_and_the_pages_before_it_stay(
    client: Client, tmp_path: Path, what: str
) -> None:
    whole = api({TODAY: posts_of(TODAY, 40)})
    with stored(tmp_path) as store, playing_service(whole, FAILURES[what]) as service:
        found = gather(source(service), client)
        store_all(store, "biorxiv", found)
        (covered,) = store.coverage(TODAY, TODAY)
    assert len(found.records) == 30 and found.problem
    assert covered.state == "failed" and covered.reason == str(found.problem)
    with playing_service(whole) as service:
        rest = gather(source(service), client, found.cursor)
    assert cursors(service) == [f"{TODAY}/30"] and len(rest.records) == 10


def test_another_page_than_the_one_asked_for_is_a_fault_of_the_service(client: Client) -> None:
    whole = api({TODAY: posts_of(TODAY, 70)})
    again = whole(Asked(f"/details/biorxiv/{TODAY}/{TODAY}/0/json", {}, {}, 0.0))
    with playing_service(whole, again) as service:
        found = gather(source(service), client)
    assert "sent the posts from 0 on, not from 30 on" in str(found.problem)
    assert len(found.records) == 30


def test_a_pause_that_is_asked_for_and_a_cut_connection_lose_nothing(client: Client) -> None:
    whole = api({TODAY: posts_of(TODAY, 3)})
    cut = Answer(body=json.dumps(DETAILS).encode(), cut=True)
    with playing_service(Answer(status=429, headers={"Retry-After": "0"}), cut, whole) as service:
        found = gather(source(service), client)
    assert len(found.records) == 3 and found.problem is None and len(cursors(service)) == 3


def test_what_a_journal_has_printed_gets_its_doi_and_the_journal_as_venue(
    client: Client, tmp_path: Path
) -> None:
    posts = posts_of(YESTERDAY, 2)
    preprint = {
        "preprint_doi": posts[1]["doi"],
        "published_doi": "10.1234/J.9",
        "published_journal": "J. Snails",
    }
    unknown = {
        "biorxiv_doi": "10.1101/000001",
        "published_doi": "10.1234/other",
        "published_journal": "J. Slugs",
    }
    wrong = {"preprint_doi": posts[0]["doi"], "published_doi": "NA", "published_journal": "J. Frogs"}
    told = api({YESTERDAY: posts}, size=2, printed={TODAY: [preprint, unknown, wrong]})
    with stored(tmp_path) as store, playing_service(told) as service:
        found = gather(source(service, first=2), client)
        names = [i.key for i in next(item for item in found.records if not item.title).identifiers]
        store_all(store, "biorxiv", found)
        papers = store.papers([1, 2])
    assert cursors(service, "pubs") == [f"{YESTERDAY}/0", f"{TODAY}/0", f"{TODAY}/2"]
    assert [paper.venue for paper in papers] == [None, "J. Snails"]
    assert names == [f"doi:{posts[1]['doi']}", "doi:10.1234/j.9"]
    assert papers[1].link("doi") and "https://doi.org/10.1234/J.9" in [link.url for link in papers[1].links]
    (rejected,) = [item for item in found.items if isinstance(item, Rejection)]
    assert "no DOI" in rejected.why


def test_a_kill_among_what_journals_printed_repeats_no_posts(client: Client) -> None:
    printed = [{"preprint_doi": f"10.1101/{n:06}", "published_doi": f"10.1234/{n}"} for n in range(5)]
    told = api({TODAY: posts_of(TODAY, 2)}, size=3, printed={TODAY: printed})
    with playing_service(told) as service:
        killed = gather(source(service), client, until=2)
        rest = gather(source(service), client, killed.cursor)
    assert (cursors(service), cursors(service, "pubs")) == ([f"{TODAY}/0"], [f"{TODAY}/0", f"{TODAY}/3"])
    assert len(rest.records) == 2 and rest.announced == []


def test_each_server_is_a_source_where_categories_of_it_are_chosen(tmp_path: Path) -> None:
    assert sources(Settings(home=tmp_path)) == []
    both = sources(
        Settings(home=tmp_path, biorxiv_categories="genomics, cell biology", medrxiv_categories="all")
    )
    assert [(s.name, s.title) for s in both] == [("biorxiv", "bioRxiv"), ("medrxiv", "medRxiv")]
    assert both[0].due(NOW, NOW) == NOW.replace(hour=20)

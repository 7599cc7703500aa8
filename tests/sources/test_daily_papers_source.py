"""Daily Papers gathered against a playing service: days, votes, weekends, failures, resuming."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broadsheet.config import Settings
from broadsheet.model.papers import Rejection
from broadsheet.sources.daily_papers.source import DailyPapers, sources
from broadsheet.sources.http import Client
from tests.sources.played_source import FAILURES, FIXTURES, NOW, QUICK, gather, store_all, stored
from tests.sources.playing_service import Answer, Asked, Playing, playing_service

ITEMS = json.loads((FIXTURES / "daily_papers_list.json").read_text())
FRIDAY, THURSDAY = "2026-06-12", "2026-06-11"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as opened:
        yield opened


def papers_of(day: str, votes: int = 5, number: int = 2, first: int = 0) -> list[dict[str, Any]]:
    """``number`` items of ``day`` as the API gives them."""
    items = []
    for place in range(first, first + number):
        item = deepcopy(ITEMS[1])
        name = f"26{day[5:7]}.{int(day[8:10]):02d}{place:03d}"
        item["paper"] |= {"id": name, "upvotes": votes, "submittedOnDailyAt": f"{day}T00:00:00.000Z"}
        item["title"] = item["paper"]["title"] = f"Paper {place} of {day}"
        items.append(item)
    return items


def days(told: dict[str, list[dict[str, Any]]]) -> Callable[[Asked], Answer]:
    """The API with what it lists by day; nothing on others."""

    def answer(asked: Asked) -> Answer:
        start = int(asked.query["p"][0]) * int(asked.query["limit"][0])
        items = told.get(asked.query["date"][0], [])[start : start + int(asked.query["limit"][0])]
        return Answer(body=json.dumps(items).encode(), headers={"Content-Type": "application/json"})

    return answer


def asked_days(service: Playing) -> list[str]:
    return [asked.query["date"][0] for asked in service.requests]


def source(service: Playing, **options: Any) -> DailyPapers:
    return DailyPapers(service.url + "/api/daily_papers", service=QUICK, **{"again": 1, "first": 1} | options)


def test_a_day_gives_its_papers_with_all_that_is_counted(client: Client) -> None:
    with playing_service(days({FRIDAY: ITEMS[:2]})) as service:
        found = gather(source(service), client)
    second = found.records[1]
    assert (second.upvotes, second.num_comments, second.github_stars, second.counted) == (103, 7, 51, FRIDAY)
    assert {link.kind for link in second.links} >= {"code", "project"} and second.ai_keywords
    assert [(item.listings[0].day, item.listings[0].rank) for item in found.records] == [
        (FRIDAY, 1),
        (FRIDAY, 2),
    ]
    (told,) = found.announced
    assert (told.list, told.day, told.state) == ("daily_papers", FRIDAY, "")
    assert told.identifiers == [item.identifiers[0].key for item in found.records]
    assert service.requests[0].query["limit"] == ["100"]


def test_the_last_days_are_asked_again_and_their_votes_counted_anew(client: Client, tmp_path: Path) -> None:
    with stored(tmp_path) as store, playing_service(days({FRIDAY: papers_of(FRIDAY, votes=5)})) as service:
        first = gather(source(service, again=2, first=3), client)
        store_all(store, "daily_papers", first)
        with playing_service(days({FRIDAY: papers_of(FRIDAY, votes=40)})) as later:
            again = gather(source(later, again=2), client, first.cursor, now=NOW + timedelta(days=1))
        store_all(store, "daily_papers", again)
        (paper, _) = store.papers([1, 2])
    assert asked_days(service) == ["2026-06-10", THURSDAY, FRIDAY]
    assert asked_days(later) == [THURSDAY, FRIDAY, "2026-06-13"]
    assert again.records[0].counted == "2026-06-13"
    assert paper.upvotes == 40


def test_a_day_without_papers_is_a_day_off_or_not_there_yet(client: Client) -> None:
    with playing_service(days({})) as service:
        found = gather(source(service, first=7), client)
    states = {told.day: (told.state, told.count) for told in found.announced}
    assert states == {
        "2026-06-06": ("holiday", 0),
        "2026-06-07": ("holiday", 0),
        **{f"2026-06-{day:02d}": ("holiday", 0) for day in (8, 9, 10, 11)},
        FRIDAY: ("late", None),
    }
    reasons = {told.day: told.reason for told in found.announced}
    assert "week-ends" in reasons["2026-06-06"] and "yet" in reasons[FRIDAY]
    assert found.problem is None


def test_before_papers_are_expected_nothing_is_said_of_today(client: Client) -> None:
    with playing_service(days({})) as service:
        found = gather(source(service), client, now=NOW.replace(hour=3))
    assert (len(found.pages), found.announced) == (1, [])


def test_a_service_that_goes_back_to_the_last_day_with_papers_lists_nothing_new(client: Client) -> None:
    told = {FRIDAY: papers_of(FRIDAY), "2026-06-13": papers_of(FRIDAY)}
    with playing_service(days(told)) as service:
        found = gather(source(service, first=2), client, now=NOW + timedelta(days=1))
    assert {item.listings[0].day for item in found.records} == {FRIDAY}
    assert [(t.day, t.state) for t in found.announced] == [(FRIDAY, ""), ("2026-06-13", "holiday")]


def test_a_killed_run_goes_on_with_the_next_day(client: Client) -> None:
    with playing_service(days({THURSDAY: papers_of(THURSDAY)})) as service:
        killed = gather(source(service, first=5), client, until=2)
        rest = gather(source(service, first=5, again=5), client, killed.cursor)
    assert asked_days(service) == [f"2026-06-{day:02d}" for day in (8, 9, 10, 11, 12)]
    assert [told.day for told in rest.announced] == ["2026-06-10", THURSDAY, FRIDAY]


def test_a_backfill_asks_each_day_once(client: Client) -> None:
    with playing_service(days({})) as service:
        begun = gather(source(service, again=5), client, since="2026-06-01", until=4)
        rest = gather(source(service, again=5), client, begun.cursor, since="2026-06-01")
        gather(source(service, again=5), client, rest.cursor, since="2026-06-01")
    assert asked_days(service) == [f"2026-06-{day:02d}" for day in range(1, 13)]


@pytest.mark.parametrize("cursor", [{"next": "2031-01-01"}, {"next": "never"}, {"next": 5, "within": [1]}])
def test_no_cursor_stops_gathering_for_good(client: Client, cursor: dict[str, Any]) -> None:
    with playing_service(days({})) as service:
        gather(source(service, again=2, first=3), client, cursor)
    assert asked_days(service) == ["2026-06-10", THURSDAY, FRIDAY]


def test_a_day_of_more_papers_than_an_answer_holds_is_asked_for_in_pages(client: Client) -> None:
    with playing_service(days({FRIDAY: papers_of(FRIDAY, number=130)})) as service:
        found = gather(source(service), client)
    assert [asked.query["p"] for asked in service.requests] == [["0"], ["1"]]
    assert [item.listings[0].rank for item in found.records] == [*range(1, 131)]
    assert len(found.announced[0].identifiers) == 130


def test_pages_that_repeat_end_and_give_each_paper_once(client: Client) -> None:
    body = json.dumps(papers_of(FRIDAY, number=100)).encode()
    with playing_service(Answer(body=body)) as service:
        found = gather(source(service), client)
    assert (len(service.requests), len(found.records)) == (2, 100)


@pytest.mark.parametrize("what", FAILURES)
def test_a_day_that_gives_no_answer_is_told_and_asked_first_next_time(client: Client, what: str) -> None:
    with playing_service(FAILURES[what]) as service:
        failed = gather(source(service, first=2), client)
    assert failed.problem and "played" in str(failed.problem)
    (told,) = failed.announced
    assert (told.day, told.state) == (THURSDAY, "failed")
    assert told.reason == str(failed.problem)
    with playing_service(days({})) as service:
        gather(source(service, first=2), client, failed.cursor)
    assert asked_days(service) == [THURSDAY, FRIDAY]


def test_a_day_that_the_service_refuses_does_not_keep_the_others_back(client: Client) -> None:
    refusal = Answer(status=400, body=b'{"error": "Invalid date"}')
    with playing_service(refusal, days({FRIDAY: papers_of(FRIDAY)})) as service:
        found = gather(source(service, first=2), client)
    assert [(told.day, told.state) for told in found.announced] == [(THURSDAY, "refused"), (FRIDAY, "")]
    assert "400" in found.announced[0].reason and len(found.records) == 2


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/plain", ""])
def test_data_with_a_wrong_content_type_are_read(client: Client, content_type: str) -> None:
    answer = Answer(body=json.dumps(papers_of(FRIDAY)).encode(), headers={"Content-Type": content_type})
    with playing_service(answer) as service:
        assert len(gather(source(service), client).records) == 2


def test_a_service_that_refuses_this_program_is_told_apart_from_one_that_fails(client: Client) -> None:
    with playing_service(Answer(status=403)) as service:
        found = gather(source(service), client)
    assert found.problem and [told.state for told in found.announced] == ["refused"]


def test_a_pause_that_is_asked_for_is_kept_and_the_answer_comes_after_it(client: Client) -> None:
    busy = Answer(status=429, headers={"Retry-After": "1"})
    with playing_service(busy, days({FRIDAY: papers_of(FRIDAY)})) as service:
        found = gather(source(service), client)
    assert len(found.records) == 2 and found.problem is None
    assert service.gaps[0] >= 0.98


def test_an_item_that_is_none_is_reported_and_counted_as_missing(client: Client, tmp_path: Path) -> None:
    items = [*papers_of(FRIDAY), {"paper": {"id": "no id", "title": "A paper"}, "title": "A paper"}, 7]
    with stored(tmp_path) as store, playing_service(days({FRIDAY: items})) as service:
        found = gather(source(service), client)
        store_all(store, "daily_papers", found)
        (covered,) = store.coverage(FRIDAY, FRIDAY)
    rejected = [item for item in found.items if isinstance(item, Rejection)]
    assert [item.where for item in rejected] == [f"Daily Papers of {FRIDAY} entry {n}" for n in (3, 4)]
    assert (covered.announced, covered.stored, covered.state) == (4, 2, "incomplete")
    assert "2" in covered.reason


def test_it_is_due_through_the_working_day_and_twice_at_week_ends() -> None:
    daily = DailyPapers()
    assert daily.due(None, NOW) == NOW
    assert daily.due(NOW, NOW) == NOW.replace(hour=16)
    friday_night = NOW.replace(hour=23)
    assert daily.due(friday_night, friday_night) == datetime(2026, 6, 13, 4, tzinfo=UTC)
    assert daily.due(datetime(2026, 6, 14, 17, tzinfo=UTC), NOW + timedelta(days=3)) == datetime(
        2026, 6, 15, 0, tzinfo=UTC
    )
    # The clock was set back.
    assert daily.due(NOW + timedelta(days=300), NOW) == NOW


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    assert [s.name for s in sources(Settings(home=tmp_path))] == ["daily_papers"]
    assert sources(Settings(home=tmp_path, daily_papers=False)) == []

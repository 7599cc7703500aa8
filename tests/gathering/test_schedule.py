"""The schedule: what is due is begun, failures wait longer and longer, exactly one worker keeps it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadsheet.config import Settings
from broadsheet.gathering import Schedule, UnknownSource, chosen, configured_sources
from broadsheet.gathering.leases import worker
from broadsheet.gathering.schedule import LEASE, next_try
from broadsheet.model.gathering import GatherState
from broadsheet.sources.configured import FOLDERS, configured
from broadsheet.sources.http import Service
from broadsheet.sources.source import Source
from broadsheet.store import Store
from tests.conftest import free_port
from tests.gathering.paged import NAME, Catalogue, Paged, pages
from tests.sources.playing_service import Answer, playing_service

QUICK = Service("catalogue", interval=0.0, tries=1, silence=5.0)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'broadsheet.db'}")
    yield opened
    opened.close()


Begin = Callable[..., tuple[Schedule, threading.Event]]


@pytest.fixture
def begin(store: Store, tmp_path: Path) -> Iterator[Begin]:
    """Makes schedules of given sources, and ends them."""
    made: list[tuple[Schedule, threading.Event]] = []

    def schedule(*sources: Source) -> tuple[Schedule, threading.Event]:
        stop = threading.Event()
        settings = Settings(home=tmp_path, pace_folder=str(tmp_path / "pace"))
        made.append((Schedule(store, settings, stop, lambda: (list(sources), [])), stop))
        return made[-1]

    yield schedule
    for one, stop in made:
        stop.set()
        one.close()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_what_is_due_is_gathered_and_not_again_before_it_is_due(store: Store, begin: Begin) -> None:
    with playing_service(Catalogue(pages(2))) as service:
        schedule, _ = begin(Paged(service.url, QUICK))
        assert schedule.turn() == [NAME]
        until(lambda: store.gather_state(NAME).succeeded)
        assert schedule.turn() == []
    assert store.counts()["papers"] == 6 and len(service.requests) == 2


def test_exactly_one_worker_keeps_the_schedule_and_another_takes_it_over(store: Store, begin: Begin) -> None:
    with playing_service(Catalogue(pages(2))) as service:
        first, stop = begin(Paged(service.url, QUICK, every=timedelta(0)))
        second, _ = begin(Paged(service.url, QUICK, every=timedelta(0)))
        assert first.turn() == [NAME] and second.turn() == []
        until(lambda: store.gather_state(NAME).succeeded)
        assert second.turn() == [] and first.ours and not second.ours
        stop.set()
        first.close()
        assert second.turn() == [NAME] and second.ours


def test_a_worker_that_was_killed_does_not_keep_the_schedule(store: Store, begin: Begin) -> None:
    host, machine, *_ = worker().split("/")
    assert store.claim(LEASE, f"{host}/{machine}/999999999/1/1", 3600)
    with playing_service(Catalogue(pages(1))) as service:
        schedule, _ = begin(Paged(service.url, QUICK))
        assert schedule.turn() == [NAME]


def test_a_source_that_another_worker_gathers_is_left_to_it(store: Store, begin: Begin) -> None:
    assert store.claim(NAME, "elsewhere/1/2/3", 60)
    schedule, _ = begin(Paged("http://127.0.0.1:1", QUICK))
    assert schedule.turn() == []


def test_no_network_is_told_once_and_nothing_else_waits_for_it(
    store: Store, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    with playing_service(Catalogue(pages(1))) as service:
        away = Paged(f"http://127.0.0.1:{free_port()}", Service("away"), "away")
        schedule, _ = begin(away, Paged(service.url, QUICK))
        assert sorted(schedule.turn()) == ["away", NAME]
        until(lambda: store.gather_state("away").failures and store.gather_state(NAME).succeeded)
        assert schedule.turn() == []
    until(lambda: "tries again at" in caplog.text)
    assert caplog.text.count("cannot be reached; check the network") == 1


def test_a_long_run_does_not_hold_up_the_others(store: Store, begin: Begin) -> None:
    go_on = threading.Event()

    def slow(_: object) -> Answer:
        go_on.wait(30)
        return Answer(status=500)

    with playing_service(slow) as stuck, playing_service(Catalogue(pages(1))) as service:
        schedule, _ = begin(Paged(stuck.url, Service("stuck", tries=1), "stuck"), Paged(service.url, QUICK))
        schedule.turn()
        until(lambda: store.gather_state(NAME).succeeded)
        assert store.gather_state("stuck").holder and schedule.turn() == []
        go_on.set()


def test_after_failures_the_pauses_grow(store: Store) -> None:
    source = Paged("http://127.0.0.1:1", QUICK)
    tried = NOW.isoformat().replace("+00:00", "Z")

    def pause(failures: int) -> float:
        state = GatherState(NAME, {}, tried=tried, problem="503", failures=failures)
        return (next_try(source, state, NOW) - NOW) / timedelta(minutes=1)

    assert [pause(failures) for failures in (1, 2, 3, 50)] == [5, 10, 20, 360]
    # A clock that was set back: nobody knows how long ago it was.
    ahead = GatherState(NAME, {}, tried="2026-06-02T12:00:00Z", problem="503", failures=5)
    assert next_try(source, ahead, NOW) <= NOW
    fine = GatherState(NAME, {}, tried=tried, succeeded=tried)
    assert next_try(source, fine, NOW) == NOW + timedelta(hours=1)


def test_a_fresh_home_gathers_arxiv_and_daily_papers() -> None:
    sources, problems = configured_sources(Settings())
    assert ([source.name for source in sources], problems) == (["arxiv", "daily_papers"], [])


def test_the_settings_choose_among_the_configured_sources() -> None:
    settings = Settings(sources="daily_papers, feed, nowhere", feeds="https://a.example.org/rss")
    sources, problems = configured_sources(settings)
    assert [source.name for source in sources] == ["daily_papers", "feed:a.example.org/rss"]
    assert problems == [
        "BROADSHEET_SOURCES: there is no source 'nowhere'; configured are arxiv, daily_papers, "
        "feed:a.example.org/rss"
    ]
    assert configured_sources(Settings(sources="nowhere"))[0] == []


def test_a_wrong_setting_of_one_source_leaves_the_others() -> None:
    found = configured(Settings(arxiv_categories="cs.LG,cs.NOTHING"))
    assert [source.name for source in found.sources] == ["daily_papers"]
    assert len(found.problems) == 1 and "cs.NOTHING" in found.problems[0]


def test_a_source_is_named_or_the_error_lists_those_there_are() -> None:
    sources = [Paged("http://a", QUICK, name) for name in ("arxiv", "feed:a/rss", "feed:b/rss")]
    assert [source.name for source in chosen(sources, ["feed"])] == ["feed:a/rss", "feed:b/rss"]
    assert [source.name for source in chosen(sources, ["feed:b/rss", "arxiv"])] == ["arxiv", "feed:b/rss"]
    assert chosen(sources, []) == sources
    with pytest.raises(UnknownSource, match="no source 'arxive'; configured are arxiv, feed:a/rss"):
        chosen(sources, ["arxive"])
    with pytest.raises(UnknownSource, match="zotero is not configured"):
        chosen(sources, ["zotero"])


def test_every_folder_of_a_source_is_known() -> None:
    there = {path.parent.name for path in Path(configured.__code__.co_filename).parent.glob("*/source.py")}
    assert set(FOLDERS.values()) == there


def test_a_source_that_cannot_say_when_it_is_due_does_not_hold_up_the_others(
    store: Store, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    class Undecided(Paged):
        def due(self, last_success: datetime | None, now: datetime) -> datetime:
            raise ValueError("no calendar")

    with playing_service(Catalogue(pages(1))) as service:
        schedule, _ = begin(Undecided(service.url, QUICK, "undecided"), Paged(service.url, QUICK))
        assert schedule.turn() == [NAME]
    assert "undecided does not say when it is due" in caplog.text

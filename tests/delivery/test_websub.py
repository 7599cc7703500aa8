"""The WebSub hub is told of news, once: against a hub that plays on loopback."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from broadsheet.config import Settings
from broadsheet.delivery.feeds import websub
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Listing, Record
from broadsheet.sources.http import Client
from broadsheet.store import Store
from tests.sources.playing_service import Answer, Playing, playing_service
from tests.web.server import running_server

BASE = "https://papers.example.org"


def listed(number: int, updated: str | None = None, upvotes: int = 3) -> Record:
    return Record(
        f"Paper number {number}",
        "daily_papers",
        identifiers=[Identifier("arxiv", f"2605.{number:05}")],
        upvotes=upvotes,
        updated=updated,
        listings=[Listing("daily_papers", "2026-05-29", number, "test", upvotes)],
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def told(home: Path, hub: Playing, *records: Record, **more: str) -> list[str]:
    settings = Settings(home=home, **{"websub_hub": f"{hub.url}/hub", "base_url": BASE, **more})
    store = Store.open(settings.store_url)
    try:
        store.add(records)
        with Client(home) as client:
            return websub.tell_hub(store, settings, client)
    finally:
        store.close()


def asked(hub: Playing) -> list[tuple[str, str]]:
    forms = [parse_qs(one.body.decode()) for one in hub.requests]
    assert all(one.method == "POST" for one in hub.requests)
    types = {one.headers.get("Content-Type", one.headers.get("content-type")) for one in hub.requests}
    assert types <= {"application/x-www-form-urlencoded"}
    return [(form["hub.mode"][0], form["hub.url"][0]) for form in forms]


def test_a_hub_is_told_of_new_papers_and_versions_once_and_not_of_votes(home: Path) -> None:
    with playing_service(*[Answer(status=204, body=b"")] * 40) as hub:
        assert told(home, hub) == []
        first = told(home, hub, listed(1))
        endings = ("atom", "rss", "json")
        assert first == [f"{BASE}/feeds/{stem}.{e}" for stem in ("latest", "trending") for e in endings]
        assert asked(hub) == [("publish", address) for address in first]
        assert told(home, hub) == []
        assert told(home, hub, listed(1, upvotes=90)) == []
        assert told(home, hub, listed(1, updated="2026-06-01T00:00:00Z")) == first
        assert told(home, hub, listed(2)) == first


def test_a_hub_that_is_away_is_told_the_next_time(home: Path) -> None:
    with playing_service(Answer(status=400), *[Answer(status=202)] * 20) as hub:
        assert told(home, hub, listed(1)) == []
        assert len(told(home, hub)) == 6


def test_nobody_is_told_without_a_hub_or_a_public_address(home: Path) -> None:
    with playing_service() as hub:
        assert told(home, hub, listed(1), websub_hub="") == []
        assert told(home, hub, base_url="") == []
        assert hub.requests == []


def test_a_serving_process_tells_the_hub(home: Path) -> None:
    with playing_service(Answer(status=202)) as hub:
        store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
        store.add([listed(1)])
        store.close()
        with running_server(
            home, env={"BROADSHEET_WEBSUB_HUB": f"{hub.url}/hub", "BROADSHEET_BASE_URL": BASE}
        ):
            for _ in range(300):
                if len(hub.requests) >= 6:
                    break
                time.sleep(0.1)
        assert sorted({address.partition("/feeds/")[2] for _, address in asked(hub)}) == [
            "latest.atom",
            "latest.json",
            "latest.rss",
            "trending.atom",
            "trending.json",
            "trending.rss",
        ]

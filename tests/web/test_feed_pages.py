"""Feeds over HTTP: a real server process, a real feed reader, and the rules of each format."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import feedparser
import httpx
import lxml.html
import pytest
from fastapi.testclient import TestClient

from broadsheet.web.app import create_app
from broadsheet.workspace import Workspace
from tests.delivery.feed_rules import CHECKS
from tests.web import pages_home as known
from tests.web.html import select
from tests.web.server import Server, filled_server

STEMS = {
    "latest": "",
    "trending": "",
    f"day/{known.LATEST}": "",
    "category/q-bio.PE": "",
    "author/Ada Lovelace": "",
    "venue/Computational Linguistics": "",
    f"similar/{known.LEAD}": "",
    "search": "?q=garden+roses",
    "similar": f"?ids={known.LEAD}%2C{known.MATH}",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with filled_server(tmp_path_factory.mktemp("feeds") / "home", known.fill) as started:
        yield started


@pytest.fixture(scope="module")
def site(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def address(stem: str, ending: str) -> str:
    return f"/feeds/{stem}.{ending}{STEMS.get(stem, '')}"


@pytest.mark.parametrize("ending", ["atom", "rss", "json"])
@pytest.mark.parametrize("stem", STEMS)
def test_everything_has_a_valid_feed_in_every_format(site: httpx.Client, stem: str, ending: str) -> None:
    response = site.get(address(stem, ending))
    types = {
        "atom": "application/atom+xml; charset=utf-8",
        "rss": "application/rss+xml; charset=utf-8",
        "json": "application/feed+json",
    }
    assert (response.status_code, response.headers["content-type"]) == (200, types[ending]), response.text[
        :300
    ]
    assert CHECKS[ending](response.content) == []
    if ending == "json":
        assert response.json()["feed_url"] == str(response.url)
        assert response.json()["items"]
    else:
        read = feedparser.parse(response.content)
        assert not read.bozo
        assert read.entries
        assert str(response.url) in [link.href for link in read.feed.links if link.rel == "self"]


def ids_of(site: httpx.Client, path: str) -> list[str]:
    return [item["url"].rpartition("/papers/")[2] for item in site.get(path).json()["items"]]


def test_a_feed_holds_what_its_page_shows_in_that_order(site: httpx.Client) -> None:
    day = ids_of(site, f"/feeds/day/{known.LATEST}.json")
    assert len(day) == known.ON_LATEST
    assert day[:2] == [known.LEAD, known.MATH]
    assert ids_of(site, "/feeds/latest.json")[: known.ON_LATEST] == day
    assert set(ids_of(site, "/feeds/latest.json")) > set(day)
    assert ids_of(site, "/feeds/trending.json")[0] == known.LEAD
    assert ids_of(site, "/feeds/category/q-bio.PE.json") == [known.LEAD]
    assert ids_of(site, "/feeds/venue/Computational Linguistics.json") == [known.DOI]
    assert known.LEAD not in ids_of(site, f"/feeds/similar/{known.LEAD}.json")


def test_the_feed_of_a_search_is_newest_first_whatever_order_was_asked_for(site: httpx.Client) -> None:
    for query in ("author:lovelace", "author:lovelace sort:votes", "paper"):
        dates = [
            item["date_published"]
            for item in site.get("/feeds/search.json", params={"q": query}).json()["items"]
        ]
        assert len(set(dates)) > 1
        assert dates == sorted(dates, reverse=True)


def test_a_search_that_finds_nothing_and_a_category_to_come_are_empty_feeds(site: httpx.Client) -> None:
    for path in ("/feeds/search.atom?q=cat:cs.XX", "/feeds/category/cs.CV.atom"):
        response = site.get(path)
        assert response.status_code == 200
        assert CHECKS["atom"](response.content) == []
        assert feedparser.parse(response.content).entries == []


def test_a_reader_that_has_it_already_gets_304_by_tag_and_by_date(site: httpx.Client) -> None:
    for path in ("/feeds/latest.atom", "/feeds/search.rss?q=garden"):
        first = site.get(path)
        tag, since = first.headers["etag"], first.headers["last-modified"]
        for headers in ({"If-None-Match": tag}, {"If-Modified-Since": since}):
            again = site.get(path, headers=headers)
            assert (again.status_code, again.content) == (304, b"")
            assert (again.headers["etag"], again.headers["last-modified"]) == (tag, since)
        # The tag goes before the date, and what is no date is no condition.
        headers = {"If-None-Match": '"other"', "If-Modified-Since": since}
        assert site.get(path, headers=headers).status_code == 200
        for wrong in ("yesterday", "", "Mon, 99 Foo 2026 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"):
            assert site.get(path, headers={"If-Modified-Since": wrong}).status_code == 200
        assert site.head(path).headers["etag"] == tag


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/feeds/latest.xml", 404, "ends in one of .atom, .rss, .json"),
        ("/feeds/latest", 404, "ends in one of"),
        ("/feeds/everything.atom", 404, "There are feeds of latest, trending"),
        ("/feeds/day/2026-13-40.atom", 400, "2026-13-40"),
        ("/feeds/day/2001-01-01.atom", 404, "No papers were listed on Monday, 1 January 2001"),
        ("/feeds/search.atom", 400, "needs a query"),
        ("/feeds/search.atom?q=%20---%20", 400, "needs a query"),
        ("/feeds/search.atom?q=" + "word+" * 3000, 400, "10,000"),
        ("/feeds/author/Nobody Known.atom", 404, "No paper here is by Nobody Known"),
        ("/feeds/venue/%22.rss", 400, "no venue"),
        ("/feeds/similar/2101.00001.json", 404, "No paper here is called 2101.00001"),
        ("/feeds/similar.json?ids=,,", 404, "No paper here"),
        ("/feeds/similar.json", 404, "There are feeds of"),
        ("/feeds/author/" + "x" * 400 + ".atom", 400, "400 characters"),
    ],
)
def test_bad_addresses_say_what_to_write(site: httpx.Client, path: str, status: int, words: str) -> None:
    response = site.get(path)
    text = " ".join(lxml.html.document_fromstring(response.text).text_content().split())
    assert (response.status_code, words in text) == (status, True), text[:600]


@pytest.mark.parametrize(
    ("path", "feed"),
    [
        ("/", "/feeds/latest.atom"),
        (f"/papers/date/{known.WEDNESDAY}", f"/feeds/day/{known.WEDNESDAY}.atom"),
        ("/papers/week/2026-W22", "/feeds/latest.atom"),
        ("/papers/trending", "/feeds/trending.atom"),
        ("/search?q=garden+roses", "/feeds/search.atom?q=garden%20roses"),
        (f"/papers/{known.LEAD}", f"/feeds/similar/{known.LEAD}.atom"),
        (f"/papers/{known.OLD}", f"/feeds/similar/{known.OLD}.atom"),
        (f"/similar?ids={known.LEAD},{known.MATH}", f"/feeds/similar.atom?ids={known.LEAD}%2C{known.MATH}"),
        ("/search", "/feeds/latest.atom"),
        ("/about", "/feeds/latest.atom"),
        ("/feeds", "/feeds/latest.atom"),
        ("/no/such/page", "/feeds/latest.atom"),
    ],
)
def test_every_page_names_the_feed_of_what_it_shows(site: httpx.Client, path: str, feed: str) -> None:
    page = lxml.html.document_fromstring(site.get(path).text)
    named = [link.get("href") for link in select(page, "link[type='application/atom+xml']")]
    assert named[0] == feed
    assert "/feeds/latest.atom" in named
    assert site.get(feed).status_code == 200
    assert feed in [link.get("href") for link in select(page, "footer a")]


def test_the_page_of_feeds_leads_to_feeds(site: httpx.Client) -> None:
    page = lxml.html.document_fromstring(site.get("/feeds").text)
    links = select(page, "dl a")
    assert len(links) == 6
    for link in links:
        assert site.get(link.get("href")).status_code == 200


def test_a_new_version_changes_the_entry_and_does_not_come_as_another(tmp_path: Path) -> None:
    home = tmp_path / "home"
    known.fill(home)
    workspace = Workspace.open(home)
    try:
        site = TestClient(create_app(workspace))
        before = site.get("/feeds/latest.json")
        time.sleep(0.01)
        told = next(one for one in known.records() if one.identifiers[0].value == known.MATH)
        told.updated, told.abstract = "2026-06-02T10:00:00Z", "Shorter now, and with a proof."
        workspace.store.add([told])
        after = site.get("/feeds/latest.json")
        assert after.headers["etag"] != before.headers["etag"]
        # Within one second, too, what changed is later than what was before.
        since = {"If-Modified-Since": before.headers["last-modified"]}
        assert site.get("/feeds/latest.json", headers=since).status_code == 200
        items = [{item["url"]: item for item in one.json()["items"]} for one in (before, after)]
        assert {url: item["id"] for url, item in items[0].items()} == {
            url: item["id"] for url, item in items[1].items()
        }
        [url] = [url for url in items[0] if items[0][url] != items[1][url]]
        assert url.endswith(known.MATH)
        assert items[1][url]["date_modified"] == "2026-06-02T10:00:00Z"
        assert "with a proof" in json.dumps(items[1][url])
    finally:
        workspace.close()


def test_a_busy_day_is_in_its_feeds_whole(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "home")
    try:
        day, before = "2026-05-29", "2026-05-20"
        workspace.store.add(
            known.record(
                f"2605.{n:05}", f"Paper {n}", "", day if n < 250 else before, n + 1, 1, categories=["cs.LG"]
            )
            for n in range(400)
        )
        workspace.engine.follow(workspace.store)
        site = TestClient(create_app(workspace))
        for path in ("/feeds/latest.json", "/feeds/category/cs.LG.json", f"/feeds/day/{day}.json"):
            items = site.get(path).json()["items"]
            days = [item["date_published"][:10] for item in items]
            assert days.count(day) == 250
            assert len(items) <= 300
    finally:
        workspace.close()


def test_a_site_without_papers_has_feeds_without_papers(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "home")
    try:
        site = TestClient(create_app(workspace))
        for path in ("latest", "trending", "category/cs.CV"):
            for ending, errors in CHECKS.items():
                response = site.get(f"/feeds/{path}.{ending}")
                assert (response.status_code, errors(response.content)) == (200, [])
        assert site.get("/print/latest.pdf").status_code == 404
    finally:
        workspace.close()


def test_a_hub_is_named_where_one_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known.fill(tmp_path / "home")
    monkeypatch.setenv("BROADSHEET_WEBSUB_HUB", "https://hub.example.org/")
    workspace = Workspace.open(tmp_path / "home")
    try:
        site = TestClient(create_app(workspace))
        for ending in ("atom", "rss", "json"):
            response = site.get(f"/feeds/latest.{ending}")
            assert CHECKS[ending](response.content) == []
            assert b"https://hub.example.org/" in response.content
            assert response.headers["link"] == (
                '<https://hub.example.org/>; rel="hub", '
                f'<http://testserver/feeds/latest.{ending}>; rel="self"'
            )
    finally:
        workspace.close()

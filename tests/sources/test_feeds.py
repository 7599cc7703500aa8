"""Feeds: every format is read, papers are recognised, the rest is listed as what it is, nothing twice."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from broadsheet.config import load_settings
from broadsheet.model.papers import Record, Rejection
from broadsheet.model.validation import MAX_NAME, checked
from broadsheet.sources.feeds import Feed
from broadsheet.sources.feeds.adapter import listed, name_of_feed
from broadsheet.sources.feeds.parse import FeedError, feed
from broadsheet.sources.feeds.source import sources
from broadsheet.sources.files import read_file
from broadsheet.sources.opml import Subscription, subscribe
from tests.sources.enriching import FIXTURES, NOW, gather, home
from tests.sources.playing_service import Answer, Asked, playing_service

# What each recorded file holds: items, and those of them that are surely papers.
RECORDED = {
    "atom_github_commits.xml": (20, 0),
    "rdf_rss1.xml": (60, 0),
    "rss2_anthropic_research.xml": (17, 0),
    "rss2_eleuther_papers.xml": (5, 5),
    "rss2_google_ai.xml": (10, 0),
    "rss2_iacr_eprint.xml": (3, 0),
    "rss2_meta_ai.xml": (88, 0),
}


def test_every_recorded_feed_is_read(shared: Path) -> None:
    found = {}
    for path in sorted((shared / "data" / "recorded" / "blog_feeds").iterdir()):
        records = [checked(item) for item in read_file(path) if isinstance(item, Record)]
        found[path.name] = (len(records), sum(bool(item.identifiers) for item in records))
        assert all(item.links or item.identifiers for item in records)
        assert not any("<p>" in (item.abstract or "") for item in records)
    assert found == RECORDED


def test_the_recorded_archive_of_eprints_has_authors_and_abstracts(shared: Path) -> None:
    first, *_ = read_file(shared / "data" / "recorded" / "blog_feeds" / "rss2_iacr_eprint.xml")
    assert isinstance(first, Record)
    assert [author.name for author in first.authors][:2] == ["Akshaya Kumar", "Carolina Ortega Pérez"]
    assert first.venue is None and first.abstract and first.published
    assert [link.url for link in first.links] == ["https://eprint.iacr.org/2026/488"]


def _read(name: str) -> list[tuple[str, Record | Rejection]]:
    found = feed((FIXTURES / "feeds" / name).read_bytes(), "https://lab.example.org/blog/rss.xml")
    return listed(found, "feed:lab.example.org", {}, "2026-06-12")


def test_papers_are_recognised_and_the_rest_is_listed_as_what_it_is() -> None:
    (day, arxiv), (_, article), (_, post), (_, ten), (today, party), (_, eprint), (_, empty) = _read(
        "rss2.xml"
    )
    assert day == "2026-06-10" and arxiv.listings[0].day == day
    assert [i.key for i in arxiv.identifiers] == ["arxiv:2601.04301"]
    assert arxiv.abstract == "We weave numbers.\n\nTwice."
    assert [author.name for author in arxiv.authors] == ["Ada Lovelace", "Luigi Menabrea"]
    assert arxiv.venue is None
    assert [i.key for i in article.identifiers] == ["doi:10.1234/engines.7"]
    assert [author.name for author in article.authors] == ["Lovelace, A.", "Menabrea, L."]
    # A post about one paper is that paper; its words are not the abstract.
    assert [i.key for i in post.identifiers] == ["arxiv:2602.00007"]
    assert post.abstract is None
    assert {(link.kind, link.url) for link in post.links} >= {
        ("other", "https://lab.example.org/blog/new-paper"),
        ("code", "https://github.com/lab/engine"),
    }
    # A post about several is none of them.
    assert ten.identifiers == [] and ten.venue == "Engine Laboratory"
    assert today == "2026-06-12" and party.links[0].url == "https://lab.example.org/blog/party"
    # What is dated in the future came today.
    assert eprint.listings[0].day == "2026-06-12" and eprint.venue is None
    assert isinstance(empty, Rejection)


def test_rss_1_atom_and_json_feeds_are_read() -> None:
    ((_, article),) = _read("rss1.xml")
    assert (article.title, [i.key for i in article.identifiers]) == (
        "Au delà des métiers",
        ["doi:10.1234/engines.8"],
    )
    assert [author.name for author in article.authors] == ["Ada Lovelace", "George Boole"]
    ((_, entry),) = _read("atom.xml")
    assert entry.title == "On looms & numbers"
    assert [i.key for i in entry.identifiers] == ["doi:10.1234/engines.9"]
    (_, paper), (_, note) = _read("feed.json")
    assert [i.key for i in paper.identifiers] == ["openreview:rJXMpikCZ"]
    assert (paper.published, paper.ai_keywords) == ("2026-06-10T08:00:00Z", ["looms"])
    assert note.title.startswith("A note without a title") and note.title.endswith("…")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"<!doctype html><html><body>404</body></html>", "web page"),
        (b'{"items": []}', "no JSON Feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items": [', "damaged JSON"),
        (b"\x89PNG\r\n", "no RSS"),
        (
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><rss>&c;</rss>',
            "entities",
        ),
        (
            b'<?xml version="1.0"?><!DOCTYPE x [<!entity a SYSTEM "file:///etc/passwd">]><rss>&a;</rss>',
            "entities",
        ),
    ],
)
def test_what_is_no_feed_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(FeedError, match=why):
        feed(data)


def test_a_text_that_is_the_name_of_a_file_or_an_address_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "feed"
    path.write_bytes((FIXTURES / "feeds" / "rss2.xml").read_bytes())
    with pytest.raises(FeedError):
        feed(str(path).encode())


def test_a_damaged_feed_gives_what_can_be_read() -> None:
    data = (FIXTURES / "feeds" / "rss2.xml").read_bytes()
    found = feed(data[: data.index(b"We explain")])
    assert [item.title for item in found.items][:2] == ["A paper on arXiv", "An article with a DOI field"]


def test_names_of_feeds_are_short_distinct_and_without_tokens() -> None:
    assert name_of_feed("https://www.lab.example.org/rss/") == "feed:lab.example.org/rss"
    one, other = (name_of_feed(f"https://lab.example.org/rss?token={token}") for token in ("s3cr3t", "x"))
    assert one != other and "s3cr3t" not in one
    secret = Feed("https://ada:s3cr3t@lab.example.org/rss?token=s3cr3t")
    assert "s3cr3t" not in secret.name + secret.title + secret.home_page
    assert len(name_of_feed("https://lab.example.org/" + "long/" * 100)) <= MAX_NAME
    assert name_of_feed("http://[bad").startswith("feed:")


def test_a_feed_is_told_once_and_asked_only_whether_it_changed(tmp_path: Path) -> None:
    data = (FIXTURES / "feeds" / "rss2.xml").read_bytes()
    state = {"body": data, "etag": '"1"'}

    def play(asked: Asked) -> Answer:
        if asked.headers.get("if-none-match") == state["etag"]:
            return Answer(304, headers={"ETag": state["etag"]})
        return Answer(
            body=state["body"], headers={"ETag": state["etag"], "Content-Type": "application/rss+xml"}
        )

    with playing_service(play) as service, home(tmp_path) as (store, client):
        source = Feed(f"{service.url}/rss", "The laboratory")
        first = gather(source, store, client)
        assert (len(first.records), len(first.rejections)) == (6, 1)
        assert {told.day: (told.count, told.identifiers) for told in first.announced} == {
            "2026-06-08": (1, []),
            "2026-06-09": (1, ["arxiv:2602.00007"]),
            "2026-06-10": (2, ["arxiv:2601.04301", "doi:10.1234/engines.7"]),
            "2026-06-12": (2, []),
        }
        covered = store.coverage("2026-06-01", "2026-06-30", source.name)
        assert {(told.day, told.state) for told in covered} == {
            (told.day, "complete") for told in first.announced
        }
        assert service.requests[-1].headers.get("if-none-match") is None
        assert not gather(source, store, client, days=1).items
        assert service.requests[-1].headers["if-none-match"] == '"1"'
        # What has no date stays on the day on which it was first seen; only what is new or changed is told.
        item = b"<item><title>News</title><link>https://lab.example.org/n</link></item>"
        state.update(
            body=data.replace(b"<item>", item + b"<item>", 1).replace(b"summer party", b"party"), etag='"2"'
        )
        third = gather(source, store, client, days=2)
        assert [(record.title, record.listings[0].day) for record in third.records] == [
            ("News", "2026-06-14"),
            ("Our party", "2026-06-12"),
        ]
        assert store.counts()["papers"] == 8
        days = {day: number for day, name, number in store.days() if name == source.name}
        assert days["2026-06-10"] == 2


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"", b'{"items": []}'])
def test_a_page_instead_of_a_feed_is_told_and_the_feed_asked_again(tmp_path: Path, body: bytes) -> None:
    good = Answer(body=(FIXTURES / "feeds" / "atom.xml").read_bytes())
    with (
        playing_service(Answer(body=body, headers={"ETag": '"9"'}), good) as service,
        home(tmp_path) as (store, client),
    ):
        source = Feed(f"{service.url}/rss")
        first = gather(source, store, client)
        assert first.problem and "sent no feed" in str(first.problem) and not first.pages
        assert len(gather(source, store, client).records) == 1
        assert service.requests[-1].headers.get("if-none-match") is None


def test_the_private_network_is_not_reached_by_a_feed(tmp_path: Path) -> None:
    with playing_service(Answer()) as service, home(tmp_path, allow_private=False) as (store, client):
        gathered = gather(Feed(f"{service.url}/rss"), store, client)
        assert "private network" in str(gathered.problem) and not service.requests


def test_the_feeds_of_settings_and_opml_are_gathered_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADSHEET_FEEDS", "https://a.example.org/rss\n https://b.example.org/rss")
    subscribe(
        tmp_path,
        [Subscription("https://b.example.org/rss", "B"), Subscription("https://c.example.org/rss", "C")],
    )
    found = sources(load_settings(tmp_path))
    assert [source.name for source in found] == [f"feed:{name}.example.org/rss" for name in "abc"]
    assert found[2].title == "C"
    assert len({source.name for source in found}) == 3


def test_a_feed_is_due_every_hour_also_after_the_clock_was_set_back() -> None:
    source = Feed("https://lab.example.org/rss")
    assert source.due(None, NOW) == NOW
    assert source.due(NOW, NOW) == NOW + timedelta(hours=1)
    assert source.due(NOW + timedelta(days=9), NOW) == NOW

"""OPML: lists of feeds are read in the forms that feed readers write, and kept in the home."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadsheet.importing import add_inputs
from broadsheet.sources.files import read_file
from broadsheet.sources.opml import OpmlError, Subscription, parse, subscribe, subscriptions
from broadsheet.workspace import Workspace
from tests.sources.enriching import FIXTURES

FILE = FIXTURES / "opml" / "feeds.opml"


def test_recorded_lists_are_read(shared: Path) -> None:
    folder = shared / "data" / "recorded" / "bibliography"
    assert [feed.url for feed in parse((folder / "opml_zotero_feeds.opml").read_bytes())] == [
        f"http://example.com/feed{number}.rss" for number in range(1, 6)
    ]
    (feed,) = read_file(folder / "opml_freshrss_default.xml")
    assert isinstance(feed, Subscription) and feed.title == "FreshRSS releases"


def test_a_list_of_feeds_is_read_in_its_encoding() -> None:
    found = parse(FILE.read_text().encode("latin-1"))
    assert [(feed.url, feed.title) for feed in found] == [
        ("https://lab.example.org/rss?a=1&b=2", "Métiers"),
        ("https://old.example.org/rss", "Older form"),
        ("http://scheme.example.org/rss", "As a scheme"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"https://example.org/feeds.opml",
        b"<html></html>",
        b'<!DOCTYPE opml [<!ENTITY a "b">]><opml><body>&a;</body></opml>',
        b"\xff\xfe\x00\x01opml",
    ],
)
def test_what_is_no_list_is_refused(data: bytes) -> None:
    with pytest.raises(OpmlError):
        parse(data)


def test_subscriptions_are_kept_each_once_and_survive_an_odd_title(tmp_path: Path) -> None:
    odd = Subscription("https://odd.example.org/?a=1&b=2", 'Looms & "numbers" <1>')
    assert subscribe(tmp_path, [odd, Subscription("https://b.example.org/rss")]) == (2, 0)
    assert subscribe(tmp_path, [odd, Subscription("https://c.example.org/rss")]) == (1, 1)
    found = subscriptions(tmp_path)
    assert [feed.url[8:9] for feed in found] == ["o", "b", "c"]
    assert (found[0].url, found[0].title) == (odd.url, odd.title)


def test_a_damaged_file_of_subscriptions_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "feeds.opml").write_text("something else")
    assert subscriptions(tmp_path) == []
    with pytest.raises(OpmlError):
        subscribe(tmp_path, [Subscription("https://b.example.org/rss")])
    assert (tmp_path / "feeds.opml").read_text() == "something else"


def test_adding_a_list_subscribes_to_its_feeds(tmp_path: Path) -> None:
    path = tmp_path / "mine.opml"
    path.write_bytes(FILE.read_text().encode("latin-1"))
    workspace = Workspace.open(tmp_path / "home")
    try:
        first = add_inputs(workspace, [str(path)], None)
        second = add_inputs(workspace, [str(path)], None)
    finally:
        workspace.close()
    assert (first.read, first.new, first.unchanged) == (3, 3, 0)
    assert (second.read, second.new, second.unchanged) == (3, 0, 3)
    assert len(subscriptions(tmp_path / "home")) == 3

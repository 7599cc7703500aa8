"""Papers as feeds: valid in all three formats, read by a real reader, the same ids for all versions."""

from __future__ import annotations

import json

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadsheet.delivery.feeds import FORMATS, MOST_AUTHORS, NEVER, Feed, item_of, permanent_id
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Link, Paper
from tests.delivery.feed_rules import CHECKS

BASE = "https://papers.example.org"


def paper(**more: object) -> Paper:
    given = {
        "key": 7,
        "id": "2605.10001",
        "title": r"An $O(n \log n)$ bound & a <b>bold</b> claim",
        "abstract": "Reeds are counted.\n\nTwice, if $a < b$ & the wind is low.",
        "authors": [Author("Ada Lovelace"), Author("Emmy Noether")],
        "published": "2026-05-20T08:00:00Z",
        "updated": "2026-05-28T09:30:00Z",
        "categories": ["q-bio.PE", "cs.SD"],
        "ai_keywords": ["wetlands"],
        "identifiers": [Identifier("arxiv", "2605.10001")],
        "links": [Link("code", "https://github.com/example/reeds?a=1&b=ü", "daily_papers")],
    }
    return Paper(**{**given, **more})


def feed(*papers: Paper, **more: object) -> Feed:
    given = {
        "title": "Marsh Post: latest papers",
        "subtitle": "The daily paper of the reeds",
        "url": f"{BASE}/feeds/latest.atom",
        "page": f"{BASE}/",
        "items": [item_of(one, BASE) for one in papers],
        "site_name": "Marsh Post",
        "version": "0.1.0",
    }
    return Feed(**{**given, **more})


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_is_valid_by_its_own_rules(ending: str) -> None:
    bare = Paper(9, "title:a-bare-one", "A bare one")
    whole = feed(
        paper(), bare, icon=f"{BASE}/favicon.svg", hub="https://hub.example.org/", listed="2026-05-29"
    )
    assert CHECKS[ending](FORMATS[ending].write(whole)) == []
    assert CHECKS[ending](FORMATS[ending].write(feed())) == []


@pytest.mark.parametrize("ending", ["atom", "rss"])
def test_a_reader_finds_title_authors_dates_links_and_tex_as_source(ending: str) -> None:
    read = feedparser.parse(FORMATS[ending].write(feed(paper())))
    assert not read.bozo
    assert read.feed.title == "Marsh Post: latest papers"
    [entry] = read.entries
    assert entry.id == permanent_id(paper())
    assert entry.link == f"{BASE}/papers/2605.10001"
    assert entry.title == r"An $O(n \log n)$ bound & a <b>bold</b> claim"
    assert entry.published_parsed[:5] == (2026, 5, 20, 8, 0)
    assert entry.updated_parsed[:5] == (2026, 5, 28, 9, 30)
    assert [one.name for one in entry.authors][:2] == ["Ada Lovelace", "Emmy Noether"]
    assert [tag.term for tag in entry.tags] == ["q-bio.PE", "cs.SD", "wetlands"]
    html = entry.content[0].value if ending == "atom" else entry.description
    assert "if $a &lt; b$ &amp; the wind" in html
    assert 'href="https://arxiv.org/abs/2605.10001"' in html


def test_a_new_version_keeps_the_id_and_changes_the_date() -> None:
    before = item_of(paper(updated="2026-05-20T08:00:00Z"), BASE)
    after = item_of(
        paper(title="Another title", abstract="Another text", key=99), "https://elsewhere.example"
    )
    assert before.id == after.id
    assert (before.updated, after.updated) == ("2026-05-20T08:00:00Z", "2026-05-28T09:30:00Z")
    assert item_of(paper(id="2605.10002"), BASE).id != before.id


def test_a_withdrawn_paper_changes_and_says_so() -> None:
    item = item_of(paper(withdrawn="2026-06-01"), BASE)
    assert item.updated == "2026-06-01T00:00:00Z"
    assert "Withdrawn on 2026-06-01" in item.content


def test_of_nine_hundred_authors_the_first_are_named_and_the_others_counted() -> None:
    item = item_of(paper(authors=[Author(f"Member {n}") for n in range(900)]), BASE)
    assert len(item.authors) == MOST_AUTHORS
    assert "and 888 more" in item.content


def test_the_feed_is_as_new_as_its_newest_paper_or_listing_and_never_dateless() -> None:
    assert feed().updated == NEVER
    assert feed(paper()).updated == "2026-05-28T09:30:00Z"
    assert feed(paper(), listed="2026-05-29").updated == "2026-05-29T00:00:00Z"


def test_json_tells_place_and_reason_where_an_edition_has_them() -> None:
    made = feed(paper())
    made.items[0].place, made.items[0].reasons = 1, ["40 upvotes"]
    [item] = json.loads(FORMATS["json"].write(made))["items"]
    assert item["_broadsheet"] == {"place": 1, "score": None, "reasons": ["40 upvotes"]}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(sorted(FORMATS)))
def test_no_text_breaks_a_feed(title: str, text: str, ending: str) -> None:
    title = title.encode("utf-8", "replace").decode()
    text = text.encode("utf-8", "replace").decode()
    one = paper(
        title=title or "?", abstract=text, ai_summary=text, comment=text, authors=[Author(title or "?")]
    )
    errors = CHECKS[ending](FORMATS[ending].write(feed(one)))
    # A title or name of nothing but spaces is none; sources never give one.
    assert [error for error in errors if "is no text" not in error and "exactly" not in error] == []

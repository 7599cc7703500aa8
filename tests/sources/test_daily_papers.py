"""Daily Papers as JSON and as HTML pages: every form of the API becomes the same records."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from broadsheet.model.papers import Record, Rejection
from broadsheet.sources.daily_papers.adapter import UNKNOWN_PLACE
from broadsheet.sources.files import read_file

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sources"


def read(name: str) -> list[Record]:
    items = list(read_file(FIXTURES / name))
    assert all(isinstance(item, Record) for item in items), items
    return items


def read_json(value: Any) -> list[Record | Rejection]:
    return list(read_file(io.BytesIO(json.dumps(value).encode()), name="items"))


def test_a_list_gives_papers_with_all_that_it_tells() -> None:
    first, second, third = read("daily_papers_list.json")
    assert [i.key for i in first.identifiers] == ["arxiv:2606.00467"]
    assert first.published == "2026-05-30T00:00:00.000Z"
    assert (first.upvotes, first.num_comments) == (0, 2)
    assert first.organization["fullname"] == "California institute of technology"
    assert first.ai_summary == "Paper 1 in one sentence."
    assert first.ai_keywords == ["first keyword", "second keyword"]
    assert first.extra["ai_summary_model"] == "example/model-1"
    assert first.extra["thumbnail"].endswith("2606.00467.png")
    assert first.extra["discussionId"]
    assert first.extra["isAuthorParticipating"] is False
    assert second.github_stars == 51
    assert second.extra["githubRepoAddedBy"] == "user"
    assert second.extra["mediaUrls"] == ["https://cdn-uploads.huggingface.co/v.mp4"]
    assert [(link.kind, link.url, link.provenance) for link in second.links] == [
        ("code", "https://github.com/example/second", "githubRepo"),
        ("project", "https://example-lab.github.io/second", "projectPage"),
        ("code", "https://github.com/example/paper-2", "abstract"),
    ]
    assert third.organization["name"] == "lab"
    assert third.withdrawn == "2026-06-12T00:00:00.000Z"


def test_the_date_of_publication_is_the_papers_and_not_the_shifted_one() -> None:
    # The item says 2026-05-29T20:00, the paper 2026-05-30T00:00.
    assert read("daily_papers_list.json")[0].published.startswith("2026-05-30")


def test_the_day_is_that_of_submission_and_the_place_counts_within_it() -> None:
    listings = [record.listings[0] for record in read("daily_papers_list.json")]
    assert [(listing.day, listing.rank) for listing in listings] == [
        ("2026-06-12", 1),
        ("2026-06-12", 2),
        ("2026-06-11", 1),
    ]
    assert {(listing.list, listing.source) for listing in listings} == {("daily_papers", "daily_papers")}
    assert (listings[1].upvotes, listings[1].num_comments, listings[1].submitter) == (103, 7, "cleo")


def test_a_submitter_has_a_name_whichever_key_tells_it() -> None:
    record = read("daily_papers_list.json")[0]
    assert record.submitter == "cleo"
    # The item says `name` and followers, the paper says `user`.
    assert record.submitter_account["user"] == record.submitter_account["name"] == "cleo"
    assert record.submitter_account["followerCount"] == 4


def test_authors_keep_their_accounts() -> None:
    ada, ben = read("daily_papers_list.json")[0].authors
    assert (ada.name, ada.account["hidden"]) == ("Ada Example", False)
    assert ben.account["user"]["user"] == "bensample"
    assert ben.account["status"] == "claimed_verified"
    assert "name" not in ben.account


def test_a_single_paper_brings_what_links_to_it() -> None:
    (record,) = read("daily_papers_single.json")
    linked = [(link.kind, link.url, link.data["id"]) for link in record.links if link.data]
    assert linked == [
        ("model", "https://huggingface.co/example/second-7b", "example/second-7b"),
        ("dataset", "https://huggingface.co/datasets/example/second-data", "example/second-data"),
        ("space", "https://huggingface.co/spaces/example/second-demo", "example/second-demo"),
    ]
    assert [record.extra[f"numTotal{kind}"] for kind in ("Models", "Datasets", "Spaces")] == [4, 1, 1]
    listing = record.listings[0]
    # Its day is known, but not its place: it must not count before the places of the day's list.
    assert (listing.day, listing.rank) == ("2026-06-12", UNKNOWN_PLACE)
    assert listing.source != "daily_papers"


def test_a_search_result_stands_on_no_day_but_that_of_its_import() -> None:
    (record,) = read("daily_papers_search.json")
    assert record.listings[0].list == "added"
    assert "highlightedTitle" not in record.extra
    (dated,) = read_file(FIXTURES / "daily_papers_search.json", day="2026-06-12")
    assert (dated.listings[0].list, dated.listings[0].day) == ("daily_papers", "2026-06-12")


def test_a_day_page_in_html_gives_what_the_api_gives() -> None:
    from_page, from_api = read("daily_papers_day.html"), read("daily_papers_list.json")
    for record in [*from_page, *from_api]:
        record.where = ""
    assert from_page == from_api


def test_a_papers_page_in_html_counts_its_comments() -> None:
    (record,) = read("daily_papers_paper.html")
    assert record.identifiers[0].value == "2606.09000"
    assert record.num_comments == 2


def test_html_of_other_pages_is_rejected() -> None:
    for html in (
        "<!doctype html><p>Hello</p>",
        "<html><script>alert(1)</script></html>",
        "<div data-props='{\"paper\":1}'>",
        "<",
    ):
        (item,) = read_file(io.BytesIO(html.encode()), name="page.html")
        assert isinstance(item, Rejection)
        assert item.where == "page.html"
        assert "no Daily Papers page" in item.why or "cannot be read" in item.why


def test_a_page_cut_off_within_its_data_says_so() -> None:
    page = (FIXTURES / "daily_papers_day.html").read_text()
    (item,) = read_file(io.BytesIO((page[:5000] + '"></div>').encode()))
    assert isinstance(item, Rejection)
    assert "cut off" in item.why


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": "24O7.21783"}, '"id"'),
        ({"id": 5}, '"id"'),
        ({"title": ""}, '"title"'),
        ({"upvotes": "many"}, '"upvotes"'),
        ({"summary": ["a"]}, '"summary"'),
        ({"authors": "Ada"}, '"authors"'),
        ({"submittedOnDailyAt": "soon"}, '"submittedOnDailyAt"'),
        ({"submittedOnDailyAt": "9999-01-01T00:00:00Z"}, '"submittedOnDailyAt"'),
    ],
)
def test_a_wrong_field_is_named_and_the_others_are_read(change: dict[str, Any], named: str) -> None:
    items = json.loads((FIXTURES / "daily_papers_list.json").read_text())
    items[0]["paper"].update(change)
    items[0]["title"] = items[0]["paper"]["title"]
    first, *others = read_json(items)
    assert isinstance(first, Rejection)
    assert first.where == "items entry 1"
    assert named in first.why
    assert all(isinstance(item, Record) for item in others)


def test_items_one_a_line_are_read_too() -> None:
    items = json.loads((FIXTURES / "daily_papers_list.json").read_text())
    lines = "\n".join(json.dumps(item) for item in items)
    assert [r.title for r in read_file(io.BytesIO(lines.encode()))] == [item["title"] for item in items]


def test_an_empty_day_is_no_error() -> None:
    assert read_json([]) == []


def test_the_recordings_of_the_site_are_read_whole(shared: Path) -> None:
    folder = shared / "data" / "recorded" / "huggingface"
    counts = {path.name: list(read_file(path)) for path in sorted(folder.iterdir())}
    assert {name: len(items) for name, items in counts.items()} == {
        "daily_papers_2026-06-12.json": 30,
        "daily_papers_ai-weekly-radar.json": 25,
        "paper_page_2509.24002.html": 1,
        "papers_id_2608.09888.json": 1,
        "papers_search_first_item.json": 1,
    }
    assert all(isinstance(item, Record) for items in counts.values() for item in items)
    (single,) = counts["papers_id_2608.09888.json"]
    assert [link.data["id"] for link in single.links if link.kind == "dataset"] == [
        "WhySoCodius/in-context-grid-reasoning"
    ]
    (page,) = counts["paper_page_2509.24002.html"]
    assert (page.submitter, page.upvotes, page.github_stars) == ("Jakumetsu", 118, 182)
    radar = [item.listings[0] for item in counts["daily_papers_ai-weekly-radar.json"]]
    assert [listing.rank for listing in radar] == [*range(1, 15), *range(1, 12)]

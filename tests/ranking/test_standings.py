"""What trending is computed from, in the store, and the page that tells how."""

from __future__ import annotations

from pathlib import Path

import lxml.html
from fastapi.testclient import TestClient

from broadsheet.config import Settings
from broadsheet.editions import trending
from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Link, Listing, Record
from broadsheet.ranking.trending import constants
from broadsheet.store import Store
from broadsheet.web.app import create_app
from broadsheet.workspace import Workspace

SETTINGS = Settings()


def listed(
    number: int, day: str, *lists: str, upvotes: int | None = None, comments: int | None = None
) -> Record:
    return Record(
        f"Paper number {number} of the reeds",
        "daily_papers",
        identifiers=[Identifier("arxiv", f"2605.{number:05}")],
        upvotes=upvotes,
        num_comments=comments,
        listings=[Listing(name, day, number, name, upvotes, comments) for name in lists or ("daily_papers",)],
        links=[Link("code", f"https://github.com/example/{number}", "daily_papers")],
    )


def counted(number: int, day: str, stars: int) -> Record:
    return Record(
        "", "github", identifiers=[Identifier("arxiv", f"2605.{number:05}")], github_stars=stars, counted=day
    )


def reasons(store: Store) -> dict[str, str]:
    edition = trending(store, SETTINGS, today="2026-05-28")
    return {entry.paper.id: " ".join(entry.reasons) for entry in edition.entries}


def test_stars_gained_in_the_last_days_count_and_those_from_before_do_not(store: Store) -> None:
    store.add([listed(1, "2026-05-26", upvotes=10), listed(2, "2026-05-26", upvotes=10)])
    store.add(
        [counted(1, "2026-05-02", 40_000), counted(1, "2026-05-22", 50_000), counted(1, "2026-05-28", 50_100)]
    )
    store.add([counted(2, "2026-05-28", 90_000)])
    told = reasons(store)
    assert list(told) == ["2605.00001", "2605.00002"]
    assert told["2605.00001"].startswith("10 upvotes + 2 x root of 100 stars gained = 30 points")
    assert told["2605.00002"].startswith("10 upvotes = 10 points")


def test_a_paper_without_votes_can_trend_by_its_stars_alone(store: Store) -> None:
    store.add([listed(1, "2026-05-26"), listed(2, "2026-05-26", upvotes=1), listed(3, "2026-05-26")])
    store.add([counted(1, "2026-05-22", 0), counted(1, "2026-05-28", 25)])
    assert list(reasons(store)) == ["2605.00001", "2605.00002"]


def test_a_second_front_page_counts_and_an_announcement_of_everything_does_not(store: Store) -> None:
    store.add(
        [
            listed(1, "2026-05-26", "daily_papers", "saved_page", upvotes=10),
            listed(2, "2026-05-26", "daily_papers", "arxiv", upvotes=10),
        ]
    )
    told = reasons(store)
    assert told["2605.00001"].startswith("10 upvotes + 3 x 1 further list = 13 points")
    assert told["2605.00002"].startswith("10 upvotes = 10 points")


def test_the_page_tells_every_constant_and_todays_arithmetic(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "home")
    try:
        site = TestClient(create_app(workspace))
        assert site.get("/trending/how").status_code == 200
        workspace.store.add([listed(1, "2026-05-26", upvotes=10, comments=3)])
        page = lxml.html.document_fromstring(site.get("/trending/how").text)
        text = " ".join(page.text_content().split())
        rows = [[cell.text_content() for cell in row] for row in page.iterfind(".//tbody/tr")]
        assert rows == [[one.name, f"{one.value:g}", one.reason] for one in constants()]
        assert (
            "10 upvotes + 2 x 2 comments after the first = 14 points; 0 days old: 14 / (0 + 2)^1.5 = 4.9"
            in text
        )
        assert "/trending/how" in site.get("/papers/trending").text
        assert "/trending/how" in site.get("/about").text
    finally:
        workspace.close()

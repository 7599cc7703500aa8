"""A small home whose papers the tests of the API and of the published clients know by heart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from broadsheet.model.identifiers import Identifier, title_identifier
from broadsheet.model.papers import Author, Link, Listing, Record, Rejection, Version
from broadsheet.store import Store

DAY = "2026-05-29"
DAY_BEFORE = "2026-05-28"

MARA = {
    "_id": "60f1abe7544c2adfd699aa01",
    "avatarUrl": "https://avatars.example/mara.png",
    "fullname": "Mara Lindqvist",
    "user": "mlindqvist",
    "name": "mlindqvist",
    "type": "user",
    "isPro": True,
    "isHf": False,
    "isHfAdmin": False,
    "isMod": False,
    "followerCount": 12,
}
ORGANIZATION = {
    "_id": "60f1abe7544c2adfd699aa02",
    "name": "tern-lab",
    "fullname": "Tern Laboratory",
    "avatar": "https://avatars.example/tern.png",
}
MODEL = {
    "id": "tern-lab/night-flight-small",
    "author": "tern-lab",
    "downloads": 512,
    "likes": 9,
    "private": False,
    "gated": False,
    "lastModified": "2026-05-30T10:00:00.000Z",
    "pipeline_tag": "audio-classification",
}
DATASET = {"id": "tern-lab/radar-nights", "downloads": 31, "likes": 2, "private": False}
SPACE = {"id": "tern-lab/listen", "likes": 4, "sdk": "gradio"}

FULL = "2605.01001"
PLAIN = "2605.01002"
OLD = "hep-th/9901001"
DOI = "10.1162/coli.2010.36.2.36203"
UNDATED_TITLE = "Notes toward a shorter proof of nothing in particular"
UNDATED = title_identifier(UNDATED_TITLE).value


def _daily(day: str, rank: int, **more: Any) -> Listing:
    return Listing("daily_papers", day, rank, "daily_papers", **more)


def records() -> list[Record]:
    """Five papers: everything known, little known, an old id, a DOI alone, a title alone."""
    return [
        Record(
            title="Hearing the night: counting migrating birds by their calls",
            source="daily_papers",
            identifiers=[Identifier("arxiv", FULL, 2)],
            abstract="Birds that migrate at night call to each other. We count them from the calls alone, "
            "with microphones on roofs, and compare the counts with weather radar.",
            authors=[
                Author(
                    "Mara Lindqvist",
                    {
                        "_id": "60f1abe7544c2adfd699aa03",
                        "user": MARA,
                        "status": "claimed_verified",
                        "statusLastChangedAt": "2026-05-29T16:45:04.704Z",
                        "hidden": False,
                    },
                ),
                Author("Ola Brandt"),
            ],
            published="2026-05-27T17:02:11Z",
            categories=["cs.SD", "q-bio.PE"],
            comment="12 pages, 4 figures",
            versions=[Version(1, "2026-05-27T17:02:11Z"), Version(2, "2026-06-01T09:00:00Z")],
            links=[
                Link("code", "https://github.com/tern-lab/night-flight", "daily_papers", "githubRepo"),
                Link("project", "https://night-flight.example/", "daily_papers", "projectPage"),
                Link(
                    "model",
                    "https://huggingface.co/tern-lab/night-flight-small",
                    "daily_papers",
                    "linkedModels",
                    MODEL,
                ),
                Link(
                    "dataset",
                    "https://huggingface.co/datasets/tern-lab/radar-nights",
                    "",
                    "linkedDatasets",
                    DATASET,
                ),
                Link("space", "https://huggingface.co/spaces/tern-lab/listen", "", "linkedSpaces", SPACE),
            ],
            listings=[
                _daily(DAY, 2, upvotes=42, num_comments=3, submitter="mlindqvist", submitter_account=MARA)
            ],
            upvotes=42,
            num_comments=3,
            github_stars=131,
            submitter="mlindqvist",
            submitter_account=MARA,
            ai_summary="Night migration is counted from calls that roof microphones record.",
            ai_keywords=["bioacoustics", "weather radar"],
            organization=ORGANIZATION,
            extra={
                "discussionId": "60f1abe7544c2adfd699aa04",
                "thumbnail": "https://thumbnails.example/2605.01001.png",
                "mediaUrls": ["https://media.example/night.mp4"],
                "submittedOnDailyAt": "2026-05-29T06:30:00.000Z",
                "ai_summary_model": "example/summariser",
                "githubRepoAddedBy": "user",
                "isAuthorParticipating": True,
            },
        ),
        Record(
            title="A ledger for tide gauges",
            source="arxiv",
            identifiers=[Identifier("arxiv", PLAIN)],
            abstract="Tide gauges drift. A ledger of corrections is at github.com/tidebook/ledger.",
            authors=[Author("Iñaki Etxeberria")],
            published="2026-05-28T00:00:00Z",
            links=[Link("code", "https://github.com/tidebook/ledger", "arxiv", "abstract")],
            listings=[_daily(DAY, 1, upvotes=0)],
            upvotes=0,
        ),
        Record(
            title="On the boundary terms of a two-dimensional string",
            source="arxiv",
            identifiers=[Identifier("arxiv", OLD)],
            abstract="Boundary terms are collected and one sign is corrected.",
            authors=[Author("R. Okafor"), Author("S. Mori")],
            published="1999-01-04T10:20:30Z",
            categories=["hep-th"],
            listings=[_daily(DAY_BEFORE, 1, upvotes=5, submitter="mlindqvist", submitter_account=MARA)],
            upvotes=5,
        ),
        Record(
            title="Counting what readers skip",
            source="bibtex",
            identifiers=[Identifier("doi", DOI)],
            abstract="We watch where readers of long reports stop.",
            authors=[Author("T. Adeyemi")],
            venue="Computational Linguistics",
            published="2010-06-01",
            listings=[Listing("added", DAY_BEFORE, 1, "added")],
        ),
        Record(
            title=UNDATED_TITLE,
            source="saved_page",
            listings=[Listing("saved_page", "2026-05-27", 1, "saved_page")],
        ),
    ]


def fill(home: Path, items: Iterable[Record | Rejection] | None = None) -> None:
    """Makes ``home`` a home with ``items`` (default: `records`)."""
    home.mkdir(parents=True, exist_ok=True)
    store = Store.open(f"sqlite:///{home / 'broadsheet.db'}")
    report = store.add(records() if items is None else items)
    assert not report.rejected, report.rejected
    store.close()


def wait_until(what: str, happened: Callable[[], Any], limit_s: float = 60.0) -> Any:
    """The first true answer of ``happened``; fails after ``limit_s``."""
    ends = time.monotonic() + limit_s
    while time.monotonic() < ends:
        if answer := happened():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen in {limit_s:.0f} s")

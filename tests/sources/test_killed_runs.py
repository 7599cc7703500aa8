"""A source whose run is killed after each page ends with what one undisturbed run gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broadsheet.sources.http import Client
from broadsheet.sources.source import Source
from broadsheet.store import Store
from tests.sources import test_acl, test_biorxiv, test_daily_papers_source, test_openreview, test_pubmed
from tests.sources.played_source import gather, store_all, stored
from tests.sources.playing_service import Answer, Asked, Playing, playing_service

DAYS = ["2026-06-10", "2026-06-11", "2026-06-12"]
VENUES = ("ICLR.cc/2026/Conference", "TMLR")
Make = Callable[[Playing], Source]
# The service that is played, and the source that gathers it.
PLAYED: dict[str, tuple[Callable[[Asked], Answer], Make]] = {
    "daily_papers": (
        test_daily_papers_source.days({day: test_daily_papers_source.papers_of(day) for day in DAYS}),
        lambda service: test_daily_papers_source.source(service, first=4),
    ),
    "biorxiv": (
        test_biorxiv.api({day: test_biorxiv.posts_of(day, 70) for day in DAYS}),
        lambda service: test_biorxiv.source(service, first=4),
    ),
    "pubmed": (
        test_pubmed.entrez({day: test_pubmed.ids(250, 10**6 * n) for n, day in enumerate(DAYS, start=42)}),
        lambda service: test_pubmed.source(service, first=4),
    ),
    "openreview": (
        test_openreview.api({venue: test_openreview.notes_of(venue, 24) for venue in VENUES}),
        lambda service: test_openreview.source(service, *VENUES),
    ),
    "acl": (
        test_acl.repository({"2026.example": test_acl.COLLECTION, "J09": test_acl.JOURNAL}),
        lambda service: test_acl.source(service, "2026.example", "J09"),
    ),
}


def all_of(store: Store, name: str) -> dict[str, Any]:
    keys = range(1, 1000)
    return {
        "papers": [(p.id, p.title, p.identifiers, p.categories, p.listings) for p in store.papers(keys)],
        "listed": [(c.list, c.day, c.announced, c.stored, c.state) for c in store.coverage("0", "9")],
        "cursor": store.gather_state(name).cursor,
    }


@pytest.mark.parametrize("name", PLAYED)
def test_a_run_killed_after_every_page_gives_what_an_undisturbed_one_does(name: str, tmp_path: Path) -> None:
    answer, make = PLAYED[name]
    with Client(tmp_path) as client, playing_service(answer) as service:
        with stored(tmp_path / "whole") as store:
            whole = gather(make(service), client)
            store_all(store, name, whole)
            undisturbed, asked = all_of(store, name), len(service.requests)
        with stored(tmp_path / "killed") as store:
            for _ in whole.pages:
                part = gather(make(service), client, store.gather_state(name).cursor, until=1)
                store_all(store, name, part)
            assert all_of(store, name) == undisturbed
    assert len(whole.pages) > 3
    if name not in ("openreview", "acl"):
        # These two look first whether anything has changed.
        assert len(service.requests) == 2 * asked

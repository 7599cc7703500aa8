"""What the Hub answered, imported and asked for again: every field that it sent comes back.

Deliberate differences, and no others:
- ``publishedAt`` of a list's item is the day of the listing (the Hub: the publication in another zone);
- titles, abstracts and one-sentence summaries are compared as words: line ends within them are not kept;
- more fields than the Hub sends, and its own order within a day.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from broadsheet.sources.files import read_file
from tests.web import api_home
from tests.web.server import running_server

TEXTS = ("title", "summary", "ai_summary")


@pytest.fixture(scope="module")
def recordings(shared: Path) -> Path:
    return shared / "data" / "recorded" / "huggingface"


@pytest.fixture(scope="module")
def api(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    home = tmp_path_factory.mktemp("recordings") / "home"
    items = [one for path in sorted(recordings.glob("*.json")) for one in read_file(path)]
    api_home.fill(home, items)
    with running_server(home) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


def recorded(recordings: Path, name: str) -> Any:
    return json.loads((recordings / name).read_text(encoding="utf-8"))


def words(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()


def differences(theirs: Any, ours: Any, place: str = "") -> Iterator[str]:
    """Where ``ours`` lacks or changes what stands in ``theirs``."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name, value in theirs.items():
            where = f"{place}.{name}"
            if name not in ours:
                yield f"{where} is missing"
            elif name in TEXTS and isinstance(value, str):
                if words(value) != words(ours[name]):
                    yield f"{where}: {value!r} became {ours[name]!r}"
            else:
                yield from differences(value, ours[name], where)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for number, (value, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from differences(value, other, f"{place}[{number}]")
    elif theirs != ours:
        yield f"{place}: {theirs!r} became {ours!r}"


def without_shifted_time(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "publishedAt"}


def test_a_day_comes_back_as_the_hub_sent_it(api: httpx.Client, recordings: Path) -> None:
    theirs = recorded(recordings, "daily_papers_2026-06-12.json")
    ours = {item["paper"]["id"]: item for item in api.get("/api/daily_papers?date=2026-06-12").json()}
    assert ours.keys() == {item["paper"]["id"] for item in theirs}
    found = [
        difference
        for item in theirs
        for difference in differences(
            without_shifted_time(item), ours[item["paper"]["id"]], item["paper"]["id"]
        )
    ]
    assert found == []
    assert {item["publishedAt"] for item in ours.values()} == {"2026-06-12T00:00:00.000Z"}


def test_days_that_came_in_one_list_come_back_by_day(api: httpx.Client, recordings: Path) -> None:
    theirs = recorded(recordings, "daily_papers_ai-weekly-radar.json")
    ours: dict[str, Any] = {}
    for day in ("2026-07-10", "2026-07-13"):
        for item in api.get(f"/api/daily_papers?date={day}").json():
            assert item["publishedAt"] == f"{day}T00:00:00.000Z"
            ours[item["paper"]["id"]] = item
    assert ours.keys() == {item["paper"]["id"] for item in theirs}
    found = [
        difference
        for item in theirs
        for difference in differences(
            without_shifted_time(item), ours[item["paper"]["id"]], item["paper"]["id"]
        )
    ]
    assert found == []


def test_one_paper_comes_back_as_the_hub_sent_it(api: httpx.Client, recordings: Path) -> None:
    theirs = recorded(recordings, "papers_id_2608.09888.json")
    assert list(differences(theirs, api.get("/api/papers/2608.09888").json())) == []


def test_a_search_result_comes_back_as_the_hub_sent_it(api: httpx.Client, recordings: Path) -> None:
    theirs = recorded(recordings, "papers_search_first_item.json")[0]
    query = {"q": "2006.11239", "limit": 1}
    ours = api_home.wait_until("indexing", lambda: api.get("/api/papers/search", params=query).json())[0]
    # The recorded one was an answer to another question.
    marked = ("highlightedTitle", "highlightedSummary")
    assert [piece.keys() for piece in ours["highlightedTitle"]] == [{"type", "text"}]
    known = {name: value for name, value in without_shifted_time(theirs).items() if name not in marked}
    assert list(differences(known, ours)) == []

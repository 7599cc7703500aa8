"""Zotero: a library is followed by its versions; what is no work or in the bin is left alone, with a word."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from broadsheet.config import load_settings
from broadsheet.model.papers import Record, Rejection
from broadsheet.model.validation import checked
from broadsheet.sources.files import read_file
from broadsheet.sources.zotero import Zotero
from broadsheet.sources.zotero.adapter import record
from broadsheet.sources.zotero.parse import item
from broadsheet.sources.zotero.source import sources
from tests.sources.enriching import FIXTURES, OUT_OF_ORDER, QUICK, as_json, gather, home
from tests.sources.playing_service import Answer, Asked, playing_service


def test_recorded_answers_are_read_or_refused_with_reasons(shared: Path) -> None:
    folder = shared / "data" / "recorded" / "bibliography"
    items = list(read_file(folder / "zotero_api_items.json"))
    records = [checked(told) for told in items if isinstance(told, Record)]
    assert len(records) == 18
    assert {told.why.split(",")[0] for told in items if isinstance(told, Rejection)} == {
        "it is of the type 'film'",
        "it is of the type 'artwork'",
    }
    article = next(told for told in records if told.title.startswith("Biscrolling"))
    assert [i.key for i in article.identifiers] == ["doi:10.1126/science.1195912"]
    assert (article.venue, article.published) == ("Science", "2011-01-07T00:00:00Z")
    collections = list(read_file(folder / "zotero_api_collections.json"))
    assert len(collections) == 15 and all("a collection of Zotero" in told.why for told in collections)
    (rdf,) = read_file(folder / "zotero_book_and_snapshot.rdf")
    assert isinstance(rdf, Rejection) and "export the library as BibTeX" in rdf.why


def test_an_item_is_read_whole() -> None:
    article, preprint, film, bin_, untitled, collection = read_file(FIXTURES / "zotero" / "items.json")
    assert isinstance(article, Record)
    article = checked(article)
    assert article.title == "On the Analytical Engine"
    assert {i.key for i in article.identifiers} == {
        "doi:10.1234/engines.7",
        "pmid:20664272",
        "pmcid:PMC12345",
    }
    assert [author.name for author in article.authors] == ["Ada Lovelace", "Engine Collaboration"]
    assert (article.venue, article.abstract) == ("Scientific Memoirs", "Engines weave numbers.\n\nTwice.")
    assert article.published and article.published.startswith("1843-09")
    assert article.ai_keywords == ["looms", "numbers"]
    assert isinstance(preprint, Record)
    assert ([i.key for i in preprint.identifiers], preprint.venue) == (["arxiv:2407.21783"], None)
    for rejection, why in (
        (film, "'film'"),
        (bin_, "bin"),
        (untitled, "no title"),
        (collection, "a collection"),
    ):
        assert isinstance(rejection, Rejection) and why in rejection.why


@pytest.mark.parametrize(
    "junk", [{}, {"data": 5}, {"data": {"itemType": "book", "title": 5, "creators": "x"}}]
)
def test_an_item_of_any_shape_is_parsed_or_refused(junk: dict) -> None:
    assert isinstance(record(item(junk), "here"), Record | Rejection)


class _Library:
    """Plays a library of ``items`` (key to version), fifty at a time, and refuses a wrong key."""

    def __init__(self, items: dict[str, int], key: str = ""):
        self.items, self.key = items, key

    def __call__(self, asked: Asked) -> Answer:
        if self.key and asked.headers.get("zotero-api-key") != self.key:
            return Answer(403, b"Forbidden")
        if asked.headers.get("zotero-api-version") != "3":
            return Answer(400, b"Bad version")
        path = asked.path.removeprefix("/groups/7/")
        if path == "collections":
            return as_json(
                [{"key": "COLL0001", "version": 1, "data": {"key": "COLL0001", "name": "Engines"}}]
            )
        if path == "items/top" and asked.query["format"] == ["versions"]:
            since = int(asked.query["since"][0])
            return as_json({key: version for key, version in self.items.items() if version > since})
        keys = asked.query["itemKey"][0].split(",")
        assert path == "items" and len(keys) <= 50
        # The last one first: the order is the service's own affair.
        return as_json([self._item(key) for key in reversed(keys) if key in self.items])

    def _item(self, key: str) -> dict:
        data = {"key": key, "itemType": "journalArticle", "title": f"Engine {key}", "DOI": f"10.5555/{key}"}
        data |= {"dateAdded": "2026-06-10T07:00:00Z", "collections": ["COLL0001"]}
        return {"key": key, "version": self.items[key], "library": {"id": 7}, "data": data}

    @staticmethod
    def asked_items(requests: list[Asked]) -> list[str]:
        return [
            key for request in requests for key in request.query.get("itemKey", [""])[0].split(",") if key
        ]


def _items(count: int) -> dict[str, int]:
    """Items of which always three share a version."""
    return {f"K{number:07}": 1 + number // 3 for number in range(count)}


def test_a_library_is_read_once_and_then_what_changed_in_it(tmp_path: Path) -> None:
    library = _Library(_items(120))
    with playing_service(library) as service, home(tmp_path) as (store, client):
        source = Zotero("groups/7", service.url, service=QUICK)
        first = gather(source, store, client)
        assert (len(first.records), len(first.pages)) == (120, 3)
        paper = store.paper("10.5555/k0000003")
        assert paper and paper.extra["zotero_collections"] == ["Engines"]
        assert [(told.list, told.day) for told in paper.listings] == [("zotero", "2026-06-10")]
        before = len(service.requests)
        assert not gather(source, store, client).items
        # Where nothing changed, that is one small request.
        assert len(service.requests) == before + 1
        library.items["K0000005"] = library.items["NEW00001"] = 50
        del library.items["K0000006"]
        second = gather(source, store, client)
        assert sorted(told.where for told in second.records) == [
            "zotero groups/7 (K0000005)",
            "zotero groups/7 (NEW00001)",
        ]
        # What was deleted there stays here.
        assert store.counts()["papers"] == 121


@pytest.mark.parametrize("kill_after", [1, 2])
def test_a_run_that_was_killed_goes_on_within_a_version(tmp_path: Path, kill_after: int) -> None:
    def listings(folder: Path) -> set[tuple[str, int]]:
        with home(folder) as (store, _):
            papers = (store.paper(f"10.5555/{key}") for key in _items(120))
            return {(told.day, told.rank) for paper in papers if paper for told in paper.listings}

    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    with playing_service(_Library(_items(120))) as service:
        with home(undisturbed) as (store, client):
            gather(Zotero("groups/7", service.url, service=QUICK), store, client)
        wanted = listings(undisturbed)
    with playing_service(_Library(_items(120))) as service, home(tmp_path) as (store, client):
        source = Zotero("groups/7", service.url, service=QUICK)
        gather(source, store, client, kill_after=kill_after)
        gather(source, store, client)
        asked = _Library.asked_items(service.requests)
        assert len(asked) == len(set(asked)) == 120
    assert listings(tmp_path) == wanted


def test_another_library_or_a_damaged_cursor_begins_anew(tmp_path: Path) -> None:
    with playing_service(_Library(_items(3))) as service, home(tmp_path) as (store, client):
        source = Zotero("groups/7", service.url, service=QUICK)
        for cursor in (
            {"library": "users/1", "version": 99},
            {"library": "groups/7", "version": "x", "after": 3},
        ):
            store.add_page(source.name, [], cursor, [])
            assert len(gather(source, store, client).records) == 3


def test_a_key_is_sent_in_its_header_only_and_a_wrong_one_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "broadsheet")
    with playing_service(_Library(_items(3), key="good")) as service, home(tmp_path) as (store, client):
        gathered = gather(Zotero("groups/7", service.url, key="s3cr3t", service=QUICK), store, client)
        assert "BROADSHEET_ZOTERO_KEY" in str(gathered.problem)
        assert "s3cr3t" not in str(gathered.problem) + caplog.text + str([r.query for r in service.requests])
        assert (
            len(gather(Zotero("groups/7", service.url, key="good", service=QUICK), store, client).records)
            == 3
        )


@pytest.mark.parametrize("failure", OUT_OF_ORDER)
def test_a_failure_in_the_middle_loses_nothing(tmp_path: Path, failure: str) -> None:
    library = _Library(_items(60))
    with home(tmp_path) as (store, client):
        with playing_service(library, library, library, OUT_OF_ORDER[failure]) as service:
            gathered = gather(Zotero("groups/7", service.url, service=QUICK), store, client)
        assert len(gathered.pages) == 1 and gathered.problem
        (client.pace_folder / "played.json").unlink()
        with playing_service(library) as service:
            assert len(gather(Zotero("groups/7", service.url, service=QUICK), store, client).records) == 10


def test_the_setting_must_name_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sources(load_settings(tmp_path)) == []
    monkeypatch.setenv("BROADSHEET_ZOTERO_LIBRARY", "/groups/7/")
    assert [source.name for source in sources(load_settings(tmp_path))] == ["zotero"]
    monkeypatch.setenv("BROADSHEET_ZOTERO_LIBRARY", "ada's library")
    with pytest.raises(ValueError, match="groups/NUMBER"):
        sources(load_settings(tmp_path))

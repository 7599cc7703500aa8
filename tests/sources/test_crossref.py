"""Crossref: its works are read whole, the stored papers are asked for, and its failures lose nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from broadsheet.config import load_settings
from broadsheet.model.papers import Record, Rejection, Withdrawal
from broadsheet.model.validation import checked
from broadsheet.sources.crossref import Crossref
from broadsheet.sources.crossref.adapter import record, withdrawals
from broadsheet.sources.crossref.parse import work
from broadsheet.sources.crossref.source import sources
from broadsheet.sources.files import read_file
from tests.sources.enriching import FIXTURES, NOW, OUT_OF_ORDER, QUICK, add, as_json, fixture, gather, home
from tests.sources.playing_service import Answer, Asked, playing_service

# What each recorded file holds: papers that are read, and rejections.
RECORDED = {
    "error_400_validation.json": (0, 1),
    "error_404_resource_not_found.txt": (0, 1),
    "work_biorxiv_preprint.json": (1, 0),
    "work_journal_article.json": (1, 0),
    "works_cursor_page1.json": (20, 0),
    "works_cursor_page2.json": (20, 0),
    "works_query_empty.json": (0, 1),
    "works_query_retraction.json": (1, 0),
    "works_search_2026.json": (3, 0),
}


def test_every_recorded_answer_is_read_or_refused_with_a_reason(shared: Path) -> None:
    found = {}
    for path in sorted((shared / "data" / "recorded" / "crossref").iterdir()):
        items = list(read_file(path))
        records = [checked(item) for item in items if isinstance(item, Record)]
        found[path.name] = (len(records), sum(isinstance(item, Rejection) for item in items))
        assert all(item.identifiers[0].scheme == "doi" for item in records)
        assert not any("<" in (item.abstract or "")[:200] for item in records)
    assert found == RECORDED


def test_a_recorded_article_is_read_right(shared: Path) -> None:
    (article,) = read_file(shared / "data" / "recorded" / "crossref" / "work_journal_article.json")
    assert isinstance(article, Record)
    assert article.venue == "Nature Machine Intelligence"
    assert article.citations == 238
    assert len(article.references) == 58
    assert article.licence == "https://creativecommons.org/licenses/by/4.0"
    assert article.published == "2024-05-08"
    assert article.abstract and article.abstract.startswith("Large language models")


def test_a_work_is_read_whole() -> None:
    found = work(fixture("crossref/work.json")["message"])
    paper = checked(record(found, "here"))
    assert paper.title == "On the Analytical Engine: notes by the translator"
    assert paper.venue == "Journal of Calculating Engines"
    assert paper.abstract == (
        "We describe an engine that weaves patterns of $n^2$ numbers, where n < 5.\n\nResults\n\n"
        "It works; the program is at https://github.com/ada/engine."
    )
    assert [author.name for author in paper.authors] == [
        "Ada Lovelace",
        "The Difference Engine Collaboration",
    ]
    assert paper.published and paper.published[:7] == "1843-09"
    assert paper.references == ["doi:10.1234/b.1", "arxiv:2407.21783"]
    assert paper.licence == "https://creativecommons.org/licenses/by/4.0"
    code = [link.url for link in paper.links if link.kind == "code"]
    assert code == ["https://github.com/ada/notes", "https://github.com/ada/engine"]
    (gone,) = withdrawals(found, "2026-06-12", "here")
    assert (gone.identifier.key, gone.day) == ("doi:10.1234/engines.7", "1845-03-01")


def test_a_notice_takes_back_what_it_is_about() -> None:
    notice = work(
        {
            "DOI": "10.1111/n",
            "title": ["Retraction"],
            "update-to": [{"DOI": "10.1111/X", "type": "retraction"}],
        }
    )
    (gone,) = withdrawals(notice, "2026-06-12", "here")
    assert (gone.identifier.key, gone.day) == ("doi:10.1111/x", "2026-06-12")


@pytest.mark.parametrize(
    "junk", [{}, {"DOI": 5, "title": "x", "author": "y", "issued": [1]}, {"title": [None]}]
)
def test_a_work_of_any_shape_is_parsed_or_refused(junk: dict) -> None:
    assert isinstance(record(work(junk), "here"), Rejection)


def _crossref(asked: Asked) -> Answer:
    """Plays the service: it knows DOIs with an even number, and refuses lists with "odd;" in them."""
    names = [part.removeprefix("doi:") for part in asked.query.get("filter", [""])[0].split(",") if part]
    if any("odd;" in name for name in names):
        return Answer(
            status=400, body=b'{"status":"failed","message-type":"validation-failure","message":[]}'
        )
    if not names:
        name = unquote(asked.path.rpartition("/works/")[2])
        if "odd;" in name:
            return as_json({"message": _work(name)})
        return Answer(status=404, body=b"Resource not found.")
    known = [name for name in names if int(name.rpartition(".")[2]) % 2 == 0]
    return as_json({"message-type": "work-list", "message": {"items": [_work(name) for name in known]}})


def _work(name: str) -> dict:
    number = int(name.rpartition(".")[2])
    return {
        "DOI": name.upper(),
        "title": [f"Engine number {number}"],
        "container-title": ["Journal of Engines"],
        "is-referenced-by-count": number,
        "reference": [{"DOI": "10.5555/cited"}],
    }


def _papers(count: int, first: int = 0) -> list[tuple[str, str]]:
    return [(f"10.5555/e.{n}", f"Engine number {n}") for n in range(first, first + count)]


def test_the_stored_papers_with_a_doi_gain_what_crossref_knows(tmp_path: Path) -> None:
    with playing_service(_crossref) as service, home(tmp_path) as (store, client):
        add(store, *_papers(30), ("2407.21783", "On arXiv only"))
        source = Crossref(service.url, mailto="ada@example.org", service=QUICK)
        gathered = gather(source, store, client)
        assert len(gathered.records) == 15
        assert len(service.requests) == 2
        first = service.requests[0].query
        assert first["mailto"] == ["ada@example.org"]
        # The newest first, and arXiv's own DOIs are not Crossref's.
        assert first["filter"][0].startswith("doi:10.5555/e.0,doi:10.5555/e.1,")
        assert "arxiv" not in str(service.requests)
        paper = store.paper("10.5555/e.28")
        assert paper and (paper.title, paper.venue, paper.citations) == (
            "Engine number 28",
            "Journal of Engines",
            28,
        )
        assert paper.references == ["doi:10.5555/cited"]
        unknown = store.paper("10.5555/e.29")
        assert unknown and unknown.venue is None
        assert store.counts()["papers"] == 31


def test_a_walk_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    with playing_service(_crossref) as service, home(tmp_path) as (store, client):
        add(store, *_papers(60))
        source = Crossref(service.url, service=QUICK)
        gather(source, store, client, kill_after=1)
        gather(source, store, client)
        asked = [request.query["filter"][0] for request in service.requests]
        assert len(asked) == len(set(asked)) == 3


def test_what_is_new_is_asked_daily_recent_papers_weekly_and_all_monthly(tmp_path: Path) -> None:
    with playing_service(_crossref) as service, home(tmp_path) as (store, client):
        source = Crossref(service.url, service=QUICK)

        def asked(days: float) -> set[str]:
            before = len(service.requests)
            gather(source, store, client, days=days)
            filters = (request.query["filter"][0] for request in service.requests[before:])
            return {name.removeprefix("doi:10.5555/e.") for names in filters for name in names.split(",")}

        add(store, *_papers(2), days_old=400)
        add(store, *_papers(2, first=2))
        assert asked(0) == {"0", "1", "2", "3"}
        assert asked(1) == set()
        add(store, *_papers(1, first=4), days_old=900)
        assert asked(2) == {"4"}
        assert asked(8) == {"2", "3"}
        assert asked(31) == {"0", "1", "2", "3", "4"}
        add(store, *_papers(1, first=5), days_old=900)
        # A clock that was set back begins anew instead of never.
        assert "5" in asked(-40)


def test_citations_are_kept_by_day(tmp_path: Path) -> None:
    answers = [
        {"message": {"items": [{**_work("10.5555/e.2"), "is-referenced-by-count": n}]}} for n in (5, 9)
    ]
    with playing_service(*map(as_json, answers)) as service, home(tmp_path) as (store, client):
        add(store, *_papers(1, first=2))
        source = Crossref(service.url, service=QUICK)
        first = gather(source, store, client).records[0]
        second = gather(source, store, client, days=10).records[0]
        assert (first.counted, first.citations) == (NOW.date().isoformat(), 5)
        assert (second.counted, second.citations) == ("2026-06-22", 9)
        paper = store.paper("10.5555/e.2")
        assert paper and paper.citations == 9


def test_a_list_that_is_refused_is_asked_one_by_one_and_404_is_normal(tmp_path: Path) -> None:
    with playing_service(_crossref) as service, home(tmp_path) as (store, client):
        add(store, ("10.5555/odd;x.1", "Engine number 1"), ("10.5555/e.3", "Engine number 3"))
        gathered = gather(Crossref(service.url, service=QUICK), store, client)
        assert [item.identifiers[0].key for item in gathered.records] == ["doi:10.5555/odd;x.1"]
        assert len(service.requests) == 3
        assert gathered.problem is None


def test_a_doi_of_another_work_adds_nothing_and_is_told(tmp_path: Path) -> None:
    with playing_service(_crossref) as service, home(tmp_path) as (store, client):
        add(store, ("10.5555/e.2", "A wholly different paper"))
        gathered = gather(Crossref(service.url, service=QUICK), store, client)
        (rejection,) = gathered.rejections
        assert "Engine number 2" in rejection.why and "correct the identifiers" in rejection.why
        paper = store.paper("10.5555/e.2")
        assert paper and paper.venue is None


def test_a_retracted_paper_is_marked(tmp_path: Path) -> None:
    told = {**_work("10.5555/e.2"), "updated-by": [{"DOI": "10.5555/r", "type": "retraction"}]}
    with (
        playing_service(as_json({"message": {"items": [told]}})) as service,
        home(tmp_path) as (store, client),
    ):
        add(store, *_papers(1, first=2))
        gathered = gather(Crossref(service.url, service=QUICK), store, client)
        assert any(isinstance(item, Withdrawal) for item in gathered.items)
        paper = store.paper("10.5555/e.2")
        assert paper and paper.withdrawn


@pytest.mark.parametrize("failure", OUT_OF_ORDER)
def test_a_failure_is_told_and_the_papers_are_asked_again(tmp_path: Path, failure: str) -> None:
    with home(tmp_path) as (store, client):
        add(store, *_papers(30))
        with playing_service(_crossref, OUT_OF_ORDER[failure]) as service:
            gathered = gather(Crossref(service.url, service=QUICK), store, client)
        assert len(gathered.pages) == 1
        assert gathered.problem and "played" in str(gathered.problem)
        (client.pace_folder / "played.json").unlink()
        with playing_service(_crossref) as service:
            assert len(gather(Crossref(service.url, service=QUICK), store, client).records) == 2
            assert len(service.requests) == 1


def test_a_pause_that_is_asked_for_is_kept(tmp_path: Path) -> None:
    busy = Answer(status=429, headers={"Retry-After": "1"})
    with playing_service(busy, _crossref) as service, home(tmp_path) as (store, client):
        add(store, *_papers(3))
        assert len(gather(Crossref(service.url, service=QUICK), store, client).records) == 2
        assert service.gaps[0] >= 1


def test_a_saved_answer_can_be_added(tmp_path: Path) -> None:
    items = list(read_file(FIXTURES / "crossref" / "work.json"))
    assert [type(item) for item in items] == [Record, Withdrawal]
    with home(tmp_path) as (store, _):
        assert store.add(items).new == 1
        paper = store.paper("10.1234/engines.7")
        assert paper and paper.withdrawn and paper.citations == 238


def test_it_is_due_once_a_day_at_its_hour() -> None:
    source = Crossref()
    assert source.due(None, NOW) == NOW
    assert source.due(NOW, NOW) == NOW.replace(day=13, hour=5)
    assert source.due(NOW.replace(hour=1), NOW) == NOW.replace(hour=5)
    assert source.due(NOW + timedelta(days=9), NOW) == NOW


def test_it_is_switched_on_by_its_name_or_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sources(load_settings(tmp_path)) == []
    monkeypatch.setenv("BROADSHEET_SOURCES", "arxiv, crossref")
    assert [source.name for source in sources(load_settings(tmp_path))] == ["crossref"]
    monkeypatch.setenv("BROADSHEET_SOURCES", "")
    monkeypatch.setenv("BROADSHEET_CROSSREF_MAILTO", "ada@example.org")
    assert [source.name for source in sources(load_settings(tmp_path))] == ["crossref"]

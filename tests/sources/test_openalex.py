"""OpenAlex: its works are read whole, stored papers are asked for fifty at a time, its key is kept secret."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from urllib.parse import unquote

import pytest

from broadsheet.model.papers import Record, Rejection, Withdrawal
from broadsheet.model.validation import checked
from broadsheet.sources.files import read_file
from broadsheet.sources.openalex import OpenAlex
from broadsheet.sources.openalex.adapter import record
from broadsheet.sources.openalex.parse import abstract, work
from tests.sources.enriching import FIXTURES, OUT_OF_ORDER, QUICK, add, as_json, fixture, gather, home
from tests.sources.playing_service import Answer, Asked, playing_service

RECORDED = {
    "error_404.txt": (0, 1),
    "work_single.json": (1, 0),
    "work_single_2.json": (1, 0),
    "works_search.json": (3, 0),
    "works_select_list.json": (2, 0),
    "works_title_search.json": (1, 0),
}


def test_every_recorded_answer_is_read_or_refused_with_a_reason(shared: Path) -> None:
    found = {}
    for path in sorted((shared / "data" / "recorded" / "openalex").iterdir()):
        items = list(read_file(path))
        records = [checked(item) for item in items if isinstance(item, Record)]
        found[path.name] = (len(records), sum(isinstance(item, Rejection) for item in items))
        assert all(item.identifiers and item.authors and item.citations is not None for item in records)
    assert found == RECORDED


def test_a_recorded_preprint_has_its_arxiv_id_its_abstract_and_no_venue(shared: Path) -> None:
    (paper,) = read_file(shared / "data" / "recorded" / "openalex" / "works_title_search.json")
    assert isinstance(paper, Record)
    assert [i.key for i in paper.identifiers] == ["arxiv:2312.07559", "openalex:W4389761608"]
    assert paper.venue is None and paper.citations == 27
    assert paper.abstract and paper.abstract.startswith("Large Language Models (LLMs) generalize")


def test_a_work_is_read_whole() -> None:
    paper = checked(record(work(fixture("openalex/work.json")), "here"))
    assert [i.key for i in paper.identifiers] == [
        "doi:10.1234/engines.7",
        "pmid:40120586",
        "pmcid:PMC12345",
        "openalex:W2741809807",
    ]
    assert paper.abstract == "Engines weave numbers as looms weave leaves."
    assert paper.venue == "Journal of Calculating Engines"
    assert [author.name for author in paper.authors] == ["Lovelace, Ada", "Luigi Menabrea"]
    assert paper.references == ["openalex:W1973260880", "openalex:W2003"]
    assert [link.url for link in paper.links if link.kind == "pdf"] == [
        "https://repository.example.org/engine.pdf"
    ]


def test_a_damaged_index_of_words_gives_what_is_there() -> None:
    assert abstract({"a": [0, "x", None, -1, 10**9], "b": 3, "c": [7]}) == "a c"
    assert abstract(None) == abstract([1]) == ""


@pytest.mark.parametrize("junk", [{}, {"id": 5, "authorships": "y", "ids": [1]}, {"display_name": None}])
def test_a_work_of_any_shape_is_parsed_or_refused(junk: dict) -> None:
    assert isinstance(record(work(junk), "here"), Rejection)


def _openalex(asked: Asked) -> Answer:
    """Plays the service: it knows everything but numbers that end in 9."""
    field, _, values = asked.query["filter"][0].partition(":")
    names = values.split("|")
    if len(names) > 50 or asked.query["per-page"] != ["50"]:
        return Answer(status=400, body=b'{"error": "Invalid query parameters error."}')
    works = []
    for name in names:
        number = name.rpartition(".")[2]
        if number.endswith("9"):
            continue
        works.append(
            {
                "id": name if field == "openalex" else f"https://openalex.org/W1000{int(number)}",
                "doi": f"https://doi.org/{name}",
                "display_name": f"Engine number {int(number) % 1000}",
                "cited_by_count": int(number) % 1000,
                "primary_location": {"source": {"display_name": "Engines", "type": "journal"}},
                "is_retracted": number == "2",
            }
        )
    return as_json({"meta": {"per_page": 50}, "results": works})


def _papers(count: int) -> list[tuple[str, str]]:
    return [(f"10.5555/e.{n}", f"Engine number {n}") for n in range(count)]


def test_papers_with_a_doi_or_on_arxiv_gain_what_openalex_knows(tmp_path: Path) -> None:
    with playing_service(_openalex) as service, home(tmp_path) as (store, client):
        add(store, *_papers(59), ("2407.21101", "Engine number 101"), ("acl:P18-1001", "In the Anthology"))
        gathered = gather(OpenAlex(service.url, key="secret", service=QUICK), store, client)
        # Of 60 papers six are not known.
        assert len(gathered.records) == 55
        assert [len(request.query["filter"][0].split("|")) for request in service.requests] == [50, 10]
        assert {tuple(request.query["api_key"]) for request in service.requests} == {("secret",)}
        on_arxiv = store.paper("2407.21101")
        assert on_arxiv and on_arxiv.citations == 101 and on_arxiv.identifier("openalex") == "W100021101"
        # By the surest name it is asked for the next time.
        gather(OpenAlex(service.url, service=QUICK), store, client, days=31)
        assert any(request.query["filter"][0].startswith("openalex:") for request in service.requests[2:])


def test_a_retracted_work_is_marked_once(tmp_path: Path) -> None:
    with playing_service(_openalex) as service, home(tmp_path) as (store, client):
        add(store, *_papers(3))
        source = OpenAlex(service.url, service=QUICK)
        first, second = gather(source, store, client), gather(source, store, client, days=31)
        assert sum(isinstance(item, Withdrawal) for item in first.items) == 1
        assert not any(isinstance(item, Withdrawal) for item in second.items)
        paper = store.paper("10.5555/e.2")
        assert paper and paper.withdrawn


def test_a_doi_that_would_break_the_filter_is_left_out(tmp_path: Path) -> None:
    with playing_service(_openalex) as service, home(tmp_path) as (store, client):
        add(store, ("10.5555/a|b,c.1", "Engine number 1"), ("10.5555/e.2", "Engine number 2"))
        assert len(gather(OpenAlex(service.url, service=QUICK), store, client).records) == 1
        assert [request.query["filter"] for request in service.requests] == [["doi:10.5555/e.2"]]


def test_a_list_that_is_refused_is_asked_one_by_one(tmp_path: Path) -> None:
    def play(asked: Asked) -> Answer:
        if "filter" in asked.query:
            return Answer(status=400, body=b'{"error": "Invalid query parameters error."}')
        name = unquote(asked.path.removeprefix("/works/"))
        if name != "doi:10.5555/e.1":
            return Answer(status=404, body=b"<!doctype html><title>404 Not Found</title>")
        return as_json(
            {"id": "https://openalex.org/W1001", "doi": "10.5555/e.1", "display_name": "Engine number 1"}
        )

    with playing_service(play) as service, home(tmp_path) as (store, client):
        add(store, *_papers(3))
        gathered = gather(OpenAlex(service.url, service=QUICK), store, client)
        assert gathered.problem is None and len(gathered.records) == 1
        assert len(service.requests) == 4


@pytest.mark.parametrize("failure", OUT_OF_ORDER)
def test_a_failure_is_told_without_the_key_and_the_papers_are_asked_again(
    tmp_path: Path, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "broadsheet")
    with home(tmp_path) as (store, client):
        add(store, *_papers(59))
        with playing_service(_openalex, OUT_OF_ORDER[failure]) as service:
            source = OpenAlex(service.url, key="s3cr3t", service=QUICK)
            gathered = gather(source, store, client)
        assert len(gathered.pages) == 1 and gathered.problem
        assert failure != "refused" or "BROADSHEET_OPENALEX_KEY" in str(gathered.problem)
        assert "s3cr3t" not in str(gathered.problem) + repr(gathered.problem.__cause__)
        assert not any(
            "s3cr3t" in told.getMessage() for told in caplog.records if told.name.startswith("broadsheet")
        )
        (client.pace_folder / "played.json").unlink()
        with playing_service(_openalex) as service:
            assert len(gather(OpenAlex(service.url, service=QUICK), store, client).records) == 9
            assert len(service.requests) == 1


def test_a_saved_answer_can_be_added(tmp_path: Path) -> None:
    path = tmp_path / "saved"
    path.write_text(
        json.dumps(
            {"meta": {}, "results": [fixture("openalex/work.json"), {"id": "https://openalex.org/W1"}]}
        )
    )
    paper, rejection = read_file(path)
    assert isinstance(paper, Record) and paper.listings[0].list == "added" and paper.counted
    assert isinstance(rejection, Rejection) and "no title" in rejection.why
    assert isinstance(next(read_file(FIXTURES / "openalex" / "work.json")), Record)

"""Semantic Scholar: many papers are asked for in one request, null answers are normal, new ids are kept."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from broadsheet.model.papers import Record, Rejection
from broadsheet.model.validation import checked
from broadsheet.sources.files import read_file
from broadsheet.sources.semantic_scholar import SemanticScholar
from broadsheet.sources.semantic_scholar.adapter import record
from broadsheet.sources.semantic_scholar.parse import paper as parsed
from tests.sources.enriching import FIXTURES, OUT_OF_ORDER, QUICK, add, as_json, fixture, gather, home
from tests.sources.playing_service import Answer, Asked, playing_service

RECORDED = {
    "error_400_fields.json": (0, 1),
    "error_404.json": (0, 1),
    "paper_arxiv_citationStyles.json": (1, 0),
    "paper_batch_authors.json": (0, 3),
    "paper_batch_with_null.json": (3, 1),
    "paper_citations.json": (3, 0),
    "paper_references.json": (3, 0),
    "recommendations.json": (100, 0),
    "search_bulk_token.json": (1000, 0),
    "search_empty.json": (0, 1),
    "search_page.json": (5, 0),
}


def test_every_recorded_answer_is_read_or_refused_with_a_reason(shared: Path) -> None:
    found = {}
    for path in sorted((shared / "data" / "recorded" / "semantic_scholar").iterdir()):
        items = list(read_file(path))
        records = [checked(item) for item in items if isinstance(item, Record)]
        found[path.name] = (len(records), sum(isinstance(item, Rejection) for item in items))
        assert all(item.identifiers for item in records)
        assert not any((item.venue or "").lower().startswith("arxiv") for item in records)
    assert found == RECORDED


def test_a_paper_is_read_whole() -> None:
    paper = checked(record(parsed(fixture("semantic_scholar/batch.json")[1]), "here"))
    keys = [identifier.key for identifier in paper.identifiers]
    assert keys == ["doi:10.1234/engines.7", "acl:P18-1007", "s2:470667"]
    assert (paper.venue, paper.citations, paper.published) == (
        "Conference on Engines",
        10670,
        "2013-01-07T00:00:00Z",
    )
    assert paper.references == ["doi:10.1234/b.1", "s2:001e4f9693b704f9024a61bccfc00885edd560ac"]
    assert paper.abstract == "Engines weave numbers. They do so as looms do."
    assert [link.url for link in paper.links if link.kind == "pdf"] == [
        "https://repository.example.org/e.pdf"
    ]


@pytest.mark.parametrize(
    "junk", [{}, {"paperId": 5, "externalIds": "y", "authors": 3}, {"references": [None, 1]}]
)
def test_a_paper_of_any_shape_is_parsed_or_refused(junk: dict) -> None:
    assert isinstance(record(parsed(junk), "here"), Rejection)


def _service(asked: Asked) -> Answer:
    """Plays the batch: odd numbers are unknown."""
    if (
        asked.method != "POST"
        or asked.path != "/graph/v1/paper/batch"
        or "title" not in asked.query["fields"][0]
    ):
        return Answer(status=400, body=b'{"error": "Bad query parameters"}')
    ids = json.loads(asked.body)["ids"]
    numbers = [int(name.rpartition(".")[2].rpartition("-")[2]) for name in ids]
    if all(number % 2 for number in numbers):
        return Answer(status=400, body=b'{"error": "No valid paper ids given"}')
    return as_json([None if number % 2 else _paper(number) for number in numbers])


def _paper(number: int) -> dict:
    return {
        "paperId": f"{number:040x}",
        "externalIds": {"DOI": f"10.5555/found.{number}", "CorpusId": 900 + number},
        "title": f"Engine number {number}",
        "venue": "Conference on Engines",
        "citationCount": number,
        "references": [{"paperId": "f" * 40, "externalIds": {"ArXiv": "1706.03762"}}],
    }


def test_the_stored_papers_gain_dois_venues_and_references(tmp_path: Path) -> None:
    with playing_service(_service) as service, home(tmp_path) as (store, client):
        papers = [(f"2407.2{n:04}", f"Engine number {20000 + n}") for n in range(101)]
        add(store, *papers, ("acl:P18-1004", "Engine number 1004"), ("title:nothing-more", "No id"))
        gathered = gather(SemanticScholar(service.url, key="s3cr3t", service=QUICK), store, client)
        assert len(gathered.records) == 52
        assert len(service.requests) == 2
        ids = json.loads(service.requests[0].body)["ids"]
        assert len(ids) == 100 and ids[0] == "ARXIV:2407.20000"
        assert json.loads(service.requests[1].body)["ids"] == ["ARXIV:2407.20100", "ACL:P18-1004"]
        assert {request.headers["x-api-key"] for request in service.requests} == {"s3cr3t"}
        paper = store.paper("2407.20002")
        assert paper and (paper.identifier("doi"), paper.venue, paper.citations) == (
            "10.5555/found.20002",
            "Conference on Engines",
            20002,
        )
        assert paper.references == ["arxiv:1706.03762"]
        assert paper.id == "2407.20002"


def test_a_question_of_which_nothing_is_known_is_no_failure(tmp_path: Path) -> None:
    with playing_service(_service) as service, home(tmp_path) as (store, client):
        add(store, ("10.5555/e.1", "Engine number 1"))
        gathered = gather(SemanticScholar(service.url, service=QUICK), store, client)
        assert gathered.problem is None and not gathered.items
        assert json.loads(service.requests[0].body)["ids"] == ["DOI:10.5555/e.1"]
        assert "x-api-key" not in service.requests[0].headers


def test_an_answer_that_would_be_too_large_is_asked_for_in_halves(tmp_path: Path) -> None:
    def play(asked: Asked) -> Answer:
        if len(json.loads(asked.body)["ids"]) > 3:
            return Answer(status=400, body=b'{"error": "Response would exceed maximum size."}')
        return _service(asked)

    with playing_service(play) as service, home(tmp_path) as (store, client):
        add(store, *((f"10.5555/e.{n}", f"Engine number {n}") for n in range(10)))
        gathered = gather(SemanticScholar(service.url, service=QUICK), store, client)
        assert [item.where for item in gathered.records] == [
            f"semantic_scholar DOI:10.5555/e.{n}" for n in (0, 2, 4, 6, 8)
        ]


def test_the_ids_of_another_work_are_not_taken(tmp_path: Path) -> None:
    with playing_service(_service) as service, home(tmp_path) as (store, client):
        add(store, ("2407.20002", "A wholly different paper"))
        gathered = gather(SemanticScholar(service.url, service=QUICK), store, client)
        assert len(gathered.rejections) == 1
        paper = store.paper("2407.20002")
        assert paper and paper.identifier("doi") is None


@pytest.mark.parametrize("failure", [*OUT_OF_ORDER, "too few answers", "an unknown field"])
def test_a_failure_is_told_without_the_key_and_loses_nothing(
    tmp_path: Path, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "broadsheet")
    answers = {
        **OUT_OF_ORDER,
        "too few answers": as_json([None]),
        "an unknown field": Answer(status=400, body=b'{"error":"Unrecognized or unsupported fields: [x]"}'),
    }
    with home(tmp_path) as (store, client):
        add(store, ("10.5555/e.2", "Engine number 2"), ("10.5555/e.4", "Engine number 4"))
        with playing_service(answers[failure]) as service:
            gathered = gather(SemanticScholar(service.url, key="s3cr3t", service=QUICK), store, client)
        assert gathered.problem and not gathered.pages
        assert failure != "refused" or "BROADSHEET_SEMANTIC_SCHOLAR_KEY" in str(gathered.problem)
        assert "s3cr3t" not in str(gathered.problem) + caplog.text
        (client.pace_folder / "played.json").unlink()
        with playing_service(_service) as service:
            assert len(gather(SemanticScholar(service.url, service=QUICK), store, client).records) == 2


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("hep-th/9901001", "ARXIV:hep-th/9901001"),
        ("pmid:19872477", "PMID:19872477"),
        ("PMC2323736", "PMCID:2323736"),
        ("s2:470667", "CorpusId:470667"),
        ("s2:" + "a" * 40, "a" * 40),
    ],
)
def test_ids_are_written_as_the_service_wants_them(tmp_path: Path, name: str, asked: str) -> None:
    with playing_service(as_json([None])) as service, home(tmp_path) as (store, client):
        add(store, (name, "A paper"))
        assert not gather(SemanticScholar(service.url, service=QUICK), store, client).problem
        assert json.loads(service.requests[0].body)["ids"] == [asked]


def test_without_a_key_the_pace_is_slower() -> None:
    from broadsheet.sources.semantic_scholar.fetch import WITH_KEY, WITHOUT_KEY

    assert WITH_KEY.interval >= 1 and WITHOUT_KEY.interval >= 3
    assert WITH_KEY.name == WITHOUT_KEY.name


def test_a_saved_answer_can_be_added() -> None:
    null, paper, untitled = read_file(FIXTURES / "semantic_scholar" / "batch.json")
    assert isinstance(null, Rejection) and "did not know" in null.why
    assert isinstance(paper, Record) and paper.listings
    assert isinstance(untitled, Rejection) and "no title" in untitled.why

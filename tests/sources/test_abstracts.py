"""Missing abstracts and papers asked for by id, from a service that plays arXiv, into the real store."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from broadsheet.model.identifiers import Identifier, find_identifier
from broadsheet.model.papers import Listing, Record, Rejection, Wanted
from broadsheet.sources.abstracts import ASK_AGAIN_SECONDS, fetch_missing_abstracts, fetch_papers
from broadsheet.sources.http import Client, Service
from broadsheet.starter import starter_records
from broadsheet.store import Store
from tests.conftest import free_port
from tests.sources.playing_service import Answer, Asked, playing_service

FIXTURES = Path(__file__).parents[1] / "fixtures" / "arxiv"
QUICK = Service("arxiv", interval=0.0, tries=2, backoff=0.01, silence=5.0)
BUSY = Answer(status=503)
_FEED = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">{}</feed>'
_ENTRY = (
    "<entry><id>http://arxiv.org/abs/{id}v2</id><title>{title}</title><summary>{abstract}</summary>"
    "<published>2026-05-01T00:00:00Z</published><updated>2026-05-02T00:00:00Z</updated>"
    '<author><name>Ada Lovelace</name></author><arxiv:primary_category term="cs.AI"/></entry>'
)


def arxiv(
    unknown: frozenset[str] = frozenset(), empty: frozenset[str] = frozenset()
) -> Callable[[Asked], Answer]:
    """arXiv as an answer to any request; it does not know ``unknown``, and ``empty`` have no abstract."""

    def answer(asked: Asked) -> Answer:
        told = [
            _ENTRY.format(
                id=name,
                title=f"The paper {name}",
                abstract="" if name in empty else escape(f"What {name} found, told in full & at length."),
            )
            for name in asked.ids
            if name not in unknown
        ]
        return Answer(body=_FEED.format("".join(told)).encode())

    return answer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as opened:
        yield opened


def papers(count: int, abstract: str | None = None) -> list[Record]:
    """``count`` listed papers with arXiv ids."""
    return [
        Record(
            title=f"The paper 2605.{number:05}",
            source="test",
            identifiers=[Identifier("arxiv", f"2605.{number:05}")],
            abstract=abstract,
            listings=[Listing("added", "2026-05-29", number, "test")],
        )
        for number in range(1, count + 1)
    ]


def without_abstract(store: Store) -> int:
    return len(store.keys_without_abstract(10_000))


def test_the_starter_edition_gets_its_abstracts_in_two_requests(store: Store, client: Client) -> None:
    store.add(starter_records())
    told: list[int] = []
    with playing_service(arxiv()) as service:
        report = fetch_missing_abstracts(store, client, None, told.append, url=service.url, service=QUICK)
        again = fetch_missing_abstracts(store, client, url=service.url, service=QUICK)
    assert (report.wanted, report.fetched, report.unknown, report.problem) == (150, 150, 0, "")
    assert told == [100, 50] and [len(asked.ids) for asked in service.requests] == [100, 50]
    assert again.wanted == without_abstract(store) == 0
    paper = store.paper("2605.14747")
    assert paper.abstract == "What 2605.14747 found, told in full & at length."
    assert paper.ai_summary.startswith("Millions of screen-recorded tutorials")
    assert paper.provenance["abstract"] == "arxiv" and [v.number for v in paper.versions] == [1, 2]
    assert [listing.list for listing in paper.listings] == ["starter"]


def test_papers_with_an_abstract_or_without_an_arxiv_id_are_not_asked_for(
    store: Store, client: Client
) -> None:
    doi = Record(title="In a journal", source="test", identifiers=[Identifier("doi", "10.1234/a")])
    store.add([*papers(2, "Here it is."), doi])
    with playing_service(arxiv()) as service:
        assert fetch_missing_abstracts(store, client, url=service.url, service=QUICK).wanted == 0
    assert service.requests == []


def test_ids_that_arxiv_does_not_know_are_asked_for_once_a_day(
    store: Store, client: Client, tmp_path: Path
) -> None:
    store.add(papers(5))
    gone, mute = frozenset({"2605.00002"}), frozenset({"2605.00003"})
    with playing_service(arxiv(gone, mute)) as service:
        report = fetch_missing_abstracts(store, client, url=service.url, service=QUICK)
        assert (report.wanted, report.fetched, report.unknown) == (5, 3, 2)
        with Client(tmp_path) as after_a_restart:
            again = fetch_missing_abstracts(store, after_a_restart, url=service.url, service=QUICK)
        assert again.wanted == 0 and len(service.requests) == 1
        memory = tmp_path / "http" / "arxiv-without-abstract.json"
        asked = {name: at - ASK_AGAIN_SECONDS for name, at in json.loads(memory.read_text()).items()}
        memory.write_text(json.dumps(asked))
        fetch_missing_abstracts(store, client, url=service.url, service=QUICK)
    assert service.requests[-1].ids == ["2605.00002", "2605.00003"]


@pytest.mark.parametrize(
    "damaged", ["", "{", "[1]", '{"2605.00001": "yesterday"}', '{"2605.00001": 99999999999}']
)
def test_a_damaged_memory_only_costs_a_request(
    store: Store, client: Client, tmp_path: Path, damaged: str
) -> None:
    store.add(papers(1))
    (tmp_path / "http").mkdir()
    (tmp_path / "http" / "arxiv-without-abstract.json").write_text(damaged)
    with playing_service(arxiv()) as service:
        assert fetch_missing_abstracts(store, client, url=service.url, service=QUICK).fetched == 1


def test_without_a_network_there_is_one_attempt_and_one_line(
    store: Store, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    store.add(papers(250))
    away = Service("arxiv", interval=0.0, tries=5, backoff=5_000.0)
    with caplog.at_level(logging.INFO):
        report = fetch_missing_abstracts(store, client, url=f"http://127.0.0.1:{free_port()}", service=away)
    assert "cannot be reached" in report.problem and report.fetched == 0
    ours = [record for record in caplog.records if record.name.startswith("broadsheet.sources")]
    assert len(ours) == 1 and "will be tried later" in ours[0].getMessage()
    with playing_service(arxiv()) as service:
        assert fetch_missing_abstracts(store, client, url=service.url, service=QUICK).fetched == 250


def test_what_came_before_a_failure_stays(store: Store, client: Client) -> None:
    store.add(papers(150))
    with playing_service(arxiv(), BUSY) as service:
        report = fetch_missing_abstracts(store, client, url=service.url, service=QUICK)
    assert report.fetched == 100 and "503" in report.problem
    assert len(service.requests) == 3 and without_abstract(store) == 50


def test_an_answer_that_is_cut_short_gives_what_it_holds(store: Store, client: Client) -> None:
    store.add(papers(3))

    def cut(asked: Asked) -> Answer:
        body = arxiv()(asked).body
        return Answer(body=body[: body.rindex(b"<published>")])

    with playing_service(cut) as service:
        report = fetch_missing_abstracts(store, client, url=service.url, service=QUICK)
    assert report.fetched == 2 and "no usable answer" in report.problem
    assert without_abstract(store) == 1


def test_an_empty_answer_to_many_ids_is_a_fault_of_the_service(store: Store, client: Client) -> None:
    store.add(papers(30))
    empty = Answer(body=(FIXTURES / "unknown_id.xml").read_bytes())
    with playing_service(empty, arxiv()) as service:
        report = fetch_missing_abstracts(store, client, url=service.url, service=QUICK)
        assert "knows none of 30 ids" in report.problem
        assert fetch_missing_abstracts(store, client, url=service.url, service=QUICK).fetched == 30


def test_stopping_ends_between_requests(store: Store, client: Client) -> None:
    store.add(papers(300))
    stop = threading.Event()
    with playing_service(arxiv()) as service:
        report = fetch_missing_abstracts(
            store, client, stop, lambda _: stop.set(), url=service.url, service=QUICK
        )
    assert report.fetched == 100 and len(service.requests) == 1
    assert without_abstract(store) == 200


def wanted(*names: str) -> list[Wanted]:
    return [Wanted(find_identifier(name), f"word {place}") for place, name in enumerate(names, start=1)]


def test_papers_are_fetched_in_the_order_in_which_they_are_asked_for(client: Client) -> None:
    with playing_service(Answer(body=(FIXTURES / "query_two_papers.xml").read_bytes())) as service:
        found = list(
            fetch_papers(
                wanted("hep-th/9901001", "https://arxiv.org/abs/1706.03762v1", "arXiv:1706.03762"),
                client,
                url=service.url,
                service=QUICK,
            )
        )
    assert [(item.where, item.identifiers[0].value) for item in found] == [
        ("word 1", "hep-th/9901001"),
        ("word 2", "1706.03762"),
    ]
    assert service.requests[0].ids == ["hep-th/9901001", "1706.03762"]


def test_what_cannot_be_had_is_rejected_with_the_reason(client: Client) -> None:
    with playing_service(arxiv(unknown=frozenset({"2401.99999"}))) as service:
        found = list(
            fetch_papers(
                wanted("2401.99999", "10.1038/nature14539", "2401.00001"),
                client,
                url=service.url,
                service=QUICK,
            )
        )
    rejected = {item.where: item.why for item in found if isinstance(item, Rejection)}
    assert rejected["word 1"] == "arXiv knows no paper 2401.99999; check the id"
    assert rejected["word 2"].startswith("doi:10.1038/nature14539 is not stored, and only arXiv papers")
    assert [item.title for item in found if isinstance(item, Record)] == ["The paper 2401.00001"]


def test_an_id_that_arxiv_refuses_is_rejected_with_its_words(client: Client) -> None:
    refusal = Answer(status=400, body=(FIXTURES / "error_400.xml").read_bytes())
    asked = [Wanted(Identifier("arxiv", "9999.99999"), "line 1"), *wanted("1706.03762")]
    with playing_service(refusal, arxiv()) as service:
        rejection, record = fetch_papers(asked, client, url=service.url, service=QUICK)
    assert rejection.where == "line 1" and "incorrect id format for 9999.99999" in rejection.why
    assert record.identifiers[0].value == "1706.03762"


def test_when_the_network_is_away_every_paper_is_rejected_after_one_attempt(client: Client) -> None:
    away = Service("arxiv", interval=0.0, tries=5, backoff=5_000.0)
    names = [f"2401.{number:05}" for number in range(1, 251)]
    found = list(fetch_papers(wanted(*names), client, url=f"http://127.0.0.1:{free_port()}", service=away))
    assert [item.where for item in found] == [f"word {place}" for place in range(1, 251)]
    assert all("was not fetched" in item.why and "cannot be reached" in item.why for item in found)


def test_nothing_asked_for_asks_nothing(client: Client) -> None:
    with playing_service(arxiv()) as service:
        assert list(fetch_papers([], client, url=service.url, service=QUICK)) == []
    assert service.requests == []

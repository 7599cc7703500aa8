"""arXiv's Atom answers into records, and asking for them: recordings, fixtures, a playing service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadsheet.model.identifiers import Identifier
from broadsheet.model.papers import Author, Record, Rejection, Version
from broadsheet.model.validation import checked
from broadsheet.sources.arxiv import BATCH, fetch_entries, parse_atom
from broadsheet.sources.http import Client, Service, ServiceError
from tests.sources.playing_service import Answer, playing_service

FIXTURES = Path(__file__).parents[1] / "fixtures" / "arxiv"
TWO_PAPERS = (FIXTURES / "query_two_papers.xml").read_bytes()
QUICK = Service("arxiv", interval=0.0, tries=3, backoff=0.01, silence=5.0)
# How many papers and errors each recorded answer holds.
RECORDED = {
    "error_400_incorrect_id_format_2026.xml": (0, 1),
    "error_incorrect_id_format.xml": (0, 1),
    "id_0000.0000.xml": (0, 0),
    "id_0808.05394_unknown.xml": (0, 0),
    "id_list_missing_and_multiversion.xml": (1, 0),
    "id_oldstyle_astro-ph.xml": (1, 0),
    "id_oldstyle_quant-ph_v1.xml": (1, 0),
    "query_2025-10_old_server.xml": (2, 0),
    "query_2026.xml": (5, 0),
    "query_2026_large.xml": (50, 0),
    "query_2026_search.xml": (3, 0),
    "query_page1.xml": (10, 0),
    "query_page2.xml": (10, 0),
}


def _recorded(shared: Path, name: str) -> list[Record | Rejection]:
    return list(parse_atom((shared / "data/recorded/arxiv_atom_api" / name).read_bytes()))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(tmp_path) as opened:
        yield opened


def test_all_of_an_entry_is_read() -> None:
    paper, _ = parse_atom(TWO_PAPERS)
    assert paper.title == "Attention Is All You Need"
    assert paper.source == "arxiv" and paper.where == "arXiv answer entry 1"
    assert paper.identifiers == [
        Identifier("arxiv", "1706.03762", 7),
        Identifier("doi", "10.1234/invented.2017"),
        Identifier("doi", "10.1234/second.2017"),
    ]
    assert paper.abstract == (
        "A made-up abstract: sentences are translated by looking at all words at once, for which $n < m$ "
        "steps are enough.\n\n"
        "Its second paragraph says where the programs are: https://github.com/tensorflow/tensor2tensor."
    )
    assert paper.authors == [Author("Ashish Vaswani"), Author("Łukasz Kaiser")]
    assert (paper.published, paper.updated) == ("2017-06-12T17:57:34Z", "2023-08-02T00:41:18Z")
    assert paper.versions == [Version(1, "2017-06-12T17:57:34Z"), Version(7, "2023-08-02T00:41:18Z")]
    assert paper.categories == ["cs.CL", "cs.LG"]
    assert paper.venue == "Invented Journal 12 (2017) 1-15"
    assert paper.comment == "15 pages, 5 figures; project page https://attention.github.io"
    assert [(link.kind, link.url, link.provenance) for link in paper.links] == [
        ("abstract", "https://arxiv.org/abs/1706.03762", "id"),
        ("pdf", "https://arxiv.org/pdf/1706.03762", "id"),
        ("doi", "https://doi.org/10.1234/Invented.2017", "doi"),
        ("doi", "https://doi.org/10.1234/second.2017", "doi"),
        ("code", "https://github.com/tensorflow/tensor2tensor", "abstract"),
        ("project", "https://attention.github.io", "comment"),
    ]
    assert paper.withdrawn is None


def test_an_old_id_and_a_withdrawal_are_read() -> None:
    _, paper = parse_atom(TWO_PAPERS)
    assert paper.identifiers == [Identifier("arxiv", "hep-th/9901001", 1)]
    assert paper.versions == [Version(1, "1999-01-01T00:00:01Z")]
    assert paper.title == "A paper of the old numbering & its title"
    assert paper.withdrawn == "1999-01-01T00:00:01Z"


@pytest.mark.parametrize(
    ("comment", "withdrawn"),
    [
        ("This paper has been withdrawn by the authors due to an error in Lemma 2", True),
        ("This article was withdrawn", True),
        ("This paper was withdrawn from the proceedings for lack of travel money", False),
        ("9 pages. Formerly withdrawn elsewhere", False),
    ],
)
def test_only_arxivs_own_notice_means_withdrawn(comment: str, withdrawn: bool) -> None:
    data = TWO_PAPERS.replace(b"15 pages, 5 figures; project page", comment.encode())
    paper, _ = parse_atom(data)
    assert bool(paper.withdrawn) is withdrawn


def test_an_error_entry_is_a_rejection_that_names_the_id() -> None:
    (rejection,) = parse_atom((FIXTURES / "error_400.xml").read_bytes())
    assert rejection == Rejection(
        "arXiv answer entry 1", "arXiv answers: incorrect id format for 9999.99999; correct the id"
    )


def test_an_unknown_id_gives_nothing() -> None:
    assert list(parse_atom((FIXTURES / "unknown_id.xml").read_bytes())) == []


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_answers_are_read_whole(shared: Path, name: str) -> None:
    items = _recorded(shared, name)
    records = [item for item in items if isinstance(item, Record)]
    assert (len(records), len(items) - len(records)) == RECORDED[name]
    for record in records:
        cleaned = (record.title, record.abstract, record.comment, record.venue)
        checked(record)
        assert (record.title, record.abstract, record.comment, record.venue) == cleaned
        assert record.authors and record.abstract and "\n" not in record.title
        assert record.identifiers[0].scheme == "arxiv" and record.identifiers[0].version
        assert record.categories and all(
            re.fullmatch(r"[a-z-]+(\.[A-Za-z-]+)?", c) for c in record.categories
        )
        assert record.versions[0] == Version(1, record.published)
        assert record.published <= record.updated


def test_every_recorded_answer_is_known_here(shared: Path) -> None:
    folder = shared / "data/recorded/arxiv_atom_api"
    assert {path.name for path in folder.glob("*.xml")} == set(RECORDED)


def test_recorded_papers_keep_their_journal_and_their_versions(shared: Path) -> None:
    (old,) = _recorded(shared, "id_oldstyle_astro-ph.xml")
    assert (old.identifiers[0].value, old.venue) == ("astro-ph/0601001", "ActaAstron.56:1-50,2006")
    testing = _recorded(shared, "query_page1.xml")[0]
    assert Identifier("doi", "10.1109/icstw55395.2022.00035") in testing.identifiers
    several = _recorded(shared, "query_page2.xml")[0]
    assert several.versions == [Version(1, "2024-03-25T17:42:32Z"), Version(2, "2025-05-24T05:50:33Z")]
    wrapped = _recorded(shared, "query_2025-10_old_server.xml")[0]
    assert wrapped.title.endswith("Demonstration Decomposer for Planner Alignment in Long-Horizon Tasks")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no Atom feed"),
        (
            b"<!doctype html><html><head><meta charset=utf-8></head><body>Maintenance<br></body></html>",
            "no Atom feed",
        ),
        (b"<html><body>Maintenance</body></html>", "its root is <html>"),
        (b'{"error": "busy"}', "no Atom feed"),
        (b"\xff\xfe\x00", "no Atom feed"),
    ],
)
def test_what_is_no_feed_is_one_rejection(data: bytes, why: str) -> None:
    (rejection,) = parse_atom(data, "papers.xml")
    assert rejection.where == "papers.xml" and why in rejection.why


def test_the_entries_before_a_damage_are_read() -> None:
    paper, rejection = parse_atom(TWO_PAPERS[: TWO_PAPERS.index(b"hep-th/9901001v1")])
    assert paper.title == "Attention Is All You Need"
    assert "damaged after entry 1" in rejection.why and rejection.why.endswith("fetch it again")


def test_entities_are_neither_resolved_nor_multiplied(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    bomb = "".join(f'<!ENTITY b{i} "{f"&b{i - 1};" * 10}">' for i in range(1, 12))
    head = f'<!DOCTYPE feed [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY b0 "ha">{bomb}]><feed'.encode()
    data = TWO_PAPERS.replace(b"<feed", head, 1).replace(b"You Need", b"&x; &b11;")
    for item in parse_atom(data):
        assert "secret" not in str(item) and "haha" not in str(item)


def test_a_huge_text_is_refused() -> None:
    items = list(parse_atom(TWO_PAPERS.replace(b"You Need", b"A" * 11_000_000)))
    assert len(items) == 1 and isinstance(items[0], Rejection)


@pytest.mark.parametrize(
    "wrong", [b"tag:example.org,2026:1", b"http://arxiv.org/abs/", b"http://example.org/abs/1706.03762"]
)
def test_an_entry_that_is_not_arxivs_is_rejected_and_the_others_are_read(wrong: bytes) -> None:
    rejection, paper = parse_atom(TWO_PAPERS.replace(b"http://arxiv.org/abs/1706.03762v7", wrong, 1))
    assert "no arXiv address" in rejection.why
    assert paper.identifiers[0].value == "hep-th/9901001"


def test_an_entry_without_title_is_rejected() -> None:
    rejection, _ = parse_atom(re.sub(rb"<title>Attention[^<]*</title>", b"<title> </title>", TWO_PAPERS))
    assert rejection.why.startswith("arXiv 1706.03762 has no title")


def test_papers_are_asked_for_in_one_request(client: Client) -> None:
    with playing_service(Answer(body=TWO_PAPERS)) as service:
        found = list(
            fetch_entries(
                ["1706.03762", "hep-th/9901001"], client, url=service.url + "/api/query", service=QUICK
            )
        )
    assert [entry.place for entry in found] == [1, 2]
    (asked,) = service.requests
    assert asked.path == "/api/query"
    assert asked.ids == ["1706.03762", "hep-th/9901001"]
    assert asked.query["max_results"] == ["2"]


def test_one_refused_id_does_not_cost_the_others(client: Client) -> None:
    refusal = Answer(status=400, body=(FIXTURES / "error_400.xml").read_bytes())
    with playing_service(refusal, Answer(body=TWO_PAPERS)) as service:
        found = list(fetch_entries(["9999.99999", "1706.03762"], client, url=service.url, service=QUICK))
    assert [bool(entry.error) for entry in found] == [True, False, False]
    assert [asked.ids for asked in service.requests] == [["9999.99999", "1706.03762"], ["1706.03762"]]


def test_a_refusal_of_something_else_ends_in_an_error(client: Client) -> None:
    refusal = Answer(status=400, body=(FIXTURES / "error_400.xml").read_bytes())
    with playing_service(refusal) as service, pytest.raises(ServiceError, match="refuses the ids"):
        list(fetch_entries(["1706.03762"], client, url=service.url, service=QUICK))
    assert len(service.requests) == 1


@pytest.mark.parametrize("body", [b"<html><body>Maintenance</body></html>", b"", TWO_PAPERS[:1500]])
def test_a_page_instead_of_a_feed_is_a_fault_of_the_service(client: Client, body: bytes) -> None:
    with (
        playing_service(Answer(body=body)) as service,
        pytest.raises(ServiceError, match=r"arxiv: .* sent (no usable answer|an HTML page)"),
    ):
        list(fetch_entries(["1706.03762"], client, url=service.url, service=QUICK))


def test_too_many_ids_for_one_request_are_a_mistake_of_the_program(client: Client) -> None:
    with pytest.raises(ValueError, match="divide them"):
        list(fetch_entries(["1706.03762"] * (BATCH + 1), client, service=QUICK))
